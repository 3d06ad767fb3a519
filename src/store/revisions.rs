//! Revisions: the sources of every generation that was wanted, not interpolated, as they
//! were read; so that a person can go back to one.
//!
//! As with the last good sources, each file is kept under the digest of its bytes, for the
//! owner alone. A revision is known by a digest of what it holds. One may be pinned: it is
//! wanted until the files change, or a person unpins it.

mod index;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::index::{INDEX, Index, digest_of, read_index, write, write_index};
use super::Store;
use super::disk::{is_absence, write_atomically};
use super::sources::{Entry, entries, folder_of, kept};
use crate::compose::files::{Earlier, Files, ReadFiles};
use crate::compose::load::{Loaded, Request, load};
use crate::planning::revision::{Changes, Revision, RevisionEnd, RevisionId};
use crate::state::commit::Commit;
use crate::state::desired::Desired;
use crate::state::ids::ProjectName;
use crate::state::time::EngineTime;

/// How many revisions a stack keeps; the oldest go first.
pub const MOST: usize = 20;

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
    pub fn keep_revision(
        &self,
        desired: &Desired,
        read: &ReadFiles,
        commit: Option<&Commit>,
        now: EngineTime,
    ) {
        let pin = self.pinned(&desired.files);
        let take_up = |index: &mut Index| {
            let is_new = index.take_up(desired, read, commit, now);
            index.forget_the_oldest(pin.as_ref());
            is_new
        };
        self.change_revisions(desired, take_up, |folder, index| {
            write(folder, read, index)
        });
    }

    /// Takes note of what is to change for a revision, as it was first planned.
    pub fn revision_planned(&self, desired: &Desired, changes: Changes) {
        self.change_revisions(
            desired,
            |index| index.planned(desired, changes),
            write_index,
        );
    }

    /// Takes note of what came of a revision.
    pub fn revision_ended(&self, desired: &Desired, end: RevisionEnd, now: EngineTime) {
        self.change_revisions(
            desired,
            |index| index.ended(desired, end, now),
            write_index,
        );
    }

    fn change_revisions(
        &self,
        desired: &Desired,
        change: impl FnOnce(&mut Index) -> bool,
        write: impl FnOnce(&Path, &Index) -> io::Result<()>,
    ) {
        let folder = self.revisions_folder(&desired.files).filter(|_| !self.only_reads);
        let Some(folder) = folder else { return };
        match self.changed(&folder, change) {
            Ok(Some(index)) => {
                let attempt = write(&folder, &index);
                self.known().complaints.note(&folder, &attempt);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "the revisions are lost; they are begun anew");
                self.set_aside(&folder.join(INDEX));
            }
        }
    }

    /// Returns the revisions of the stack of these files, the newest last.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn revisions(&self, files: &[PathBuf]) -> Result<Vec<Revision>, RevisionsError> {
        let Some(folder) = self.revisions_folder(files) else { return Ok(Vec::new()) };
        Ok(read_index(&folder)?.revisions.into_iter().map(Revision::from).collect())
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

#[cfg(test)]
mod tests;
