//! What a path held when it was looked at, in a form that can be kept and compared.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::content::all_names;
use super::file::{read_regular, stack_names};
use crate::compose::files::ReadError;

/// Paths, and what each of them held.
pub type Touched = BTreeMap<PathBuf, Fingerprint>;

/// What a path held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fingerprint {
    /// There was nothing.
    Missing,
    /// There was something; what it held is of no interest.
    Present,
    /// A file with these bytes.
    File {
        /// The digest of the bytes.
        digest: [u8; 32],
        /// Who besides the owner may write to it: a load may refuse it for that.
        writable: u32,
    },
    /// A folder with stack files of these names.
    Folder {
        /// The digest of the names.
        digest: [u8; 32],
    },
    /// It could not be read, for this reason.
    Unreadable(String),
    /// A folder whose names count, whatever they are.
    Names {
        /// The digest of the names.
        digest: [u8; 32],
    },
}

impl Fingerprint {
    /// Looks at what a path holds.
    pub fn of(path: &Path) -> Self {
        if path.is_dir() {
            return match stack_names(path) {
                Ok(names) => Self::of_names(&names),
                Err(error) => Self::of_error(&error),
            };
        }
        match read_regular(path) {
            Ok((bytes, metadata)) => Self::of_bytes(&bytes, &metadata),
            Err(error) => Self::of_error(&error),
        }
    }

    /// Looks again, as closely as the first time.
    #[must_use]
    pub fn again(&self, path: &Path) -> Self {
        match self {
            Self::Present => Self::of_presence(path),
            Self::Names { .. } => match all_names(path) {
                Ok(names) => Self::of_all_names(&names),
                Err(error) => Self::of_error(&error),
            },
            // What appears may be half written, so it is looked at closely.
            Self::Missing
            | Self::File { .. }
            | Self::Folder { .. }
            | Self::Unreadable(_) => Self::of(path),
        }
    }

    /// Looks only whether there is something.
    pub(super) fn of_presence(path: &Path) -> Self {
        // A path that may not be looked at is there for all we know.
        if fs::exists(path).unwrap_or(true) { Self::Present } else { Self::Missing }
    }

    pub(super) fn of_bytes(bytes: &[u8], metadata: &Metadata) -> Self {
        Self::File {
            digest: Sha256::digest(bytes).into(),
            writable: metadata.mode() & 0o022,
        }
    }

    pub(super) fn of_names(names: &[String]) -> Self {
        // No name has a slash.
        Self::Folder { digest: Sha256::digest(names.join("/")).into() }
    }

    pub(super) fn of_all_names(names: &[String]) -> Self {
        Self::Names { digest: Sha256::digest(names.join("/")).into() }
    }

    pub(super) fn of_error(error: &ReadError) -> Self {
        match error {
            ReadError::Missing => Self::Missing,
            ReadError::TooLarge(_) => Self::Unreadable("too large".to_owned()),
            ReadError::Refused(why) | ReadError::Failed(why) => {
                Self::Unreadable(why.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_bytes_and_who_may_write_them_matter_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let mode = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(0o600);
        let first = Fingerprint::of(&path);
        mode(0o644);
        assert_eq!(first.again(&path), first);
        mode(0o666);
        assert_ne!(first.again(&path), first);
        mode(0o600);
        fs::write(&path, "two").unwrap();
        assert_ne!(first.again(&path), first);
        fs::write(&path, "one").unwrap();
        assert_eq!(first.again(&path), first);
        fs::remove_file(&path).unwrap();
        assert_eq!(first.again(&path), Fingerprint::Missing);
    }

    #[test]
    fn of_a_folder_only_the_names_of_its_stacks_matter() {
        let folder = tempfile::tempdir().unwrap();
        let stack = folder.path().join("a.yaml");
        fs::write(&stack, "one").unwrap();
        let first = Fingerprint::of(folder.path());
        fs::write(&stack, "two").unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        assert_eq!(first.again(folder.path()), first);
        fs::write(folder.path().join("b.yaml"), "").unwrap();
        assert_ne!(first.again(folder.path()), first);
    }

    #[test]
    fn where_presence_was_asked_for_the_content_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        fs::write(&path, "one").unwrap();
        let first = Fingerprint::of_presence(&path);
        fs::write(&path, "two").unwrap();
        assert_eq!(first.again(&path), first);
        fs::remove_file(&path).unwrap();
        assert_eq!(first.again(&path), Fingerprint::Missing);
    }
}
