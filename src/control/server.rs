//! The operator's end of the control socket.

use std::fs::{Permissions, set_permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::{Reply, Request};
use crate::state::ids::{Generation, ProjectName, SourceId};

/// How long a request may be, in bytes.
const LONGEST: u64 = 64 << 10;

/// How many replies may wait for a client that does not read them.
const BACKLOG: usize = 1024;

/// A request, and where its replies go.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub request: Request,
    replies: mpsc::Sender<Reply>,
}

/// A request to read the files again; it is answered with what is wanted then.
#[derive(Debug)]
pub struct Reload {
    /// The stack.
    pub project: ProjectName,
    /// Takes the generation that is wanted once the files have been read; nothing when
    /// they ask for no valid stack of this name.
    pub done: oneshot::Sender<Option<Generation>>,
}

/// What serves the clients of one stack.
#[derive(Debug)]
pub struct Server {
    /// The stack.
    pub project: ProjectName,
    /// Where its desired state comes from.
    pub source: SourceId,
    /// The operator.
    pub calls: mpsc::Sender<Call>,
    /// Whoever reads the files.
    pub reloads: mpsc::Sender<Reload>,
}

impl Call {
    /// Makes a call of this very process, and returns what takes its replies.
    pub fn of_this_process(request: Request) -> (Self, mpsc::Receiver<Reply>) {
        let (replies, answers) = mpsc::channel(BACKLOG);
        (Self { request, replies }, answers)
    }

    /// Answers; a client that has gone away misses it.
    pub fn reply(&self, reply: Reply) {
        if self.replies.try_send(reply).is_err() {
            tracing::debug!("a client of the control socket has gone away");
        }
    }

    /// Returns where its replies go.
    pub fn into_replies(self) -> mpsc::Sender<Reply> {
        self.replies
    }
}

/// A socket that listens; its end takes the file away.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens at a path, for the owner alone. Whoever holds the lock of the stack may take
    /// the place of a socket that is left over.
    ///
    /// # Errors
    /// The system's reason.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(path)?;
        set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Waits for a client.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It may have been taken away already.
        std::fs::remove_file(&self.path).unwrap_or_default();
    }
}

impl Server {
    /// Serves clients for ever.
    pub async fn serve(self, socket: Socket) {
        let server = std::sync::Arc::new(self);
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                accepted = socket.accept() => match accepted {
                    Ok(stream) => {
                        let server = server.clone();
                        clients.spawn(async move {
                            if let Err(error) = server.attend(stream).await {
                                tracing::debug!(%error, "a client of the control socket has gone away");
                            }
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the control socket takes no client now");
                        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    }
                },
                Some(_) = clients.join_next() => {}
            }
        }
    }

    /// Serves one client.
    async fn attend(&self, stream: UnixStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read.take(LONGEST));
        let mut line = String::new();
        read.read_line(&mut line).await?;
        let request: Request = match serde_json::from_str(&line) {
            Ok(request) => request,
            Err(error) => {
                let message = format!("the operator does not understand: {error}");
                return send(&mut write, &Reply::Refused(message)).await;
            }
        };
        if let Some(refusal) = self.refuses(&request).await {
            return send(&mut write, &Reply::Refused(refusal)).await;
        }
        let (call, mut answers) = Call::of_this_process(request);
        if self.calls.send(call).await.is_err() {
            return Ok(());
        }
        let mut rest = Vec::new();
        loop {
            tokio::select! {
                answer = answers.recv() => match answer {
                    Some(reply) => send(&mut write, &reply).await?,
                    None => return Ok(()),
                },
                // A client that hangs up wants no more; it has nothing else to say.
                gone = read.read_to_end(&mut rest) => return gone.map(drop),
            }
        }
    }

    /// Says why a request is not for this operator; nothing when it is.
    async fn refuses(&self, request: &Request) -> Option<String> {
        let source = match request {
            Request::Memory | Request::Retry { .. } | Request::Pause { .. } => {
                return None;
            }
            Request::Resume { .. } => {
                // A revision may have been pinned until now; what is wanted then is the
                // operator's own matter.
                return self.reload().await.err();
            }
            Request::Apply { source, .. }
            | Request::Delete { source }
            | Request::Backup { source, .. }
            | Request::Restore { source, .. }
            | Request::Restart { source, .. } => source,
        };
        if *source != self.source {
            return Some(format!(
                "{} belongs to the `reconciler run` of {}, not to {source}",
                self.project, self.source
            ));
        }
        let Request::Apply { generation, .. } = request else { return None };
        match self.reload().await {
            Err(refusal) => Some(refusal),
            Ok(Some(wanted)) if wanted == *generation => None,
            Ok(Some(_)) => Some(format!(
                "the running operator reads another desired state from {}: it has other \
                 options or variables, or the file is being written; see `reconciler status`",
                self.source
            )),
            Ok(None) => Some(format!(
                "the running operator finds no valid desired state in {}",
                self.source
            )),
        }
    }

    /// Has the files read again; returns what is wanted then.
    async fn reload(&self) -> Result<Option<Generation>, String> {
        let (done, loaded) = oneshot::channel();
        let reload = Reload { project: self.project.clone(), done };
        if self.reloads.send(reload).await.is_err() {
            return Err("the operator is ending".to_owned());
        }
        Ok(loaded.await.ok().flatten())
    }
}

async fn send(write: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    write.write_all(&line).await
}
