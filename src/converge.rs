//! Converging a stack once: until it is as wanted and ready, or time is up.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::engine::{Engine, EngineError, PullProgress, Wakeup};
use crate::executor::Executor;
use crate::pass::{Found, Goal, Pass};
use crate::planning::memory::Memory;
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::state::desired::Desired;
use crate::state::ids::Object;
use crate::state::step::Step;
use crate::state::time::{Moment, Now};

/// How often everything is looked at with no reason while something is not ready.
pub const RESYNC_UNREADY: Duration = Duration::from_secs(30);

/// How long to wait before a look that failed is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many looks in a row may fail.
const FAILED_LOOKS: u32 = 5;

/// What to converge, and how patiently.
#[derive(Debug)]
pub struct Order {
    /// What is wanted.
    pub desired: Desired,
    /// What it is brought to.
    pub goal: Goal,
    /// What is remembered.
    pub memory: Memory,
    /// What a person allowed.
    pub allowed: Allowed,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether to wait for readiness once nothing is left to change.
    pub wait: bool,
}

/// How it ended.
#[derive(Debug)]
pub struct Result {
    /// The last pass.
    pub found: Found,
    /// What is remembered now.
    pub memory: Memory,
    /// When it ended, by the clock that the memory's deadlines are on.
    pub now: Now,
    /// Why it ended.
    pub end: End,
}

/// Why converging ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything is as wanted; and ready, if that was waited for.
    Done,
    /// Time is up.
    TimedOut,
    /// Nothing will happen unless a person acts.
    Stuck,
}

/// Converges a stack once.
///
/// # Errors
/// The engine cannot be looked at, several times in a row.
pub async fn converge<E: Engine + 'static>(
    engine: Arc<E>,
    order: Order,
    report: &mut Report,
) -> std::result::Result<Result, EngineError> {
    let project = order.desired.project.clone();
    let wakeups = pin!(engine.wakeups(&project).fuse());
    let (executor, pulls) = Executor::new(engine.clone());
    let mut pass = Pass::new(
        engine.clone(),
        executor,
        order.desired,
        order.memory,
        order.goal,
        order.allowed,
    );
    let deadline = pass.clock.now().moment.after(order.timeout);
    let mut waiting = Waiting { wakeups, pulls };
    let (mut failures, mut has_looked) = (0, false);
    loop {
        let found = match pass.perform().await {
            Ok(found) => found,
            Err(error) if !has_looked || failures >= FAILED_LOOKS => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "the look failed and is tried again");
                failures += 1;
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
        };
        (failures, has_looked) = (0, true);
        let now = pass.clock.now().moment;
        report.found(&found, now);
        if let Some(end) = end(&found, &pass, order.goal, order.wait, now >= deadline) {
            let now = pass.clock.now();
            return Ok(Result { found, memory: pass.memory, now, end });
        }
        let resync = now.after(RESYNC_UNREADY);
        let wake = found.plan.wake.map_or(resync, |wake| wake.min(resync)).min(deadline);
        waiting.next(&mut pass, report, wake).await;
        if pass.clock.now().moment >= resync {
            pass.resync();
        }
    }
}

fn end<E: Engine + 'static>(
    found: &Found,
    pass: &Pass<E>,
    goal: Goal,
    wait: bool,
    is_late: bool,
) -> Option<End> {
    let is_ready = goal == Goal::Gone || !wait || found.status.ready;
    if found.plan.is_in_sync() && pass.executor.only_waits() && is_ready {
        Some(End::Done)
    } else if is_late {
        Some(End::TimedOut)
    } else if !found.plan.is_moving && pass.executor.is_idle() {
        Some(End::Stuck)
    } else {
        None
    }
}

/// What a loop waits for between two passes.
#[derive(Debug)]
pub struct Waiting<W> {
    /// The engine's wake-ups.
    pub wakeups: W,
    /// The progress of pulls.
    pub pulls: UnboundedReceiver<PullProgress>,
}

impl<W: Stream<Item = Wakeup> + Unpin> Waiting<W> {
    /// Waits until there is a reason for another pass. Nothing is lost when the wait is
    /// given up.
    pub async fn next<E: Engine + 'static>(
        &mut self,
        pass: &mut Pass<E>,
        report: &mut Report,
        wake: Moment,
    ) {
        let sleep = tokio::time::sleep(pass.clock.until(wake));
        let mut sleep = pin!(sleep);
        loop {
            tokio::select! {
                outcome = pass.executor.ended() => {
                    report.ended(&outcome, pass.clock.now().moment);
                    for outcome in pass.take(outcome) {
                        report.ended(&outcome, pass.clock.now().moment);
                    }
                    break;
                }
                Some(wakeup) = self.wakeups.next() => {
                    if pass.wake(&wakeup) {
                        tracing::debug!(?wakeup, "woken by the engine");
                        break;
                    }
                }
                Some(pull) = self.pulls.recv() => {
                    let objects = pulled_by(pass, &pull);
                    report.pulling(&objects, &pull, pass.clock.now().moment);
                }
                () = &mut sleep => break,
            }
        }
        while let Some(Some(wakeup)) = self.wakeups.next().now_or_never() {
            pass.wake(&wakeup);
        }
    }
}

fn pulled_by<E>(pass: &Pass<E>, pull: &PullProgress) -> Vec<Object> {
    let under_way = pass.memory.under_way.iter();
    under_way
        .filter(
            |(_, step)| matches!(step, Step::Pull { image, .. } if *image == pull.image),
        )
        .map(|(object, _)| object.clone())
        .collect()
}
