//! The index of the revisions of a stack: one file, and the bytes that it names beside it.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{MOST, PIN, Pin, RevisionsError};
use crate::compose::files::ReadFiles;
use crate::planning::revision::{Changes, Revision, RevisionEnd, RevisionId};
use crate::state::commit::Commit;
use crate::state::desired::Desired;
use crate::state::digest::hexadecimal;
use crate::state::ids::{Generation, ProjectName};
use crate::state::time::EngineTime;
use crate::store::disk::{is_absence, write_atomically};
use crate::store::form::EngineTimeText;
use crate::store::sources::{Entry, digest, entries};

const VERSION: u32 = 1;

pub(super) const INDEX: &str = "index.json";

#[derive(Serialize, Deserialize)]
pub(super) struct Index {
    version: u32,
    /// By when they were last taken up.
    pub(super) revisions: Vec<Stored>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) id: RevisionId,
    project: ProjectName,
    generation: Generation,
    wanted: EngineTimeText,
    #[serde(default)]
    commit: Option<Commit>,
    #[serde(default)]
    changes: Option<Changes>,
    end: Option<RevisionEnd>,
    #[serde(default)]
    ended: Option<EngineTimeText>,
    /// Nothing has come of it since it was last taken up. What an older version kept is not.
    #[serde(default)]
    under_way: bool,
    pub(super) files: Vec<Entry>,
}

impl Index {
    /// Makes what is wanted the newest; a revision keeps the commit that it was taken up with
    /// last, and what comes of it is told anew.
    pub(super) fn take_up(
        &mut self,
        desired: &Desired,
        read: &ReadFiles,
        commit: Option<&Commit>,
        now: EngineTime,
    ) -> bool {
        let place = self.place(desired);
        if place.is_some_and(|place| place + 1 == self.revisions.len()) {
            return false;
        }
        let mut stored = place.map_or_else(
            || Stored::new(desired, read),
            |place| self.revisions.remove(place),
        );
        stored.begin(now);
        stored.commit = commit.cloned().or(stored.commit);
        self.revisions.push(stored);
        true
    }

    /// As [`Index::take_up`], of one that is kept.
    pub(super) fn renew(&mut self, id: &RevisionId, now: EngineTime) -> bool {
        let Some(place) = self.revisions.iter().position(|it| it.id == *id) else {
            return false;
        };
        let mut stored = self.revisions.remove(place);
        stored.begin(now);
        self.revisions.push(stored);
        true
    }

    /// What was to change is known once: what is found later is what is left of it.
    pub(super) fn planned(&mut self, desired: &Desired, changes: Changes) -> bool {
        let is_open = |it: &&mut Stored| it.under_way && it.changes.is_none();
        let stored = self.stored(desired).filter(is_open);
        stored.map(|it| it.changes = Some(changes)).is_some()
    }

    /// What has converged once did so, whatever comes later; unless it was taken back.
    pub(super) fn ended(
        &mut self,
        desired: &Desired,
        end: RevisionEnd,
        now: EngineTime,
    ) -> bool {
        let Some(stored) = self.stored(desired) else { return false };
        let is_news = match (stored.end, end) {
            (
                Some(RevisionEnd::Converged | RevisionEnd::RolledBack),
                RevisionEnd::Failed,
            ) => false,
            (before, after) => before != Some(after) || stored.under_way,
        };
        if is_news {
            (stored.end, stored.ended) = (Some(end), Some(EngineTimeText(now)));
            stored.under_way = false;
        }
        is_news
    }

    /// Of too many the oldest go, but never the newest, nor one that is pinned.
    pub(super) fn forget_the_oldest(&mut self, pin: Option<&Pin>) {
        let is_pinned = |it: &Stored| pin.is_some_and(|pin| pin.revision == it.id);
        while self.revisions.len() > MOST {
            let goes = self.revisions.iter().position(|it| !is_pinned(it));
            match goes.filter(|place| place + 1 < self.revisions.len()) {
                Some(place) => drop(self.revisions.remove(place)),
                None => break,
            }
        }
    }

    fn place(&self, desired: &Desired) -> Option<usize> {
        self.revisions.iter().position(|it| {
            it.generation == desired.generation && it.project == desired.project
        })
    }

    fn stored(&mut self, desired: &Desired) -> Option<&mut Stored> {
        self.place(desired).and_then(|place| self.revisions.get_mut(place))
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
            commit: None,
            changes: None,
            end: None,
            ended: None,
            under_way: false,
            files,
        }
    }

    /// It is wanted from now on. That it has converged once stays known, for those who look
    /// for what to go back to.
    fn begin(&mut self, now: EngineTime) {
        self.wanted = EngineTimeText(now);
        (self.changes, self.ended, self.under_way) = (None, None, true);
    }
}

impl From<Stored> for Revision {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            project: stored.project,
            generation: stored.generation,
            wanted: stored.wanted.0,
            commit: stored.commit,
            changes: stored.changes,
            end: stored.end,
            ended: stored.ended.map(|it| it.0),
        }
    }
}

/// Returns one digest of which bytes each path held.
pub(super) fn digest_of(entries: &[Entry]) -> String {
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

pub(super) fn read_index(folder: &Path) -> Result<Index, RevisionsError> {
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
pub(super) fn write(folder: &Path, read: &ReadFiles, index: &Index) -> io::Result<()> {
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

pub(super) fn write_index(folder: &Path, index: &Index) -> io::Result<()> {
    write_atomically(&folder.join(INDEX), &serde_json::to_vec_pretty(index)?)
}
