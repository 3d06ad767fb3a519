//! The files that a load may read, lent by the caller.

use std::path::Path;

/// Reads files for the loader, which itself knows no file system.
pub trait Files {
    /// Returns the bytes of a file.
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError>;

    /// Tells whether a file or folder is there, without reading it.
    fn exists(&self, path: &Path) -> bool;
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

/// Files in memory, by path.
impl Files for std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        self.get(path).cloned().ok_or(ReadError::Missing)
    }

    fn exists(&self, path: &Path) -> bool {
        self.contains_key(path)
    }
}
