//! Taking data out of an archive, into folders of our own that nobody else can write to.
//!
//! Nothing that an archive says is followed: an entry is made only in a folder that was made
//! by an entry before it, and only where nothing is yet, so that no link can lead anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::entry::{Entry, Kind};
use super::error::{BackupError, on};
use super::manifest::Line;
use super::metadata;
use super::read::{Archive, Entries};
use super::scan::leaves;
use super::write::zeros;
use super::{Watcher, tell};
use crate::state::digest::hexadecimal;

/// How much is written at once.
const PIECE: usize = 1 << 20;

/// Where entries go.
pub(super) trait Place {
    /// Makes what is no file.
    fn make(&mut self, entry: &Entry) -> Result<(), BackupError>;

    /// Makes a file and takes its data from then on.
    fn begin(&mut self, entry: &Entry) -> Result<(), BackupError>;

    /// Takes data of the file that was begun.
    fn data(&mut self, at: u64, piece: &[u8]) -> Result<(), BackupError>;

    /// Ends the file that was begun.
    fn end(&mut self, entry: &Entry) -> Result<(), BackupError>;

    /// Ends everything.
    fn finish(&mut self) -> Result<(), BackupError>;
}

/// Takes entries and forgets them.
pub(super) struct Nowhere;

impl Place for Nowhere {
    fn make(&mut self, _: &Entry) -> Result<(), BackupError> {
        Ok(())
    }

    fn begin(&mut self, _: &Entry) -> Result<(), BackupError> {
        Ok(())
    }

    fn data(&mut self, _: u64, _: &[u8]) -> Result<(), BackupError> {
        Ok(())
    }

    fn end(&mut self, _: &Entry) -> Result<(), BackupError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BackupError> {
        Ok(())
    }
}

/// Takes data out into folders, by the names of the roots; each is made, and must not be
/// there yet. Every digest is checked, and everything is on the disk when it returns.
///
/// # Errors
/// The archive is damaged or could do harm, or something cannot be written.
pub fn extract(
    archive: &Archive,
    folders: BTreeMap<String, PathBuf>,
    watcher: &mut dyn Watcher,
) -> Result<(), BackupError> {
    take_out(
        archive,
        &mut Folders { places: folders, made: Vec::new(), open: None },
        watcher,
    )
}

/// Fails when a file system has too little space for so many bytes of data.
///
/// # Errors
/// It has, or cannot be asked.
pub fn has_room(folder: &Path, needed: u64) -> Result<(), BackupError> {
    let space = rustix::fs::statvfs(folder)
        .map_err(|error| on("ask for the space of", folder)(error.into()))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    if free >= needed {
        return Ok(());
    }
    Err(BackupError::NoSpace { path: folder.to_owned(), needed, free })
}

/// Reads an archive from end to end, holds every entry against its index, and gives what is
/// right and harmless to a place.
pub(super) fn take_out(
    archive: &Archive,
    place: &mut dyn Place,
    watcher: &mut dyn Watcher,
) -> Result<(), BackupError> {
    let roots = archive.manifest.roots.iter().map(|root| root.name.as_bytes().to_vec());
    let mut known = Known { roots: roots.collect(), ..Known::default() };
    let mut entries = archive.entries()?;
    let mut piece = vec![0; PIECE];
    while let Some((entry, line)) = entries.next_entry()? {
        known.admit(&entry).map_err(|why| entries.harmful(&line, why))?;
        match &entry.kind {
            Kind::Folder | Kind::Symlink(_) | Kind::HardLink(_) => place.make(&entry)?,
            Kind::File { .. } => {
                place.begin(&entry)?;
                file(&mut entries, (&entry, &line), place, &mut piece, watcher)?;
                place.end(&entry)?;
            }
        }
        tell(watcher, 0)?;
    }
    place.finish()
}

fn file(
    entries: &mut Entries,
    (entry, line): (&Entry, &Line),
    place: &mut dyn Place,
    piece: &mut [u8],
    watcher: &mut dyn Watcher,
) -> Result<(), BackupError> {
    let Kind::File { size, data } = &entry.kind else { return Ok(()) };
    let whole = [(0, *size)];
    let mut hash = Sha256::new();
    let (mut end, mut held) = (0, 0);
    for (offset, length) in data.as_deref().unwrap_or(&whole) {
        zeros(&mut hash, offset - end);
        let mut at = *offset;
        end = offset + length;
        while at < end {
            let count = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
            let piece = &mut piece[..count];
            entries.data(piece)?;
            hash.update(&*piece);
            place.data(at, piece)?;
            at += count as u64;
            held += count as u64;
            tell(watcher, count as u64)?;
        }
    }
    zeros(&mut hash, size - end);
    entries.end_data(held)?;
    if line.sha256.as_deref() != Some(&hexadecimal(&hash.finalize())) {
        return Err(entries.damaged(&format!("`{}` is not what was written", line.path)));
    }
    Ok(())
}

/// What entries before this one have made.
#[derive(Default)]
struct Known {
    roots: BTreeSet<Vec<u8>>,
    folders: BTreeSet<Vec<u8>>,
    files: BTreeSet<Vec<u8>>,
    others: BTreeSet<Vec<u8>>,
}

impl Known {
    /// Says what is wrong with an entry that could do harm.
    fn admit(&mut self, entry: &Entry) -> Result<(), &'static str> {
        let path = &entry.path;
        let mut parts = path.split(|byte| *byte == b'/');
        if path.first() == Some(&b'/') {
            return Err("has an absolute name");
        }
        if parts.any(|part| part == b"..") {
            return Err("leads out of its folder");
        }
        let mut parts = path.split(|byte| *byte == b'/');
        if path.contains(&0) || parts.any(|part| part.is_empty() || part == b".") {
            return Err("has a name that none can have");
        }
        match path.iter().rposition(|byte| *byte == b'/') {
            None if !self.roots.contains(path) => {
                return Err("belongs to no folder of the manifest");
            }
            None if entry.kind != Kind::Folder => return Err("is no folder"),
            Some(end) if !self.folders.contains(&path[..end]) => {
                return Err("stands in no folder that came before it");
            }
            None | Some(_) => {}
        }
        let is_there = [&self.folders, &self.files, &self.others];
        if is_there.iter().any(|known| known.contains(path)) {
            return Err("comes twice");
        }
        match &entry.kind {
            Kind::Folder => &mut self.folders,
            Kind::File { .. } => &mut self.files,
            Kind::Symlink(target) => {
                if leaves(path, Path::new(OsStr::from_bytes(target))) {
                    return Err("is a link that leaves its folder");
                }
                &mut self.others
            }
            Kind::HardLink(target) => {
                let root = |path: &[u8]| {
                    path.split(|byte| *byte == b'/').next().map(<[u8]>::to_vec)
                };
                if !self.files.contains(target) || root(target) != root(path) {
                    return Err("is a hard link to no file that came before it");
                }
                &mut self.others
            }
        }
        .insert(path.clone());
        Ok(())
    }
}

struct Folders {
    places: BTreeMap<String, PathBuf>,
    /// Folders that were made; they get what belongs to them once they are full.
    made: Vec<(PathBuf, Entry)>,
    open: Option<(PathBuf, File)>,
}

impl Folders {
    fn path(&self, name: &[u8]) -> Result<PathBuf, BackupError> {
        let mut parts = name.splitn(2, |byte| *byte == b'/');
        let root = parts.next().and_then(|root| std::str::from_utf8(root).ok());
        let folder = root.and_then(|root| self.places.get(root));
        let folder = folder.ok_or_else(|| BackupError::Unfit {
            path: PathBuf::from(OsStr::from_bytes(name)),
            why: "it has no folder to go to".to_owned(),
        })?;
        Ok(match parts.next() {
            Some(rest) => folder.join(OsStr::from_bytes(rest)),
            None => folder.clone(),
        })
    }
}

impl Place for Folders {
    fn make(&mut self, entry: &Entry) -> Result<(), BackupError> {
        let path = self.path(&entry.path)?;
        match &entry.kind {
            Kind::Folder => {
                let made = DirBuilder::new().mode(0o700).create(&path);
                made.map_err(on("make", &path))?;
                self.made.push((path, entry.clone()));
                return Ok(());
            }
            Kind::Symlink(target) => {
                std::os::unix::fs::symlink(OsStr::from_bytes(target), &path)
                    .map_err(on("make", &path))?;
            }
            Kind::HardLink(target) => {
                let target = self.path(target)?;
                return std::fs::hard_link(target, &path).map_err(on("make", &path));
            }
            Kind::File { .. } => {}
        }
        metadata::apply(&path, entry)
    }

    fn begin(&mut self, entry: &Entry) -> Result<(), BackupError> {
        let path = self.path(&entry.path)?;
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(on("make", &path))?;
        if let Kind::File { size, data: Some(_) } = &entry.kind {
            file.set_len(*size).map_err(on("write", &path))?;
        }
        self.open = Some((path, file));
        Ok(())
    }

    fn data(&mut self, at: u64, piece: &[u8]) -> Result<(), BackupError> {
        let Some((path, file)) = &mut self.open else { return Ok(()) };
        file.seek(SeekFrom::Start(at)).map_err(on("write", path))?;
        file.write_all(piece).map_err(on("write", path))
    }

    fn end(&mut self, entry: &Entry) -> Result<(), BackupError> {
        match self.open.take() {
            Some((path, _)) => metadata::apply(&path, entry),
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), BackupError> {
        for (path, entry) in self.made.iter().rev() {
            metadata::apply(path, entry)?;
        }
        for folder in self.places.values().filter(|it| it.exists()) {
            let open = File::open(folder).map_err(on("open", folder))?;
            rustix::fs::syncfs(&open)
                .map_err(|error| on("bring to the disk", folder)(error.into()))?;
        }
        Ok(())
    }
}
