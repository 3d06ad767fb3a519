//! Writing to the state directory: whole or not at all, for the owner alone.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Writes a file so that a reader finds the old or the new content, never half of it.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    make_folder(folder)?;
    // A temporary file has the mode 0600 from the beginning.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Makes a folder for its owner alone; one that is there stays as it is.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Tells whether an error says that there is nothing.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Which files could not be written: each is complained of once, until it can be again.
#[derive(Debug, Default)]
pub(super) struct Complaints(BTreeSet<PathBuf>);

impl Complaints {
    /// Takes note of an attempt; tells the log when it fails for the first time, and when
    /// it succeeds again. Returns whether it succeeded.
    pub(super) fn note(&mut self, path: &Path, attempt: &io::Result<()>) -> bool {
        let shown = path.display();
        match attempt {
            Ok(()) if self.0.remove(path) => {
                tracing::info!(path = %shown, "the state directory can be written again");
            }
            Ok(()) => {}
            Err(error) if self.0.insert(path.to_owned()) => {
                tracing::warn!(path = %shown, %error,
                    "the state directory cannot be written; everything goes on without");
            }
            Err(error) => tracing::debug!(path = %shown, %error, "still not written"),
        }
        attempt.is_ok()
    }
}
