//! The rounds of checks of an operator: beside its loop, which nothing here holds up.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::make;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::planning::check::{CheckResult, Round};
use crate::state::time::Moment;

/// When a stack that is not ready is checked first, at the latest.
const FIRST: Duration = Duration::from_mins(1);

/// How soon a round is tried again that could not be prepared.
const SOON: Duration = Duration::from_secs(1);

/// The rounds of one stack; one is under way at most.
#[derive(Debug)]
pub struct Rounds {
    under_way: JoinSet<Vec<CheckResult>>,
    /// When the next one is due; nothing while one is under way, and for ever where no
    /// checks are made.
    next: Option<Moment>,
    is_first: bool,
}

/// What is to be done about checks.
#[derive(Debug)]
pub enum News {
    /// A round is due.
    Due,
    /// One has ended.
    Made(Vec<CheckResult>),
}

impl Rounds {
    /// Makes the rounds of a stack, or none at all.
    pub fn new(are_made: bool, clock: &Clock) -> Self {
        let next = are_made.then(|| clock.now().moment.after(FIRST));
        Self { under_way: JoinSet::new(), next, is_first: true }
    }

    /// Takes note that the stack is ready: the first round need not wait any longer.
    pub fn ready(&mut self, clock: &Clock) {
        if self.is_first && self.next.is_some() {
            self.next = Some(clock.now().moment);
        }
    }

    /// Waits until there is something to do. Nothing is lost when the wait is given up.
    pub async fn news(&mut self, clock: &Clock) -> News {
        let wait = self.next.map(|next| clock.until(next));
        tokio::select! {
            Some(made) = self.under_way.join_next() => {
                // A round that came to a bad end has found nothing.
                News::Made(made.unwrap_or_default())
            }
            () = due(wait) => News::Due,
        }
    }

    /// Begins a round.
    pub fn begin<E: Engine + 'static>(
        &mut self,
        engine: &Arc<E>,
        round: Round,
        clock: &Clock,
    ) {
        self.next = None;
        self.is_first = false;
        let (engine, clock) = (engine.clone(), clock.clone());
        self.under_way.spawn(async move { make(&*engine, &round, &clock).await });
    }

    /// Puts a round off that cannot be prepared now: the stack is being looked at.
    pub fn put_off(&mut self, clock: &Clock) {
        self.next = Some(clock.now().moment.after(SOON));
    }

    /// Takes note that a round has ended: the next one comes after this.
    pub fn ended(&mut self, interval: Duration, clock: &Clock) {
        self.next = Some(clock.now().moment.after(interval));
    }
}

async fn due(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
