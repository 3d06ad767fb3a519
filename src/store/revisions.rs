//! Revisions: the sources of every generation that was wanted, not interpolated, as they
//! were read; so that a person can go back to one.
//!
//! As with the last good sources, each file is kept under the digest of its bytes, for the
//! owner alone. A revision is known by a digest of what it holds. One may be pinned: it is
//! wanted until the files change, or a person unpins it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Store;
use super::disk::{is_absence, write_atomically};
use super::form::EngineTimeText;
use super::sources::{Entry, digest, entries, folder_of, kept};
use crate::compose::files::{Earlier, Files, ReadFiles};
use crate::compose::load::{Loaded, Request, load};
use crate::planning::revision::{Revision, RevisionEnd, RevisionId};
use crate::state::desired::Desired;
use crate::state::digest::hexadecimal;
use crate::state::ids::{Generation, ProjectName};
use crate::state::time::EngineTime;

/// How many revisions a stack keeps; the oldest go first.
pub const MOST: usize = 20;

const VERSION: u32 = 1;

const INDEX: &str = "index.json";

const PIN: &str = "pin.json";

/// A revision that is wanted whatever the files say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The revision.
    pub revision: RevisionId,
    /// The stack.
    pub project: ProjectName,
    /// The digest of the sources that it is wanted instead of: others end the pin.
    over: String,
}

impl Pin {
    /// Tells whether it holds over what a load has read: the files are as they were when it
    /// was set.
    pub fn holds_over(&self, read: &ReadFiles) -> bool {
        self.over == digest_of(&entries(read))
    }
}

#[derive(Serialize, Deserialize)]
struct Index {
    version: u32,
    /// By when they were last taken up.
    revisions: Vec<Stored>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    id: RevisionId,
    project: ProjectName,
    generation: Generation,
    wanted: EngineTimeText,
    end: Option<RevisionEnd>,
    files: Vec<Entry>,
}

/// Why revisions cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RevisionsError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// A file holds something else.
    #[error("{path} is spoilt: {error}")]
    Spoilt {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No state directory is there to keep any.
    #[error("nothing is kept without a state directory")]
    Nowhere,
    /// It is not among those that are kept.
    #[error("the revision {} is not kept any more", .0)]
    Gone(RevisionId),
}

impl Store {
    /// Keeps the sources of what is wanted from now on; nothing happens when that was the
    /// newest already. A full disk stops nothing.
    pub fn keep_revision(&self, desired: &Desired, read: &ReadFiles, now: EngineTime) {
        let folder = self.revisions_folder(&desired.files).filter(|_| !self.only_reads);
        let Some(folder) = folder else { return };
        let pin = self.pinned(&desired.files);
        let changed = self.changed(&folder, |index| {
            let is_new = index.take_up(desired, read, now);
            index.forget_the_oldest(pin.as_ref());
            is_new
        });
        match changed {
            Ok(Some(index)) => {
                let attempt = write(&folder, read, &index);
                self.known().complaints.note(&folder, &attempt);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "the revisions are lost; they are begun anew");
                self.set_aside(&folder.join(INDEX));
            }
        }
    }

    /// Takes note of what came of a revision.
    pub fn revision_ended(&self, desired: &Desired, end: RevisionEnd) {
        let folder = self.revisions_folder(&desired.files).filter(|_| !self.only_reads);
        let Some(folder) = folder else { return };
        let changed = self.changed(&folder, |index| index.ended(desired, end));
        if let Ok(Some(index)) = changed {
            let attempt = write_index(&folder, &index);
            self.known().complaints.note(&folder, &attempt);
        }
    }

    /// Returns the revisions of the stack of these files, the newest last.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn revisions(&self, files: &[PathBuf]) -> Result<Vec<Revision>, RevisionsError> {
        let Some(folder) = self.revisions_folder(files) else { return Ok(Vec::new()) };
        let stored = read_index(&folder)?.revisions.into_iter();
        Ok(stored
            .map(|it| Revision {
                id: it.id,
                project: it.project,
                generation: it.generation,
                wanted: it.wanted.0,
                end: it.end,
            })
            .collect())
    }

    /// Loads a revision as today's command line asks for it; what was not read then comes
    /// from `today`.
    ///
    /// # Errors
    /// It is not kept any more, or spoilt.
    pub fn load_revision(
        &self,
        request: &Request,
        id: &RevisionId,
        today: &dyn Files,
    ) -> Result<Loaded, RevisionsError> {
        let folder =
            self.revisions_folder(&request.files).ok_or(RevisionsError::Nowhere)?;
        let found = read_index(&folder)?.revisions.into_iter().find(|it| it.id == *id);
        let found = found.ok_or_else(|| RevisionsError::Gone(id.clone()))?;
        let mut files = BTreeMap::new();
        for Entry { path, digest } in found.files {
            let bytes = digest.map(|digest| kept(&folder, &digest)).transpose();
            let bytes = bytes.map_err(|error| RevisionsError::Spoilt {
                path: folder.clone(),
                error: Box::new(error),
            })?;
            files.insert(path, bytes);
        }
        Ok(load(request, &Earlier { read: &ReadFiles(files), today }))
    }

    /// Pins a revision: it is wanted until the files are not what was read, and is the newest
    /// from now on.
    ///
    /// # Errors
    /// The state directory cannot be written.
    pub fn pin(
        &self,
        files: &[PathBuf],
        revision: &Revision,
        over: &ReadFiles,
        now: EngineTime,
    ) -> Result<(), RevisionsError> {
        let folder = self.revisions_folder(files).ok_or(RevisionsError::Nowhere)?;
        let (id, project) = (revision.id.clone(), revision.project.clone());
        let pin = Pin { revision: id, project, over: digest_of(&entries(over)) };
        let index = self.changed(&folder, |index| index.renew(&revision.id, now))?;
        let written = serde_json::to_vec_pretty(&pin)
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomically(&folder.join(PIN), &bytes))
            .and_then(|()| index.map_or(Ok(()), |index| write_index(&folder, &index)));
        written.map_err(|error| RevisionsError::File { path: folder, error })
    }

    /// Returns what is pinned for the stack of these files.
    pub fn pinned(&self, files: &[PathBuf]) -> Option<Pin> {
        let path = self.revisions_folder(files)?.join(PIN);
        self.read(&path, |bytes| serde_json::from_slice(bytes))
    }

    /// Ends a pin; tells whether there was one.
    pub fn unpin(&self, files: &[PathBuf]) -> bool {
        let folder = self.revisions_folder(files).filter(|_| !self.only_reads);
        let Some(folder) = folder else { return false };
        match std::fs::remove_file(folder.join(PIN)) {
            Ok(()) => true,
            Err(error) if is_absence(&error) => false,
            Err(error) => {
                tracing::warn!(path = %folder.display(), %error, "the pin stays");
                false
            }
        }
    }

    /// Reads the index and changes it; returns it when the change was one.
    fn changed(
        &self,
        folder: &Path,
        change: impl FnOnce(&mut Index) -> bool,
    ) -> Result<Option<Index>, RevisionsError> {
        // One at a time: the operators of one process may share a folder.
        let _known = self.known();
        let mut index = read_index(folder)?;
        Ok(change(&mut index).then_some(index))
    }

    fn revisions_folder(&self, files: &[PathBuf]) -> Option<PathBuf> {
        Some(folder_of(&self.folder.as_ref()?.join("revisions"), files))
    }
}

impl Index {
    fn take_up(&mut self, desired: &Desired, read: &ReadFiles, now: EngineTime) -> bool {
        let place = self.place(desired);
        if place.is_some_and(|place| place + 1 == self.revisions.len()) {
            return false;
        }
        let mut stored = place.map_or_else(
            || Stored::new(desired, read),
            |place| self.revisions.remove(place),
        );
        stored.wanted = EngineTimeText(now);
        self.revisions.push(stored);
        true
    }

    /// What has converged once did so, whatever comes later; unless it was taken back.
    fn ended(&mut self, desired: &Desired, end: RevisionEnd) -> bool {
        let place = self.place(desired);
        let Some(stored) = place.and_then(|place| self.revisions.get_mut(place)) else {
            return false;
        };
        let is_news = match (stored.end, end) {
            (
                Some(RevisionEnd::Converged | RevisionEnd::RolledBack),
                RevisionEnd::Failed,
            ) => false,
            (before, after) => before != Some(after),
        };
        stored.end = if is_news { Some(end) } else { stored.end };
        is_news
    }

    /// Of too many the oldest go, but never the newest, nor one that is pinned.
    fn forget_the_oldest(&mut self, pin: Option<&Pin>) {
        let is_pinned = |it: &Stored| pin.is_some_and(|pin| pin.revision == it.id);
        while self.revisions.len() > MOST {
            let goes = self.revisions.iter().position(|it| !is_pinned(it));
            match goes.filter(|place| place + 1 < self.revisions.len()) {
                Some(place) => drop(self.revisions.remove(place)),
                None => break,
            }
        }
    }

    fn renew(&mut self, id: &RevisionId, now: EngineTime) -> bool {
        let Some(place) = self.revisions.iter().position(|it| it.id == *id) else {
            return false;
        };
        let mut stored = self.revisions.remove(place);
        stored.wanted = EngineTimeText(now);
        self.revisions.push(stored);
        true
    }

    fn place(&self, desired: &Desired) -> Option<usize> {
        self.revisions.iter().position(|it| {
            it.generation == desired.generation && it.project == desired.project
        })
    }
}

impl Stored {
    fn new(desired: &Desired, read: &ReadFiles) -> Self {
        let files = entries(read);
        let all = format!("{} {}", desired.generation, digest_of(&files));
        Self {
            id: RevisionId::new(digest(all.as_bytes())),
            project: desired.project.clone(),
            generation: desired.generation.clone(),
            wanted: EngineTimeText(EngineTime::default()),
            end: None,
            files,
        }
    }
}

/// Returns one digest of which bytes each path held.
fn digest_of(entries: &[Entry]) -> String {
    let mut hash = Sha256::new();
    for Entry { path, digest } in entries {
        hash.update(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()));
        // No path holds a zero byte.
        hash.update([0]);
        hash.update(digest.as_deref().unwrap_or("-"));
        hash.update([0]);
    }
    hexadecimal(&hash.finalize())
}

fn read_index(folder: &Path) -> Result<Index, RevisionsError> {
    let path = folder.join(INDEX);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if is_absence(&error) => {
            return Ok(Index { version: VERSION, revisions: Vec::new() });
        }
        Err(error) => return Err(RevisionsError::File { path, error }),
    };
    let index: Index = serde_json::from_slice(&bytes).map_err(|error| {
        RevisionsError::Spoilt { path: path.clone(), error: error.into() }
    })?;
    if index.version != VERSION {
        let error = format!("it is of version {}, and not {VERSION}", index.version);
        return Err(RevisionsError::Spoilt { path, error: error.into() });
    }
    Ok(index)
}

/// Keeps what a load read: first the bytes, then the index at once; bytes that no revision
/// has any more go.
fn write(folder: &Path, read: &ReadFiles, index: &Index) -> io::Result<()> {
    for bytes in read.0.values().flatten() {
        let path = folder.join(digest(bytes));
        if std::fs::read(&path).ok().as_ref() != Some(bytes) {
            write_atomically(&path, bytes)?;
        }
    }
    write_index(folder, index)?;
    let files = index.revisions.iter().flat_map(|it| &it.files);
    let wanted: BTreeSet<&str> = files.filter_map(|it| it.digest.as_deref()).collect();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_wanted =
            |name: &str| wanted.contains(name) || [INDEX, PIN].contains(&name);
        if !name.to_str().is_some_and(is_wanted) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn write_index(folder: &Path, index: &Index) -> io::Result<()> {
    write_atomically(&folder.join(INDEX), &serde_json::to_vec_pretty(index)?)
}

#[cfg(test)]
mod tests;
