//! `backup create`, and what `restore` has in common with it: through the operator that has the stack, or with one of its own.
//!
//! Without a `run`, this process is the stack's operator for as long as the backup takes. A
//! second process of the same program stands by: should this one be killed while the stack
//! rests, it brings the stack back.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::backup::{Teller, directory, no_directory};
use super::change::holder;
use super::session::{Connected, Session, chain};
use crate::board::Post;
use crate::cli::exit::Exit;
use crate::control::client::Conversation;
use crate::control::follow::Followers;
use crate::control::server::Call;
use crate::control::{Reply, Request};
use crate::engine::EngineError;
use crate::notify::Notifier;
use crate::operator::{Surroundings, operate};
use crate::pass::Wanted;
use crate::planning::backup::BackupNews;
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::state::desired::Desired;
use crate::store::lock::{Lock, LockError};
use crate::view::backup::done;

/// The variable by which a process knows that it only stands by.
const GUARDIAN: &str = "RECONCILER_INTERNAL_GUARDIAN";

/// What the guardian reads when all is well.
const ALL_IS_WELL: &[u8] = b"all is well";

/// How long the guardian waits for a stack to be ready.
const PATIENCE: Duration = Duration::from_mins(15);

/// How often a stack is looked at by an operator that has just begun.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// How many calls may wait.
const CALLS: usize = 4;

pub(super) async fn create(session: &Session, told: Option<&Path>) -> Result<Exit> {
    let Some(stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    if is_guardian() {
        return stand_by(session, stacks).await;
    }
    let told = told.map(std::path::absolute).transpose()?;
    if let Some(nowhere) =
        stacks.iter().find(|it| directory(it, told.as_deref()).is_none())
    {
        return no_directory(session, nowhere);
    }
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let mut exit = Exit::Good;
    for desired in stacks {
        exit = exit.and(one(session, &connected, desired, told.clone()).await?);
    }
    Ok(exit)
}

async fn one(
    session: &Session,
    connected: &Connected,
    desired: Desired,
    directory: Option<PathBuf>,
) -> Result<Exit> {
    let request = Request::Backup { source: desired.source.clone(), directory };
    work(session, connected, desired, ("backup create", request)).await
}

/// Has a backup or a restore made by whoever operates the stack, and tells how it goes.
pub(super) async fn work(
    session: &Session,
    connected: &Connected,
    desired: Desired,
    (command, request): (&str, Request),
) -> Result<Exit> {
    let place = session.place(connected, &desired.project);
    let own = holder(command, &desired, connected.clock.now());
    match place.take(&desired.project, &own) {
        Ok(lock) => alone(session, connected, desired, request, lock).await,
        Err(LockError::Held { holder, .. }) if holder.is_operator() => {
            match Conversation::begin(&place.socket(), &request).await {
                Ok(replies) => follow(session, Replies::Of(replies), connected).await,
                Err(error) => session.refused(&format!(
                    "{} is held by {holder}, which does not answer: {error}",
                    desired.project
                )),
            }
        }
        Err(error) => session.refused(&chain(&error)),
    }
}

/// Where news comes from.
enum Replies {
    Of(Conversation),
    Here(mpsc::Receiver<Reply>),
}

impl Replies {
    async fn next(&mut self) -> Option<Reply> {
        match self {
            Self::Of(conversation) => conversation.next().await.ok().flatten(),
            Self::Here(replies) => replies.recv().await,
        }
    }
}

/// Tells how a backup goes, up to its end.
async fn follow(
    session: &Session,
    mut replies: Replies,
    connected: &Connected,
) -> Result<Exit> {
    let mut teller = Teller::default();
    while let Some(reply) = replies.next().await {
        match reply {
            Reply::Backup(BackupNews::Phase(phase)) => {
                teller = Teller::default();
                session.output.notice(&format!("{}\n", phase.as_str()))?;
            }
            Reply::Backup(BackupNews::Passed { done, total }) => {
                let now = connected.clock.now().moment;
                if let Some(line) = teller.line(done, total, now) {
                    session.output.notice(&format!("  {line}\n"))?;
                }
            }
            Reply::Backup(BackupNews::Warning(warning)) => {
                session.output.notice(&format!("warning: {warning}\n"))?;
            }
            Reply::Backup(BackupNews::Done(end)) => {
                session.output.result(&done(&end))?;
                return Ok(Exit::Good);
            }
            Reply::Backup(BackupNews::Failed(why)) => {
                session.output.notice(&format!("error: {why}\n"))?;
                return Ok(Exit::NotAsWanted);
            }
            Reply::Refused(refusal) => return session.refused(&refusal),
            Reply::Memory(_)
            | Reply::Progress(_)
            | Reply::Convergence(_)
            | Reply::Done => {}
        }
    }
    session.output.notice(
        "error: the operator has ended meanwhile; `reconciler backup list` tells what \
         there is\n",
    )?;
    Ok(Exit::NotAsWanted)
}

/// Is the operator of the stack for as long as the backup takes.
async fn alone(
    session: &Session,
    connected: &Connected,
    desired: Desired,
    request: Request,
    lock: Lock,
) -> Result<Exit> {
    let journal = session.store.restore_journal(&connected.facts.id, &desired.project);
    if journal.as_ref().is_some_and(|it| it.exists()) {
        session
            .output
            .notice("a restore was cut off: it is finished or taken back first\n")?;
        let operator = Temporary::begin(session, connected, desired.clone());
        let is_back = settled(session, connected, &desired, journal.as_deref()).await;
        operator.end().await?;
        if !is_back {
            session
                .output
                .notice("error: the stack is not ready; see `reconciler status`\n")?;
            return Ok(Exit::NotAsWanted);
        }
    }
    let preview = match session.preview(connected, Wanted::new(desired.clone())).await {
        Ok(preview) => preview,
        Err(error) => return session.no_engine(&error),
    };
    // An operator would bring the stack in line with its file: nobody has asked for that.
    let world = preview.world();
    if let Some(obstacle) = crate::planning::rest::obstacle(&world, &preview.found.plan) {
        session.output.notice(&format!("error: {obstacle}\n"))?;
        return Ok(Exit::NotAsWanted);
    }
    let guardian = Guardian::posted();
    if let Err(error) = &guardian {
        session.output.notice(&format!(
            "warning: nobody brings the stack back should this process be killed: {error}\n"
        ))?;
    }
    let operator = Temporary::begin(session, connected, desired);
    // It looks at the stack before it can be asked.
    tokio::time::sleep(ASK_AGAIN).await;
    let (call, replies) = Call::of_this_process(request);
    let sent = operator.calls.send(call).await;
    let followed = async {
        sent?;
        follow(session, Replies::Here(replies), connected).await
    };
    let exit = tokio::select! {
        exit = followed => exit,
        () = super::run::asked_to_end() => {
            session.output.notice("it is given up; the stack is started again\n")?;
            Ok(Exit::NotAsWanted)
        }
    };
    operator.end().await?;
    if let Ok(guardian) = guardian {
        guardian.dismiss();
    }
    drop(lock);
    exit
}

/// Tells whether this process only stands by.
pub(super) fn is_guardian() -> bool {
    std::env::var_os(GUARDIAN).is_some()
}

/// A process that brings the stack back should this one be killed.
struct Guardian(Child);

impl Guardian {
    /// Starts one: the same command, told by a variable that it only stands by. It lives in
    /// a process group of its own, so that what ends this one does not end it, too.
    fn posted() -> std::io::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env(GUARDIAN, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self(child))
    }

    /// Tells it that all is well.
    fn dismiss(mut self) {
        if let Some(mut pipe) = self.0.stdin.take()
            && let Err(error) = pipe.write_all(ALL_IS_WELL)
        {
            tracing::debug!(%error, "the guardian has gone away");
        }
        if let Err(error) = self.0.wait() {
            tracing::debug!(%error, "the guardian has gone away");
        }
    }
}

/// Waits for the end of the process that makes the backup, and brings the stacks back unless
/// that said that all is well.
pub(super) async fn stand_by(session: &Session, stacks: Vec<Desired>) -> Result<Exit> {
    let said = tokio::task::spawn_blocking(|| {
        let mut said = Vec::new();
        std::io::stdin().read_to_end(&mut said).map(|_| said)
    });
    if said.await?? == ALL_IS_WELL {
        return Ok(Exit::Good);
    }
    let connected: Result<Connected, EngineError> = session.connect().await;
    let connected = match connected {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let mut exit = Exit::Good;
    for desired in stacks {
        let place = session.place(&connected, &desired.project);
        let own = holder("backup create", &desired, connected.clock.now());
        // A `run` that has the stack by now brings it back by itself.
        let Ok(_lock) = place.take(&desired.project, &own) else { continue };
        let journal =
            session.store.restore_journal(&connected.facts.id, &desired.project);
        let operator = Temporary::begin(session, &connected, desired.clone());
        let is_back = settled(session, &connected, &desired, journal.as_deref()).await;
        operator.end().await?;
        exit = exit.and(if is_back { Exit::Good } else { Exit::NotAsWanted });
    }
    Ok(exit)
}

/// An operator of this process, for a while.
struct Temporary {
    wanted: watch::Sender<Wanted>,
    calls: mpsc::Sender<Call>,
    task: JoinHandle<()>,
}

impl Temporary {
    fn begin(session: &Session, connected: &Connected, desired: Desired) -> Self {
        let (wanted, receiver) = watch::channel(Wanted::new(desired));
        let (calls, answered) = mpsc::channel(CALLS);
        let surroundings = Surroundings {
            engine: connected.engine.clone(),
            engine_id: connected.facts.id.clone(),
            clock: connected.clock.clone(),
            store: session.store.clone(),
            wanted: receiver,
            allowed: Allowed::default(),
            actor: None,
            calls: answered,
            followers: Followers::default(),
            report: Report::new(session.output.progress(), String::new()),
            notifier: Notifier::new(Vec::new(), String::new()),
            makes_backups: false,
            // Nobody reads it here.
            post: watch::channel(Post::default()).0,
        };
        Self { wanted, calls, task: tokio::spawn(operate(surroundings)) }
    }

    /// Ends it, once the stack runs again.
    async fn end(self) -> Result<()> {
        drop(self.wanted);
        Ok(self.task.await?)
    }
}

/// Waits until a stack is ready and no restore is under way; tells whether it came to that.
async fn settled(
    session: &Session,
    connected: &Connected,
    desired: &Desired,
    journal: Option<&Path>,
) -> bool {
    let deadline = connected.clock.now().moment.after(PATIENCE);
    while !connected.clock.until(deadline).is_zero() {
        tokio::time::sleep(ASK_AGAIN).await;
        if journal.is_some_and(Path::exists) {
            continue;
        }
        let preview = session.preview(connected, Wanted::new(desired.clone())).await;
        if preview.is_ok_and(|it| it.found.status.ready) {
            return true;
        }
    }
    false
}
