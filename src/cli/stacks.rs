//! From the command line to desired states.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::options::Options;
use crate::compose::files::{Files, ReadError, ReadFiles, Recording};
use crate::compose::load::{Loaded, Request, load};
use crate::compose::problem::Problems;
use crate::planning::doubt::Doubt;
use crate::planning::revision::RevisionId;
use crate::source::file::{HostFiles, StandIn};
use crate::source::fingerprint::Touched;
use crate::state::commit::Commit;
use crate::state::desired::Desired;
use crate::state::digest::DigestKey;
use crate::state::ids::ProjectName;
use crate::store::Store;
use crate::store::revisions::{Pin, RevisionsError};

/// The files of one stack, in the order in which they are merged.
pub type StackFiles = Vec<PathBuf>;

/// What a load of everything gave.
#[derive(Debug, Default)]
pub struct LoadedStacks {
    /// The stacks, in the order of the command line and of file names.
    pub stacks: Vec<LoadedStack>,
    /// What is odd about the files themselves, one sentence each.
    pub warnings: Vec<String>,
    /// Everything that was read or looked for: what has to be watched.
    pub touched: Touched,
}

/// What a load of one stack gave.
#[derive(Debug)]
pub struct LoadedStack {
    /// Its files.
    pub files: StackFiles,
    /// The stack, its problems, and the texts to draw them on.
    pub loaded: Loaded,
    /// What was read: what [`Store::keep_sources`] keeps of a stack that is good.
    pub read: ReadFiles,
    /// The revision that a person pinned, and that is wanted whatever the files say.
    pub pinned: Option<Pinned>,
    /// The commit that its files are of, if they are of one.
    pub commit: Option<Commit>,
    /// Why they may not be the newest.
    pub doubt: Option<Doubt>,
}

/// A revision in the place of what the files say.
#[derive(Debug)]
pub struct Pinned {
    /// The revision.
    pub revision: RevisionId,
    /// What it says.
    pub desired: Desired,
}

impl Pinned {
    /// Says so.
    pub fn said(&self) -> String {
        format!(
            "revision {} is pinned: the file is not acted on until it changes, or \
             `reconciler resume`",
            self.revision
        )
    }
}

impl LoadedStack {
    /// Returns what is wanted; nothing when the files are invalid.
    pub fn desired(&self) -> Option<&Desired> {
        let pinned = self.pinned.as_ref().map(|it| &it.desired);
        pinned.or(self.loaded.desired.as_ref())
    }
}

/// Loads every stack that the options name.
pub fn load_all(options: &Options, key: &DigestKey) -> LoadedStacks {
    let files = host_files(options);
    let environment = environment();
    let stacks = stack_files(options, &files)
        .into_iter()
        .map(|found| match found {
            Ok(paths) => {
                let request = request(options, &paths, &environment, key);
                let recording = Recording::new(&files);
                let loaded = load(&request, &recording);
                LoadedStack {
                    files: paths,
                    loaded,
                    read: recording.finish(),
                    pinned: None,
                    commit: None,
                    doubt: None,
                }
            }
            Err((folder, message)) => refused(folder, &message),
        })
        .collect();
    let mut stacks =
        LoadedStacks { stacks, warnings: Vec::new(), touched: Touched::default() };
    refuse_doubles(&mut stacks.stacks);
    stacks.warnings = files.warnings();
    stacks.touched = files.touched();
    stacks
}

/// Loads the last good state of every stack that is invalid, as far as it was kept, by its
/// files. One whose project name is also that of another stack is left out: it may have
/// moved to another file.
pub fn last_good(
    options: &Options,
    key: &DigestKey,
    store: &Store,
    stacks: &LoadedStacks,
) -> BTreeMap<StackFiles, Desired> {
    let invalid = stacks.stacks.iter().filter(|stack| stack.desired().is_none());
    let mut found: BTreeMap<StackFiles, Desired> = invalid
        .filter_map(|stack| {
            let desired = last_good_of(options, key, store, &stack.files)?;
            Some((stack.files.clone(), desired))
        })
        .collect();
    let mut claims: BTreeMap<ProjectName, usize> = BTreeMap::new();
    let valid = stacks.stacks.iter().filter_map(LoadedStack::desired);
    for desired in valid.chain(found.values()) {
        *claims.entry(desired.project.clone()).or_default() += 1;
    }
    found.retain(|_, desired| claims.get(&desired.project) == Some(&1));
    found
}

/// Loads the last good state of the stack of these files, as far as it was kept.
pub fn last_good_of(
    options: &Options,
    key: &DigestKey,
    store: &Store,
    files: &StackFiles,
) -> Option<Desired> {
    let host = host_files(options);
    let request = request(options, files, &environment(), key);
    let pin = store.pinned(files);
    let pinned = pin.and_then(|pin| pinned(store, &request, &host, &pin));
    pinned.map(|it| it.desired).or_else(|| store.last_good(&request, &host))
}

/// Puts pinned revisions in the place of what the files say, where those are as they were
/// when the revision was pinned.
pub fn hold_pins(
    options: &Options,
    key: &DigestKey,
    store: &Store,
    stacks: &mut LoadedStacks,
) {
    let host = host_files(options);
    for stack in &mut stacks.stacks {
        let pin = store.pinned(&stack.files);
        let Some(pin) = pin.filter(|pin| pin.holds_over(&stack.read)) else { continue };
        let request = request(options, &stack.files, &environment(), key);
        stack.pinned = pinned(store, &request, &host, &pin);
    }
}

fn pinned(
    store: &Store,
    request: &Request,
    host: &HostFiles,
    pin: &Pin,
) -> Option<Pinned> {
    let desired = match store.load_revision(request, &pin.revision, host) {
        Ok(loaded) => loaded.desired,
        Err(error) => {
            tracing::warn!(%error, "the pinned revision is lost; the file counts");
            return None;
        }
    };
    if desired.is_none() {
        tracing::warn!(revision = %pin.revision,
            "the pinned revision is not valid as variables are today; the file counts");
    }
    let desired = desired.filter(|it| it.project == pin.project)?;
    Some(Pinned { revision: pin.revision.clone(), desired })
}

/// Loads a revision of a stack as the options ask for it today.
///
/// # Errors
/// It is not kept, or spoilt.
pub fn load_revision(
    options: &Options,
    key: &DigestKey,
    store: &Store,
    files: &StackFiles,
    revision: &RevisionId,
) -> Result<Loaded, RevisionsError> {
    let host = host_files(options);
    let request = request(options, files, &environment(), key);
    store.load_revision(&request, revision, &host)
}

/// The variables of this process, as far as they are text.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        })
        .collect()
}

fn request(
    options: &Options,
    paths: &[PathBuf],
    environment: &BTreeMap<String, String>,
    key: &DigestKey,
) -> Request {
    Request {
        files: paths.to_vec(),
        env_files: options.env_files.iter().map(|path| absolute(path)).collect(),
        project: options.project_name.clone(),
        profiles: options.profiles.iter().cloned().collect(),
        environment: environment.clone(),
        digest_key: key.clone(),
        checkout: options.checkout.as_ref().map(|it| it.folder.clone()),
    }
}

type Found = Result<StackFiles, (PathBuf, String)>;

/// The files of this host, or those of a commit that is only looked at; encrypted ones are
/// decrypted.
fn host_files(options: &Options) -> HostFiles {
    let staged = options.checkout.as_ref().and_then(|checkout| {
        let instead = checkout.staged.clone()?;
        Some(StandIn { folder: checkout.folder.clone(), instead })
    });
    HostFiles::new(options.insecure_permissions)
        .with_stand_in(staged)
        .with_age_key(options.age_key_file.as_deref())
}

/// A folder is a set of stacks, one per file in it; all files together are one stack.
fn stack_files(options: &Options, files: &HostFiles) -> Vec<Found> {
    let given = options.files.iter().map(|path| absolute(path));
    let (folders, plain): (Vec<PathBuf>, Vec<PathBuf>) =
        given.partition(|path| files.is_folder(path));
    let mut found: Vec<Found> = Vec::new();
    if !plain.is_empty() {
        found.push(Ok(plain));
    }
    let host = options.checkout.as_ref().map(|it| it.host_name.as_str());
    if let Some(host) = host {
        let overlaid = |stack: Found| stack.map(|it| with_overlays(it, host, files));
        found = found.into_iter().map(overlaid).collect();
    }
    for folder in folders {
        match stacks_of(&folder, host, files) {
            Ok(stacks) if stacks.is_empty() => {
                let message = "there is no *.yaml or *.yml in it".to_owned();
                found.push(Err((folder, message)));
            }
            Ok(stacks) => found.extend(stacks.into_iter().map(Ok)),
            Err(error) => found.push(Err((folder, error.to_string()))),
        }
    }
    found
}

/// Returns the stacks of a folder: each file, merged with what `hosts/NAME/` has beside it
/// of the same name; and what stands there alone.
fn stacks_of(
    folder: &Path,
    host: Option<&str>,
    files: &HostFiles,
) -> Result<Vec<StackFiles>, ReadError> {
    let for_all = files.stacks(folder)?;
    let Some(host) = host else {
        return Ok(for_all.into_iter().map(|file| vec![file]).collect());
    };
    let of_host = match files.stacks(&folder.join("hosts").join(host)) {
        Ok(found) => found,
        Err(ReadError::Missing) => Vec::new(),
        Err(error) => return Err(error),
    };
    let is_alone = |file: &PathBuf| {
        !for_all.iter().any(|other| other.file_name() == file.file_name())
    };
    let alone = of_host.into_iter().filter(is_alone).map(|file| vec![file]);
    let alone: Vec<StackFiles> = alone.collect();
    let merged = for_all.iter().map(|it| with_overlays(vec![it.clone()], host, files));
    Ok(merged.chain(alone).collect())
}

/// Adds to the files of a stack what `hosts/NAME/` beside them has of the same name.
fn with_overlays(stack: StackFiles, host: &str, files: &HostFiles) -> StackFiles {
    let overlay = |file: &PathBuf| {
        let folder = file.parent()?.join("hosts").join(host);
        let overlay = folder.join(file.file_name()?);
        files.exists(&overlay).then_some(overlay)
    };
    let overlays: StackFiles = stack.iter().filter_map(overlay).collect();
    stack.into_iter().chain(overlays).collect()
}

/// Returns a stack that there is none of, and says why.
pub fn refused(path: PathBuf, message: &str) -> LoadedStack {
    let mut problems = Problems::default();
    problems.error(None, "", format!("{}: {message}", path.display()));
    LoadedStack {
        files: vec![path],
        loaded: Loaded {
            desired: None,
            canonical: None,
            problems,
            sources: crate::compose::problem::Sources::default(),
            touched: BTreeSet::new(),
        },
        read: ReadFiles::default(),
        pinned: None,
        commit: None,
        doubt: None,
    }
}

/// Two stacks with one project name would fight over the same containers: an error for both.
fn refuse_doubles(stacks: &mut [LoadedStack]) {
    let mut by_project: BTreeMap<ProjectName, Vec<PathBuf>> = BTreeMap::new();
    for stack in stacks.iter() {
        if let (Some(desired), Some(file)) = (stack.desired(), stack.files.first()) {
            by_project.entry(desired.project.clone()).or_default().push(file.clone());
        }
    }
    for stack in stacks {
        let Some(project) = stack.desired().map(|desired| desired.project.clone()) else {
            continue;
        };
        let own = stack.files.first();
        let others: Vec<String> = by_project
            .get(&project)
            .into_iter()
            .flatten()
            .filter(|file| Some(*file) != own)
            .map(|file| file.display().to_string())
            .collect();
        if !others.is_empty() {
            let here = own.map(|file| file.display().to_string()).unwrap_or_default();
            let message = format!(
                "{here}: the project name {project} is also that of {}",
                others.join(", ")
            );
            stack
                .loaded
                .problems
                .error(None, "name", message)
                .help("give each stack a `name` of its own");
            stack.loaded.desired = None;
        }
    }
}

/// Returns a path from the root, without a look at the file system.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
