//! The disk that a folder is on.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::state::host::Folder;

/// Looks at a folder; of one that is not there, the disk is that of the closest above it.
pub(super) fn folder(path: &Path) -> Folder {
    let exists = path.symlink_metadata().is_ok();
    let Some(there) = path.ancestors().find(|it| it.exists()) else {
        return Folder { exists, ..Folder::default() };
    };
    let device = fs::metadata(there).map_or(0, |it| it.dev());
    let disk = rustix::fs::statvfs(there).ok();
    let size = disk.as_ref().map_or(1, |it| it.f_frsize);
    Folder {
        exists,
        is_folder: path.is_dir(),
        device,
        is_on_root: fs::metadata("/").is_ok_and(|it| it.dev() == device),
        file_system: file_system(device),
        total: disk.as_ref().map_or(0, |it| it.f_blocks.saturating_mul(size)),
        free: disk.as_ref().map_or(0, |it| it.f_bavail.saturating_mul(size)),
    }
}

/// Returns the kind of a file system by its device, as `mountinfo` has it.
fn file_system(device: u64) -> String {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let wanted = format!("{major}:{minor}");
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let is_it = line.split(' ').nth(2) == Some(wanted.as_str());
        let (_, after) = line.split_once(" - ").filter(|_| is_it)?;
        after.split(' ').next().map(str::to_owned)
    });
    found.unwrap_or_default()
}
