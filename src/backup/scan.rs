//! What is in data folders, and whether it is still so: a backup is of one instant only if
//! nobody changed anything while it was made.

use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use super::error::{BackupError, on};
use super::manifest::Root;

/// Entries of a data folder with such names are ours, or the file system's: neither archived
/// nor set aside.
pub const OURS: &str = ".reconciler-";

/// What a file system keeps at its root for itself.
const LOST_AND_FOUND: &str = "lost+found";

/// Something in a data folder.
#[derive(Debug)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the archive.
    pub name: Vec<u8>,
    /// What it was when it was found.
    pub metadata: Metadata,
}

/// Everything in the data folders, folders before what is in them.
#[derive(Debug, Default)]
pub struct Scan {
    /// What is archived.
    pub found: Vec<Found>,
    /// Sockets and pipes.
    pub left_out: Vec<PathBuf>,
    /// About how many bytes are to be read.
    pub bytes: u64,
}

/// Tells whether an entry of a data folder itself is not part of the data.
pub fn is_no_data(name: &[u8]) -> bool {
    name.starts_with(OURS.as_bytes()) || name == LOST_AND_FOUND.as_bytes()
}

/// Looks at everything in data folders.
///
/// # Errors
/// Something cannot be read, or could not be restored: then no backup is made, rather than
/// one that is found to be useless when it is needed.
pub fn scan(roots: &[Root]) -> Result<Scan, BackupError> {
    let mut scan = Scan::default();
    for root in roots {
        let path = PathBuf::from(&root.path);
        let metadata = std::fs::symlink_metadata(&path).map_err(on("read", &path))?;
        if !metadata.is_dir() {
            let why = "it is no folder; name folders in `x-reconciler.backup.paths`";
            return Err(BackupError::Unfit { path, why: why.to_owned() });
        }
        let device = metadata.dev();
        let name = root.name.as_bytes().to_vec();
        scan.found.push(Found { path, name, metadata });
        let mut next = scan.found.len() - 1;
        // Folders are read in the order in which they were found.
        while next < scan.found.len() {
            if scan.found[next].metadata.is_dir() {
                scan.folder(next, device)?;
            }
            next += 1;
        }
    }
    Ok(scan)
}

impl Scan {
    fn folder(&mut self, at: usize, device: u64) -> Result<(), BackupError> {
        let Found { path: folder, name: prefix, .. } = &self.found[at];
        let (folder, prefix) = (folder.clone(), prefix.clone());
        let is_root = !prefix.contains(&b'/');
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(on("read", &folder))? {
            entries.push(entry.map_err(on("read", &folder))?.file_name());
        }
        entries.sort();
        for entry in entries {
            if is_root && is_no_data(entry.as_bytes()) {
                continue;
            }
            let path = folder.join(&entry);
            let metadata = std::fs::symlink_metadata(&path).map_err(on("read", &path))?;
            let name = [&prefix[..], b"/", entry.as_bytes()].concat();
            if let Some(found) = self.fit(Found { path, name, metadata }, device)? {
                self.bytes += held(&found.metadata);
                self.found.push(found);
            }
        }
        Ok(())
    }

    /// Returns what was found if it belongs in the archive.
    fn fit(&mut self, found: Found, device: u64) -> Result<Option<Found>, BackupError> {
        let kind = found.metadata.file_type();
        let unfit = |path: &Path, why: String| {
            Err(BackupError::Unfit { path: path.to_owned(), why })
        };
        if kind.is_socket() || kind.is_fifo() {
            self.left_out.push(found.path);
            return Ok(None);
        }
        if kind.is_block_device() || kind.is_char_device() {
            return unfit(&found.path, "it is a device".to_owned());
        }
        if found.metadata.dev() != device {
            let why = "another file system is mounted there; name it by itself in \
                       `x-reconciler.backup.paths`";
            return unfit(&found.path, why.to_owned());
        }
        if kind.is_symlink() {
            let target =
                std::fs::read_link(&found.path).map_err(on("read", &found.path))?;
            if leaves(&found.name, &target) {
                let why = format!(
                    "it is a link to {}, which leaves the data folder, and such links are \
                     not restored; make it a relative one",
                    target.display()
                );
                return unfit(&found.path, why);
            }
        }
        Ok(Some(found))
    }

    /// Looks at everything again: fails when anything was changed, came or went.
    ///
    /// # Errors
    /// Somebody writes.
    pub fn is_unchanged(&self) -> Result<(), BackupError> {
        for found in &self.found {
            unchanged(&found.path, &found.metadata, || {
                std::fs::symlink_metadata(&found.path)
            })?;
        }
        Ok(())
    }
}

/// Fails unless something is what it was.
pub(super) fn unchanged(
    path: &Path,
    before: &Metadata,
    now: impl FnOnce() -> std::io::Result<Metadata>,
) -> Result<(), BackupError> {
    let changed = |how| BackupError::Changed { path: path.to_owned(), how };
    let now = match now() {
        Ok(now) => now,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(changed("went away"));
        }
        Err(error) => return Err(on("read", path)(error)),
    };
    let mark = |it: &Metadata| {
        let (modified, changed) = ((it.mtime(), it.mtime_nsec()), it.ctime());
        (it.dev(), it.ino(), it.mode(), it.size(), modified, changed, it.ctime_nsec())
    };
    if mark(before) == mark(&now) { Ok(()) } else { Err(changed("was changed")) }
}

/// Returns how many bytes of a file are to be read.
fn held(metadata: &Metadata) -> u64 {
    if metadata.is_file() { metadata.size().min(metadata.blocks() * 512) } else { 0 }
}

/// Tells whether a link leaves the folder that the first part of its name stands for.
pub fn leaves(name: &[u8], target: &Path) -> bool {
    let mut depth = name.split(|byte| *byte == b'/').count().saturating_sub(2);
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return true;
            }
        }
    }
    false
}
