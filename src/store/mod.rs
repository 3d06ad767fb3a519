//! What outlives a process, in the state directory: the key of digests, and memory.
//!
//! All of it is soft: a file that is lost or spoilt is set aside and made anew, and where
//! nothing can be written everything works, and is forgotten.

mod disk;
mod form;
mod key;
pub mod memory;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::planning::memory::Memory;
use crate::state::digest::DigestKey;
use crate::state::ids::ProjectName;
use crate::state::time::Now;
use disk::Complaints;

/// The state directory. All clones of one store know what the others have written.
#[derive(Clone, Debug)]
pub struct Store {
    folder: Option<PathBuf>,
    known: Arc<Mutex<Known>>,
}

/// What is known of the files without looking at them.
#[derive(Debug, Default)]
struct Known {
    /// What stands in the files of memory.
    memories: BTreeMap<PathBuf, Memory>,
    complaints: Complaints,
}

impl Store {
    /// Opens a state directory; it is made, for its owner alone, when it is first written.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, known: Arc::default() }
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

    /// Returns what an earlier process remembered of a stack on an engine; nothing when that
    /// is lost. What only that process could use is left out.
    pub fn memory(&self, engine: &str, project: &ProjectName, now: Now) -> Memory {
        let Some(path) = self.path(engine, project, "json") else {
            return Memory::default();
        };
        // What was known of the file is from before this read.
        self.known().memories.remove(&path);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Memory::default();
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "memory cannot be read");
                return Memory::default();
            }
        };
        match memory::parse(&bytes, now) {
            Ok(memory) => {
                self.known().memories.insert(path, memory.clone());
                memory
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error,
                    "memory is spoilt; it is set aside and begun anew");
                set_aside(&path);
                Memory::default()
            }
        }
    }

    /// Remembers a stack on an engine. Nothing is written when nothing has changed that a
    /// later process could use. A full disk stops nothing: it is logged, once.
    pub fn remember(
        &self,
        engine: &str,
        project: &ProjectName,
        memory: &Memory,
        now: Now,
    ) {
        let Some(path) = self.path(engine, project, "json") else { return };
        let mut known = self.known();
        let before = known.memories.get(&path);
        if before.is_some_and(|before| memory::is_same_to_others(before, memory)) {
            return;
        }
        let attempt = memory::write(&path, memory, now);
        if known.complaints.note(&path, &attempt) {
            known.memories.insert(path, memory.clone());
        }
    }

    /// Forgets a stack that is gone.
    pub fn forget(&self, engine: &str, project: &ProjectName) {
        let Some(path) = self.path(engine, project, "json") else { return };
        self.known().memories.remove(&path);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "memory stays"),
        }
    }

    /// One file per engine and project: the same project on two engines is two stacks.
    fn path(
        &self,
        engine: &str,
        project: &ProjectName,
        extension: &str,
    ) -> Option<PathBuf> {
        let engine: String =
            engine.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        let name = format!("{project}-{engine}.{extension}");
        Some(self.folder.as_ref()?.join("stacks").join(name))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets a spoilt file aside, so that a person can look at it; only the newest one stays.
fn set_aside(path: &Path) {
    if let Err(error) = std::fs::rename(path, path.with_extension("spoilt")) {
        tracing::debug!(%error, "the spoilt file stays");
    }
}

#[cfg(test)]
mod tests;
