//! What a job has its operator do: to put the stack to rest, to look whether it still rests,
//! to wake it. A job is a task of its own that decides nothing about the stack; should it end
//! in whatever way, the operator wakes the stack.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Operator;
use crate::backup::manifest::{About, Root, Software};
use crate::controller::{Ask, Event};
use crate::engine::Engine;
use crate::pass::Found;
use crate::planning::data::data;
use crate::planning::rest::{Evidence, Rest, is_at_rest};
use crate::runtime::Turn;
use crate::state::backup::BackupSettings;

/// How long a stack may take until it is ready again, unless its file says.
const PATIENCE: Duration = Duration::from_mins(15);

/// How many errands may wait.
const ERRANDS: usize = 4;

/// The end of an errand; why it failed.
type Answer<T> = oneshot::Sender<Result<T, String>>;

/// What a job asks.
#[derive(Debug)]
pub(super) enum Errand {
    /// What there is to copy.
    Facts(Answer<Facts>),
    /// To stop everything; answered when nothing runs.
    Rest {
        /// Why.
        rest: Rest,
        /// Whatever is in the way.
        is_forced: bool,
        /// Takes the answer.
        to: Answer<()>,
    },
    /// Whether anything ran since.
    Undisturbed(Answer<()>),
    /// To start everything; answered when the stack is ready.
    Wake(Answer<()>),
}

/// What there is to copy, and where it comes from.
#[derive(Debug)]
pub(super) struct Facts {
    /// Where it comes from.
    pub(super) about: About,
    /// The data folders.
    pub(super) roots: Vec<Root>,
    /// What is left out, and why.
    pub(super) left_out: Vec<String>,
    /// How long the stack may take to be ready: as its file says, or long enough.
    pub(super) patience: Duration,
    /// Every service was ready.
    pub(super) was_ready: bool,
    /// What the file says about backups.
    pub(super) settings: BackupSettings,
}

/// The end of the job at which it asks.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    errands: mpsc::Sender<Errand>,
    is_given_up: Arc<AtomicBool>,
}

/// The end of the operator.
#[derive(Debug)]
pub(super) struct Desk {
    stack: Stack,
    errands: mpsc::Receiver<Errand>,
    waiting: Option<Waiting>,
    evidence: Option<Evidence>,
}

/// An errand that waits for the next pass, or for a later one.
#[derive(Debug)]
enum Waiting {
    /// For a look, before anything can be said.
    Sight(Errand),
    Rest(Answer<()>),
    Look(Answer<()>),
    Ready(Answer<()>),
}

impl Desk {
    pub(super) fn new() -> Self {
        let (sender, errands) = mpsc::channel(ERRANDS);
        let stack = Stack { errands: sender, is_given_up: Arc::default() };
        Self { stack, errands, waiting: None, evidence: None }
    }

    /// Returns what a new job asks at.
    pub(super) fn stack(&mut self) -> Stack {
        self.stack.is_given_up = Arc::default();
        self.stack.clone()
    }

    /// Has the job give up as soon as it can.
    pub(super) fn give_up(&self) {
        self.stack.is_given_up.store(true, Ordering::Relaxed);
    }

    pub(super) async fn next(&mut self) -> Option<Errand> {
        self.errands.recv().await
    }
}

impl Stack {
    async fn ask<T>(
        &self,
        errand: impl FnOnce(Answer<T>) -> Errand,
    ) -> Result<T, String> {
        let gone = || "the operator is ending".to_owned();
        let (answer, answered) = oneshot::channel();
        self.errands.send(errand(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    pub(super) async fn facts(&self) -> Result<Facts, String> {
        self.ask(Errand::Facts).await
    }

    pub(super) async fn rest(&self, rest: Rest) -> Result<(), String> {
        self.ask(|to| Errand::Rest { rest, is_forced: false, to }).await
    }

    /// As [`Stack::rest`], whatever is in the way.
    pub(super) async fn rest_now(&self, rest: Rest) -> Result<(), String> {
        self.ask(|to| Errand::Rest { rest, is_forced: true, to }).await
    }

    pub(super) async fn undisturbed(&self) -> Result<(), String> {
        self.ask(Errand::Undisturbed).await
    }

    pub(super) async fn wake(&self) -> Result<(), String> {
        self.ask(Errand::Wake).await
    }

    /// Returns what tells a blocking piece of work that nobody wants it any more.
    pub(super) fn given_up(&self) -> Arc<AtomicBool> {
        self.is_given_up.clone()
    }
}

/// Answers; a job that has ended misses it.
fn answer<T>(to: Answer<T>, result: Result<T, String>) {
    if to.send(result).is_err() {
        tracing::debug!("the job has ended");
    }
}

impl<E: Engine + 'static> Operator<E> {
    /// Does what a job asks, or begins to.
    pub(super) fn errand(&mut self, errand: Errand) -> Turn {
        let is_blind = self.runtime.controller.observed().is_none();
        match errand {
            Errand::Facts(_) | Errand::Rest { is_forced: false, .. } if is_blind => {
                self.desk.waiting = Some(Waiting::Sight(errand));
                Turn::Other
            }
            Errand::Facts(to) => {
                answer(to, self.facts());
                Turn::Other
            }
            Errand::Rest { rest, is_forced, to } => {
                let now = self.runtime.clock.now();
                let obstacle = self.runtime.controller.obstacle(now);
                if let Some(obstacle) = obstacle.filter(|_| !is_forced) {
                    answer(to, Err(obstacle));
                    return Turn::Other;
                }
                self.desk.waiting = Some(Waiting::Rest(to));
                self.desk.evidence = None;
                self.runtime.tell(Event::Asked(Ask::Rest { rest }))
            }
            Errand::Undisturbed(to) => {
                let Some(rest) = self.runtime.controller.memory().rest else {
                    answer(to, Err("the stack does not rest any more".to_owned()));
                    return Turn::Other;
                };
                self.desk.waiting = Some(Waiting::Look(to));
                self.runtime.tell(Event::Asked(Ask::Rest { rest }))
            }
            Errand::Wake(to) => {
                self.desk.waiting = Some(Waiting::Ready(to));
                self.runtime.tell(Event::Asked(Ask::Wake))
            }
        }
    }

    /// Answers the errand that waits, if the pass has shown what it waits for.
    pub(super) fn attend(&mut self, found: &Found) {
        if let Some(Waiting::Sight(_)) = self.desk.waiting
            && let Some(Waiting::Sight(errand)) = self.desk.waiting.take()
        {
            // It is answered, or leads to another look.
            drop(self.errand(errand));
            return;
        }
        let controller = &self.runtime.controller;
        let Some(observed) = controller.observed() else { return };
        let Some(waiting) = self.desk.waiting.take() else { return };
        match waiting {
            Waiting::Rest(to) if is_at_rest(controller.memory(), observed) => {
                self.desk.evidence = Some(Evidence::of(observed));
                answer(to, Ok(()));
            }
            Waiting::Look(to) => {
                let evidence = self.desk.evidence.as_ref();
                let disturbed = match evidence {
                    Some(evidence) => evidence.disturbed(observed),
                    None => Some("the stack was never at rest".to_owned()),
                };
                answer(to, disturbed.map_or(Ok(()), Err));
            }
            Waiting::Ready(to) if found.status.ready => answer(to, Ok(())),
            Waiting::Sight(_) | Waiting::Rest(_) | Waiting::Ready(_) => {
                self.desk.waiting = Some(waiting);
            }
        }
    }

    /// Wakes the stack should a job have ended while it rests.
    pub(super) fn job_ended(&mut self) -> Turn {
        self.desk.waiting = None;
        self.plan_backup();
        if self.runtime.controller.memory().rest.is_none() {
            return Turn::Other;
        }
        self.runtime.tell(Event::Asked(Ask::Wake))
    }

    fn facts(&self) -> Result<Facts, String> {
        let controller = &self.runtime.controller;
        let now = self.runtime.clock.now();
        let desired = &controller.wanted().desired;
        if let Some(obstacle) = controller.obstacle(now) {
            return Err(obstacle);
        }
        let observed = controller.observed();
        let observed =
            observed.ok_or_else(|| "the stack was not looked at yet".to_owned())?;
        let data = data(desired, observed)?;
        let software = |name: &_| {
            let mut containers = observed.containers.values();
            let own = containers.find(|it| {
                it.origin.replica.as_ref().is_some_and(|it| it.service == *name)
            });
            own.map(|it| it.image.to_string())
        };
        let services = desired.services.values().map(|service| {
            let (image, id) = (service.image.to_string(), software(&service.name));
            (service.name.clone(), Software { image, id })
        });
        let services_of = desired.services.values();
        let deadlines = services_of.filter_map(|it| it.settings.ready_deadline);
        let root = |it: crate::planning::data::DataFolder| Root {
            name: it.name,
            data: 0,
            path: it.path,
            volume: it.volume,
            services: it.services,
        };
        Ok(Facts {
            about: About {
                stack: desired.project.clone(),
                generation: desired.generation.clone(),
                services: services.collect::<BTreeMap<_, _>>(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                begun: now.engine,
            },
            roots: data.folders.into_iter().map(root).collect(),
            left_out: data.left_out,
            patience: deadlines.max().unwrap_or(PATIENCE),
            was_ready: controller.was_ready(),
            settings: desired.settings.backup.clone().unwrap_or_default(),
        })
    }
}
