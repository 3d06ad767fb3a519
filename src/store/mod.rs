//! What outlives a process, in the state directory: the key of digests, and memory.
//!
//! All of it is soft: a file that is lost or spoilt is made anew.

mod key;
pub mod lock;
mod memory;

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::planning::memory::Memory;
use crate::state::digest::DigestKey;
use crate::state::ids::ProjectName;

/// The state directory. Where it cannot be written, everything works, and is forgotten.
#[derive(Clone, Debug)]
pub struct Store {
    folder: Option<PathBuf>,
}

impl Store {
    /// Opens a state directory; it is made, for its owner alone, when it is first written.
    pub const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
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

    /// Returns what is remembered of a stack on an engine; nothing when that is lost.
    pub fn memory(&self, engine: &str, project: &ProjectName) -> Memory {
        let Some(path) = self.memory_path(engine, project) else {
            return Memory::default();
        };
        match memory::read(&path) {
            Ok(memory) => memory,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Memory::default(),
            Err(error) => {
                let aside = path.with_extension("spoilt");
                tracing::warn!(path = %path.display(), %error, "memory is lost and begun anew");
                if let Err(error) = std::fs::rename(&path, &aside) {
                    tracing::debug!(%error, "the spoilt file stays");
                }
                Memory::default()
            }
        }
    }

    /// Remembers a stack on an engine. A full disk stops nothing: it is logged.
    pub fn remember(&self, engine: &str, project: &ProjectName, memory: &Memory) {
        let Some(path) = self.memory_path(engine, project) else { return };
        if let Err(error) = memory::write(&path, memory) {
            tracing::warn!(path = %path.display(), %error, "memory cannot be written");
        }
    }

    /// Forgets a stack that is gone.
    pub fn forget(&self, engine: &str, project: &ProjectName) {
        let Some(path) = self.memory_path(engine, project) else { return };
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "memory stays"),
        }
    }

    /// One file per engine and project: the same project on two engines is two stacks.
    fn memory_path(&self, engine: &str, project: &ProjectName) -> Option<PathBuf> {
        let engine: String =
            engine.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        Some(
            self.folder.as_ref()?.join("stacks").join(format!("{project}-{engine}.json")),
        )
    }
}

/// Writes a file so that a reader finds the old or the new content, never half of it.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
