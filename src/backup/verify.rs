//! Whether an archive is what was written, and could be taken out: everything that taking
//! out does, but for the writing.

use super::extract::{Nowhere, take_out};
use super::read::Archive;
use super::{BackupError, Watcher};

/// Reads an archive from end to end, and holds every entry against its index.
///
/// # Errors
/// It is damaged, or has entries that could do harm.
pub fn verify(archive: &Archive, watcher: &mut dyn Watcher) -> Result<(), BackupError> {
    take_out(archive, &mut Nowhere, watcher)
}
