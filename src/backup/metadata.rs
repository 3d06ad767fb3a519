//! What belongs to a file besides its bytes: owner, permissions, times, extended attributes.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use super::entry::{Entry, Kind};
use super::error::{BackupError, on};

/// How many bytes the names or one value of extended attributes may have: the kernel's limit.
const MOST: usize = 64 << 10;

/// Attributes that belong to the host and not to the data: a label of its security module.
const OF_HOST: [&[u8]; 2] = [b"security.selinux", b"security.ima"];

/// Reads the extended attributes of what is at a path; a link is not followed.
pub(super) fn attributes(path: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, BackupError> {
    let mut names = vec![0; MOST];
    let length = match rustix::fs::llistxattr(path, &mut names) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(BTreeMap::new()),
        Err(error) => return Err(failed("list the attributes of", path, error)),
    };
    names.truncate(length);
    let mut attributes = BTreeMap::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if OF_HOST.contains(&name) {
            continue;
        }
        let mut value = vec![0; MOST];
        match rustix::fs::lgetxattr(path, name, &mut value) {
            Ok(length) => {
                value.truncate(length);
                attributes.insert(name.to_vec(), value);
            }
            Err(Errno::NODATA | Errno::NOTSUP) => {}
            Err(error) => return Err(failed("read the attributes of", path, error)),
        }
    }
    Ok(attributes)
}

/// Returns an entry of what is at a path.
pub(super) fn entry(
    path: &Path,
    name: Vec<u8>,
    kind: Kind,
    metadata: &Metadata,
) -> Result<Entry, BackupError> {
    Ok(Entry {
        path: name,
        kind,
        mode: metadata.permissions().mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        mtime: (metadata.mtime(), u32::try_from(metadata.mtime_nsec()).unwrap_or(0)),
        attributes: attributes(path)?,
    })
}

/// Gives what is at a path the owner, permissions, attributes and times of its entry. A link
/// is not followed.
pub(super) fn apply(path: &Path, entry: &Entry) -> Result<(), BackupError> {
    std::os::unix::fs::lchown(path, Some(entry.uid), Some(entry.gid))
        .map_err(on("give its owner to", path))?;
    if !matches!(entry.kind, Kind::Symlink(_)) {
        // After the owner: a change of it takes special bits away.
        let mode = std::fs::Permissions::from_mode(entry.mode);
        std::fs::set_permissions(path, mode)
            .map_err(on("set the permissions of", path))?;
    }
    for (name, value) in &entry.attributes {
        rustix::fs::lsetxattr(path, name.as_slice(), value, XattrFlags::empty())
            .map_err(|error| failed("set the attributes of", path, error))?;
    }
    let (seconds, nanoseconds) = entry.mtime;
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    let times = Timestamps { last_access: time, last_modification: time };
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags)
        .map_err(|error| failed("set the times of", path, error))
}

fn failed(what: &'static str, path: &Path, error: Errno) -> BackupError {
    on(what, path)(io::Error::from(error))
}
