//! The file in which a simulated engine is kept, shared by all processes that name it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

use super::stored;
use super::world::World;
use crate::state::digest::DigestKey;
use crate::state::time::EngineTime;
use crate::state::value::Value;

/// Where a world is kept.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
}

/// Why a world could not be had from its file, or brought back.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It holds something else, or is damaged.
    #[error(
        "it does not hold a simulated engine ({0}); delete the file to begin with an empty engine, or name another one after sim:"
    )]
    Spoilt(String),
    /// The system would not have it.
    #[error("{what}: {source}; name a file after sim: that this user may write")]
    System {
        /// What could not be done.
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

impl Kept {
    pub(super) fn new(path: &str) -> Self {
        Self { path: std::path::absolute(path).unwrap_or_else(|_| path.into()) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Does something with the world as it is at this time. Nobody else does meanwhile;
    /// the file is written when anything but the time has changed.
    pub(super) fn with<T>(
        &self,
        now: EngineTime,
        act: impl FnOnce(&mut World) -> T,
    ) -> Result<T, FileError> {
        let failed = |what| move |source| FileError::System { what, source };
        let lock = self.lock().map_err(failed("its lock cannot be taken"))?;
        let found = match fs::read(&self.path) {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => Some(stored::read(&bytes).map_err(FileError::Spoilt)?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed("it cannot be read")(error)),
        };
        let before = found.as_ref().map(timeless);
        let mut world = found.unwrap_or_else(|| World::new(&self.identity(now), now));
        let age = now.duration_since(world.start);
        world.advance_to(Duration::try_from(age).unwrap_or_default());
        let done = act(&mut world);
        if before != Some(timeless(&world)) {
            let json = stored::write(&world);
            self.write(&json).map_err(failed("it cannot be written"))?;
        }
        drop(lock);
        Ok(done)
    }

    /// Returns what tells whether somebody wrote the file.
    pub(super) fn stamp(&self) -> Option<(u64, i64, i64)> {
        let found = fs::metadata(&self.path).ok()?;
        Some((found.ino(), found.mtime(), found.mtime_nsec()))
    }

    /// An engine has an identity of its own, which the file keeps.
    fn identity(&self, now: EngineTime) -> String {
        let seed = Value::text(format!("{} {now}", self.path.display()));
        let digest = DigestKey::new([0; 32]).digest(&seed);
        let digits: String = digest.chars().skip("sha256:".len()).take(12).collect();
        format!("simulated-{digits}")
    }

    /// The lock is a file of its own: the other one is replaced with every change.
    fn lock(&self) -> io::Result<File> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(path)?;
        file.lock()?;
        Ok(file)
    }

    /// Replaces the file in one go; only its owner may read it, for the engine knows the
    /// secrets of its containers.
    fn write(&self, json: &Json) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(json)?)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// Returns a world without what changes by the mere passing of time.
fn timeless(world: &World) -> Json {
    let mut json = stored::write(world);
    if let Some(members) = json.as_object_mut() {
        members.remove("clock");
    }
    json
}
