//! The files in force: made equal to those of a commit, one by one, in place.
//!
//! A container sees a file or a folder that it mounts by its inode. So folders stay, files
//! that are equal are not touched, and all others are renamed into their place: whoever
//! reads finds the old or the new file, never half of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// What it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// How many files, links and folders were written, or given another mode.
    pub written: usize,
    /// How many were removed.
    pub removed: usize,
}

impl Brought {
    /// Returns how many names are other ones now, or stand for something else.
    pub fn changed(self) -> usize {
        self.written + self.removed
    }
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
    /// A socket, a pipe, a device: nothing that a commit can hold.
    Other,
}

/// How much of two files is compared at once.
const PIECE: usize = 64 << 10;
const MODE: u32 = 0o7777;

/// Makes a folder equal to another one: names, bytes, modes and links.
///
/// New and other files come first, and what is no longer wanted goes last. Nothing is
/// written where nothing differs, no link is followed, and what a kill left half done is
/// done by the next call. All of it is on disk afterwards.
///
/// # Errors
/// The file system cannot: the disk is full, a name cannot be written.
pub fn bring(checkout: &Path, staged: &Path) -> io::Result<Brought> {
    let mut brought = Brought::default();
    match fs::symlink_metadata(checkout) {
        Ok(there) if there.is_dir() => {}
        Ok(_) => remove(checkout)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    folder(checkout, staged, &mut brought)?;
    Ok(brought)
}

/// What tells a file that somebody has edited, without reading it: when it was written, its
/// size and its mode; and which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    inode: u64,
    written: (i64, i64),
    size: u64,
    mode: u32,
}

/// Returns the marks of everything in a folder, but for the folders themselves.
///
/// # Errors
/// The file system cannot tell.
pub fn marks(folder: &Path) -> io::Result<BTreeMap<PathBuf, Mark>> {
    let mut marks = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for (name, metadata) in entries(&folder)? {
            let path = folder.join(name);
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            let mark = Mark {
                inode: metadata.ino(),
                written: (metadata.mtime(), metadata.mtime_nsec()),
                size: metadata.size(),
                mode: metadata.mode(),
            };
            marks.insert(path, mark);
        }
    }
    Ok(marks)
}

/// Removes whatever a path stands for; nothing is fine, too.
///
/// # Errors
/// The file system cannot.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn folder(checkout: &Path, staged: &Path, brought: &mut Brought) -> io::Result<()> {
    let mode = fs::metadata(staged)?.permissions().mode() & MODE;
    make_folder(checkout, mode, brought)?;
    let before = *brought;
    let wanted = entries(staged)?;
    for (name, metadata) in &wanted {
        entry(&checkout.join(name), &staged.join(name), metadata, brought)?;
    }
    for (name, _) in entries(checkout)? {
        if !wanted.contains_key(&name) {
            remove(&checkout.join(name))?;
            brought.removed += 1;
        }
    }
    if *brought == before { Ok(()) } else { File::open(checkout)?.sync_all() }
}

fn make_folder(checkout: &Path, mode: u32, brought: &mut Brought) -> io::Result<()> {
    let there = match fs::symlink_metadata(checkout) {
        Ok(there) => Some(there.permissions().mode() & MODE),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(checkout)?;
            None
        }
        Err(error) => return Err(error),
    };
    if there != Some(mode) {
        fs::set_permissions(checkout, Permissions::from_mode(mode))?;
        brought.written += 1;
    }
    Ok(())
}

/// Makes one name stand for what it stands for in the staged folder.
fn entry(
    checkout: &Path,
    staged: &Path,
    wanted: &Metadata,
    brought: &mut Brought,
) -> io::Result<()> {
    let there = match fs::symlink_metadata(checkout) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let is_folder = there.as_ref().map(|there| kind(there) == Kind::Folder);
    match kind(wanted) {
        Kind::Folder => {
            if is_folder == Some(false) {
                fs::remove_file(checkout)?;
            }
            folder(checkout, staged, brought)
        }
        kind @ (Kind::File | Kind::Link) => {
            if there.is_some_and(|there| is_equal(checkout, &there, staged, wanted)) {
                return Ok(());
            }
            let new = prepare(checkout, staged, kind, wanted)?;
            // No rename takes the place of a folder.
            if is_folder == Some(true) {
                fs::remove_dir_all(checkout)?;
            }
            new.persist(checkout).map_err(|error| error.error)?;
            brought.written += 1;
            Ok(())
        }
        Kind::Other => Ok(()),
    }
}

/// Writes what is to take the place of a name, beside it.
fn prepare(
    checkout: &Path,
    staged: &Path,
    kind: Kind,
    wanted: &Metadata,
) -> io::Result<TempPath> {
    let beside = checkout.parent().unwrap_or(Path::new("/"));
    // Nothing that begins like this counts as a file of a service.
    let mut names = tempfile::Builder::new();
    let names = names.prefix(".#");
    if kind == Kind::Link {
        let target = fs::read_link(staged)?;
        let made = names.make_in(beside, |path| symlink(&target, path))?;
        return Ok(made.into_temp_path());
    }
    // A hard link takes no room: a disk that is full was found to be so before the first file
    // was touched.
    if let Ok(linked) = names.make_in(beside, |path| fs::hard_link(staged, path)) {
        File::open(staged)?.sync_all()?;
        return Ok(linked.into_temp_path());
    }
    let mut new = names.tempfile_in(beside)?;
    io::copy(&mut File::open(staged)?, &mut new)?;
    let mode = Permissions::from_mode(wanted.permissions().mode() & MODE);
    new.as_file().set_permissions(mode)?;
    new.as_file().sync_all()?;
    Ok(new.into_temp_path())
}

fn kind(metadata: &Metadata) -> Kind {
    match (metadata.is_file(), metadata.is_dir(), metadata.is_symlink()) {
        (true, _, _) => Kind::File,
        (_, true, _) => Kind::Folder,
        (_, _, true) => Kind::Link,
        (false, false, false) => Kind::Other,
    }
}

fn is_equal(checkout: &Path, there: &Metadata, staged: &Path, wanted: &Metadata) -> bool {
    let mode = |metadata: &Metadata| metadata.permissions().mode() & MODE;
    match (kind(there), kind(wanted)) {
        (Kind::Link, Kind::Link) => {
            let target = |path| fs::read_link(path).ok();
            target(checkout).is_some() && target(checkout) == target(staged)
        }
        (Kind::File, Kind::File) => {
            mode(there) == mode(wanted)
                && there.len() == wanted.len()
                // What cannot be read is written anew.
                && has_same_bytes(checkout, staged).unwrap_or(false)
        }
        (Kind::File | Kind::Folder | Kind::Link | Kind::Other, _) => false,
    }
}

fn has_same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut left, mut right) = (Vec::with_capacity(PIECE), Vec::with_capacity(PIECE));
    loop {
        left.clear();
        right.clear();
        (&mut one).take(PIECE as u64).read_to_end(&mut left)?;
        (&mut other).take(PIECE as u64).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

fn entries(folder: &Path) -> io::Result<BTreeMap<OsString, Metadata>> {
    let entries = fs::read_dir(folder)?;
    entries
        .map(|entry| entry.and_then(|it| Ok((it.file_name(), it.metadata()?))))
        .collect()
}

#[cfg(test)]
mod tests;
