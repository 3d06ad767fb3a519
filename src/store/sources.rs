//! The sources of the last good load of a stack: its files and those of variables, as they
//! were read, so that an operator that is started while they are bad has something to keep.
//!
//! They are not interpolated, and never leave the state directory. Each file is kept under
//! the digest of its bytes; an index, which is replaced at once, says which belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Store;
use super::disk::{is_absence, write_atomically};
use crate::compose::files::{Earlier, Files, ReadFiles};
use crate::compose::load::{Request, load};
use crate::state::desired::Desired;
use crate::state::digest::hexadecimal;

/// The version of the index.
const VERSION: u32 = 1;

const INDEX: &str = "index.json";

/// Which bytes each path held; nothing where there was nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    version: u32,
    files: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) digest: Option<String>,
}

/// Why there are no sources to use.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourcesError {
    #[error("{path} cannot be read: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("the index does not have the form of one: {0}")]
    Form(#[from] serde_json::Error),
    #[error("the index is of version {0}, and not {VERSION}")]
    Version(u32),
    #[error("{0} does not hold what it held")]
    Changed(PathBuf),
}

impl Store {
    /// Keeps what the load of a stack read that is good. Nothing is written when that is kept
    /// already; a full disk stops nothing.
    pub fn keep_sources(&self, files: &[PathBuf], read: &ReadFiles) {
        let folder = self.sources_folder(files).filter(|_| !self.only_reads);
        let Some(folder) = folder else { return };
        let index = Index::new(read);
        let mut known = self.known();
        if known.sources.get(&folder) == Some(&index) {
            return;
        }
        let attempt = write(&folder, read, &index);
        if known.complaints.note(&folder, &attempt) {
            known.sources.insert(folder, index);
        }
    }

    /// Loads the last good state of a stack from what was kept of its files, as today's
    /// command line asks for it; what the earlier load did not read comes from `today`.
    /// Nothing when nothing was kept, or when it is not good any more.
    pub fn last_good(&self, request: &Request, today: &dyn Files) -> Option<Desired> {
        let folder = self.sources_folder(&request.files)?;
        match read(&folder) {
            Ok(read) => load(request, &Earlier { read: &read?, today }).desired,
            Err(error) => {
                tracing::warn!(path = %folder.display(), %error,
                    "the last good files are lost; their folder is set aside");
                self.known().sources.remove(&folder);
                if !self.only_reads {
                    set_aside(&folder);
                }
                None
            }
        }
    }

    /// Forgets the last good state of a stack: a person took it down.
    pub fn forget_sources(&self, files: &[PathBuf]) {
        let Some(folder) = self.sources_folder(files) else { return };
        self.known().sources.remove(&folder);
        if let Err(error) = remove(&folder) {
            tracing::warn!(path = %folder.display(), %error, "the last good files stay");
        }
    }

    fn sources_folder(&self, files: &[PathBuf]) -> Option<PathBuf> {
        Some(folder_of(&self.folder.as_ref()?.join("sources"), files))
    }
}

/// Returns the folder for the stack of these files, below that of all stacks.
pub(super) fn folder_of(all: &Path, files: &[PathBuf]) -> PathBuf {
    let mut hash = Sha256::new();
    for file in files {
        // No path holds a zero byte.
        hash.update(file.as_os_str().as_bytes());
        hash.update([0]);
    }
    let name = hexadecimal(&hash.finalize());
    all.join(name.get(..32).unwrap_or(&name))
}

impl Index {
    /// Says which bytes each path held.
    fn new(read: &ReadFiles) -> Self {
        Self { version: VERSION, files: entries(read) }
    }
}

/// Says which bytes each path held.
pub(super) fn entries(read: &ReadFiles) -> Vec<Entry> {
    let entry = |(path, bytes): (&PathBuf, &Option<Vec<u8>>)| Entry {
        path: path.clone(),
        digest: bytes.as_deref().map(digest),
    };
    read.0.iter().map(entry).collect()
}

pub(super) fn digest(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Keeps what a load read: first the bytes that are new, then the index at once; what it no
/// longer names goes.
fn write(folder: &Path, read: &ReadFiles, index: &Index) -> io::Result<()> {
    let mut wanted = BTreeSet::from([OsString::from(INDEX)]);
    for bytes in read.0.values().flatten() {
        let name = digest(bytes);
        let path = folder.join(&name);
        if std::fs::read(&path).ok().as_ref() != Some(bytes) {
            write_atomically(&path, bytes)?;
        }
        wanted.insert(name.into());
    }
    write_atomically(&folder.join(INDEX), &serde_json::to_vec_pretty(index)?)?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !wanted.contains(&entry.file_name()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Reads what was kept; nothing when nothing was.
fn read(folder: &Path) -> Result<Option<ReadFiles>, SourcesError> {
    let path = folder.join(INDEX);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(SourcesError::Read { path, error }),
    };
    let index: Index = serde_json::from_slice(&bytes)?;
    if index.version != VERSION {
        return Err(SourcesError::Version(index.version));
    }
    let mut files = BTreeMap::new();
    for Entry { path, digest } in index.files {
        let bytes = digest.map(|digest| kept(folder, &digest)).transpose()?;
        files.insert(path, bytes);
    }
    Ok(Some(ReadFiles(files)))
}

pub(super) fn kept(folder: &Path, name: &str) -> Result<Vec<u8>, SourcesError> {
    // A name is a digest, and leads nowhere else.
    let path = folder.join(Path::new(name).file_name().unwrap_or_default());
    match std::fs::read(&path) {
        Ok(bytes) if digest(&bytes) == name => Ok(bytes),
        Ok(_) => Err(SourcesError::Changed(path)),
        Err(error) => Err(SourcesError::Read { path, error }),
    }
}

/// Sets what cannot be used aside, so that it is begun anew; only the newest stays.
fn set_aside(folder: &Path) {
    let aside = folder.with_extension("spoilt");
    let moved = match std::fs::remove_dir_all(&aside) {
        Err(error) if !is_absence(&error) => Err(error),
        Ok(()) | Err(_) => std::fs::rename(folder, aside),
    };
    if let Err(error) = moved {
        tracing::debug!(%error, "the spoilt folder stays");
    }
}

/// Forgets what was kept.
fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if !is_absence(&error) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
