//! Why an archive was not made, or is not believed.

use std::io;
use std::path::{Path, PathBuf};

/// Why an archive was not made, or is not believed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The system refused something.
    #[error("cannot {what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file is not what it was a moment ago.
    #[error(
        "{} {how} while it was archived: something writes to it although the stack is \
         stopped; find it (`fuser -v`, another stack?) and try again", .path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What happened to it.
        how: &'static str,
    },
    /// Something cannot be archived so that it can be restored.
    #[error("{} cannot be archived: {why}", .path.display())]
    Unfit {
        /// What.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// An archive is not what it was when it was made, or is none.
    #[error("the archive {} is damaged: {why}", .archive.display())]
    Damaged {
        /// The archive.
        archive: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// An entry of an archive could do harm.
    #[error("the archive {} is refused: its entry `{entry}` {why}", .archive.display())]
    Unsafe {
        /// The archive.
        archive: PathBuf,
        /// The entry, escaped.
        entry: String,
        /// What it would do.
        why: &'static str,
    },
    /// There is too little space.
    #[error(
        "{} has {free} bytes free, and {needed} are needed: make room, or name another folder",
        .path.display()
    )]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// How many bytes are needed.
        needed: u64,
        /// How many are free.
        free: u64,
    },
    /// Nobody wants it any more.
    #[error("it was given up")]
    GivenUp,
}

/// Says what was tried on which path.
pub(super) fn on(
    what: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::Io { what, path, source }
}
