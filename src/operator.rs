//! The operator: converges stacks for ever.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch::Receiver;

use crate::announced::Announced;
use crate::clock::Clock;
use crate::converge::{RESYNC_UNREADY, Waiting};
use crate::engine::{Engine, EngineError, PullProgress};
use crate::executor::Executor;
use crate::pass::{Goal, Pass};
use crate::planning::retry::ERROR;
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::state::desired::Desired;
use crate::state::time::Moment;
use crate::store::Store;

/// How often everything is looked at with no reason, unless the file says otherwise.
const RESYNC_READY: Duration = Duration::from_mins(1);

/// How long steps that were begun may go on after the operator was asked to end.
const LAST_STEPS: Duration = Duration::from_secs(10);

/// What an operator is told about its stack. Being told the same again means: look again.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The last good desired state.
    pub desired: Desired,
    /// What is wrong with the file now, if it is invalid or gone: the desired state above
    /// stays in force.
    pub invalid: Option<String>,
}

/// One stack under an operator.
#[derive(Debug)]
pub struct Operator<E> {
    engine: Arc<E>,
    engine_id: String,
    store: Store,
    wanted: Receiver<Wanted>,
    pass: Pass<E>,
    report: Report,
    failures: u32,
    announced: Announced,
}

impl<E: Engine + 'static> Operator<E> {
    /// Makes an operator of a stack; `engine_id` is part of where its memory is kept.
    pub fn new(
        engine: Arc<E>,
        engine_id: String,
        store: Store,
        mut wanted: Receiver<Wanted>,
        allowed: Allowed,
        report: Report,
    ) -> (Self, UnboundedReceiver<PullProgress>) {
        let desired = wanted.borrow_and_update().desired.clone();
        let memory = store.memory(&engine_id, &desired.project, Clock::new().now());
        let (executor, pulls) = Executor::new(engine.clone());
        let pass = Pass::new(
            engine.clone(),
            executor,
            desired,
            memory,
            Goal::Converged,
            allowed,
        );
        let operator = Self {
            engine,
            engine_id,
            store,
            wanted,
            pass,
            report,
            failures: 0,
            announced: Announced::default(),
        };
        (operator, pulls)
    }

    /// Converges for ever; ends when nobody can tell it anything any more, after the steps
    /// that were begun. Containers are left running.
    pub async fn run(mut self, pulls: UnboundedReceiver<PullProgress>) {
        let project = self.pass.desired().project.clone();
        let engine = self.engine.clone();
        let wakeups = pin!(engine.wakeups(&project).fuse());
        let mut waiting = Waiting { wakeups, pulls };
        loop {
            let wake = self.pass_once().await;
            tokio::select! {
                () = waiting.next(&mut self.pass, &mut self.report, wake) => {}
                changed = self.wanted.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.take_wish();
                }
            }
            if self.resync_is_due() {
                self.pass.resync();
            }
        }
        self.end().await;
    }

    fn take_wish(&mut self) {
        let wanted = self.wanted.borrow_and_update().clone();
        let stack = wanted.desired.project.clone();
        if let Some(invalid) = &wanted.invalid {
            tracing::error!(%stack, condition = "SpecValid=False", problems = %invalid,
                "the desired state is invalid; the last good one stays in force");
        } else if wanted.desired.generation != self.pass.desired().generation {
            tracing::info!(%stack, generation = %wanted.desired.generation, "a new desired state");
        } else if self.pass.spec_invalid.is_some() {
            tracing::info!(%stack, condition = "SpecValid=True", "the desired state is valid again and the same");
        }
        self.pass.spec_invalid = wanted.invalid;
        self.pass.resync();
        self.pass.want(wanted.desired);
    }

    /// Makes a pass and returns when the next one is due.
    async fn pass_once(&mut self) -> Moment {
        match self.pass.perform().await {
            Ok(found) => {
                self.failures = 0;
                let now = self.pass.clock.now();
                self.report.found(&found, now.moment);
                self.announced.tell(&found);
                let project = &self.pass.desired().project;
                self.store.remember(&self.engine_id, project, &self.pass.memory, now);
                let resync = self.resync_at();
                found.plan.wake.map_or(resync, |wake| wake.min(resync))
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.look_failed(&error)
            }
        }
    }

    fn look_failed(&self, error: &EngineError) -> Moment {
        let stack = &self.pass.desired().project;
        let delay = ERROR.jittered(self.failures.min(6), stack.as_str());
        let source = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%stack, %error, source, retry_in = ?delay, "the engine cannot be looked at");
        self.pass.clock.now().moment.after(delay)
    }

    fn resync_at(&self) -> Moment {
        let settings = &self.pass.desired().settings;
        let every = if self.pass.is_ready() {
            settings.resync.unwrap_or(RESYNC_READY)
        } else {
            RESYNC_UNREADY
        };
        self.pass.looked_at().after(every)
    }

    fn resync_is_due(&self) -> bool {
        self.pass.clock.now().moment >= self.resync_at()
    }

    /// Lets the steps that were begun come to their end, but not for ever: a step that is
    /// cut off is looked up by whoever comes next.
    async fn end(&mut self) {
        let deadline = tokio::time::sleep(LAST_STEPS);
        let mut deadline = pin!(deadline);
        while !self.pass.executor.only_waits() {
            tokio::select! {
                outcome = self.pass.executor.ended() => {
                    self.report.ended(&outcome, self.pass.clock.now().moment);
                }
                () = &mut deadline => break,
            }
        }
        self.report.finish();
    }
}
