//! What whoever acts on a stack remembers of it, for those who only look.

use std::os::unix::fs::MetadataExt;

use super::Store;
use crate::planning::memory::Memory;
use crate::state::ids::ProjectName;
use crate::state::time::Now;

/// One write of a file, which is another file under the same name: its number, and when.
pub(super) type Write = (u64, i64, i64);

impl Store {
    /// Returns what others keep of a stack; nothing when that was read already.
    pub fn memory_of_others(
        &self,
        engine: &str,
        project: &ProjectName,
        now: Now,
    ) -> Option<Memory> {
        let path = self.files(engine, project)?.memory;
        let file = std::fs::metadata(&path).ok()?;
        let write = (file.ino(), file.mtime(), file.mtime_nsec());
        let before = self.known().others.insert(path, write);
        (before != Some(write)).then(|| self.memory(engine, project, now))
    }
}
