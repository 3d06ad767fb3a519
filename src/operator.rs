//! The operator: converges a stack for ever.

mod backup;
mod checking;
mod errand;
mod restore;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use backup::ARCHIVE_VARIABLE;
use backup::Order;
use errand::Desk;

use crate::announced::Announced;
use crate::board::Post;
use crate::checks::rounds::Rounds;
use crate::clock::Clock;
use crate::control::follow::Followers;
use crate::control::server::Call;
use crate::control::{Reply, Request};
use crate::controller::{Ask, Controller, Event};
use crate::engine::{Engine, EngineError};
use crate::keeper::Keeper;
use crate::notify::Notifier;
use crate::pass::{Found, Wanted};
use crate::planning::backup::Done;
use crate::planning::doubt::Doubt;
use crate::planning::notice::{Notice, Told};
use crate::planning::rest::Rest;
use crate::planning::revision::{Changes, RevisionEnd};
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::runtime::{Runtime, Turn};
use crate::state::ids::Generation;
use crate::state::time::Moment;
use crate::store::Store;
use crate::store::memory;

/// How long steps that were begun may go on after the operator was asked to end.
const LAST_STEPS: Duration = Duration::from_secs(10);

/// How long the stack may take to be ready again after a backup that was given up because
/// the operator was asked to end.
const LAST_JOB: Duration = Duration::from_secs(60);

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
    /// Whether backups are made by the schedule of the file.
    pub makes_backups: bool,
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
    /// The backup that is being made, if there is one.
    jobs: JoinSet<JobEnd>,
    /// Where it asks for what it needs.
    desk: Desk,
    /// Where it is told how far a restore has come.
    journal: Option<PathBuf>,
    makes_backups: bool,
    /// When the next one is due.
    next_backup: Option<Moment>,
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
    let project = &runtime.controller.wanted().desired.project;
    let journal = store.restore_journal(&engine_id, project);
    let journal = journal.filter(|_| !allowed.only_looks);
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
        jobs: JoinSet::new(),
        desk: Desk::new(),
        journal,
        makes_backups: with.makes_backups,
        next_backup: None,
        engine,
        rounds,
    };
    operator.plan_backup();
    operator.recover();
    operator.run().await;
}

/// How a backup or a restore ended.
#[derive(Debug)]
struct JobEnd {
    kind: Rest,
    /// What was done; nothing when only the rest of it was.
    result: Result<Option<Done>, String>,
}

/// What a job has to say.
enum Work {
    Errand(errand::Errand),
    Ended(JobEnd),
}

/// Waits for what a job has to say; never returns while there is none.
async fn work(desk: &mut Desk, jobs: &mut JoinSet<JobEnd>) -> Work {
    tokio::select! {
        Some(errand) = desk.next() => Work::Errand(errand),
        Some(ended) = jobs.join_next() => {
            let failed = |error| JobEnd {
                kind: Rest::BackingUp,
                result: Err(format!("an internal error: {error}")),
            };
            Work::Ended(ended.unwrap_or_else(failed))
        }
        else => std::future::pending().await,
    }
}

async fn due_in(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

impl<E: Engine + 'static> Operator<E> {
    async fn run(&mut self) {
        loop {
            let due = self.next_backup.map(|it| self.runtime.clock.until(it));
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
                turn = work(&mut self.desk, &mut self.jobs) => self.job(turn),
                news = self.rounds.news(&clock) => self.check(news),
                () = due_in(due) => {
                    self.begin_backup(Order { directory: None, replies: None });
                    self.plan_backup();
                    Turn::Other
                }
            };
            self.take(turn);
        }
        self.end_job().await;
        self.end().await;
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Passed(found) => {
                self.passed(&found);
                self.put_up(Arc::from(found));
            }
            Turn::Blind(error) => self.blind(&error),
            Turn::Other => {}
        }
    }

    fn job(&mut self, work: Work) -> Turn {
        match work {
            Work::Errand(errand) => self.errand(errand),
            Work::Ended(end) => {
                self.note_end(&end);
                self.job_ended()
            }
        }
    }

    /// Has a backup given up, and the stack started again.
    async fn end_job(&mut self) {
        if self.jobs.is_empty() {
            return;
        }
        tracing::warn!("the backup is given up, and the stack is started again");
        self.desk.give_up();
        let deadline = tokio::time::sleep(LAST_JOB);
        let mut deadline = pin!(deadline);
        while !self.jobs.is_empty() {
            let turn = tokio::select! {
                turn = self.runtime.next(&mut self.report) => turn,
                turn = work(&mut self.desk, &mut self.jobs) => self.job(turn),
                () = &mut deadline => break,
            };
            self.take(turn);
        }
    }

    fn passed(&mut self, found: &Found) {
        self.attend(found);
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
        let turn = self.runtime.tell(Event::Wanted(Box::new(wanted)));
        self.plan_backup();
        turn
    }

    fn answer(&mut self, call: Call) -> Turn {
        if !self.jobs.is_empty() && call.request != Request::Memory {
            let why = "a backup or a restore is under way; ask again when it is done";
            call.reply(Reply::Refused(why.to_owned()));
            return Turn::Other;
        }
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
            Request::Backup { ref directory, .. } => {
                let directory = directory.clone();
                self.begin_backup(Order {
                    directory,
                    replies: Some(call.into_replies()),
                });
                return Turn::Other;
            }
            Request::Restore { ref archive, accept_other_version, .. } => {
                let what = (archive.clone(), accept_other_version);
                let replies = Some(call.into_replies());
                self.begin_restore(Order { directory: None, replies }, what);
                return Turn::Other;
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
