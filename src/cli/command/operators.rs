//! The stacks under one `run`: an operator, a lock and a control socket for each.

mod gone;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::change::holder;
use super::session::{Connected, Session, chain, said, wanted};
use crate::board::Board;
use crate::cli::journal::Journal;
use crate::cli::stacks::{LoadedStack, LoadedStacks};
use crate::control::Request;
use crate::control::follow::Followers;
use crate::control::server::{Call, Reload, Server, Socket};
use crate::measured::Measured;
use crate::notify::Notifier;
use crate::operator::{Surroundings, operate};
use crate::pass::Wanted;
use crate::planning::doubt::{Doubt, DoubtReason};
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::state::desired::Desired;
use crate::state::ids::ProjectName;
use crate::store::lock::{Lock, LockError};
use crate::view::problems;

/// How often a stack that somebody else holds is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// As [`ASK_AGAIN`], for a stack that appeared while the operator was running.
const ASK_AGAIN_LATER: Duration = Duration::from_secs(5);

/// How many requests of clients may wait for an operator.
const CALLS: usize = 16;

/// The stacks under this process.
pub(super) struct Operators<'a> {
    session: &'a Session,
    connected: &'a Connected,
    allowed: Allowed,
    reloads: mpsc::Sender<Reload>,
    notifier: Notifier,
    board: Board,
    stacks: BTreeMap<ProjectName, Stack>,
    /// Locks of stacks that are yet to be taken up.
    locks: BTreeMap<ProjectName, Lock>,
    /// Stacks that somebody else holds.
    refused: BTreeSet<ProjectName>,
    tasks: JoinSet<ProjectName>,
    servers: JoinSet<()>,
    /// Stacks that are being taken down.
    downs: JoinSet<Option<ProjectName>>,
    /// Stacks that are down, whose operators are about to end.
    leaving: BTreeMap<ProjectName, Option<Lock>>,
}

/// One stack: how to tell its operator, and which files it came from.
struct Stack {
    wanted: watch::Sender<Wanted>,
    files: Vec<PathBuf>,
    /// No file asks for it any more.
    is_gone: bool,
    /// It is being taken down.
    is_going_down: bool,
    calls: mpsc::Sender<Call>,
    server: Option<AbortHandle>,
    /// Nothing while it is only looked at.
    lock: Option<Lock>,
}

impl Stack {
    /// Tells the operator what is wanted now.
    fn want(&mut self, wanted: Wanted, files: &[PathBuf]) {
        self.files = files.to_vec();
        if std::mem::take(&mut self.is_going_down) {
            // It is wanted again while it is taken down.
            let request = Request::Apply {
                source: wanted.desired.source.clone(),
                generation: wanted.desired.generation.clone(),
                allow_prune: false,
                accept_data_path: false,
                allow_shrink: false,
                accept_immutable: BTreeSet::new(),
            };
            let (call, _) = Call::of_this_process(request);
            if self.calls.try_send(call).is_err() {
                tracing::warn!(stack = %wanted.desired.project,
                    "it may stay down: `reconciler apply` brings it up");
            }
        }
        self.wanted.send_replace(wanted);
    }
}

impl<'a> Operators<'a> {
    /// Begins with no stack; `reloads` asks for the files to be read again, and `notifier`
    /// tells people what happens; how the stacks are is put up on the `board`.
    pub(super) fn new(
        session: &'a Session,
        connected: &'a Connected,
        allowed: Allowed,
        reloads: mpsc::Sender<Reload>,
        notifier: Notifier,
        board: Board,
    ) -> Self {
        Self {
            session,
            connected,
            allowed,
            reloads,
            notifier,
            board,
            stacks: BTreeMap::new(),
            locks: BTreeMap::new(),
            refused: BTreeSet::new(),
            tasks: JoinSet::new(),
            servers: JoinSet::new(),
            downs: JoinSet::new(),
            leaving: BTreeMap::new(),
        }
    }

    /// Takes the locks of all stacks before anything is done about any of them. A command
    /// that holds one is waited for; another operator is a reason to give up, which is
    /// returned.
    pub(super) async fn lock(&mut self, loaded: &LoadedStacks) -> Result<(), String> {
        if self.allowed.only_looks {
            return Ok(());
        }
        let kept = self.session.last_good(loaded);
        let valid = loaded.stacks.iter().filter_map(LoadedStack::desired);
        for desired in valid.chain(kept.values()) {
            let mut is_told = false;
            loop {
                match self.take_lock(desired) {
                    Ok(lock) => {
                        self.locks.insert(desired.project.clone(), lock);
                        break;
                    }
                    Err(LockError::Held { holder, .. }) if !holder.is_operator() => {
                        if !std::mem::replace(&mut is_told, true) {
                            tracing::info!(stack = %desired.project, "waiting for {holder}");
                        }
                        tokio::time::sleep(ASK_AGAIN).await;
                    }
                    Err(error) => return Err(chain(&error)),
                }
            }
        }
        Ok(())
    }

    /// Returns the lock of a stack; nothing where stacks are only looked at.
    fn lock_of(&mut self, desired: &Desired) -> Result<Option<Lock>, LockError> {
        if self.allowed.only_looks {
            return Ok(None);
        }
        let taken = self.locks.remove(&desired.project);
        taken.map_or_else(|| self.take_lock(desired), Ok).map(Some)
    }

    fn take_lock(&self, desired: &Desired) -> Result<Lock, LockError> {
        let place = self.session.place(self.connected, &desired.project);
        let own = holder("run", desired, self.connected.clock.now());
        place.take(&desired.project, &own)
    }

    /// Tells every operator what is wanted now. A stack that is invalid, or gone from the
    /// disk, stays as it is.
    pub(super) fn take(&mut self, loaded: LoadedStacks) {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let (mut asked_for, mut invalid) = (BTreeSet::new(), BTreeSet::new());
        let mut kept = self.session.last_good(&loaded);
        for stack in loaded.stacks {
            match wanted(&stack) {
                Some(wanted) => {
                    self.keep(&stack, &wanted.desired);
                    asked_for.insert(wanted.desired.project.clone());
                    let warnings = problems::summary(&stack.loaded.problems);
                    self.want(wanted, &stack.files, &warnings);
                }
                // A file that was deleted asks for nothing, which is not to ask wrongly.
                None if self.is_known(&stack)
                    && stack.files.iter().any(|file| is_missing(file)) => {}
                None => {
                    self.refuse(&stack, kept.remove(&stack.files));
                    invalid.insert(stack.files);
                }
            }
        }
        self.refused.retain(|project| asked_for.contains(project));
        for (project, stack) in &mut self.stacks {
            let is_gone = !asked_for.contains(project) && !invalid.contains(&stack.files);
            if is_gone && !stack.is_gone && self.session.git.is_none() {
                let message = "no file asks for the stack any more; it stays as it is";
                tracing::warn!(stack = %project, condition = "SpecValid=Unknown", "{message}");
                let doubt = Some(Doubt::new(DoubtReason::Gone, message));
                stack.wanted.send_modify(|wanted| wanted.doubt = doubt);
            }
            stack.is_gone = is_gone;
        }
    }

    /// Tells the operators of stacks that nothing was loaded of why that is.
    pub(super) fn doubt(&self, doubt: Option<&Doubt>) {
        for stack in self.stacks.values().filter(|stack| stack.is_gone) {
            stack.wanted.send_if_modified(|wanted| {
                let is_said = wanted.doubt.as_ref().is_some_and(|it| {
                    it.reason == DoubtReason::Gone || Some(it) == doubt
                });
                if is_said || doubt.is_none() {
                    return false;
                }
                wanted.doubt = doubt.cloned();
                true
            });
        }
    }

    /// Keeps what was read of a stack that is good, for times when it is not, and to go back
    /// to. Files that are good and not what they were end a pin.
    fn keep(&self, stack: &LoadedStack, desired: &Desired) {
        if stack.pinned.is_some() {
            return;
        }
        let (store, now) = (&self.session.store, self.connected.clock.now());
        store.keep_sources(&stack.files, &stack.read);
        store.keep_revision(desired, &stack.read, stack.commit.as_ref(), now.engine);
        if store.unpin(&stack.files) {
            tracing::info!(stack = %desired.project, "the file changed: no revision is pinned any more");
        }
    }

    /// Answers those who asked for the files to be read again.
    pub(super) fn reloaded(&self, clients: &mut Vec<Reload>) {
        for client in clients.drain(..) {
            let stack = self.stacks.get(&client.project).filter(|stack| !stack.is_gone);
            let wanted = stack.map(|stack| stack.wanted.borrow().clone());
            let valid = wanted.filter(|wanted| !is_invalid(wanted));
            let generation = valid.map(|wanted| wanted.desired.generation.clone());
            if client.done.send(generation).is_err() {
                tracing::debug!("a client of the control socket has gone away");
            }
        }
    }

    /// Puts up which stacks are under way.
    pub(super) fn put_up(&self) {
        let stacks = self.stacks.iter();
        let files = stacks.map(|(name, it)| (name.clone(), it.files.clone()));
        self.board.took(files.collect(), self.refused.len());
    }

    /// Says in a few words what is under way, for the service manager.
    pub(super) fn summary(&self) -> String {
        let names: Vec<&str> = self.stacks.keys().map(ProjectName::as_str).collect();
        match names.as_slice() {
            [] => "no valid desired state".to_owned(),
            names => format!("keeping {}", names.join(", ")),
        }
    }

    /// Waits until something is to be done: a stack is gone, which is returned, or one that
    /// somebody else holds is to be asked for again.
    pub(super) async fn news(&mut self) -> Option<ProjectName> {
        let asks_again = !self.refused.is_empty();
        tokio::select! {
            () = tokio::time::sleep(ASK_AGAIN_LATER), if asks_again => None,
            project = self.taken_down() => Some(project),
        }
    }

    fn want(&mut self, wanted: Wanted, files: &[PathBuf], warnings: &str) {
        let project = wanted.desired.project.clone();
        if let Some(stack) = self.stacks.get_mut(&project) {
            stack.want(wanted, files);
            return;
        }
        let lock = match self.lock_of(&wanted.desired) {
            Ok(lock) => lock,
            Err(error) => {
                if self.refused.insert(project) {
                    tracing::error!(error = %chain(&error), "the stack is not taken up");
                }
                return;
            }
        };
        self.refused.remove(&project);
        tracing::info!(stack = %project, generation = %wanted.desired.generation, problems = %warnings,
            "a stack is taken up");
        let stack = self.operate(wanted, files, lock);
        self.stacks.insert(project, stack);
    }

    /// Starts the operator of a stack and serves its clients.
    fn operate(
        &mut self,
        wanted: Wanted,
        files: &[PathBuf],
        lock: Option<Lock>,
    ) -> Stack {
        let (project, source) =
            (wanted.desired.project.clone(), wanted.desired.source.clone());
        let (sender, receiver) = watch::channel(wanted);
        let (calls, answered) = mpsc::channel(CALLS);
        let followers = Followers::default();
        let journal = Box::new(Journal::new(project.clone()));
        let socket = self.session.place(self.connected, &project).socket();
        let actor = self.allowed.only_looks.then_some(socket);
        let report = Report::new(followers.beside(journal), String::new());
        let engine = (*self.connected.engine).clone();
        let surroundings = Surroundings {
            engine: Arc::new(Measured::new(engine, self.board.meter.clone())),
            engine_id: self.connected.facts.id.clone(),
            clock: self.connected.clock.clone(),
            store: self.session.store.clone(),
            wanted: receiver,
            allowed: self.allowed,
            actor,
            calls: answered,
            followers,
            report,
            notifier: self.notifier.clone(),
            makes_backups: !self.allowed.only_looks,
            post: self.board.enter(&project),
        };
        let name = project.clone();
        self.tasks.spawn(async move {
            operate(surroundings).await;
            name
        });
        let server = (!self.allowed.only_looks).then(|| Server {
            project,
            source,
            calls: calls.clone(),
            reloads: self.reloads.clone(),
        });
        Stack {
            wanted: sender,
            files: files.to_vec(),
            is_gone: false,
            is_going_down: false,
            calls,
            server: server.and_then(|server| self.serve(server)),
            lock,
        }
    }

    fn serve(&mut self, server: Server) -> Option<AbortHandle> {
        let socket = self.session.place(self.connected, &server.project).socket();
        match Socket::bind(&socket) {
            Ok(socket) => Some(self.servers.spawn(server.serve(socket))),
            Err(error) => {
                let (stack, socket) = (&server.project, socket.display());
                tracing::error!(%stack, %socket, %error, "there is no control socket: other commands are refused");
                None
            }
        }
    }

    fn is_known(&self, loaded: &LoadedStack) -> bool {
        self.stacks.values().any(|stack| stack.files == loaded.files)
    }

    /// Keeps what was wanted before, in this process or in an earlier one.
    fn refuse(&mut self, loaded: &LoadedStack, kept: Option<Desired>) {
        let text = said(loaded);
        let known = self.stacks.values().find(|stack| stack.files == loaded.files);
        if let Some(stack) = known {
            stack.wanted.send_modify(|wanted| wanted.doubt = Some(Doubt::invalid(text)));
            return;
        }
        let (condition, problems) = ("SpecValid=False", &text);
        if let Some(desired) = kept {
            tracing::error!(stack = %desired.project, condition, %problems,
                "the desired state is invalid; the last good one is kept up");
            let doubt = Some(Doubt::invalid(text));
            self.want(Wanted { doubt, ..Wanted::new(desired) }, &loaded.files, "");
        } else {
            tracing::error!(condition, %problems, "there is no valid desired state");
        }
    }

    /// Asks every operator to end, and waits until all have; only then others may write.
    pub(super) async fn end(mut self) {
        let stacks = std::mem::take(&mut self.stacks).into_values();
        let locks: Vec<Lock> = stacks.filter_map(|stack| stack.lock).collect();
        while self.tasks.join_next().await.is_some() {}
        self.servers.shutdown().await;
        drop(locks);
    }
}

/// Tells whether the files that are there are not what is in force.
fn is_invalid(wanted: &Wanted) -> bool {
    let is_invalid = |doubt: &Doubt| doubt.reason == DoubtReason::Invalid;
    wanted.commit.is_none() && wanted.doubt.as_ref().is_some_and(is_invalid)
}

fn is_missing(file: &std::path::Path) -> bool {
    matches!(file.try_exists(), Ok(false))
}
