//! One writer for each stack: a lock fixed on the engine and the project, wherever the
//! writer keeps its state.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::digest::hexadecimal;
use crate::state::ids::{ProjectName, SourceId};
use sha2::{Digest, Sha256};

/// How much of a project's name stands in a file name: a socket's path must be short.
const LONGEST_NAME: usize = 32;

/// Where the lock of a stack and the control socket of its operator are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
    name: String,
}

/// Who holds a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The command: `run`, `apply`, `delete`.
    pub command: String,
    /// Where its desired state comes from.
    pub source: SourceId,
    /// Since when, in RFC 3339.
    pub since: String,
}

/// The right to write to a stack; its end gives it back, and so does that of the process.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// Why a stack is not ours to write to.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error("{project} is held by {holder}")]
    Held {
        /// The stack.
        project: ProjectName,
        /// Who.
        holder: Holder,
    },
    /// Nobody can tell.
    #[error("cannot lock {project} at {path}")]
    Failed {
        /// The stack.
        project: ProjectName,
        /// The file of the lock.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, command, source, since } = self;
        write!(f, "`reconciler {command}` (process {pid}, of {source}, since {since})")
    }
}

impl Holder {
    /// Tells whether it holds the stack for good, and answers others meanwhile.
    pub fn is_operator(&self) -> bool {
        self.command == "run"
    }
}

impl Place {
    /// Returns the place of a stack in the folder for such files.
    pub fn new(folder: &Path, engine: &str, project: &ProjectName) -> Self {
        let digest = Sha256::digest(format!("{engine}\n{project}"));
        let name: String = project.as_str().chars().take(LONGEST_NAME).collect();
        let name = format!("{name}-{:.12}", hexadecimal(&digest));
        Self { folder: folder.to_owned(), name }
    }

    /// Returns the path of the control socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(format!("{}.sock", self.name))
    }

    fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.name))
    }

    /// Takes the lock, without waiting for it.
    ///
    /// # Errors
    /// Somebody else has it, or the file system cannot tell.
    pub fn take(&self, project: &ProjectName, own: &Holder) -> Result<Lock, LockError> {
        let path = self.lock();
        let failed = |source| LockError::Failed {
            project: project.clone(),
            path: path.clone(),
            source,
        };
        own_folder(&self.folder).map_err(failed)?;
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
                .map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let holder = read(&file).unwrap_or_else(|| unknown(own));
                    return Err(LockError::Held { project: project.clone(), holder });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // Whoever gave it back has taken the file away: the name may be another's now.
            if is_at(&file, &path) {
                write(&file, own).map_err(failed)?;
                // Nobody listens there: whoever did held the lock.
                std::fs::remove_file(self.socket()).unwrap_or_default();
                return Ok(Lock { file, path });
            }
        }
    }
}

/// Returns the path of the socket of whoever brings a checkout to its commits, in the folder
/// for such files, which is made if it is not there.
///
/// # Errors
/// The folder cannot be made, or is another's.
pub fn checkout_socket(folder: &Path, checkout: &Path) -> io::Result<PathBuf> {
    own_folder(folder)?;
    let digest = hexadecimal(&Sha256::digest(checkout.as_os_str().as_encoded_bytes()));
    Ok(folder.join(format!("git-{digest:.12}.sock")))
}

/// Makes the folder for its owner alone, and believes none that others can write to.
fn own_folder(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let there = std::fs::symlink_metadata(folder)?;
    let own = std::fs::metadata("/proc/self")?.uid();
    let is_writable_by_others = there.permissions().mode() & 0o022 != 0;
    if there.is_dir() && there.uid() == own && !is_writable_by_others {
        return Ok(());
    }
    let message = format!(
        "{} is not a folder that only this user can write to; `chmod 700` it, or remove it",
        folder.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        (Ok(_) | Err(_), _) => false,
    }
}

fn read(mut file: &File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(mut file: &File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)
}

/// A holder that has not said yet who it is.
fn unknown(own: &Holder) -> Holder {
    Holder { pid: 0, command: "…".to_owned(), ..own.clone() }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path) {
            // It may have been taken away already.
            std::fs::remove_file(&self.path).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(command: &str) -> Holder {
        Holder {
            pid: 7,
            command: command.to_owned(),
            source: "/srv/web.yaml".into(),
            since: "2026-11-25T10:00:00Z".to_owned(),
        }
    }

    fn place(folder: &Path, project: &str) -> (Place, ProjectName) {
        let project = ProjectName::from(project);
        (Place::new(&folder.join("own"), "engine", &project), project)
    }

    #[test]
    fn a_stack_has_one_holder_and_the_second_is_told_who_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (place, project) = place(folder.path(), "web");
        let lock = place.take(&project, &holder("run")).unwrap();
        let refused = place.take(&project, &holder("apply")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "web is held by `reconciler run` (process 7, of /srv/web.yaml, since \
             2026-11-25T10:00:00Z)"
        );
        drop(lock);
        assert!(place.take(&project, &holder("apply")).is_ok());
        assert!(!place.lock().exists(), "nothing is left over");
    }

    #[test]
    fn other_stacks_and_other_engines_have_locks_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let (web, project) = place(folder.path(), "web");
        let (shop, other) = place(folder.path(), "shop");
        let elsewhere = Place::new(&folder.path().join("own"), "other", &project);
        let _locks = [
            web.take(&project, &holder("run")).unwrap(),
            shop.take(&other, &holder("run")).unwrap(),
            elsewhere.take(&project, &holder("run")).unwrap(),
        ];
    }

    #[test]
    fn what_a_killed_process_left_locks_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let (place, project) = place(folder.path(), "web");
        std::fs::DirBuilder::new().mode(0o700).create(folder.path().join("own")).unwrap();
        std::fs::write(place.lock(), "{ half").unwrap();
        std::fs::write(place.socket(), "").unwrap();
        assert!(place.take(&project, &holder("run")).is_ok());
        assert!(!place.socket().exists(), "nobody listens there");
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (place, project) = place(folder.path(), "web");
        let own = folder.path().join("own");
        std::fs::create_dir(&own).unwrap();
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&own, everybody).unwrap();
        let refused = place.take(&project, &holder("run")).unwrap_err();
        assert!(matches!(refused, LockError::Failed { .. }), "{refused}");
    }

    #[test]
    fn a_long_name_makes_no_long_path() {
        let (place, _) = place(Path::new("/run/reconciler"), &"x".repeat(200));
        assert!(place.socket().as_os_str().len() < 100, "{place:?}");
    }
}
