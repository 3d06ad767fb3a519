//! Runs a controller on an engine: takes its looks and its steps, and tells it what
//! happened. No decision is made here.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{FutureExt, Stream, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::controller::{Controller, Event, Look};
use crate::engine::{Engine, EngineError, PullProgress, Wakeup};
use crate::executor::Executor;
use crate::keeper::Keeper;
use crate::pass::Found;
use crate::planning::change::Action;
use crate::planning::memory::Memory;
use crate::planning::tally::Tally;
use crate::report::Report;
use crate::state::ids::{Generation, Object};
use crate::state::observed::Observed;
use crate::state::step::{Done, Outcome, Step};
use crate::state::time::Moment;

/// A controller at work.
pub struct Runtime<E> {
    /// The mind.
    pub controller: Controller,
    /// The clock.
    pub clock: Clock,
    /// What was counted.
    pub tally: Tally,
    engine: Arc<E>,
    keeper: Keeper,
    executor: Executor<E>,
    pulls: UnboundedReceiver<PullProgress>,
    wakeups: Pin<Box<dyn Stream<Item = Wakeup> + Send>>,
    looking: Option<JoinHandle<Looked>>,
    /// When the last look began.
    looked_at: Moment,
}

/// What came of a look, and what whoever acts on the stack had to tell meanwhile.
type Looked = (Result<Observed, EngineError>, Option<Memory>);

/// What has just happened.
#[derive(Debug)]
pub enum Turn {
    /// A pass was made.
    Passed(Box<Found>),
    /// The engine could not be looked at.
    Blind(EngineError),
    /// Something that leads to a pass by itself.
    Other,
}

/// How far a stack has come after a pass, for those who wait for it.
#[allow(clippy::struct_excessive_bools, reason = "each is asked about by itself")]
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Convergence {
    /// What it was compared with.
    pub generation: Generation,
    /// Nothing is left to change, and nothing is being changed.
    pub is_settled: bool,
    /// Every service is ready.
    pub is_ready: bool,
    /// Something is yet to happen by itself.
    pub is_moving: bool,
    /// A restart that a person asked for is not done yet.
    pub is_restarting: bool,
}

impl<E> std::fmt::Debug for Runtime<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("controller", &self.controller)
            .finish_non_exhaustive()
    }
}

impl<E: Engine + 'static> Runtime<E> {
    /// Puts a controller to work on an engine; what it remembers is kept before it acts.
    pub fn new(
        engine: &Arc<E>,
        controller: Controller,
        clock: Clock,
        keeper: Keeper,
    ) -> Self {
        let (executor, pulls) = Executor::new(engine.clone());
        let project = controller.wanted().desired.project.clone();
        Self {
            controller,
            clock,
            engine: engine.clone(),
            keeper,
            executor,
            pulls,
            wakeups: Box::pin(engine.wakeups(&project)),
            looking: None,
            looked_at: Moment::default(),
            tally: Tally::default(),
        }
    }

    /// Tells the controller what happened, and does what it says.
    pub fn tell(&mut self, event: Event) -> Turn {
        self.controller.handle(event, self.clock.now());
        self.act()
    }

    /// Waits for the next thing to happen, and does what the controller says. Nothing is
    /// lost when the wait is given up.
    pub async fn next(&mut self, report: &mut Report) -> Turn {
        let sleep = self.controller.wake().map(|wake| self.clock.until(wake));
        tokio::select! {
            outcome = self.executor.ended() => {
                let mut next = Some(outcome);
                while let Some(outcome) = next {
                    self.step_has_ended(outcome, report);
                    next = self.executor.ended_already();
                }
            }
            seen = ended(&mut self.looking) => return self.looked(seen, report),
            Some(wakeup) = self.wakeups.next() => self.woken(wakeup),
            Some(pull) = self.pulls.recv() => {
                let objects = self.pulled_by(&pull);
                report.pulling(&objects, &pull, self.clock.now().moment);
                return Turn::Other;
            }
            () = due(sleep) => {}
        }
        self.act()
    }

    /// Waits for the next step to end; never returns while none is under way.
    pub async fn step_ended(&mut self, report: &mut Report) {
        let outcome = self.executor.ended().await;
        self.step_has_ended(outcome, report);
    }

    fn step_has_ended(&mut self, outcome: Outcome, report: &mut Report) {
        let now = self.clock.now();
        let outcome = self.controller.concealed(outcome);
        if let (Step::ReadLog { container }, Ok(Done::Log { lines })) =
            (&outcome.step, &outcome.result)
        {
            let name = self.controller.name_of(container);
            self.keeper.keep_log(&name, lines);
        }
        report.ended(&outcome, now.moment);
        self.tally.ended(&outcome);
        self.controller.handle(Event::Ended(outcome), now);
    }

    /// Keeps what is remembered now.
    pub fn remember(&self) {
        self.keeper.remember(self.controller.memory(), self.clock.now());
    }

    /// Tells whether only steps that change nothing are under way.
    pub fn only_waits(&self) -> bool {
        self.executor.only_waits()
    }

    /// Tells whether a restart by hand is under way, with what goes down and comes up again
    /// with it.
    fn is_restarting(&self, found: &Found) -> bool {
        let memory = self.controller.memory();
        let mut changes = found.plan.changes.iter();
        !memory.due_restarts.is_empty()
            || memory.only.is_some() && changes.any(|it| it.action == Action::Restart)
    }

    /// Says how far the stack has come after a pass.
    pub fn convergence(&self, found: &Found) -> Convergence {
        Convergence {
            generation: found.status.generation.clone(),
            is_settled: found.plan.is_in_sync() && self.executor.only_waits(),
            is_ready: found.status.ready,
            is_moving: found.plan.is_moving || !self.executor.is_idle(),
            is_restarting: self.is_restarting(found),
        }
    }

    fn woken(&mut self, wakeup: Wakeup) {
        let mut next = Some(wakeup);
        while let Some(wakeup) = next {
            tracing::trace!(?wakeup, "the engine says");
            self.controller.handle(Event::Woken(wakeup), self.clock.now());
            next = self.wakeups.next().now_or_never().flatten();
        }
    }

    fn looked(&mut self, (seen, told): Looked, report: &mut Report) -> Turn {
        if let Some(memory) = told {
            self.controller.handle(Event::Told(Box::new(memory)), self.clock.now());
        }
        match seen {
            Ok(observed) => {
                if self.controller.looks_at_everything() {
                    self.clock.set_engine_time(observed.facts.time);
                }
                let turn = self.tell(Event::Seen(observed));
                if let Turn::Passed(found) = &turn {
                    let now = self.clock.now().moment;
                    self.tally.passed(&found.plan, now.since(self.looked_at));
                    report.found(found, now);
                }
                turn
            }
            Err(error) => {
                self.tally.blind();
                self.controller.handle(Event::Blind, self.clock.now());
                self.act();
                Turn::Blind(error)
            }
        }
    }

    fn act(&mut self) -> Turn {
        let response = self.controller.respond(self.clock.now());
        if response.abandon_waits {
            self.executor.abandon_waits();
        }
        if !response.steps.is_empty() {
            self.remember();
        }
        for (object, step) in response.steps {
            self.executor.start(object, step);
        }
        if let Some(look) = response.look {
            let (engine, keeper) = (self.engine.clone(), self.keeper.clone());
            let now = self.clock.now();
            self.looked_at = now.moment;
            self.looking = Some(tokio::spawn(async move {
                let told = keeper.told(now).await;
                (take(&*engine, look).await, told)
            }));
        }
        response.found.map_or(Turn::Other, |found| Turn::Passed(Box::new(found)))
    }

    /// Returns the objects that wait for the image of a pull.
    fn pulled_by(&self, pull: &PullProgress) -> Vec<Object> {
        let under_way = self.controller.memory().under_way.iter();
        under_way
            .filter(|(_, step)| {
                matches!(step, Step::Pull { image, .. } if *image == pull.image)
            })
            .map(|(object, _)| object.clone())
            .collect()
    }
}

impl<E> Drop for Runtime<E> {
    fn drop(&mut self) {
        if let Some(looking) = &self.looking {
            looking.abort();
        }
    }
}

async fn take<E: Engine>(engine: &E, look: Look) -> Result<Observed, EngineError> {
    match look.since {
        Some((last, touched)) => engine.look_again(&look.scope, &last, &touched).await,
        None => engine.look(&look.scope).await,
    }
}

/// Waits until the look has ended; never returns while none is under way.
async fn ended(looking: &mut Option<JoinHandle<Looked>>) -> Looked {
    let Some(handle) = looking else { return std::future::pending().await };
    let joined = handle.await;
    *looking = None;
    joined.unwrap_or_else(|error| {
        let what = "be looked at".to_owned();
        (Err(EngineError::Failed { what, source: error.into() }), None)
    })
}

async fn due(sleep: Option<std::time::Duration>) {
    match sleep {
        Some(sleep) => tokio::time::sleep(sleep).await,
        None => std::future::pending().await,
    }
}
