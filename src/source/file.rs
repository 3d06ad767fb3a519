//! The files of this host, lent to the loader.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::content;
use super::decrypt::decrypt;
use super::fingerprint::{Fingerprint, Touched};
use crate::compose::encrypted::Encryption;
use crate::compose::files::{Files, Kind, ReadError};
use crate::state::content::Place;
use crate::state::secret::Secret;

/// How large a file may be that is read at all.
pub const LIMIT: u64 = 1 << 20;

const WRITABLE_BY_ALL: u32 = 0o002;
const WRITABLE_BY_GROUP: u32 = 0o020;

/// The file system, for one load: it remembers what was touched and what was odd.
///
/// Only regular files of at most [`LIMIT`] bytes are read, so that no device or pipe can
/// hold a load up. When running as root, a file that everyone may write to is refused and
/// one that its group may write to is warned of: whoever can write to it is root too.
#[derive(Debug)]
pub struct HostFiles {
    is_root: bool,
    insecure_permissions: bool,
    /// A folder whose files are read from another one.
    stand_in: Option<StandIn>,
    /// The file of the key that decrypts.
    age_key: Option<PathBuf>,
    memory: Mutex<Memory>,
}

/// A folder in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// Where files are looked for.
    pub folder: PathBuf,
    /// Where they are.
    pub instead: PathBuf,
}

#[derive(Debug, Default)]
struct Memory {
    touched: Touched,
    warnings: BTreeMap<PathBuf, String>,
}

impl HostFiles {
    /// Lends the files to a load by this process.
    pub fn new(insecure_permissions: bool) -> Self {
        // The owner of this folder is the effective user of the process.
        let user = fs::metadata("/proc/self").map_or(0, |metadata| metadata.uid());
        Self::for_user(user == 0, insecure_permissions)
    }

    /// Lends the files as if the process were root's, or were not.
    pub fn for_user(is_root: bool, insecure_permissions: bool) -> Self {
        let memory = Mutex::default();
        Self { is_root, insecure_permissions, stand_in: None, age_key: None, memory }
    }

    /// Lends the files of another folder in the place of one: what is found is what would be
    /// if they were there.
    #[must_use]
    pub fn with_stand_in(self, stand_in: Option<StandIn>) -> Self {
        Self { stand_in, ..self }
    }

    /// Returns where a file is.
    fn actual(&self, path: &Path) -> PathBuf {
        let stand_in = self.stand_in.as_ref();
        let moved = stand_in
            .and_then(|it| Some(it.instead.join(path.strip_prefix(&it.folder).ok()?)));
        moved.unwrap_or_else(|| path.to_owned())
    }

    /// Tells whether a path is a folder.
    pub fn is_folder(&self, path: &Path) -> bool {
        self.actual(&absolute(path)).is_dir()
    }

    /// Decrypts with the key in this file, if any is named.
    #[must_use]
    pub fn with_age_key(self, key: Option<&Path>) -> Self {
        Self { age_key: key.map(absolute), ..self }
    }

    /// Lists the stack files of a folder: those ending in `.yaml` or `.yml`, by name.
    ///
    /// The folder counts as touched: a file that is added or taken away is a change of it.
    ///
    /// # Errors
    /// The folder is not there, or may not be read.
    pub fn stacks(&self, folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let folder = absolute(folder);
        let names = stack_names(&self.actual(&folder));
        let fingerprint = match &names {
            Ok(names) => Fingerprint::of_names(names),
            Err(error) => Fingerprint::of_error(error),
        };
        self.memory().touched.insert(folder.clone(), fingerprint);
        Ok(names?.into_iter().map(|name| folder.join(name)).collect())
    }

    /// Returns everything that was asked for so far, and what was found: what has to be
    /// watched, so that the next change leads to another load.
    pub fn touched(&self) -> Touched {
        self.memory().touched.clone()
    }

    /// Returns what is odd about the files that were read, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        self.memory().warnings.values().cloned().collect()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses or warns of a file that others may write to.
    fn check(&self, path: &Path, metadata: &Metadata) -> Result<(), ReadError> {
        let mode = metadata.mode();
        let odd = if mode & WRITABLE_BY_ALL != 0 {
            "everyone"
        } else if mode & WRITABLE_BY_GROUP != 0 {
            "its group"
        } else {
            return Ok(());
        };
        if !self.is_root {
            return Ok(());
        }
        let path_shown = path.display();
        if mode & WRITABLE_BY_ALL != 0 && !self.insecure_permissions {
            return Err(ReadError::Refused(format!(
                "everyone may write to it, and reconciler runs as root: \
                 `chmod o-w {path_shown}`, or allow it with --insecure-permissions"
            )));
        }
        let warning = format!(
            "{odd} may write to {path_shown}, and reconciler runs as root: \
             `chmod go-w {path_shown}`"
        );
        self.memory().warnings.insert(path.to_owned(), warning);
        Ok(())
    }
}

impl Files for HostFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        let path = absolute(path);
        let read = read_regular(&self.actual(&path));
        let fingerprint = match &read {
            Ok((bytes, metadata)) => Fingerprint::of_bytes(bytes, metadata),
            Err(error) => Fingerprint::of_error(error),
        };
        self.memory().touched.insert(path.clone(), fingerprint);
        let (bytes, metadata) = read?;
        self.check(&path, &metadata)?;
        Ok(bytes)
    }

    fn decrypt(&self, bytes: &[u8], how: Encryption) -> Result<Secret, ReadError> {
        let key = self.age_key.as_deref();
        if let Some(key) = key {
            // Another key may open what this one does not.
            self.memory().touched.insert(key.to_owned(), Fingerprint::of(key));
        }
        decrypt(key, bytes, how).map_err(|error| ReadError::Failed(error.to_string()))
    }

    fn exists(&self, path: &Path) -> bool {
        let path = absolute(path);
        let fingerprint = Fingerprint::of_presence(&self.actual(&path));
        let exists = fingerprint != Fingerprint::Missing;
        // What a file holds says more than that it is there.
        self.memory().touched.entry(path).or_insert(fingerprint);
        exists
    }

    fn kind(&self, path: &Path) -> Option<(Kind, Place)> {
        content::kind(&self.actual(&absolute(path)))
    }

    fn content(&self, path: &Path) -> Result<(Vec<u8>, Place), ReadError> {
        let path = absolute(path);
        let read = read_regular(&self.actual(&path));
        let fingerprint = match &read {
            Ok((bytes, metadata)) => Fingerprint::of_bytes(bytes, metadata),
            Err(error) => Fingerprint::of_error(error),
        };
        self.memory().touched.insert(path, fingerprint);
        let (bytes, metadata) = read?;
        Ok((bytes, content::place(&metadata)))
    }

    fn names(&self, path: &Path) -> Result<Vec<String>, ReadError> {
        content::all_names(&self.actual(&absolute(path)))
    }

    fn watch_names(&self, path: &Path, names: &[String]) {
        let fingerprint = Fingerprint::of_all_names(names);
        self.memory().touched.insert(absolute(path), fingerprint);
    }
}

/// Makes a path absolute without looking at the file system.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Reads a regular file of at most [`LIMIT`] bytes.
pub(super) fn read_regular(path: &Path) -> Result<(Vec<u8>, Metadata), ReadError> {
    // Opening a pipe would wait for its other end; the second look is for a file that was
    // put in the place of the first.
    require_regular(&fs::metadata(path).map_err(|error| read_error(&error))?)?;
    let file = File::open(path).map_err(|error| read_error(&error))?;
    let metadata = file.metadata().map_err(|error| read_error(&error))?;
    require_regular(&metadata)?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| read_error(&error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(ReadError::TooLarge(LIMIT));
    }
    Ok((bytes, metadata))
}

fn require_regular(metadata: &Metadata) -> Result<(), ReadError> {
    let kind = metadata.file_type();
    let found = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(ReadError::Refused(format!("it is {found}, not a regular file")))
}

/// Returns the sorted names of the stack files of a folder.
pub(super) fn stack_names(folder: &Path) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| read_error(&error))? {
        let entry = entry.map_err(|error| read_error(&error))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_stack = Path::new(&name).extension().is_some_and(|extension| {
            extension.eq_ignore_ascii_case("yaml")
                || extension.eq_ignore_ascii_case("yml")
        });
        // Editors keep their own files beside, under hidden names.
        if is_stack && !name.starts_with('.') && !entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

pub(super) fn read_error(error: &std::io::Error) -> ReadError {
    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
        ReadError::Missing
    } else {
        ReadError::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn write(folder: &tempfile::TempDir, name: &str, mode: u32) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, "services: {}\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_file_is_read_and_remembered_with_what_it_held() {
        let folder = folder();
        let path = write(&folder, "a.yaml", 0o644);
        let files = HostFiles::for_user(true, false);
        assert_eq!(files.read(&path).unwrap(), b"services: {}\n");
        let missing = folder.path().join("missing.env");
        assert!(!files.exists(&missing));
        assert!(files.exists(&path));
        let touched = files.touched();
        assert_eq!(touched.get(&missing), Some(&Fingerprint::Missing));
        assert_eq!(touched.get(&path), Some(&Fingerprint::of(&path)));
        assert!(files.warnings().is_empty());
    }

    #[test]
    fn what_is_not_a_regular_file_is_refused_and_holds_nothing_up() {
        let folder = folder();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let link = folder.path().join("link");
        symlink(&pipe, &link).unwrap();
        let socket = folder.path().join("socket");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let files = HostFiles::for_user(false, false);
        for (path, words) in [
            (pipe.as_path(), "a pipe"),
            (&link, "a pipe"),
            (&socket, "a socket"),
            (Path::new("/dev/zero"), "a device"),
            (folder.path(), "a folder"),
        ] {
            let error = files.read(path).unwrap_err();
            assert!(matches!(&error, ReadError::Refused(why) if why.contains(words)));
        }
    }

    #[test]
    fn a_file_over_the_limit_is_too_large_and_one_at_the_limit_is_not() {
        let folder = folder();
        let files = HostFiles::for_user(false, false);
        let path = folder.path().join("a");
        for (extra, read) in [(0, Ok(())), (1, Err(ReadError::TooLarge(LIMIT)))] {
            File::create(&path).unwrap().set_len(LIMIT + extra).unwrap();
            assert_eq!(files.read(&path).map(|_| ()), read);
        }
    }

    #[test]
    fn a_missing_file_is_missing_also_below_what_is_no_folder() {
        let folder = folder();
        let path = write(&folder, "a", 0o644);
        let files = HostFiles::for_user(false, false);
        for missing in [folder.path().join("b"), path.join("c")] {
            assert_eq!(files.read(&missing), Err(ReadError::Missing));
        }
    }

    #[test]
    fn as_root_a_file_that_everyone_may_write_to_is_refused_unless_allowed() {
        let folder = folder();
        let path = write(&folder, "a.yaml", 0o666);
        let files = HostFiles::for_user(true, false);
        let error = files.read(&path).unwrap_err();
        assert!(matches!(&error, ReadError::Refused(why) if why.contains("chmod o-w")));
        let allowed = HostFiles::for_user(true, true);
        assert!(allowed.read(&path).is_ok());
        assert!(allowed.warnings()[0].contains("everyone may write to"));
        let user = HostFiles::for_user(false, false);
        assert!(user.read(&path).is_ok() && user.warnings().is_empty());
    }

    #[test]
    fn as_root_a_file_that_its_group_may_write_to_is_warned_of() {
        let folder = folder();
        let path = write(&folder, "a.yaml", 0o664);
        let files = HostFiles::for_user(true, false);
        for _ in 0..2 {
            assert!(files.read(&path).is_ok());
        }
        assert_eq!(files.warnings().len(), 1);
        assert!(files.warnings()[0].contains("its group may write to"));
    }

    #[test]
    fn a_folder_may_stand_in_for_another() {
        let folder = folder();
        let path = write(&folder, "a.yaml", 0o644);
        let elsewhere = PathBuf::from("/nowhere/checkout");
        let stand_in =
            StandIn { folder: elsewhere.clone(), instead: folder.path().to_owned() };
        let files = HostFiles::for_user(false, false).with_stand_in(Some(stand_in));
        let file = elsewhere.join("a.yaml");
        assert!(files.is_folder(&elsewhere) && files.exists(&file));
        assert_eq!(files.stacks(&elsewhere).unwrap(), std::slice::from_ref(&file));
        assert_eq!(files.read(&file).unwrap(), b"services: {}\n");
        assert_eq!(files.read(&path).unwrap(), b"services: {}\n");
        assert!(files.touched().contains_key(&file));
        assert!(!files.exists(Path::new("/nowhere/a.yaml")));
    }

    #[test]
    fn a_folder_lists_its_stacks_by_name_and_nothing_of_editors() {
        let folder = folder();
        for name in ["b.yml", "a.yaml", ".a.yaml.swp", ".hidden.yaml", "a.yaml~", "x.env"]
        {
            write(&folder, name, 0o644);
        }
        fs::create_dir(folder.path().join("d.yaml")).unwrap();
        let files = HostFiles::for_user(false, false);
        let stacks = files.stacks(folder.path()).unwrap();
        assert_eq!(stacks, [folder.path().join("a.yaml"), folder.path().join("b.yml")]);
        let touched = files.touched().remove(folder.path());
        assert_eq!(touched, Some(Fingerprint::of(folder.path())));
        assert_eq!(files.stacks(&folder.path().join("no")), Err(ReadError::Missing));
    }
}
