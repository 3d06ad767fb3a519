//! Converging a stack once: until it is as wanted and ready, or time is up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::controller::Controller;
use crate::engine::{Engine, EngineError};
use crate::keeper::Keeper;
use crate::pass::{Found, Wanted};
use crate::planning::immutable;
use crate::planning::revision::Changes;
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::runtime::{Convergence, Runtime, Turn};
use crate::state::desired::Desired;
use crate::state::ids::ServiceName;
use crate::state::time::EngineTime;

/// How many looks in a row may fail.
const FAILED_LOOKS: u32 = 5;

/// What to converge, and how patiently.
#[derive(Debug)]
pub struct Order {
    /// What is wanted.
    pub desired: Desired,
    /// What it is brought to.
    pub goal: Goal,
    /// Where it is remembered.
    pub keeper: Keeper,
    /// The clock by which it is remembered.
    pub clock: Clock,
    /// What a person allowed.
    pub allowed: Allowed,
    /// Services whose changes of what must not change under data are meant.
    pub accepted: BTreeSet<ServiceName>,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether to wait for readiness once nothing is left to change.
    pub wait: bool,
    /// The only service that anything is done about; nothing for all of them.
    pub only: Option<ServiceName>,
}

/// What a stack is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// As it is wanted.
    Converged,
    /// Taken down, but for its data.
    Gone,
    /// As it was, with the new starts that the memory says are asked for.
    Restarted,
}

/// How it ended.
#[derive(Debug)]
pub struct Result {
    /// The last pass.
    pub found: Found,
    /// Why it ended.
    pub end: End,
    /// What was to change when it began.
    pub changes: Changes,
    /// When it ended, by the engine's clock.
    pub ended: EngineTime,
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
/// The engine cannot be looked at: at first, or several times in a row.
pub async fn converge<E: Engine + 'static>(
    engine: Arc<E>,
    order: Order,
    report: &mut Report,
) -> std::result::Result<Result, EngineError> {
    let (goal, wait) = (order.goal, order.wait);
    let mut memory = order.keeper.memory(order.clock.now());
    memory.down = match goal {
        Goal::Converged => None,
        Goal::Gone => Some(order.desired.generation.clone()),
        Goal::Restarted => memory.down,
    };
    if order.allowed.data_paths {
        memory.data_paths.clear();
    }
    for service in &order.accepted {
        immutable::accept(&mut memory, &order.desired, service);
    }
    memory.only = order.only;
    memory.wait_no_longer();
    let wanted = Wanted::new(order.desired);
    let controller = Controller::new(wanted, order.allowed, memory);
    let mut runtime = Runtime::new(&engine, controller, order.clock, order.keeper);
    let deadline = runtime.clock.now().moment.after(order.timeout);
    let (mut last, mut changes): (Option<Found>, Option<Changes>) = (None, None);
    loop {
        // Without a look there is nothing to say, so the first one is waited for.
        let left = last.as_ref().map_or(Duration::MAX, |_| runtime.clock.until(deadline));
        let turn = tokio::time::timeout(left, runtime.next(report)).await;
        let (is_late, is_new) = (turn.is_err(), matches!(turn, Ok(Turn::Passed(_))));
        match turn.unwrap_or(Turn::Other) {
            Turn::Passed(found) => {
                changes.get_or_insert_with(|| Changes::of(&found.plan));
                last = Some(*found);
            }
            Turn::Blind(error)
                if last.is_none() || runtime.controller.failures() >= FAILED_LOOKS =>
            {
                return Err(error);
            }
            Turn::Blind(error) => {
                tracing::warn!(%error, "the look failed and is tried again");
            }
            Turn::Other => {}
        }
        if let Some(found) = last.as_ref().filter(|_| is_new || is_late)
            && let Some(end) = end(&runtime.convergence(found), goal, wait, is_late)
        {
            runtime.remember();
            let (changes, ended) =
                (changes.unwrap_or_default(), runtime.clock.now().engine);
            return Ok(Result { found: found.clone(), end, changes, ended });
        }
    }
}

/// Tells whether and why the wait for a stack has come to its end.
pub fn end(
    convergence: &Convergence,
    goal: Goal,
    wait: bool,
    is_late: bool,
) -> Option<End> {
    let is_done = match goal {
        Goal::Converged => convergence.is_settled && (!wait || convergence.is_ready),
        Goal::Gone => convergence.is_settled,
        Goal::Restarted => !convergence.is_restarting,
    };
    if is_done {
        Some(End::Done)
    } else if is_late {
        Some(End::TimedOut)
    } else if !convergence.is_moving {
        Some(End::Stuck)
    } else {
        None
    }
}
