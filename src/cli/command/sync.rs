//! `sync`: the newest commit now, through the operator that follows the repository, or alone.

use anyhow::Result;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::following::{CannotFollow, Commits};
use super::session::{Session, chain};
use crate::cli::arguments::Sync;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::control::server::Socket;
use crate::control::sync::{Reply, Request, ask, serve};
use crate::puller::{Ask, Taken};
use crate::store::commits::{CommitsError, GitFolder};
use crate::view::json::CommitJson;
use crate::view::text::printable;

/// The socket at which this process is asked; its end closes it.
pub(super) struct Asked(Option<JoinHandle<()>>);

impl Asked {
    /// Listens from now on.
    pub(super) fn listen(
        session: &Session,
        folder: &GitFolder,
        asks: mpsc::Sender<Ask>,
    ) -> Self {
        let path = session.sync_socket(folder.path());
        match path.and_then(|path| Socket::bind(&path)) {
            Ok(socket) => Self(Some(tokio::spawn(serve(socket, asks)))),
            Err(error) => {
                tracing::error!(%error, "`reconciler sync` cannot ask this operator");
                Self(None)
            }
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

pub(super) async fn run(session: &Session, options: &Sync) -> Result<Exit> {
    let Some(folder) = &session.git else {
        session.output.notice(
            "error: there is no repository: --git URL names it, or RECONCILER_GIT_URL\n",
        )?;
        return Ok(Exit::Invalid);
    };
    let request =
        Request { rewind: options.pull.allow_rewind, prune: options.prune.allow_prune };
    let error = match Commits::open(folder) {
        Ok(commits) => return alone(session, commits, options).await,
        Err(error @ CommitsError::File { .. }) => {
            session.output.notice(&format!("error: {}\n", chain(&error)))?;
            return Ok(Exit::NotAsWanted);
        }
        Err(error @ CommitsError::Held(_)) => error,
    };
    let asked = async { ask(&session.sync_socket(folder.path())?, request).await };
    match asked.await {
        Ok(reply) => told(session, &reply, "the running operator brings it about"),
        Err(silence) => {
            session.refused(&format!("{error}, and does not answer: {silence}"))
        }
    }
}

async fn alone(session: &Session, mut commits: Commits, options: &Sync) -> Result<Exit> {
    let mut following = match commits.following(session, &options.pull) {
        Ok(following) => following,
        Err(error @ (CannotFollow::Options(_) | CannotFollow::Checkout(_))) => {
            session.output.notice(&format!("error: {}\n", chain(&error)))?;
            return Ok(Exit::Invalid);
        }
    };
    let newest = following.newest(false).await;
    let Taken { in_force, doubt, .. } = commits.take(session, newest).await;
    told(session, &Reply { in_force, doubt }, "`reconciler apply` brings it about")
}

/// What `sync -o json` prints.
#[derive(Serialize)]
struct SyncJson<'a> {
    in_force: Option<CommitJson>,
    is_newest: bool,
    reason: Option<&'static str>,
    message: Option<&'a str>,
}

fn told(session: &Session, reply: &Reply, next: &str) -> Result<Exit> {
    let doubt = reply.doubt.as_ref();
    let exit = if doubt.is_none() { Exit::Good } else { Exit::NotAsWanted };
    if session.output.format == Format::Json {
        session.output.json(&SyncJson {
            in_force: reply.in_force.as_ref().map(CommitJson::from),
            is_newest: doubt.is_none(),
            reason: doubt.map(|it| it.reason.as_str()),
            message: doubt.map(|it| it.message.as_str()),
        })?;
        return Ok(exit);
    }
    if let Some(doubt) = doubt {
        let (reason, message) = (doubt.reason.as_str(), printable(&doubt.message));
        session.output.notice(&format!("error: {reason}: {message}\n"))?;
    }
    let in_force = match &reply.in_force {
        Some(commit) if doubt.is_none() => {
            let subject = printable(&commit.subject);
            format!("commit {} is in force: {subject}; {next}\n", commit.id)
        }
        Some(commit) => format!("commit {} stays in force\n", commit.id),
        None => "no commit is in force\n".to_owned(),
    };
    session.output.result(&in_force)?;
    Ok(exit)
}
