//! A client of a running operator.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::{Reply, Request};
use crate::planning::memory::Memory;
use crate::state::time::Now;
use crate::store::memory;

/// How long an operator may take to answer what it only has to look up.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request that was sent to an operator.
#[derive(Debug)]
pub struct Conversation {
    replies: Lines<BufReader<OwnedReadHalf>>,
    /// Kept open: its end tells the operator that nobody listens any more.
    _write: OwnedWriteHalf,
}

impl Conversation {
    /// Sends a request.
    ///
    /// # Errors
    /// No operator listens there.
    pub async fn begin(socket: &Path, request: &Request) -> io::Result<Self> {
        let (read, mut write) = UnixStream::connect(socket).await?.into_split();
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        write.write_all(&line).await?;
        Ok(Self { replies: BufReader::new(read).lines(), _write: write })
    }

    /// Returns the next reply; nothing when the operator has ended the conversation.
    ///
    /// # Errors
    /// The connection broke, or the operator is of another version.
    pub async fn next(&mut self) -> io::Result<Option<Reply>> {
        let Some(line) = self.replies.next_line().await? else { return Ok(None) };
        Ok(Some(serde_json::from_str(&line)?))
    }
}

/// Asks an operator what it remembers; nothing when there is none, or one of another version.
pub async fn memory(socket: &Path, now: Now) -> Option<Memory> {
    let Ok(Reply::Memory(told)) = ask(socket, &Request::Memory).await else {
        return None;
    };
    let memory = memory::from_json(told, now);
    memory
        .inspect_err(|error| tracing::warn!(%error, "the operator is of another version"))
        .ok()
}

/// Asks an operator for what it can answer at once.
///
/// # Errors
/// No operator listens there, or it does not answer in time.
pub async fn ask(socket: &Path, request: &Request) -> io::Result<Reply> {
    let answer = async { Conversation::begin(socket, request).await?.next().await };
    let answered = tokio::time::timeout(PATIENCE, answer).await;
    answered
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the operator is silent"))
        .flatten()?
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
