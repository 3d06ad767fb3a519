//! The key by which secrets enter digests.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::disk::write_atomically;
use crate::state::digest::DigestKey;

const LENGTH: usize = 32;

/// Returns the key of a state directory, and makes it when there is none.
pub(super) fn stored(folder: &Path) -> io::Result<DigestKey> {
    let path = folder.join("key");
    match std::fs::read(&path).map(<[u8; LENGTH]>::try_from) {
        Ok(Ok(bytes)) => return Ok(DigestKey::new(bytes)),
        Ok(Err(_)) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut bytes = [0; LENGTH];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    write_atomically(&path, &bytes)?;
    Ok(DigestKey::new(bytes))
}

/// Returns a key that only this host has, for when none can be stored.
pub(super) fn of_this_host() -> DigestKey {
    let id = std::fs::read("/etc/machine-id").unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(b"reconciler");
    hash.update(id);
    DigestKey::new(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let first = stored(&state).unwrap();
        assert_eq!(stored(&state).unwrap(), first);
        let mode =
            |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state.join("key")), 0o600);
        assert_eq!(mode(&state), 0o700);
    }

    #[test]
    fn a_spoilt_key_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), b"short").unwrap();
        let first = stored(folder.path()).unwrap();
        assert_eq!(stored(folder.path()).unwrap(), first);
    }
}
