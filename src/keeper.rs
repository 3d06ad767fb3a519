//! Keeps what must outlive this process, before anything is done on the strength of it.

use crate::planning::memory::Memory;
use crate::state::ids::{ContainerName, ProjectName};
use crate::state::secret::Secret;
use crate::state::time::Now;
use crate::store::Store;

/// Where one stack on one engine is remembered.
#[derive(Clone, Debug)]
pub struct Keeper {
    store: Store,
    engine: String,
    project: ProjectName,
}

impl Keeper {
    /// Makes the keeper of a stack.
    pub fn new(store: &Store, engine: &str, project: &ProjectName) -> Self {
        Self { store: store.clone(), engine: engine.to_owned(), project: project.clone() }
    }

    /// Returns what an earlier process remembered.
    pub fn memory(&self, now: Now) -> Memory {
        self.store.memory(&self.engine, &self.project, now)
    }

    /// Remembers; a disk that is full stops nothing.
    pub fn remember(&self, memory: &Memory, now: Now) {
        self.store.remember(&self.engine, &self.project, memory, now);
    }

    /// Keeps the last lines of a container that failed.
    pub fn keep_log(&self, container: &ContainerName, lines: &Secret) {
        self.store.keep_log(&self.engine, &self.project, container, lines);
    }
}
