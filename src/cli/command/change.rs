//! Changing a stack: alone, under its lock, or through the operator that holds it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::session::{Connected, Session};
use crate::compose::files::ReadFiles;
use crate::control::client::{self, Conversation};
use crate::control::{Reply, Request};
use crate::converge::{End, Goal, Order, converge, end};
use crate::engine::EngineError;
use crate::keeper::Keeper;
use crate::pass::{Found, Wanted};
use crate::planning::memory::Memory;
use crate::planning::progress::{Progress, ProgressEvent};
use crate::planning::revision::RevisionEnd;
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::state::commit::Commit;
use crate::state::desired::Desired;
use crate::state::ids::ServiceName;
use crate::state::time::Now;
use crate::store::lock::{Holder, Lock, LockError};

/// How often a stack that somebody else holds is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How long an operator may take from its lock to its socket.
const STARTING: Duration = Duration::from_secs(5);

/// How a stack is to be changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    /// The command, for those who wait for it.
    pub(super) command: &'static str,
    /// What the stack is brought to.
    pub(super) goal: Goal,
    /// What a person allowed.
    pub(super) allowed: Allowed,
    /// Services whose changes of what must not change under data are meant.
    pub(super) accepted: &'a [String],
    /// How long it may take.
    pub(super) timeout: Duration,
    /// Whether to wait for readiness once nothing is left to change.
    pub(super) wait: bool,
    /// The service that it is about, where it is about one.
    pub(super) service: Option<&'a ServiceName>,
    /// The files that ask for it, with their commit, which are kept to go back to; nothing
    /// when they are kept already.
    pub(super) sources: Option<(&'a ReadFiles, Option<&'a Commit>)>,
}

/// What came of a change.
#[derive(Debug)]
pub(super) enum Changed {
    /// It came to its end.
    Ended {
        /// Why it ended.
        end: End,
        /// How the stack is then.
        found: Box<Found>,
        /// It was done by the operator that holds the stack.
        by_operator: bool,
    },
    /// The stack is not ours to change; who has it, and what to do.
    Refused(String),
    /// The operator has ended before the change did.
    Lost,
}

/// How a stack may be changed.
#[derive(Debug)]
enum Way {
    Alone(Lock),
    Through(PathBuf),
}

/// Returns what this process is to those who want the same stack.
pub(super) fn holder(command: &str, desired: &Desired, now: Now) -> Holder {
    Holder {
        pid: std::process::id(),
        command: command.to_owned(),
        source: desired.source.clone(),
        since: now.engine.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// Tells whether data may be of two kinds: nothing may be started on them.
fn is_half_restored(session: &Session, connected: &Connected, desired: &Desired) -> bool {
    let journal = session.store.restore_journal(&connected.facts.id, &desired.project);
    journal.is_some_and(|it| it.exists())
}

const HALF_RESTORED: &str = "a restore was cut off; `reconciler run`, or `reconciler restore` \
                             again, finishes it or takes it back first";

impl Change<'_> {
    /// Changes a stack and waits for the end of it.
    pub(super) async fn make(
        self,
        session: &Session,
        connected: &Connected,
        desired: Desired,
        prefix: &str,
    ) -> Result<Changed, EngineError> {
        match self.way(session, connected, &desired).await {
            Ok(Way::Alone(_)) if is_half_restored(session, connected, &desired) => {
                Ok(Changed::Refused(HALF_RESTORED.to_owned()))
            }
            Ok(Way::Alone(lock)) => {
                let changed = self.alone(session, connected, desired, prefix).await;
                drop(lock);
                changed
            }
            Ok(Way::Through(socket)) => {
                self.through(session, connected, desired, &socket, prefix).await
            }
            Err(refusal) => Ok(Changed::Refused(refusal)),
        }
    }

    /// Finds out how the stack may be changed. Another command is waited for.
    async fn way(
        self,
        session: &Session,
        connected: &Connected,
        desired: &Desired,
    ) -> Result<Way, String> {
        let project = &desired.project;
        let place = session.place(connected, project);
        let own = holder(self.command, desired, connected.clock.now());
        let begun = connected.clock.now().moment;
        let mut is_told = false;
        loop {
            let holder = match place.take(project, &own) {
                Ok(lock) => return Ok(Way::Alone(lock)),
                Err(LockError::Held { holder, .. }) => holder,
                Err(error @ LockError::Failed { .. }) => {
                    return Err(super::session::chain(&error));
                }
            };
            let waited = connected.clock.now().moment.since(begun);
            let socket = place.socket();
            if holder.is_operator() {
                match client::ask(&socket, &Request::Memory).await {
                    Ok(_) => return Ok(Way::Through(socket)),
                    Err(error) if waited >= STARTING => {
                        return Err(format!(
                            "{project} is held by {holder}, which does not answer: {error}"
                        ));
                    }
                    Err(_) => {}
                }
            } else if waited >= self.timeout {
                return Err(format!("{project} is held by {holder}"));
            } else if !std::mem::replace(&mut is_told, true) {
                tracing::warn!("waiting for {holder} to be done with {project}");
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    fn accepted(&self) -> BTreeSet<ServiceName> {
        self.accepted.iter().map(ServiceName::new).collect()
    }

    async fn alone(
        self,
        session: &Session,
        connected: &Connected,
        desired: Desired,
        prefix: &str,
    ) -> Result<Changed, EngineError> {
        let project = desired.project.clone();
        let mut report = Report::new(session.output.progress(), prefix.to_owned());
        let engine = &connected.facts.id;
        let now = connected.clock.now();
        let keeper = Keeper::new(&session.store, engine, &project);
        if let Some(service) = self.service {
            let mut memory = keeper.memory(now);
            memory.asked_to_restart.insert(service.clone());
            keeper.remember(&memory, now);
        }
        if let Some((read, commit)) = self.sources {
            session.store.keep_revision(&desired, read, commit, now.engine);
            session.store.unpin(&desired.files);
        }
        let order = Order {
            keeper,
            only: self.service.cloned(),
            clock: connected.clock.clone(),
            desired: desired.clone(),
            goal: self.goal,
            allowed: self.allowed,
            accepted: self.accepted(),
            timeout: self.timeout,
            wait: self.wait,
        };
        let result = converge(connected.engine.clone(), order, &mut report).await;
        report.finish();
        let result = result?;
        if self.goal == Goal::Gone && result.end == End::Done {
            let keeper = Keeper::new(&session.store, engine, &project);
            // The data stays, and with it what it was made with.
            let made_with = keeper.memory(now).made_with;
            session.store.forget(engine, &project);
            if !made_with.is_empty() {
                keeper.remember(&Memory { made_with, ..Memory::default() }, now);
            }
        }
        let (end, found) = (result.end, Box::new(result.found));
        if self.goal == Goal::Converged {
            let failed = (end != End::Done).then_some(RevisionEnd::Failed);
            let end = RevisionEnd::of(&found.status).or(failed);
            session.store.revision_planned(&desired, result.changes);
            if let Some(end) = end {
                session.store.revision_ended(&desired, end, result.ended);
            }
        }
        Ok(Changed::Ended { end, found, by_operator: false })
    }

    async fn through(
        self,
        session: &Session,
        connected: &Connected,
        desired: Desired,
        socket: &Path,
        prefix: &str,
    ) -> Result<Changed, EngineError> {
        let request = match self.goal {
            Goal::Converged => Request::Apply {
                source: desired.source.clone(),
                generation: desired.generation.clone(),
                allow_prune: self.allowed.prune,
                accept_data_path: self.allowed.data_paths,
                allow_shrink: self.allowed.shrink,
                accept_immutable: self.accepted(),
            },
            Goal::Gone => Request::Delete { source: desired.source.clone() },
            Goal::Restarted => Request::Restart {
                source: desired.source.clone(),
                service: self.service.cloned().unwrap_or_default(),
            },
        };
        let mut progress = Prefixed {
            listener: session.output.progress(),
            prefix: prefix.to_owned(),
            connected,
        };
        let followed = self.follow(connected, socket, &request, &desired, &mut progress);
        let end = match followed.await {
            Ok(Followed::End(end)) => end,
            Ok(Followed::Refused(refusal)) => return Ok(Changed::Refused(refusal)),
            Ok(Followed::Lost) => return Ok(Changed::Lost),
            Err(error) => {
                tracing::debug!(%error, "the operator has gone away");
                return Ok(Changed::Lost);
            }
        };
        progress.listener.finish();
        let wanted = Wanted::new(desired);
        let found = session.preview(connected, wanted).await?.found;
        Ok(Changed::Ended { end, found: Box::new(found), by_operator: true })
    }

    /// Follows the operator's work until it is what was waited for.
    async fn follow(
        self,
        connected: &Connected,
        socket: &Path,
        request: &Request,
        desired: &Desired,
        progress: &mut Prefixed<'_>,
    ) -> std::io::Result<Followed> {
        let deadline = connected.clock.now().moment.after(self.timeout);
        let mut conversation = Conversation::begin(socket, request).await?;
        loop {
            let left = connected.clock.until(deadline);
            let Ok(reply) = tokio::time::timeout(left, conversation.next()).await else {
                return Ok(Followed::End(End::TimedOut));
            };
            match reply? {
                Some(Reply::Progress(event)) => progress.report(&event),
                Some(Reply::Convergence(convergence)) => {
                    let is_meant = convergence.generation == desired.generation;
                    let end = end(&convergence, self.goal, self.wait, false);
                    if let Some(end) = end.filter(|_| is_meant) {
                        return Ok(Followed::End(end));
                    }
                }
                Some(Reply::Refused(refusal)) => return Ok(Followed::Refused(refusal)),
                Some(Reply::Done | Reply::Memory(_) | Reply::Backup(_)) => {}
                None => return Ok(Followed::Lost),
            }
        }
    }
}

enum Followed {
    End(End),
    Refused(String),
    Lost,
}

/// Progress of an operator, told as this command's own.
struct Prefixed<'a> {
    listener: Box<dyn Progress>,
    prefix: String,
    connected: &'a Connected,
}

impl Prefixed<'_> {
    fn report(&mut self, event: &ProgressEvent) {
        let object = format!("{}{}", self.prefix, event.object);
        let at = self.connected.clock.now().moment;
        self.listener.report(&ProgressEvent { at, object, ..event.clone() });
    }
}
