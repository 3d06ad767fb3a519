//! Which commit is in force, and what the newest one lacks: in the state directory, beside the
//! files of the commit.
//!
//! It is written before the files are brought to a commit, so that a process that is killed
//! half-way leaves a note of what they were to become.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Store;
use super::disk::{is_absence, make_folder, write_atomically};
use crate::planning::doubt::{Doubt, DoubtReason};
use crate::state::commit::{Commit, CommitId};
use crate::state::ids::ProjectName;

const VERSION: u32 = 1;

/// What comes from git, and how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitRecord {
    /// The commit whose files are wanted.
    pub in_force: Option<Commit>,
    /// The checkout holds its files, and no half of another commit.
    pub is_complete: bool,
    /// Why it may not be the newest.
    pub doubt: Option<Doubt>,
    /// The stacks of the commit in force, and their files.
    pub stacks: BTreeMap<ProjectName, Vec<PathBuf>>,
    /// The stacks of earlier commits whose files are gone, and that have not been taken down.
    pub gone: BTreeMap<ProjectName, GoneStack>,
}

/// A stack that no file asks for any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneStack {
    /// The files that asked for it.
    pub files: Vec<PathBuf>,
    /// The commit that took them away.
    pub by: CommitId,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    in_force: Option<Commit>,
    is_complete: bool,
    doubt: Option<Doubt>,
    stacks: BTreeMap<ProjectName, Vec<PathBuf>>,
    gone: BTreeMap<ProjectName, GoneStack>,
}

/// Where everything is that comes from git; one source for each state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitFolder(PathBuf);

/// The right to bring the checkout to another commit; its end gives it back, and so does that
/// of the process.
#[derive(Debug)]
pub struct GitLock {
    _file: File,
}

/// Why what is known of commits cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CommitsError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// Somebody else has the right.
    #[error("another `reconciler` brings {0} to its commits")]
    Held(PathBuf),
}

impl Store {
    /// Returns where everything is that comes from git; nothing without a state directory.
    pub fn git(&self) -> Option<GitFolder> {
        let folder = std::path::absolute(self.folder.as_ref()?.join("git")).ok()?;
        Some(GitFolder(folder))
    }
}

impl GitFolder {
    /// Returns the folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the repository: a cache, which may be thrown away.
    pub fn repository(&self) -> PathBuf {
        self.0.join("repository.git")
    }

    /// Returns where the files of a commit are while it is looked at.
    pub fn staged(&self) -> PathBuf {
        self.0.join("staged")
    }

    /// Returns where the files of the commit in force are, whichever commit that is.
    pub fn checkout(&self) -> PathBuf {
        self.0.join("checkout")
    }

    fn file(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// Returns what is known; an earlier process may have written it. What is spoilt is lost
    /// and said so: the next commit begins it anew.
    ///
    /// # Errors
    /// It cannot be read now.
    pub fn record(&self) -> Result<CommitRecord, CommitsError> {
        let path = self.file();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if is_absence(&error) => return Ok(CommitRecord::default()),
            Err(error) => return Err(CommitsError::File { path, error }),
        };
        let stored = serde_json::from_slice::<Stored>(&bytes);
        match stored {
            Ok(stored) if stored.version == VERSION => Ok(stored.into()),
            Ok(_) | Err(_) => {
                tracing::error!(path = %path.display(),
                    "it is spoilt, or of another version: which commit was in force is lost");
                super::set_aside(&path);
                Ok(CommitRecord::default())
            }
        }
    }

    /// Keeps what is known.
    ///
    /// # Errors
    /// The disk is full, or may not be written.
    pub fn keep(&self, record: &CommitRecord) -> Result<(), CommitsError> {
        let path = self.file();
        let written = serde_json::to_vec_pretty(&Stored::from(record.clone()))
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomically(&path, &bytes));
        written.map_err(|error| CommitsError::File { path, error })
    }

    /// Takes the right to bring the checkout to another commit.
    ///
    /// # Errors
    /// Somebody else has it, or nothing can be written there.
    pub fn lock(&self) -> Result<GitLock, CommitsError> {
        let path = self.0.join("lock");
        let failed = |error| CommitsError::File { path: path.clone(), error };
        make_folder(&self.0).map_err(failed)?;
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(GitLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(CommitsError::Held(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl GoneStack {
    /// Says that the stack goes on as it was, and how it is taken down.
    pub fn doubt(&self) -> Doubt {
        let message = format!(
            "commit {} took its file away; it goes on as it was: `reconciler sync \
             --allow-prune` takes it down, and its data stays",
            self.by
        );
        Doubt::new(DoubtReason::Gone, message)
    }
}

impl CommitRecord {
    /// Puts another commit in force: stacks that it does not have any more are gone.
    pub fn put_in_force(
        &mut self,
        commit: &Commit,
        stacks: BTreeMap<ProjectName, Vec<PathBuf>>,
    ) {
        for (project, files) in std::mem::replace(&mut self.stacks, stacks) {
            let by = commit.id.clone();
            self.gone.entry(project).or_insert(GoneStack { files, by });
        }
        self.gone.retain(|project, _| !self.stacks.contains_key(project));
        self.in_force = Some(commit.clone());
        self.is_complete = false;
        self.doubt = None;
    }
}

impl From<Stored> for CommitRecord {
    fn from(stored: Stored) -> Self {
        let Stored { version: _, in_force, is_complete, doubt, stacks, gone } = stored;
        Self { in_force, is_complete, doubt, stacks, gone }
    }
}

impl From<CommitRecord> for Stored {
    fn from(record: CommitRecord) -> Self {
        let CommitRecord { in_force, is_complete, doubt, stacks, gone } = record;
        Self { version: VERSION, in_force, is_complete, doubt, stacks, gone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stacks(names: &[&str]) -> BTreeMap<ProjectName, Vec<PathBuf>> {
        let stack = |name: &&str| {
            let file = PathBuf::from(format!("/git/{name}.yaml"));
            (ProjectName::new(*name), vec![file])
        };
        names.iter().map(stack).collect()
    }

    fn folder() -> (tempfile::TempDir, GitFolder) {
        let folder = tempfile::tempdir().unwrap();
        let git = Store::new(Some(folder.path().to_owned())).git().unwrap();
        (folder, git)
    }

    #[test]
    fn what_is_known_outlives_the_process_and_rubbish_begins_anew() {
        let (_folder, git) = folder();
        assert_eq!(git.record().unwrap(), CommitRecord::default());
        let mut record = CommitRecord::default();
        record.put_in_force(&Commit::of_digit('a'), stacks(&["web", "db"]));
        record.put_in_force(&Commit::of_digit('b'), stacks(&["web"]));
        record.doubt = Some(Doubt::new(DoubtReason::Untrusted, "unsigned"));
        git.keep(&record).unwrap();
        assert_eq!(git.record().unwrap(), record);
        for rubbish in ["", "{", "{\"version\":2}"] {
            std::fs::write(git.file(), rubbish).unwrap();
            assert_eq!(git.record().unwrap(), CommitRecord::default());
        }
    }

    #[test]
    fn a_stack_whose_file_is_gone_is_known_until_its_file_is_back() {
        let mut record = CommitRecord::default();
        record.put_in_force(&Commit::of_digit('a'), stacks(&["web", "db"]));
        assert!(record.gone.is_empty());
        record.put_in_force(&Commit::of_digit('b'), stacks(&["web"]));
        record.put_in_force(&Commit::of_digit('c'), stacks(&["web", "log"]));
        let gone = &record.gone["db"];
        assert_eq!((record.gone.len(), &gone.by), (1, &Commit::of_digit('b').id));
        record.put_in_force(&Commit::of_digit('d'), stacks(&["web", "db"]));
        assert_eq!(
            record.gone.keys().map(ProjectName::as_str).collect::<Vec<_>>(),
            ["log"]
        );
    }

    #[test]
    fn one_process_at_a_time_brings_the_checkout_to_its_commits() {
        let (_folder, git) = folder();
        let lock = git.lock().unwrap();
        assert!(matches!(git.lock(), Err(CommitsError::Held(_))));
        drop(lock);
        assert!(git.lock().is_ok());
    }
}
