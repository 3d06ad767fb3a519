//! What every command needs: options, output, state, stacks and the engine.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use anyhow::Result;

use crate::cli::exit::Exit;
use crate::cli::options::Options;
use crate::cli::output::Output;
use crate::cli::stacks::{LoadedStacks, load_all};
use crate::cli::state_directory::state_directory;
use crate::engine::{Any, Engine, EngineError};
use crate::executor::Executor;
use crate::pass::{Goal, Pass};
use crate::planning::memory::Memory;
use crate::planning::world::Allowed;
use crate::state::desired::Desired;
use crate::state::digest::DigestKey;
use crate::state::observed::EngineFacts;
use crate::store::Store;
use crate::view::problems;

/// One run of one command.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) options: Options,
    pub(super) output: Output,
    pub(super) store: Store,
    pub(super) key: DigestKey,
}

/// An engine that answers.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) engine: Arc<Any>,
    pub(super) facts: EngineFacts,
}

impl Session {
    pub(super) fn new(options: Options, output: Output) -> Self {
        // The owner of this folder is the effective user of the process.
        let is_root =
            std::fs::metadata("/proc/self").is_ok_and(|folder| folder.uid() == 0);
        let folder = state_directory(options.state_dir.as_deref(), is_root, |name| {
            std::env::var_os(name)
        });
        let store = Store::new(folder);
        let key = store.digest_key();
        Self { options, output, store, key }
    }

    /// Loads every stack, whatever its problems.
    pub(super) fn load(&self) -> LoadedStacks {
        load_all(&self.options, &self.key)
    }

    /// Loads every stack and shows its problems; nothing when any stack is invalid.
    pub(super) fn desired(&self) -> Result<Option<Vec<Desired>>> {
        let stacks = self.load();
        self.show_problems(&stacks)?;
        Ok(stacks.stacks.into_iter().map(|stack| stack.loaded.desired).collect())
    }

    /// Writes what is odd about the files themselves to standard error.
    pub(super) fn show_warnings(&self, stacks: &LoadedStacks) -> Result<()> {
        for warning in &stacks.warnings {
            self.output.notice(&format!("warning: {warning}\n"))?;
        }
        Ok(())
    }

    /// Writes the problems of all stacks to standard error.
    pub(super) fn show_problems(&self, stacks: &LoadedStacks) -> Result<()> {
        self.show_warnings(stacks)?;
        for stack in &stacks.stacks {
            let text = problems::drawn(&stack.loaded.problems, &stack.loaded.sources);
            if !text.is_empty() {
                self.output.notice(&text)?;
            }
        }
        Ok(())
    }

    /// Connects to the engine and asks what it is.
    pub(super) async fn connect(&self) -> Result<Connected, EngineError> {
        let engine = Any::connect(self.options.host.as_deref()).await?;
        let facts = engine.facts().await?;
        Ok(Connected { engine: Arc::new(engine), facts })
    }

    /// Says why there is no engine.
    pub(super) fn no_engine(&self, error: &EngineError) -> Result<Exit> {
        self.output.notice(&format!("error: {}\n", chain(error)))?;
        Ok(Exit::EngineUnreachable)
    }

    /// Returns what is remembered of a stack.
    pub(super) fn memory(&self, connected: &Connected, desired: &Desired) -> Memory {
        self.store.memory(&connected.facts.id, &desired.project)
    }

    /// Makes a pass over a stack that takes no steps.
    pub(super) fn preview(&self, connected: &Connected, desired: Desired) -> Pass<Any> {
        let memory = self.memory(connected, &desired);
        let (executor, _) = Executor::new(connected.engine.clone());
        let allowed = Allowed::default();
        Pass::new(
            connected.engine.clone(),
            executor,
            desired,
            memory,
            Goal::Converged,
            allowed,
        )
    }
}

/// Returns an error with its whole chain of reasons, each said once.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        let reason_text = reason.to_string();
        if !text.contains(&reason_text) {
            text = if text.ends_with('?') {
                format!("{text} ({reason_text})")
            } else {
                format!("{text}: {reason_text}")
            };
        }
        source = reason.source();
    }
    text
}
