//! A secret that lies in a file of its own.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::state::secret::Secret;

/// How long a secret may be, in bytes: a file of keys holds several.
const MOST: u64 = 65536;

/// Who may not come near a secret: the group, and everyone.
const OTHERS: u32 = 0o077;

/// Where a secret is. It is read anew whenever it is needed, so that a change of the file
/// counts at once, and the secret stays in no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
    /// How many bytes it must have.
    least: usize,
}

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be read.
    #[error("the secret file {path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// It is a folder, a pipe, or the like.
    #[error("the secret file {path} is not a regular file")]
    Irregular {
        /// The file.
        path: PathBuf,
    },
    /// Others may read or write it.
    #[error(
        "the secret file {path} is open to others (mode {mode:04o}): `chmod 600 {path}`"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Who may do what with it.
        mode: u32,
    },
    /// It is too short to be one, or too long.
    #[error("the secret in {path} has {length} bytes; it needs {least} to {MOST}")]
    Length {
        /// The file.
        path: PathBuf,
        /// How long it is, without the end of its line.
        length: usize,
        /// How long it has to be.
        least: usize,
    },
    /// It is no text.
    #[error("the secret in {path} is not UTF-8 text")]
    NoText {
        /// The file.
        path: PathBuf,
    },
}

impl SecretFile {
    /// Names a file whose secret has so many bytes at least.
    pub fn new(path: impl Into<PathBuf>, least: usize) -> Self {
        Self { path: path.into(), least }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the secret, without the end of its line.
    ///
    /// # Errors
    /// It cannot be read, others may read it, or it is no secret of this length.
    pub fn read(&self) -> Result<Secret, SecretFileError> {
        let path = || self.path.clone();
        let bytes = self.bytes()?;
        let mut text = String::from_utf8(bytes)
            .map_err(|_| SecretFileError::NoText { path: path() })?;
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        let (length, least) = (text.len(), self.least);
        if length < least || length as u64 > MOST {
            return Err(SecretFileError::Length { path: path(), length, least });
        }
        Ok(Secret::new(text))
    }

    fn bytes(&self) -> Result<Vec<u8>, SecretFileError> {
        let unreadable =
            |error| SecretFileError::Unreadable { path: self.path.clone(), error };
        // Opening a pipe would wait for its other end; the second look is for a file that
        // was put in the place of the first.
        self.check(&fs::metadata(&self.path).map_err(unreadable)?)?;
        let file = File::open(&self.path).map_err(unreadable)?;
        self.check(&file.metadata().map_err(unreadable)?)?;
        let mut bytes = Vec::new();
        // One byte more than allowed and the end of a line tell that it is too long.
        file.take(MOST + 3).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    fn check(&self, metadata: &Metadata) -> Result<(), SecretFileError> {
        let (path, mode) = (self.path.clone(), metadata.mode() & 0o7777);
        if !metadata.is_file() {
            Err(SecretFileError::Irregular { path })
        } else if mode & OTHERS != 0 {
            Err(SecretFileError::Open { path, mode })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(bytes: &[u8], mode: u32) -> (tempfile::TempDir, SecretFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, SecretFile::new(path, 16))
    }

    /// Returns why a file of this content and mode is refused, without its folder.
    fn refusal(bytes: &[u8], mode: u32) -> String {
        let (folder, secret) = file(bytes, mode);
        let text = secret.read().unwrap_err().to_string();
        text.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn the_end_of_the_line_is_no_part_of_a_secret() {
        for end in ["", "\n", "\r\n"] {
            let (_folder, secret) =
                file(format!("sixteen bytes...{end}").as_bytes(), 0o600);
            assert_eq!(secret.read().unwrap().expose(), "sixteen bytes...");
        }
    }

    #[test]
    fn a_change_of_the_file_counts_at_once() {
        let (_folder, secret) = file(b"the first secret", 0o400);
        assert_eq!(secret.read().unwrap().expose(), "the first secret");
        fs::remove_file(secret.path()).unwrap();
        assert!(matches!(secret.read(), Err(SecretFileError::Unreadable { .. })));
        fs::write(secret.path(), "the second secret").unwrap();
        fs::set_permissions(secret.path(), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(secret.read().unwrap().expose(), "the second secret");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_never_shown() {
        insta::assert_snapshot!(refusal(b"0123456789abcdef", 0o640), @"the secret file secret is open to others (mode 0640): `chmod 600 secret`");
        insta::assert_snapshot!(refusal(b"fifteen bytes..\n\n", 0o600), @"the secret in secret has 15 bytes; it needs 16 to 65536");
        insta::assert_snapshot!(refusal("x".repeat(70_000).as_bytes(), 0o600), @"the secret in secret has 65539 bytes; it needs 16 to 65536");
        insta::assert_snapshot!(refusal(&[0xff; 32], 0o600), @"the secret in secret is not UTF-8 text");
        let folder = tempfile::tempdir().unwrap();
        let secret = SecretFile::new(folder.path(), 16);
        assert!(matches!(secret.read(), Err(SecretFileError::Irregular { .. })));
    }
}
