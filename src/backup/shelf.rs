//! The folder that archives are kept in.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Watcher;
use super::error::{BackupError, on};
use super::manifest::{About, Manifest, Root};
use super::read::Archive;
use super::scan::Scan;
use super::verify::verify;
use super::write::write;
use crate::state::ids::ProjectName;
use crate::state::time::EngineTime;

/// How the names of archives end.
pub const EXTENSION: &str = ".tar.zst";

/// How the names of archives end that are not finished yet.
const UNFINISHED: &str = ".unfinished";

/// The folder that archives are kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf(PathBuf);

/// An archive that was written and is not believed yet.
#[derive(Debug)]
pub struct Written {
    file: NamedTempFile,
    /// What it is of.
    pub manifest: Manifest,
}

/// A file on a shelf that has the name of an archive.
#[derive(Debug)]
pub struct Listed {
    /// Where it is.
    pub path: PathBuf,
    /// The archive, or why it is none.
    pub archive: Result<Archive, BackupError>,
}

impl Shelf {
    /// Takes a folder, which need not be there yet.
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Makes the folder, for its owner alone, unless it is there; clears away what a process
    /// that was killed has left unfinished there of this stack. Only for whoever holds the
    /// lock of the stack.
    ///
    /// # Errors
    /// The system's.
    pub fn open(&self, stack: &ProjectName) -> Result<(), BackupError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(on("make", &self.0))?;
        for path in self.files()? {
            let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
            let prefix = format!(".{stack}-");
            let is_left_over = name.is_some_and(|name| {
                let stamp = name.strip_prefix(&prefix);
                let stamp = stamp.and_then(|it| it.strip_suffix(UNFINISHED));
                stamp.is_some_and(|it| it.starts_with(|at: char| at.is_ascii_digit()))
            });
            if is_left_over {
                std::fs::remove_file(&path).map_err(on("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Tells whether one of these folders is on the same device: what destroys it takes the
    /// archives along.
    pub fn shares_device(&self, roots: &[Root]) -> bool {
        let device = |path: &Path| std::fs::metadata(path).ok().map(|it| it.dev());
        let own = device(&self.0);
        own.is_some() && roots.iter().any(|root| device(Path::new(&root.path)) == own)
    }

    /// Writes an archive under a name of its own, for its owner alone.
    ///
    /// # Errors
    /// As [`write()`]; nothing is left of it.
    pub fn write(
        &self,
        (about, roots): (About, Vec<Root>),
        scan: &Scan,
        workers: u32,
        watcher: &mut dyn Watcher,
    ) -> Result<Written, BackupError> {
        let stack = about.stack.clone();
        let stamp = about.begun.strftime("%Y%m%dT%H%M%SZ").to_string();
        // A temporary file has the mode 0600 from the beginning.
        let file = tempfile::Builder::new()
            .prefix(&format!(".{stack}-{stamp}-"))
            .suffix(UNFINISHED)
            .tempfile_in(&self.0)
            .map_err(on("write into", &self.0))?;
        let own = file.reopen().map_err(on("write", file.path()))?;
        let manifest = write((own, file.path()), (about, roots), scan, workers, watcher)?;
        Ok(Written { file, manifest })
    }

    /// Reads an archive back from end to end, and gives it the name by which it is listed.
    ///
    /// # Errors
    /// It is not what was written; nothing is left of it.
    pub fn publish(
        &self,
        written: Written,
        watcher: &mut dyn Watcher,
    ) -> Result<Archive, BackupError> {
        let Written { file, manifest } = written;
        let archive = Archive::open(file.path())?;
        verify(&archive, watcher)?;
        let name = name(&manifest.about.stack, manifest.about.begun);
        let path = self.0.join(name);
        file.persist_noclobber(&path).map_err(|error| on("name", &path)(error.error))?;
        let folder = File::open(&self.0).map_err(on("open", &self.0))?;
        folder.sync_all().map_err(on("bring to the disk", &self.0))?;
        Ok(archive.moved(path))
    }

    /// Lists the archives of a stack, oldest first; of all stacks if none is named. What
    /// only has the name of one is listed too, with the reason.
    ///
    /// # Errors
    /// The folder cannot be read; one that is not there has none.
    pub fn list(&self, stack: Option<&ProjectName>) -> Result<Vec<Listed>, BackupError> {
        if !self.0.exists() {
            return Ok(Vec::new());
        }
        let mut files = self.files()?;
        files.retain(|path| is_archive(path));
        let listed = files.into_iter().map(|path| {
            let archive = Archive::open(&path);
            Listed { path, archive }
        });
        let mut listed: Vec<Listed> = listed
            .filter(|listed| match (stack, &listed.archive) {
                (None, _) => true,
                (Some(stack), Ok(archive)) => archive.manifest.about.stack == *stack,
                (Some(stack), Err(_)) => is_named_for(&listed.path, stack),
            })
            .collect();
        listed.sort_by_cached_key(|it| {
            let begun = it.archive.as_ref().ok().map(|it| it.manifest.about.begun);
            (begun, it.path.clone())
        });
        Ok(listed)
    }

    /// Removes an archive.
    ///
    /// # Errors
    /// The system's.
    pub fn remove(&self, path: &Path) -> Result<(), BackupError> {
        std::fs::remove_file(path).map_err(on("remove", path))
    }

    fn files(&self) -> Result<Vec<PathBuf>, BackupError> {
        let entries = std::fs::read_dir(&self.0).map_err(on("read", &self.0))?;
        let mut files = Vec::new();
        for entry in entries {
            files.push(entry.map_err(on("read", &self.0))?.path());
        }
        files.sort();
        Ok(files)
    }
}

fn name(stack: &ProjectName, begun: EngineTime) -> String {
    format!("{stack}-{}{EXTENSION}", begun.strftime("%Y%m%dT%H%M%SZ"))
}

fn is_archive(path: &Path) -> bool {
    let name = path.file_name().map(|it| it.to_string_lossy());
    name.is_some_and(|name| name.ends_with(EXTENSION) && !name.starts_with('.'))
}

fn is_named_for(path: &Path, stack: &ProjectName) -> bool {
    let name = path.file_name().map(|it| it.to_string_lossy());
    name.is_some_and(|name| name.starts_with(&format!("{stack}-")))
}
