//! How full the file system of a folder of this host is.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::statvfs;

use super::words;
use crate::state::ask::{DiskUse, Trouble, TroubleKind};

/// Folders that the system has not answered about yet: to ask again would only keep another
/// thread waiting for a file system that is dead.
static ASKED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A folder that is asked about, until the system has answered.
pub(super) struct Asking(String);

impl Asking {
    /// Begins to ask, unless the system still owes an answer about this folder.
    pub(super) fn about(path: &str) -> Result<Self, Trouble> {
        if lock().insert(path.to_owned()) {
            return Ok(Self(path.to_owned()));
        }
        let said = "the system has not answered yet since it was last asked";
        Err(Trouble::new(TroubleKind::Silent, said))
    }

    /// Asks the system; a dead network file system may never answer.
    pub(super) fn asked(self) -> Result<DiskUse, Trouble> {
        disk(&self.0)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        lock().remove(&self.0);
    }
}

fn lock() -> MutexGuard<'static, BTreeSet<String>> {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn disk(path: &str) -> Result<DiskUse, Trouble> {
    let failed = |error: std::io::Error| {
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        let kind = if is_missing { TroubleKind::Unwell } else { TroubleKind::Unknown };
        Trouble::new(kind, words(&error))
    };
    let path = Path::new(path);
    let device = std::fs::metadata(path).map_err(failed)?.dev();
    let there = statvfs(path).map_err(|error| failed(error.into()))?;
    // What is kept for root is neither used nor free, as `df` has it.
    Ok(DiskUse {
        device,
        used: there.f_blocks.saturating_sub(there.f_bfree) * there.f_frsize,
        free: there.f_bavail * there.f_frsize,
        files: there.f_files.saturating_sub(there.f_ffree),
        free_files: there.f_favail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_the_system_does_not_answer_about_is_not_asked_about_twice() {
        let first = Asking::about("/one").unwrap();
        let trouble = Asking::about("/one").map(drop).unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Silent);
        assert!(Asking::about("/two").is_ok());
        drop(first);
        assert!(Asking::about("/one").is_ok());
    }

    #[test]
    fn a_folder_that_is_there_has_a_file_system_and_one_that_is_not_says_so() {
        let found = disk("/").unwrap();
        assert!(found.used + found.free > 0, "{found:?}");
        let trouble = disk("/no/such/folder").unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unwell);
        assert!(trouble.said.contains("No such file"), "{trouble}");
    }
}
