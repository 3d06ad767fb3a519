//! Encrypted files: decrypted by the programs `age` and `sops`, in memory only.
//!
//! A program gets what is encrypted on its standard input and says the rest on its standard
//! output; of its environment it has nothing but where the key is. What it complains of is
//! not repeated, since it may quote what it was given: the reason is told in words of ours.

mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use self::program::{Program, ProgramError, run};
use super::secret_file::{SecretFile, SecretFileError};
use crate::compose::encrypted::{Encryption, SopsFormat};
use crate::state::secret::Secret;

/// How many texts are kept; when there are more, all of them are forgotten.
const MOST_KEPT: usize = 128;

/// How long a program may take for one file.
const PATIENCE: Duration = Duration::from_secs(10);

/// How files that `age` encrypts begin: as they are, and as text.
const BEGINNINGS: [&[u8]; 2] =
    [b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----"];

/// What was decrypted already, by what it was decrypted from: a load that finds the same
/// files runs no program.
static KNOWN: Mutex<BTreeMap<[u8; 32], Secret>> = Mutex::new(BTreeMap::new());

/// Why a file cannot be decrypted. It holds nothing of what is in the file.
#[derive(Debug, thiserror::Error)]
pub enum DecryptError {
    /// Nobody said where the key is.
    #[error(
        "it is encrypted: name the file that holds the key to it by --age-key-file (or \
         RECONCILER_AGE_KEY_FILE)"
    )]
    NoKey,
    /// The file of the key cannot be read, or others can read it.
    #[error("it is encrypted, and {0}")]
    Key(#[from] SecretFileError),
    /// The file of the key holds none.
    #[error(
        "it is encrypted, and {0} holds no age identity: `age-keygen -o FILE` makes one"
    )]
    NoIdentity(PathBuf),
    /// The name says that it is encrypted, and it is not.
    #[error(
        "its name says that {0} encrypted it, and it is not: encrypt it, or rename it"
    )]
    Plain(&'static str),
    /// It was encrypted for somebody else.
    #[error("it is encrypted for other keys than those in {0}")]
    OtherKey(PathBuf),
    /// It was changed, or is not whole.
    #[error("it is damaged or not whole, says {0}")]
    Damaged(&'static str),
    /// The program that decrypts cannot do its work.
    #[error("it is encrypted, and {0}")]
    Program(#[from] ProgramError),
    /// It holds no text.
    #[error("what is encrypted in it is no UTF-8 text, and nothing else is supported")]
    NoText,
}

/// Decrypts what a file holds, with the key that another file holds.
///
/// # Errors
/// There is no key or none that fits, the program is missing or takes too long, or the file
/// is not what its name says.
pub fn decrypt(
    key: Option<&Path>,
    bytes: &[u8],
    how: Encryption,
) -> Result<Secret, DecryptError> {
    let key = key.ok_or(DecryptError::NoKey)?;
    let identity = SecretFile::new(key, 1).read()?;
    if how == Encryption::Age && !BEGINNINGS.iter().any(|it| bytes.starts_with(it)) {
        return Err(DecryptError::Plain("age"));
    }
    let known_as = known_as(bytes, &identity, how);
    if let Some(known) = known().get(&known_as) {
        return Ok(known.clone());
    }
    let program = program(key, how);
    let ended = run(&program, bytes, PATIENCE)?;
    let Some(plain) = ended.output else {
        return Err(reason(&ended.complaint, program.name, key));
    };
    let plain = String::from_utf8(plain).map_err(|_| DecryptError::NoText)?;
    let plain = Secret::new(plain);
    let mut kept = known();
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
    kept.insert(known_as, plain.clone());
    Ok(plain)
}

fn known() -> std::sync::MutexGuard<'static, BTreeMap<[u8; 32], Secret>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns what a plaintext is known as: the digest of all that it depends on.
fn known_as(bytes: &[u8], identity: &Secret, how: Encryption) -> [u8; 32] {
    let mut hash = Sha256::new();
    let identity = identity.expose().as_bytes();
    for part in [format!("{how:?}").as_bytes(), identity, bytes] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn program(key: &Path, how: Encryption) -> Program {
    // Both programs take a path that begins with `-` for an option.
    let key = fs::canonicalize(key).unwrap_or_else(|_| key.to_owned());
    match how {
        Encryption::Age => Program {
            name: "age",
            arguments: vec!["--decrypt".into(), "--identity".into(), key.into()],
            environment: Vec::new(),
        },
        Encryption::Sops(format) => {
            let kind = match format {
                SopsFormat::Dotenv => "dotenv",
                SopsFormat::Yaml => "yaml",
                SopsFormat::Json => "json",
                SopsFormat::Ini => "ini",
                SopsFormat::Binary => "binary",
            };
            let arguments = ["--decrypt", "--input-type", kind, "--output-type", kind];
            let arguments = arguments.into_iter().chain(["/dev/stdin"]);
            Program {
                name: "sops",
                arguments: arguments.map(Into::into).collect(),
                environment: vec![("SOPS_AGE_KEY_FILE", key.into())],
            }
        }
    }
}

/// Tells by what a program complains of what is wrong.
fn reason(complaint: &str, program: &'static str, key: &Path) -> DecryptError {
    let says = |words: &[&str]| words.iter().any(|words| complaint.contains(words));
    if says(&["no identity matched", "identity did not match", "no identity found"]) {
        DecryptError::OtherKey(key.to_owned())
    } else if says(&[
        "unknown identity type",
        "malformed secret key",
        "no secret keys found",
    ]) || says(&["failed to parse", "error reading"]) && says(&["identit"])
    {
        DecryptError::NoIdentity(key.to_owned())
    } else if says(&["sops metadata not found"]) {
        DecryptError::Plain("sops")
    } else {
        DecryptError::Damaged(program)
    }
}

#[cfg(test)]
mod tests;
