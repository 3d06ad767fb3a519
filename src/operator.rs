//! The operator: converges a stack for ever.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;

use crate::announced::Announced;
use crate::board::Post;
use crate::checks::rounds::{News, Rounds};
use crate::clock::Clock;
use crate::control::follow::Followers;
use crate::control::server::Call;
use crate::control::{Reply, Request};
use crate::controller::{Ask, Controller, Event};
use crate::engine::{Engine, EngineError};
use crate::keeper::Keeper;
use crate::notify::Notifier;
use crate::pass::{Found, Wanted};
use crate::planning::check::Round;
use crate::planning::doubt::Doubt;
use crate::planning::notice::{Notice, Told};
use crate::planning::revision::{Changes, RevisionEnd};
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::runtime::{Runtime, Turn};
use crate::state::ids::Generation;
use crate::store::Store;
use crate::store::memory;

/// How long steps that were begun may go on after the operator was asked to end.
const LAST_STEPS: Duration = Duration::from_secs(10);

/// What an operator of a stack works with.
#[derive(Debug)]
pub struct Surroundings<E> {
    /// The engine.
    pub engine: Arc<E>,
    /// Its identity, which is part of where memory is kept.
    pub engine_id: String,
    /// The clock, set by the engine's.
    pub clock: Clock,
    /// Where memory is kept.
    pub store: Store,
    /// What is wanted; its end asks the operator to end.
    pub wanted: watch::Receiver<Wanted>,
    /// What is allowed always.
    pub allowed: Allowed,
    /// Where somebody else answers who acts on the stack, while this one only looks.
    pub actor: Option<PathBuf>,
    /// What people ask through the control socket.
    pub calls: Receiver<Call>,
    /// Those who follow the work.
    pub followers: Followers,
    /// Who is told what is done.
    pub report: Report,
    /// Who tells people what happens.
    pub notifier: Notifier,
    /// Takes how the stack is, for whoever wants to read it.
    pub post: watch::Sender<Post>,
}

/// One stack under an operator.
#[derive(Debug)]
struct Operator<E> {
    runtime: Runtime<E>,
    store: Store,
    wanted: watch::Receiver<Wanted>,
    calls: Receiver<Call>,
    followers: Followers,
    report: Report,
    announced: Announced,
    notifier: Notifier,
    post: watch::Sender<Post>,
    /// What people were told.
    told: Told,
    /// What was noted of what is wanted: its first plan, and what came of it.
    noted: Noted,
    engine: Arc<E>,
    rounds: Rounds,
}

/// What was noted of a revision.
#[derive(Debug, Default)]
struct Noted {
    generation: Option<Generation>,
    end: Option<RevisionEnd>,
}

/// Converges for ever; ends when nobody can tell it anything any more, after the steps
/// that were begun. Containers are left running.
pub async fn operate<E: Engine + 'static>(with: Surroundings<E>) {
    let Surroundings { engine, engine_id, store, mut wanted, allowed, .. } = with;
    let first = wanted.borrow_and_update().clone();
    let now = with.clock.now();
    let keeper = Keeper::new(&store, &engine_id, &first.desired.project);
    let keeper = keeper.beside(with.actor);
    let controller = Controller::new(first, allowed, keeper.memory(now));
    let runtime = Runtime::new(&engine, controller, with.clock, keeper);
    let (calls, followers, report) = (with.calls, with.followers, with.report);
    let told = Told::of(runtime.controller.memory());
    let announced = Announced::of(allowed);
    let rounds = Rounds::new(!allowed.only_looks, &runtime.clock);
    let mut operator = Operator {
        runtime,
        store,
        wanted,
        calls,
        followers,
        report,
        announced,
        notifier: with.notifier,
        post: with.post,
        told,
        noted: Noted::default(),
        engine,
        rounds,
    };
    operator.run().await;
}

impl<E: Engine + 'static> Operator<E> {
    async fn run(&mut self) {
        loop {
            let clock = self.runtime.clock.clone();
            let turn = tokio::select! {
                turn = self.runtime.next(&mut self.report) => turn,
                changed = self.wanted.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.take_wish()
                }
                Some(call) = self.calls.recv() => self.answer(call),
                news = self.rounds.news(&clock) => self.check(news),
            };
            match turn {
                Turn::Passed(found) => {
                    self.passed(&found);
                    self.put_up(Arc::from(found));
                }
                Turn::Blind(error) => self.blind(&error),
                Turn::Other => {}
            }
        }
        self.end().await;
    }

    /// Begins a round of checks, or takes up what came of one.
    fn check(&mut self, news: News) -> Turn {
        let clock = &self.runtime.clock.clone();
        let runtime = &mut self.runtime;
        match news {
            News::Due => {
                let world = runtime.controller.world(clock.now());
                // What a person took down is not checked.
                let world = world.filter(|world| !world.is_down());
                match world.map(|world| Round::new(&world, &BTreeSet::new())) {
                    Some(round) => self.rounds.begin(&self.engine, round, clock),
                    None => self.rounds.put_off(clock),
                }
                Turn::Other
            }
            News::Made(results) => {
                let checks = &runtime.controller.wanted().desired.settings.checks;
                self.rounds.ended(checks.interval, clock);
                runtime.tell(Event::Checked(results))
            }
        }
    }

    fn passed(&mut self, found: &Found) {
        if found.status.ready {
            self.rounds.ready(&self.runtime.clock);
        }
        self.announced.tell(found);
        self.runtime.remember();
        self.note(found);
        let news = self.told.news(&found.plan, &found.status);
        self.notify(news);
        self.followers.tell(&Reply::Convergence(self.runtime.convergence(found)));
    }

    /// Puts up what a pass found.
    fn put_up(&self, found: Arc<Found>) {
        let events = self.runtime.controller.memory().events.iter();
        self.post.send_replace(Post {
            last: Some((found, self.runtime.clock.now())),
            events: Arc::new(events.cloned().collect()),
            tally: self.runtime.tally.clone(),
            blind: None,
        });
    }

    /// Takes note of what a revision was to change and of what came of it, each once.
    fn note(&mut self, found: &Found) {
        let desired = &self.runtime.controller.wanted().desired;
        if self.noted.generation.as_ref() != Some(&desired.generation) {
            self.store.revision_planned(desired, Changes::of(&found.plan));
            let generation = Some(desired.generation.clone());
            self.noted = Noted { generation, end: None };
        }
        let end = RevisionEnd::of(&found.status);
        if let Some(end) = end.filter(|it| self.noted.end != Some(*it)) {
            self.store.revision_ended(desired, end, self.runtime.clock.now().engine);
            self.noted.end = Some(end);
        }
    }

    fn notify(&self, news: Vec<Notice>) {
        let now = self.runtime.clock.now().engine;
        self.notifier.tell(self.runtime.controller.wanted(), news, now);
    }

    fn take_wish(&mut self) -> Turn {
        let wanted = self.wanted.borrow_and_update().clone();
        let before = self.runtime.controller.wanted();
        let stack = wanted.desired.project.clone();
        if let Some(Doubt { reason, message }) = &wanted.doubt {
            // What is doubted about commits was said once for all of their stacks.
            if wanted.commit.is_none() {
                let condition = if reason.is_certain() {
                    "SpecValid=False"
                } else {
                    "SpecValid=Unknown"
                };
                tracing::error!(%stack, condition, reason = reason.as_str(), problems = %message,
                    "the last good desired state stays in force");
            }
        } else if wanted.desired.generation != before.desired.generation {
            tracing::info!(%stack, generation = %wanted.desired.generation, "a new desired state");
        } else if before.doubt.is_some() {
            tracing::info!(%stack, condition = "SpecValid=True", "the desired state is valid again and the same");
        }
        self.runtime.tell(Event::Wanted(Box::new(wanted)))
    }

    fn answer(&mut self, call: Call) -> Turn {
        let ask = match call.request {
            Request::Memory => {
                let memory = self.runtime.controller.memory();
                let now = self.runtime.clock.now();
                call.reply(match memory::to_json(memory, now) {
                    Ok(memory) => Reply::Memory(memory),
                    Err(error) => Reply::Refused(error.to_string()),
                });
                return Turn::Other;
            }
            Request::Apply {
                allow_prune,
                accept_data_path,
                allow_shrink,
                ref accept_immutable,
                ..
            } => {
                let allowed = Allowed {
                    prune: allow_prune,
                    data_paths: accept_data_path,
                    shrink: allow_shrink,
                    ..Allowed::default()
                };
                Ask::Apply { allowed, accepted: accept_immutable.clone() }
            }
            Request::Delete { .. } => Ask::Delete,
            Request::Retry { ref service } => Ask::Retry { service: service.clone() },
            Request::Pause { ref service, time } => {
                Ask::Pause { service: service.clone(), time }
            }
            Request::Resume { ref service } => Ask::Resume { service: service.clone() },
            Request::Restart { ref service, .. } => {
                Ask::Restart { service: service.clone() }
            }
        };
        let stack = &self.runtime.controller.wanted().desired.project;
        tracing::info!(%stack, ?ask, "asked through the control socket");
        let turn = self.runtime.tell(Event::Asked(ask));
        self.runtime.remember();
        self.followers.admit(call);
        turn
    }

    fn blind(&mut self, error: &EngineError) {
        let controller = &self.runtime.controller;
        let stack = &controller.wanted().desired.project;
        let retry_in = controller.wake().map(|wake| self.runtime.clock.until(wake));
        let source = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%stack, %error, source, ?retry_in, "the engine cannot be looked at");
        self.post.send_modify(|post| {
            post.blind = Some(error.to_string());
            post.tally.clone_from(&self.runtime.tally);
        });
        let news = self.told.blind(controller.failures(), &error.to_string());
        self.notify(news.into_iter().collect());
    }

    /// Lets the steps that were begun come to their end, but not for ever: a step that is
    /// cut off is looked up by whoever comes next.
    async fn end(&mut self) {
        let deadline = tokio::time::sleep(LAST_STEPS);
        let mut deadline = pin!(deadline);
        while !self.runtime.only_waits() {
            tokio::select! {
                () = self.runtime.step_ended(&mut self.report) => {}
                () = &mut deadline => break,
            }
        }
        self.runtime.remember();
        self.report.finish();
    }
}
