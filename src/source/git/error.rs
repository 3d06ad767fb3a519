//! What can go wrong between a repository and its files on this host.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::access::AccessError;
use super::tree::Refusal;
use crate::state::commit::CommitId;

/// Why a commit did not come, in words for people. None of it holds credentials.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The server cannot be reached, takes too long, or is ill.
    #[error("{remote} cannot be reached: {reason}")]
    Unreachable {
        /// What was asked for, and where.
        remote: String,
        /// What was seen.
        reason: String,
    },
    /// The server, or ssh, does not accept who we are, or we do not accept it.
    #[error("{remote} is denied: {reason}; {advice}")]
    Denied {
        /// What was asked for, and where.
        remote: String,
        /// What was seen.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
    /// The branch or the tag is not there.
    #[error("{remote} is not there; push it, or name another one with --branch or --tag")]
    NoReference {
        /// What was asked for, and where.
        remote: String,
    },
    /// The commit itself is at fault.
    #[error("{commit} is refused: {reason}")]
    Refused {
        /// Which one.
        commit: String,
        /// Why.
        reason: Refusal,
    },
    /// There is no room.
    #[error(
        "no space is left for {}; free some, it is tried again", folder.display()
    )]
    DiskFull {
        /// What could not be written.
        folder: PathBuf,
    },
    /// The `git` program is missing or too old.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The token, a key or another file for access cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Anything else.
    #[error("{doing} failed: {reason}")]
    Other {
        /// What was being done.
        doing: String,
        /// What was seen.
        reason: String,
    },
}

/// Why the `git` program cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// It is not there.
    #[error(
        "the program `{0}` is not there; install git 2.34 or newer (Debian package git)"
    )]
    Missing(String),
    /// It is too old to be safe, or to know signatures by ssh.
    #[error(
        "`git` is version {found}, and 2.34 is the oldest that can be used; install a newer one"
    )]
    Old {
        /// What it says of itself.
        found: String,
    },
    /// It cannot be started.
    #[error("the program `git` cannot be started: {0}")]
    Failed(String),
}

impl GitError {
    /// Tells what an error of the file system means here.
    pub(super) fn of_disk(doing: &str, path: &Path, error: &io::Error) -> Self {
        if is_full(error) {
            return Self::DiskFull { folder: path.to_owned() };
        }
        Self::Other {
            doing: format!("{doing} {}", path.display()),
            reason: error.to_string(),
        }
    }

    pub(super) fn refused(commit: &CommitId, reason: Refusal) -> Self {
        Self::Refused { commit: format!("commit {commit}"), reason }
    }

    pub(super) fn late(remote: String, time: Duration) -> Self {
        let reason = format!("no answer within {} s", time.as_secs_f64());
        Self::Unreachable { remote, reason }
    }
}

pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
