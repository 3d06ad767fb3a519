//! How full the file system of a folder of this host is.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::statvfs;

use super::words;
use crate::state::ask::{DiskUse, Trouble, TroubleKind};

/// Asks the system; a dead network file system may never answer.
pub(super) fn disk(path: &str) -> Result<DiskUse, Trouble> {
    let failed = |error: std::io::Error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => TroubleKind::Unwell,
            _ => TroubleKind::Unknown,
        };
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
    fn a_folder_that_is_there_has_a_file_system_and_one_that_is_not_says_so() {
        let found = disk("/").unwrap();
        assert!(found.used + found.free > 0, "{found:?}");
        let trouble = disk("/no/such/folder").unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unwell);
        assert!(trouble.said.contains("No such file"), "{trouble}");
    }
}
