//! Takes steps, one per object, and makes no decision.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinSet};

use crate::engine::{Engine, PullProgress};
use crate::state::ids::Object;
use crate::state::step::{Done, Failure, FailureKind, Outcome, Step};

/// The steps that are under way.
#[derive(Debug)]
pub struct Executor<E> {
    engine: Arc<E>,
    tasks: JoinSet<Result<Done, Failure>>,
    under_way: BTreeMap<tokio::task::Id, (Object, Step, AbortHandle)>,
    progress: UnboundedSender<PullProgress>,
}

impl<E: Engine + 'static> Executor<E> {
    /// Makes an executor for an engine, and the channel on which pulls tell how far they are.
    pub fn new(engine: Arc<E>) -> (Self, UnboundedReceiver<PullProgress>) {
        let (progress, pulls) = unbounded_channel();
        let executor =
            Self { engine, tasks: JoinSet::new(), under_way: BTreeMap::new(), progress };
        (executor, pulls)
    }

    /// Takes a step in the background.
    pub fn start(&mut self, object: Object, step: Step) {
        let (engine, progress, own) =
            (self.engine.clone(), self.progress.clone(), step.clone());
        let handle =
            self.tasks.spawn(async move { engine.perform(&own, &progress).await });
        self.under_way.insert(handle.id(), (object, step, handle));
    }

    /// Waits until a step has ended. Never returns while none is under way; nothing is
    /// lost when the wait is given up.
    pub async fn ended(&mut self) -> Outcome {
        loop {
            let Some(joined) = self.tasks.join_next_with_id().await else {
                return std::future::pending().await;
            };
            let (id, result) = match joined {
                Ok((id, result)) => (id, result),
                Err(error) => (error.id(), Err(gave_up(&error))),
            };
            if let Some((object, step, _)) = self.under_way.remove(&id) {
                return Outcome { object, step, result };
            }
        }
    }

    /// Returns a step that has ended already, if any has.
    pub fn ended_already(&mut self) -> Option<Outcome> {
        futures_util::FutureExt::now_or_never(self.ended())
    }

    /// Gives up steps that only wait and change nothing: pulls and probes.
    pub fn abandon_waits(&mut self) {
        for (_, step, handle) in self.under_way.values() {
            if matches!(step, Step::Pull { .. }) || step.is_probe() {
                handle.abort();
            }
        }
    }

    /// Tells whether no step is under way.
    pub fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Tells whether only steps that change nothing are under way.
    pub fn only_waits(&self) -> bool {
        self.under_way
            .values()
            .all(|(_, step, _)| matches!(step, Step::Pull { .. }) || step.is_probe())
    }
}

fn gave_up(error: &tokio::task::JoinError) -> Failure {
    let (kind, message) = if error.is_cancelled() {
        (FailureKind::Abandoned, "it was given up".to_owned())
    } else {
        (FailureKind::Unknown, format!("an internal error: {error}"))
    };
    Failure { kind, message }
}
