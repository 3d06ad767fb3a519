//! The files that a load may read, lent by the caller.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::encrypted::Encryption;
use crate::state::content::Place;
use crate::state::secret::Secret;

/// Reads files for the loader, which itself knows no file system.
pub trait Files {
    /// Returns the bytes of a file.
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError>;

    /// Returns what an encrypted file says, of which these bytes were read.
    fn decrypt(&self, _bytes: &[u8], _how: Encryption) -> Result<Secret, ReadError> {
        Err(ReadError::Failed("it is encrypted, and nothing here decrypts it".to_owned()))
    }

    /// Tells whether a file or folder is there, without reading it.
    fn exists(&self, path: &Path) -> bool;

    /// Tells what stands at a path and which file or folder it is, without watching it;
    /// nothing when there is nothing.
    fn kind(&self, _path: &Path) -> Option<(Kind, Place)> {
        None
    }

    /// Returns the bytes of a regular file whose content counts, and which file it is. Who
    /// may write to it does not matter, and it is no source of the stack.
    fn content(&self, _path: &Path) -> Result<(Vec<u8>, Place), ReadError> {
        Err(ReadError::Missing)
    }

    /// Returns the sorted names in a folder, without watching it. What editors leave beside
    /// a file is left out.
    fn names(&self, _path: &Path) -> Result<Vec<String>, ReadError> {
        Err(ReadError::Missing)
    }

    /// Watches a folder in which these names were found: another one is a change of it.
    fn watch_names(&self, _path: &Path, _names: &[String]) {}
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, at the end of any links.
    File,
    /// A folder.
    Folder,
    /// A link to a folder.
    FolderLink,
    /// Something else: a pipe, a socket, a device.
    Other,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// It is not there.
    Missing,
    /// It is larger than this many bytes.
    TooLarge(u64),
    /// Its permissions let others write to it, or something like that: the reason.
    Refused(String),
    /// The system's reason.
    Failed(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is not there"),
            Self::TooLarge(limit) => write!(f, "it is larger than {limit} bytes"),
            Self::Refused(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

/// Files in memory are on no device.
const NOWHERE: Place = Place { device: 0, inode: 0 };

/// Files in memory, by path. A path is a folder when others lie below it.
impl Files for BTreeMap<PathBuf, Vec<u8>> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        self.get(path).cloned().ok_or(ReadError::Missing)
    }

    fn exists(&self, path: &Path) -> bool {
        self.contains_key(path)
    }

    fn kind(&self, path: &Path) -> Option<(Kind, Place)> {
        let is_above = |other: &PathBuf| other != path && other.starts_with(path);
        if self.contains_key(path) {
            Some((Kind::File, NOWHERE))
        } else {
            self.keys().any(is_above).then_some((Kind::Folder, NOWHERE))
        }
    }

    fn content(&self, path: &Path) -> Result<(Vec<u8>, Place), ReadError> {
        Ok((self.read(path)?, NOWHERE))
    }

    fn names(&self, path: &Path) -> Result<Vec<String>, ReadError> {
        let below = self.keys().filter_map(|other| other.strip_prefix(path).ok());
        let names = below.filter_map(|below| below.components().next());
        let mut names: Vec<String> =
            names.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect();
        names.dedup();
        Ok(names)
    }
}

/// What a load read, by path: the bytes, or nothing where there was nothing.
///
/// Files of variables may hold secrets, so that it prints as the paths alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ReadFiles(pub BTreeMap<PathBuf, Option<Vec<u8>>>);

impl fmt::Debug for ReadFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Files that are read on behalf of one load, and kept as they were read: encrypted ones
/// as they are.
///
/// What is only looked for, and what only counts by its bytes, is not kept.
pub struct Recording<'a> {
    files: &'a dyn Files,
    read: RefCell<ReadFiles>,
}

impl<'a> Recording<'a> {
    /// Begins with nothing read.
    pub fn new(files: &'a dyn Files) -> Self {
        Self { files, read: RefCell::default() }
    }

    /// Returns what was read.
    pub fn finish(self) -> ReadFiles {
        self.read.into_inner()
    }
}

impl Files for Recording<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        let read = self.files.read(path);
        let kept = match &read {
            Ok(bytes) => Some(bytes.clone()),
            Err(ReadError::Missing) => None,
            Err(
                ReadError::TooLarge(_) | ReadError::Refused(_) | ReadError::Failed(_),
            ) => {
                return read;
            }
        };
        self.read.borrow_mut().0.insert(path.to_owned(), kept);
        read
    }

    fn decrypt(&self, bytes: &[u8], how: Encryption) -> Result<Secret, ReadError> {
        self.files.decrypt(bytes, how)
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.exists(path)
    }

    fn kind(&self, path: &Path) -> Option<(Kind, Place)> {
        self.files.kind(path)
    }

    fn content(&self, path: &Path) -> Result<(Vec<u8>, Place), ReadError> {
        self.files.content(path)
    }

    fn names(&self, path: &Path) -> Result<Vec<String>, ReadError> {
        self.files.names(path)
    }

    fn watch_names(&self, path: &Path, names: &[String]) {
        self.files.watch_names(path, names);
    }
}

/// The files of an earlier load, and for what that did not read the files of today.
pub struct Earlier<'a> {
    /// What the earlier load read.
    pub read: &'a ReadFiles,
    /// The files of today.
    pub today: &'a dyn Files,
}

impl Files for Earlier<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        match self.read.0.get(path) {
            Some(Some(bytes)) => Ok(bytes.clone()),
            Some(None) => Err(ReadError::Missing),
            None => self.today.read(path),
        }
    }

    fn decrypt(&self, bytes: &[u8], how: Encryption) -> Result<Secret, ReadError> {
        self.today.decrypt(bytes, how)
    }

    fn exists(&self, path: &Path) -> bool {
        match self.read.0.get(path) {
            Some(there) => there.is_some(),
            None => self.today.exists(path),
        }
    }

    fn kind(&self, path: &Path) -> Option<(Kind, Place)> {
        self.today.kind(path)
    }

    fn content(&self, path: &Path) -> Result<(Vec<u8>, Place), ReadError> {
        self.today.content(path)
    }

    fn names(&self, path: &Path) -> Result<Vec<String>, ReadError> {
        self.today.names(path)
    }

    fn watch_names(&self, path: &Path, names: &[String]) {
        self.today.watch_names(path, names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> BTreeMap<PathBuf, Vec<u8>> {
        let file = |(path, text): &(&str, &str)| (path.into(), text.as_bytes().to_vec());
        texts.iter().map(file).collect()
    }

    #[test]
    fn an_earlier_load_finds_what_it_found_and_else_the_files_of_today() {
        let then = files(&[("/a.yaml", "then"), ("/secret", "then")]);
        let recording = Recording::new(&then);
        assert!(recording.read(Path::new("/a.yaml")).is_ok());
        assert!(recording.read(Path::new("/.env")).is_err());
        assert!(recording.exists(Path::new("/secret")));
        let read = recording.finish();
        assert_eq!(format!("{read:?}"), r#"{"/.env", "/a.yaml"}"#);

        let today = files(&[("/a.yaml", "bad"), ("/.env", "bad"), ("/secret", "today")]);
        let earlier = Earlier { read: &read, today: &today };
        assert_eq!(earlier.read(Path::new("/a.yaml")).unwrap(), b"then");
        assert_eq!(earlier.read(Path::new("/.env")), Err(ReadError::Missing));
        assert!(!earlier.exists(Path::new("/.env")));
        assert_eq!(earlier.read(Path::new("/secret")).unwrap(), b"today");
        assert!(!earlier.exists(Path::new("/other")));
    }
}
