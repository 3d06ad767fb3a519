//! Keeps what must outlive this process, before anything is done on the strength of it.

use std::path::PathBuf;

use crate::control::client;
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
    /// Where somebody else answers who acts on the stack, while this process only looks.
    actor: Option<PathBuf>,
}

impl Keeper {
    /// Makes the keeper of a stack.
    pub fn new(store: &Store, engine: &str, project: &ProjectName) -> Self {
        let (store, engine, project) =
            (store.clone(), engine.to_owned(), project.clone());
        Self { store, engine, project, actor: None }
    }

    /// Leaves acting to whoever answers at a socket, if anybody does.
    #[must_use]
    pub fn beside(self, actor: Option<PathBuf>) -> Self {
        Self { actor, ..self }
    }

    /// Returns what whoever acts on the stack has to tell: what it remembers, or what it has
    /// kept since that was last asked for. Nothing when it is this process that acts.
    pub async fn told(&self, now: Now) -> Option<Memory> {
        let told = client::memory(self.actor.as_ref()?, now).await;
        let (engine, project) = (&self.engine, &self.project);
        told.or_else(|| self.store.memory_of_others(engine, project, now))
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
