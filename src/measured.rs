//! An engine whose answers are timed, whichever it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::Stream;
use tokio::sync::mpsc::UnboundedSender;

use crate::clock::Clock;
use crate::engine::{Engine, EngineError, PullProgress, Scope, Wakeup};
use crate::planning::tally::Calls;
use crate::state::ids::{ContainerId, ProjectName};
use crate::state::observed::{EngineFacts, Observed};
use crate::state::step::{Done, Failure, Step};

/// What the engine was asked by all who share this, by kind: the kinds of steps, and of looks.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    calls: Arc<Mutex<BTreeMap<&'static str, Calls>>>,
    clock: Clock,
}

impl Meter {
    /// Returns what was asked so far.
    pub fn read(&self) -> BTreeMap<&'static str, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Times a call; one that is given up is not counted.
    async fn time<T, E>(
        &self,
        kind: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let begun = self.clock.now().moment;
        let answer = call.await;
        let took = self.clock.now().moment.since(begun);
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = calls.entry(kind).or_default();
        calls.took.took(took);
        calls.errors += u64::from(answer.is_err());
        answer
    }
}

/// An engine, and what it was asked.
#[derive(Clone, Debug)]
pub struct Measured<E> {
    engine: E,
    meter: Meter,
}

impl<E> Measured<E> {
    /// Measures an engine.
    pub const fn new(engine: E, meter: Meter) -> Self {
        Self { engine, meter }
    }
}

impl<E: Engine> Engine for Measured<E> {
    async fn facts(&self) -> Result<EngineFacts, EngineError> {
        self.meter.time("facts", self.engine.facts()).await
    }

    async fn look(&self, scope: &Scope) -> Result<Observed, EngineError> {
        self.meter.time("look", self.engine.look(scope)).await
    }

    async fn look_again(
        &self,
        scope: &Scope,
        last: &Observed,
        containers: &BTreeSet<ContainerId>,
    ) -> Result<Observed, EngineError> {
        let again = self.engine.look_again(scope, last, containers);
        self.meter.time("look again", again).await
    }

    async fn perform(
        &self,
        step: &Step,
        progress: &UnboundedSender<PullProgress>,
    ) -> Result<Done, Failure> {
        self.meter.time(step.verb(), self.engine.perform(step, progress)).await
    }

    fn wakeups(
        &self,
        project: &ProjectName,
    ) -> impl Stream<Item = Wakeup> + Send + use<E> {
        self.engine.wakeups(project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sim::Sim;

    #[tokio::test]
    async fn calls_are_counted_by_kind_and_errors_too() {
        let meter = Meter::default();
        let engine = Measured::new(Sim::connect("").unwrap(), meter.clone());
        let (progress, _) = tokio::sync::mpsc::unbounded_channel();
        engine.facts().await.unwrap();
        let step = Step::Start { container: "gone".into() };
        for _ in 0..2 {
            engine.perform(&step, &progress).await.unwrap_err();
        }
        let calls = meter.read();
        assert_eq!(calls["facts"].took.count, 1);
        assert_eq!((calls["start"].took.count, calls["start"].errors), (2, 2));
        assert_eq!(calls.len(), 2);
    }
}
