//! What outlives a process, in the state directory: the key of digests, memory, events, and
//! the last good sources.
//!
//! All of it is soft: a file that is lost or spoilt is set aside and made anew, and where
//! nothing can be written everything works, and is forgotten.

pub mod commits;
mod disk;
mod form;
mod journal;
mod key;
pub mod lock;
mod logs;
pub mod memory;
mod others;
pub mod revisions;
mod sources;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::planning::memory::Memory;
use crate::state::digest::DigestKey;
use crate::state::ids::{ContainerName, ProjectName};
use crate::state::secret::Secret;
use crate::state::time::Now;
use disk::Complaints;
use journal::Journal;

/// The state directory. All clones of one store know what the others have written.
#[derive(Clone, Debug)]
pub struct Store {
    folder: Option<PathBuf>,
    /// Nothing is written, nor set aside: it is of others.
    only_reads: bool,
    known: Arc<Mutex<Known>>,
}

/// What is known of the files without looking at them.
#[derive(Debug, Default)]
struct Known {
    /// What stands in the files of memory.
    memories: BTreeMap<PathBuf, Memory>,
    /// What stands in the journals.
    journals: BTreeMap<PathBuf, Journal>,
    /// What stands in the indexes of sources, by folder.
    sources: BTreeMap<PathBuf, sources::Index>,
    /// Which writes of others have been read.
    others: BTreeMap<PathBuf, others::Write>,
    complaints: Complaints,
}

impl Store {
    /// Opens a state directory; it is made, for its owner alone, when it is first written.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, only_reads: false, known: Arc::default() }
    }

    /// Returns the state directory, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Returns the same directory for those who only look: nothing is written any more.
    #[must_use]
    pub fn only_reading(&self) -> Self {
        Self { only_reads: true, ..self.clone() }
    }

    /// Returns the key by which secrets enter digests; it is made when there is none.
    pub fn digest_key(&self) -> DigestKey {
        match self.folder.as_deref().map(key::stored) {
            Some(Ok(key)) => key,
            Some(Err(error)) => {
                tracing::warn!(%error, "the state directory cannot be used");
                key::of_this_host()
            }
            None => key::of_this_host(),
        }
    }

    /// Returns what an earlier process remembered of a stack on an engine, with its events;
    /// nothing when that is lost. What only that process could use is left out.
    pub fn memory(&self, engine: &str, project: &ProjectName, now: Now) -> Memory {
        let Some(files) = self.files(engine, project) else { return Memory::default() };
        let mut known = self.known();
        let kept = self.read(&files.memory, |bytes| memory::parse(bytes, now));
        // What was known of the file is from before this read.
        known.memories.remove(&files.memory);
        if let Some(kept) = &kept {
            known.memories.insert(files.memory, kept.clone());
        }
        let journal = self.read_journal(&files.journal);
        let events = journal.events().clone();
        known.journals.insert(files.journal, journal);
        Memory { events, ..kept.unwrap_or_default() }
    }

    /// Remembers a stack on an engine, and keeps its events. Nothing is written when nothing
    /// has changed that a later process could use. A full disk stops nothing: it is logged,
    /// once.
    pub fn remember(
        &self,
        engine: &str,
        project: &ProjectName,
        memory: &Memory,
        now: Now,
    ) {
        let files = self.files(engine, project).filter(|_| !self.only_reads);
        let Some(files) = files else { return };
        let mut known = self.known();
        let Known { memories, journals, complaints, sources: _, others: _ } = &mut *known;
        let before = memories.get(&files.memory);
        if !before.is_some_and(|before| memory::is_same_to_others(before, memory)) {
            let attempt = memory::write(&files.memory, memory, now);
            if complaints.note(&files.memory, &attempt) {
                memories.insert(files.memory, memory.clone());
            }
        }
        let journal = journals
            .entry(files.journal.clone())
            .or_insert_with(|| self.read_journal(&files.journal));
        if let Some(attempt) = journal.write(&files.journal, &memory.events) {
            complaints.note(&files.journal, &attempt);
        }
    }

    /// Keeps the last lines of a container that failed; of too many the oldest go.
    pub fn keep_log(
        &self,
        engine: &str,
        project: &ProjectName,
        container: &ContainerName,
        lines: &Secret,
    ) {
        let files = self.files(engine, project).filter(|_| !self.only_reads);
        let Some(files) = files else { return };
        let attempt = logs::keep(&files.logs, container.as_str(), lines);
        self.known().complaints.note(&files.logs, &attempt);
    }

    /// Returns where the journal of a restore is, while there is one; nothing without a
    /// state directory.
    pub fn restore_journal(
        &self,
        engine: &str,
        project: &ProjectName,
    ) -> Option<PathBuf> {
        let memory = self.files(engine, project)?.memory;
        Some(memory.with_extension("restore"))
    }

    /// Forgets a stack that is gone.
    pub fn forget(&self, engine: &str, project: &ProjectName) {
        let Some(files) = self.files(engine, project) else { return };
        let mut known = self.known();
        known.memories.remove(&files.memory);
        known.journals.remove(&files.journal);
        let StackFiles { memory, journal, logs } = files;
        let gone = [memory, journal].map(|path| (std::fs::remove_file(&path), path));
        let logs = (std::fs::remove_dir_all(&logs), logs);
        for (attempt, path) in gone.into_iter().chain([logs]) {
            match attempt {
                Ok(()) => {}
                Err(error) if disk::is_absence(&error) => {}
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "it stays");
                }
            }
        }
    }

    /// Each engine and project has its own: the same project on two engines is two stacks.
    fn files(&self, engine: &str, project: &ProjectName) -> Option<StackFiles> {
        let engine: String =
            engine.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        let folder = self.folder.as_ref()?.join("stacks");
        let named = |extension| folder.join(format!("{project}-{engine}.{extension}"));
        Some(StackFiles {
            memory: named("json"),
            journal: named("events.jsonl"),
            logs: named("logs"),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_journal(&self, path: &Path) -> Journal {
        let parse =
            |bytes: &[u8]| Journal::parse(bytes).ok_or("no line of it is an event");
        self.read(path, parse).unwrap_or_default()
    }

    /// Reads a file; one that is spoilt is set aside.
    fn read<T, E: fmt::Display>(
        &self,
        path: &Path,
        parse: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Option<T> {
        let path_shown = path.display();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if disk::is_absence(&error) => return None,
            Err(error) => {
                tracing::warn!(path = %path_shown, %error, "what was remembered cannot be read");
                return None;
            }
        };
        match parse(&bytes) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                tracing::warn!(path = %path_shown, %error,
                    "the file is spoilt; it is set aside and begun anew");
                self.set_aside(path);
                None
            }
        }
    }

    fn set_aside(&self, path: &Path) {
        if !self.only_reads {
            set_aside(path);
        }
    }
}

/// The files of one stack on one engine.
struct StackFiles {
    memory: PathBuf,
    journal: PathBuf,
    /// A folder.
    logs: PathBuf,
}

/// Sets a spoilt file aside, so that a person can look at it; only the newest one stays.
fn set_aside(path: &Path) {
    if let Err(error) = std::fs::rename(path, path.with_extension("spoilt")) {
        tracing::debug!(%error, "the spoilt file stays");
    }
}

#[cfg(test)]
mod tests;
