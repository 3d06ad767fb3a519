//! The socket at which a process that follows a repository is asked for the newest commit.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use super::server::Socket;
use crate::planning::doubt::Doubt;
use crate::puller::{Ask, Once, Taken};
use crate::state::commit::Commit;

/// How long a request may be, in bytes.
const LONGEST: u64 = 4 << 10;

/// What a client allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// A commit that does not descend from the one in force.
    pub rewind: bool,
    /// The removal of stacks whose files are gone.
    pub prune: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The commit in force.
    pub in_force: Option<Commit>,
    /// Why it may not be the newest.
    pub doubt: Option<Doubt>,
}

/// Serves clients for ever, one after another.
pub async fn serve(socket: Socket, asks: mpsc::Sender<Ask>) {
    loop {
        let attended = match socket.accept().await {
            Ok(stream) => attend(stream, &asks).await,
            Err(error) => Err(error),
        };
        if let Err(error) = attended {
            tracing::debug!(%error, "a client of the socket for git has gone away");
        }
    }
}

async fn attend(stream: UnixStream, asks: &mpsc::Sender<Ask>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LONGEST)).read_line(&mut line).await?;
    let request: Request = serde_json::from_str(&line)?;
    let once = Once { rewind: request.rewind, prune: request.prune };
    let (done, taken) = oneshot::channel();
    asks.send(Ask::Now { once, done }).await.map_err(io::Error::other)?;
    let Taken { in_force, doubt, .. } = taken.await.map_err(io::Error::other)?;
    let mut line = serde_json::to_vec(&Reply { in_force, doubt })?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Asks the process that follows the repository.
///
/// # Errors
/// Nobody listens there, or it has ended meanwhile.
pub async fn ask(socket: &Path, request: Request) -> io::Result<Reply> {
    let (read, mut write) = UnixStream::connect(socket).await?.into_split();
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let reply = BufReader::new(read).lines().next_line().await?;
    let reply = reply.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(serde_json::from_str(&reply)?)
}
