//! What keeps the cache bounded, whatever is pushed and however often a fetch is cut off.
//!
//! Every fetch cuts history anew behind the commits that it brought, so what lies before is
//! garbage by the next one. It is taken away when there is more than
//! [`Limits::cache_files`](super::Limits) files or
//! [`Limits::cache_bytes`](super::Limits) bytes, and where history itself is that large it
//! is cut behind the commits that are needed. What remains is what one commit needs, and
//! counts as the bound from then on where it is more.

use std::fs;
use std::io;
use std::path::Path;

use super::cache::{Cache, Fault, KNOWN, TIP};
use super::error::GitError;

/// How much there is in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    files: usize,
    bytes: u64,
}

impl Cache {
    /// Keeps the cache small; to be called after each commit that was dealt with.
    ///
    /// # Errors
    /// The disk is full. A cache that is spoilt is thrown away.
    pub async fn tidy(&self) -> Result<(), GitError> {
        let mut kept = self.kept.lock().await;
        if !self.is_there() {
            return Ok(());
        }
        match self.tidy_once(*kept).await {
            Ok(bytes) => *kept = bytes,
            Err(fault @ Fault::Spoilt { .. }) => self.lose(&fault)?,
            Err(Fault::Error(error)) => return Err(error),
        }
        Ok(())
    }

    /// Returns how much the last tidying had to keep.
    async fn tidy_once(&self, kept: u64) -> Result<u64, Fault> {
        if self.is_small(kept)? {
            return Ok(kept);
        }
        self.collect_garbage().await?;
        if !self.is_small(0)? {
            self.cut().await?;
            self.collect_garbage().await?;
        }
        Ok(self.size()?.bytes)
    }

    /// Tells whether there is less than twice what is needed, or than is worth a thought.
    fn is_small(&self, kept: u64) -> Result<bool, GitError> {
        let limits = self.program.limits();
        let Size { files, bytes } = self.size()?;
        Ok(files <= limits.cache_files && bytes <= limits.cache_bytes.max(2 * kept))
    }

    async fn collect_garbage(&self) -> Result<(), Fault> {
        // A lock file of a killed one counts for nothing: nobody else works here.
        self.local("tidying", &["gc", "--quiet", "--force", "--prune=now"]).await?;
        Ok(())
    }

    /// Cuts history behind the commits that are needed.
    async fn cut(&self) -> Result<(), Fault> {
        let format =
            "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)";
        let commits =
            self.local("tidying", &["for-each-ref", format, TIP, KNOWN]).await?;
        let path = self.folder.join("shallow");
        let failed = |error: io::Error| GitError::of_disk("writing", &path, &error);
        let new = self.folder.join("shallow.new");
        fs::write(&new, commits).map_err(failed)?;
        fs::rename(&new, &path).map_err(failed)?;
        Ok(())
    }

    /// Takes away what killed calls have left: locks, and halves of packs.
    pub(super) fn clear_remains(&self) {
        each_file(&self.folder, &mut |path, _| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_lock = path.extension().is_some_and(|it| it == "lock");
            if is_lock || name.starts_with("tmp_") {
                tracing::debug!(path = %path.display(), "a remainder is removed");
                fs::remove_file(path)?;
            }
            Ok(())
        })
        .unwrap_or_else(|error| tracing::warn!(%error, "remainders in the cache stay"));
    }

    fn size(&self) -> Result<Size, GitError> {
        let mut size = Size::default();
        each_file(&self.folder, &mut |_, metadata| {
            size.files += 1;
            size.bytes += metadata.len();
            Ok(())
        })
        .map_err(|error| GitError::of_disk("looking at", &self.folder, &error))?;
        Ok(size)
    }
}

/// Calls a function for each file below a folder.
fn each_file(
    folder: &Path,
    with: &mut impl FnMut(&Path, &fs::Metadata) -> io::Result<()>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            each_file(&entry.path(), with)?;
        } else {
            with(&entry.path(), &metadata)?;
        }
    }
    Ok(())
}
