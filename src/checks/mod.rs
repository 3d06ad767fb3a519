//! The checks of a stack at work: each asks what it has to, side by side, within its time.
//!
//! What is asked and what the answers mean is decided in [`crate::planning::check`].
//! [`rounds`] makes them again and again for an operator, beside its loop.

mod asking;
pub mod rounds;

use std::time::Duration;

use futures_util::future::join_all;

use crate::clock::Clock;
use crate::engine::Engine;
use crate::planning::check::question::What;
use crate::planning::check::{CheckResult, Prepared, Round};
use crate::state::ask::{Answer, Trouble, TroubleKind};

/// How much longer than its time a check is waited for: who asks keeps to that time, and
/// this is for what does not.
const SLACK: Duration = Duration::from_secs(2);

/// Makes the checks of a round, side by side; the results are sorted by name.
pub async fn make<E: Engine>(
    engine: &E,
    round: &Round,
    clock: &Clock,
) -> Vec<CheckResult> {
    let made = round.checks.iter().map(|it| one(engine, round, it, clock));
    let mut results = join_all(made).await;
    results.sort_by(|a, b| a.name.cmp(&b.name));
    results
}

async fn one<E: Engine>(
    engine: &E,
    round: &Round,
    prepared: &Prepared,
    clock: &Clock,
) -> CheckResult {
    let began = clock.now();
    let timeout = prepared.check.timeout;
    let answers = prepared.questions.iter().map(|question| async {
        match &question.what {
            What::Known { .. } => None,
            What::Ask(ask) => {
                let asked = asking::answer(engine, ask, timeout, began.engine);
                let answer = tokio::time::timeout(timeout + SLACK, asked).await;
                Some(answer.unwrap_or_else(|_| silent(timeout)))
            }
        }
    });
    let answers = join_all(answers).await;
    let took = clock.now().moment.since(began.moment);
    round.judged(prepared, answers, (began.engine, took))
}

fn silent(timeout: Duration) -> Answer {
    let said = format!("there was no answer in {} s", timeout.as_secs_f64());
    Err(Trouble::new(TroubleKind::Silent, said))
}
