//! What every command needs: options, output, state, stacks and the engine.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use crate::cli::checkout::{self, NoCheckout};
use crate::cli::exit::Exit;
use crate::cli::options::Options;
use crate::cli::output::Output;
use crate::cli::runtime_directory::runtime_directory;
use crate::cli::stacks::{
    LoadedStack, LoadedStacks, Pinned, StackFiles, hold_pins, last_good, last_good_of,
    load_all, load_revision, refused,
};
use crate::cli::state_directory::state_directory;
use crate::clock::Clock;
use crate::compose::load::Loaded;
use crate::compose::problem::nearest;
use crate::control::client;
use crate::engine::{Any, Engine, EngineError};
use crate::pass::{Preview, Wanted, preview};
use crate::planning::doubt::Doubt;
use crate::planning::memory::Memory;
use crate::planning::revision::Revision;
use crate::state::desired::Desired;
use crate::state::digest::DigestKey;
use crate::state::ids::{ProjectName, ServiceName};
use crate::state::observed::EngineFacts;
use crate::store::Store;
use crate::store::commits::{CommitRecord, GitFolder, GoneStack};
use crate::store::lock::{Place, checkout_socket};
use crate::store::revisions::RevisionsError;
use crate::view::problems;

/// One run of one command.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) options: Options,
    pub(super) output: Output,
    pub(super) store: Store,
    pub(super) key: DigestKey,
    /// Where the files are that come from git, if they do.
    pub(super) git: Option<GitFolder>,
    /// Where locks and control sockets are.
    places: PathBuf,
    /// Nothing is written, neither to the engine nor to the state directory.
    only_looks: bool,
}

/// An engine that answers.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) engine: Arc<Any>,
    pub(super) facts: EngineFacts,
    /// The one clock of this process, set by the engine's.
    pub(super) clock: Clock,
}

impl Session {
    /// Opens the state directory.
    ///
    /// # Errors
    /// Desired state is to come from git, and the options do not fit.
    pub(super) fn new(
        mut options: Options,
        output: Output,
    ) -> std::result::Result<Self, NoCheckout> {
        // The owner of this folder is the effective user of the process; who cannot tell
        // is taken for nobody in particular.
        let user =
            std::fs::metadata("/proc/self").map_or(u32::MAX, |folder| folder.uid());
        let folder = state_directory(options.state_dir.as_deref(), user == 0, |name| {
            std::env::var_os(name)
        });
        // An engine that is forgotten leaves nothing to remember.
        let folder = folder.filter(|_| options.host.as_deref() != Some("sim:"));
        let places = runtime_directory(user, |name| std::env::var_os(name));
        let store = Store::new(folder);
        let key = store.digest_key();
        let git = checkout::place(&mut options, &store)?;
        Ok(Self { options, output, store, key, git, places, only_looks: false })
    }

    /// Returns the same session for those who only look: its engine refuses every step, and
    /// nothing is kept.
    pub(super) fn only_looking(self) -> Self {
        Self { store: self.store.only_reading(), only_looks: true, ..self }
    }

    /// Loads every stack, whatever its problems.
    pub(super) fn load(&self) -> LoadedStacks {
        let record = self.commits();
        if let Some(git) = self.git.as_ref().filter(|_| record.in_force.is_none()) {
            let why = match &record.doubt {
                Some(doubt) => format!("no commit is in force: {}", doubt.message),
                None => {
                    "no commit is in force yet: `reconciler sync` takes up the newest, \
                         and `reconciler run` follows them"
                        .to_owned()
                }
            };
            let stacks = vec![refused(git.checkout(), &why)];
            return LoadedStacks { stacks, ..LoadedStacks::default() };
        }
        let mut loaded = load_all(&self.options, &self.key);
        for stack in &mut loaded.stacks {
            stack.commit.clone_from(&record.in_force);
            stack.doubt.clone_from(&record.doubt);
        }
        loaded
    }

    /// Returns what is known of commits; nothing where desired state comes from no repository.
    fn commits(&self) -> CommitRecord {
        let record = self.git.as_ref().map(GitFolder::record).transpose();
        let record = record.unwrap_or_else(|error| {
            tracing::warn!(%error, "it is not known which commit is in force");
            None
        });
        record.unwrap_or_default()
    }

    /// Loads every stack; a revision that is pinned takes the place of what its files say.
    pub(super) fn load_wanted(&self) -> LoadedStacks {
        let mut stacks = self.load();
        hold_pins(&self.options, &self.key, &self.store, &mut stacks);
        stacks
    }

    /// Loads a revision of a stack.
    pub(super) fn load_revision(
        &self,
        stack: &LoadedStack,
        revision: &Revision,
    ) -> std::result::Result<Loaded, RevisionsError> {
        let (options, files) = (&self.options, &stack.files);
        load_revision(options, &self.key, &self.store, files, &revision.id)
    }

    /// Loads every stack and shows its problems; nothing when any stack is invalid.
    pub(super) fn valid(&self) -> Result<Option<Vec<LoadedStack>>> {
        let stacks = self.load_wanted();
        self.show_problems(&stacks)?;
        let valid = stacks.stacks.iter().all(|stack| stack.desired().is_some());
        Ok(valid.then_some(stacks.stacks))
    }

    /// Loads what is wanted of every stack and shows problems; nothing when any is invalid.
    pub(super) fn desired(&self) -> Result<Option<Vec<Desired>>> {
        let valid = self.valid()?;
        let desired = |stack: &LoadedStack| stack.desired().cloned();
        Ok(valid.and_then(|stacks| stacks.iter().map(desired).collect()))
    }

    /// Loads what is wanted of every stack, and shows all problems: of an invalid one it is
    /// the last good state, if there is any. Nothing when that is not so of all.
    pub(super) fn wanted(&self) -> Result<Option<Vec<Wanted>>> {
        let loaded = self.load_wanted();
        self.show_problems(&loaded)?;
        Ok(self.wanted_of(loaded))
    }

    /// Returns what is wanted of every stack, as it was loaded: of an invalid one it is the
    /// last good state, if there is any. Nothing when that is not so of all.
    pub(super) fn wanted_of(&self, loaded: LoadedStacks) -> Option<Vec<Wanted>> {
        let mut kept = self.last_good(&loaded);
        let of_stack = |stack: LoadedStack| match stack.desired() {
            Some(_) => wanted(&stack),
            None => Some(Wanted {
                doubt: Some(Doubt::invalid(said(&stack))),
                ..Wanted::new(kept.remove(&stack.files)?)
            }),
        };
        let stacks: Vec<Wanted> =
            loaded.stacks.into_iter().map(of_stack).collect::<Option<_>>()?;
        Some(stacks.into_iter().chain(self.gone()).collect())
    }

    /// Returns the stacks that no commit asks for any more, as they are kept up.
    fn gone(&self) -> Vec<Wanted> {
        let gone = self.commits().gone.into_values();
        let wanted = |gone: GoneStack| {
            let doubt = Some(gone.doubt());
            Some(Wanted { doubt, ..Wanted::new(self.last_good_of(&gone.files)?) })
        };
        gone.filter_map(wanted).collect()
    }

    /// Returns the last good state of every stack that is invalid, as far as it was kept.
    pub(super) fn last_good(
        &self,
        loaded: &LoadedStacks,
    ) -> BTreeMap<StackFiles, Desired> {
        last_good(&self.options, &self.key, &self.store, loaded)
    }

    /// Returns the last good state of the stack of these files, if it was kept.
    pub(super) fn last_good_of(&self, files: &StackFiles) -> Option<Desired> {
        last_good_of(&self.options, &self.key, &self.store, files)
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
        let engine = if self.only_looks { engine.only_looking() } else { engine };
        let facts = engine.facts().await?;
        let mut clock = Clock::new();
        clock.set_engine_time(facts.time);
        Ok(Connected { engine: Arc::new(engine), facts, clock })
    }

    /// Says why there is no engine.
    pub(super) fn no_engine(&self, error: &EngineError) -> Result<Exit> {
        self.output.notice(&format!("error: {}\n", chain(error)))?;
        Ok(Exit::EngineUnreachable)
    }

    /// Says that no stack has a service of this name.
    pub(super) fn no_such_service(
        &self,
        wanted: &ServiceName,
        stacks: &[Desired],
    ) -> Result<Exit> {
        let names: Vec<&str> = stacks
            .iter()
            .flat_map(|it| it.services.keys().map(ServiceName::as_str))
            .collect();
        let near = nearest(wanted.as_str(), names.iter().copied());
        let near =
            near.map(|near| format!("; perhaps {near} was meant")).unwrap_or_default();
        let names = names.join(", ");
        self.output.notice(&format!(
            "error: there is no service {wanted}{near}; the services are {names}\n"
        ))?;
        Ok(Exit::Invalid)
    }

    /// Says why a stack is not ours to change.
    pub(super) fn refused(&self, refusal: &str) -> Result<Exit> {
        self.output.notice(&format!("error: {refusal}\n"))?;
        Ok(Exit::Refused)
    }

    /// Says that the operator that was asked has ended.
    pub(super) fn lost(&self, project: &ProjectName) -> Result<Exit> {
        self.output.notice(&format!(
            "error: the operator of {project} has ended meanwhile; ask again\n"
        ))?;
        Ok(Exit::NotAsWanted)
    }

    /// Returns where the lock and the control socket of a stack are.
    pub(super) fn place(&self, connected: &Connected, project: &ProjectName) -> Place {
        Place::new(&self.places, &connected.facts.id, project)
    }

    /// Returns where the socket is of whoever brings a checkout to its commits.
    pub(super) fn sync_socket(&self, checkout: &Path) -> std::io::Result<PathBuf> {
        checkout_socket(&self.places, checkout)
    }

    /// Returns what is remembered of a stack: by its operator when one is running, else
    /// what is stored.
    pub(super) async fn memory(
        &self,
        connected: &Connected,
        project: &ProjectName,
    ) -> Memory {
        let now = connected.clock.now();
        let socket = self.place(connected, project).socket();
        let told = client::memory(&socket, now).await;
        told.unwrap_or_else(|| self.store.memory(&connected.facts.id, project, now))
    }

    /// Makes a pass over a stack that takes no steps.
    pub(super) async fn preview(
        &self,
        connected: &Connected,
        wanted: Wanted,
    ) -> Result<Preview, EngineError> {
        let memory = self.memory(connected, &wanted.desired.project).await;
        let mut clock = connected.clock.clone();
        preview(&*connected.engine, &mut clock, wanted, &memory).await
    }
}

/// Returns what is wanted of a stack; nothing when it is invalid.
pub(super) fn wanted(stack: &LoadedStack) -> Option<Wanted> {
    let desired = stack.desired()?.clone();
    let pinned = stack.pinned.as_ref().map(Pinned::said);
    let (doubt, commit) = (stack.doubt.clone(), stack.commit.clone());
    Some(Wanted { desired, doubt, pinned, commit })
}

/// Returns the errors of a load, each with its place, on one line.
pub(super) fn said(loaded: &LoadedStack) -> String {
    let json = problems::json(&loaded.loaded.problems, &loaded.loaded.sources);
    let errors = json.problems.iter().filter(|problem| problem.is_error());
    errors.map(ToString::to_string).collect::<Vec<_>>().join("; ")
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
