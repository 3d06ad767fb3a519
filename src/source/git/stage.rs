//! The files of a commit, in a folder where they can be looked at.
//!
//! They are written by us, as the commit has them: no filter, no attribute and no hook of
//! the repository or of this host is asked, and no link is followed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::process::ChildStdout;

use super::cache::{Cache, Fault};
use super::error::GitError;
use super::links::Links;
use super::process::{ProcessError, converse};
use super::tree::{self, Entry, Kind, Refusal, shown};
use crate::state::commit::CommitId;

/// How a file begins that stands for another one, which is kept elsewhere.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// Such a file is shorter.
const MOST_OF_A_POINTER: u64 = 1024;

const FILE: u32 = 0o644;
const EXECUTABLE: u32 = 0o755;
const FOLDER: u32 = 0o755;

/// What can happen while files are written.
enum Trouble {
    Process(ProcessError),
    Refused(Refusal),
    Disk(io::Error),
    /// The output of git is not as promised.
    Garbled,
}

impl From<ProcessError> for Trouble {
    fn from(error: ProcessError) -> Self {
        Self::Process(error)
    }
}

impl Cache {
    /// Writes the files of a commit to a folder, which holds nothing else afterwards: with
    /// the modes 0644 and 0755, folders 0755, whatever the umask. Returns what people should
    /// know of: submodules are left out, and files that Git LFS keeps elsewhere stand as
    /// they are.
    ///
    /// # Errors
    /// The commit has too much, or links that lead out of it or nowhere; it is not to be
    /// had; the disk is full. Nothing of it is left in the folder then.
    pub async fn stage(
        &self,
        commit: &CommitId,
        folder: &Path,
    ) -> Result<Vec<String>, GitError> {
        let _kept = self.kept.lock().await;
        self.check().await?;
        match self.stage_once(commit, folder).await {
            Err(fault @ Fault::Spoilt { .. }) => {
                self.mend(fault, commit).await?;
                Ok(self.stage_once(commit, folder).await?)
            }
            other => Ok(other?),
        }
    }

    async fn stage_once(
        &self,
        commit: &CommitId,
        folder: &Path,
    ) -> Result<Vec<String>, Fault> {
        let doing = "listing the files of a commit";
        let arguments = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit.as_str()];
        let listing = self.local(doing, &arguments).await?;
        let reason = "the list cannot be understood".to_owned();
        let entries = tree::parse(&listing).ok_or(Fault::Spoilt { doing, reason })?;
        tree::check(&entries, self.program.limits())
            .map_err(|reason| GitError::refused(commit, reason))?;
        self.write(commit, &entries, folder).await
    }

    async fn write(
        &self,
        commit: &CommitId,
        entries: &[Entry],
        folder: &Path,
    ) -> Result<Vec<String>, Fault> {
        begin(folder)
            .await
            .map_err(|error| GitError::of_disk("writing", folder, &error))?;
        let (modules, wanted): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| entry.kind == Kind::Submodule);
        let mut warnings: Vec<String> = modules
            .iter()
            .map(|entry| format!("the submodule {} is left out", shown(&entry.path)))
            .collect();
        let ids: String = wanted.iter().map(|entry| format!("{}\n", entry.id)).collect();
        let call = self.local_call(&["cat-file", "--batch", "--buffer"]);
        let (command, bounds) = (self.program.prepare(&call), self.program.local());
        let writing = async |stdout| write(&wanted, folder, stdout).await;
        match converse(command, ids.into_bytes(), bounds, writing).await {
            Ok((_, further, _)) => warnings.extend(further),
            Err(trouble) => {
                // Half of a commit is of no use, and may fill the disk.
                fs::remove_dir_all(folder).await.unwrap_or_default();
                return Err(self.trouble(commit, folder, trouble));
            }
        }
        Ok(warnings)
    }

    fn trouble(&self, commit: &CommitId, folder: &Path, trouble: Trouble) -> Fault {
        let doing = "writing the files of a commit";
        match trouble {
            Trouble::Process(error) => GitError::from(self.program.unable(&error)).into(),
            Trouble::Refused(refusal) => GitError::refused(commit, refusal).into(),
            Trouble::Disk(error) => {
                GitError::of_disk("writing to", folder, &error).into()
            }
            Trouble::Garbled => {
                Fault::Spoilt { doing, reason: "an object cannot be read".to_owned() }
            }
        }
    }
}

/// Makes an empty folder.
async fn begin(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::create_dir_all(folder).await?;
    fs::set_permissions(folder, Permissions::from_mode(FOLDER)).await
}

/// Writes what `git cat-file --batch` prints of these entries, in their order.
async fn write(
    entries: &[&Entry],
    folder: &Path,
    stdout: ChildStdout,
) -> Result<Vec<String>, Trouble> {
    let mut from = BufReader::new(stdout);
    let mut to = Staged { folder, made: BTreeSet::new() };
    let mut links = Links::default();
    let mut targets: Vec<(&Path, PathBuf)> = Vec::new();
    let mut warnings = Vec::new();
    for entry in entries {
        let path = entry.path.as_path();
        expect(&mut from, entry).await?;
        let mut bytes = (&mut from).take(entry.bytes);
        match entry.kind {
            Kind::File { is_executable } => {
                if to.file(path, is_executable, &mut bytes).await? {
                    let path = shown(path);
                    warnings.push(format!(
                        "{path} is kept by Git LFS, and only its pointer is here"
                    ));
                }
                links.file(path);
            }
            Kind::Link => {
                let mut target = Vec::new();
                bytes.read_to_end(&mut target).await.map_err(Trouble::Disk)?;
                let target = PathBuf::from(OsString::from_vec(target));
                links.link(path, &target);
                targets.push((path, target));
            }
            Kind::Submodule => {}
        }
        if from.read_u8().await.ok() != Some(b'\n') {
            return Err(Trouble::Garbled);
        }
    }
    links.check().map_err(Trouble::Refused)?;
    to.links(&targets).await?;
    Ok(warnings)
}

/// Reads the line before an object: `ID blob SIZE`.
async fn expect(from: &mut BufReader<ChildStdout>, entry: &Entry) -> Result<(), Trouble> {
    let mut line = Vec::new();
    let most = entry.id.len() as u64 + 32;
    let read = from.take(most).read_until(b'\n', &mut line).await;
    let expected = format!("{} blob {}\n", entry.id, entry.bytes);
    match read {
        Ok(_) if line == expected.as_bytes() => Ok(()),
        Ok(_) | Err(_) => Err(Trouble::Garbled),
    }
}

/// The folder that is written to.
struct Staged<'s> {
    folder: &'s Path,
    /// The folders in it.
    made: BTreeSet<PathBuf>,
}

impl Staged<'_> {
    /// Writes a file; tells whether it only stands for another one.
    async fn file(
        &mut self,
        path: &Path,
        is_executable: bool,
        bytes: &mut Take<&mut BufReader<ChildStdout>>,
    ) -> Result<bool, Trouble> {
        self.parents(path).await?;
        let full = self.folder.join(path);
        let created =
            fs::OpenOptions::new().write(true).create_new(true).open(&full).await;
        let mut file = created.map_err(|error| trouble(path, error))?;
        let size = bytes.limit();
        let start = bytes.fill_buf().await.map_err(Trouble::Disk)?;
        let is_pointer = size < MOST_OF_A_POINTER && start.starts_with(LFS);
        let written = tokio::io::copy(bytes, &mut file).await.map_err(Trouble::Disk)?;
        if written != size {
            return Err(Trouble::Garbled);
        }
        file.flush().await.map_err(Trouble::Disk)?;
        let mode = if is_executable { EXECUTABLE } else { FILE };
        file.set_permissions(Permissions::from_mode(mode))
            .await
            .map_err(Trouble::Disk)?;
        Ok(is_pointer)
    }

    async fn parents(&mut self, path: &Path) -> Result<(), Trouble> {
        let mut missing: Vec<&Path> = path
            .ancestors()
            .skip(1)
            .filter(|folder| !folder.as_os_str().is_empty())
            .take_while(|folder| !self.made.contains(*folder))
            .collect();
        while let Some(path) = missing.pop() {
            let full = self.folder.join(path);
            fs::create_dir(&full).await.map_err(|error| trouble(path, error))?;
            let mode = Permissions::from_mode(FOLDER);
            fs::set_permissions(&full, mode).await.map_err(Trouble::Disk)?;
            self.made.insert(path.to_owned());
        }
        Ok(())
    }

    /// Makes the links, and asks the file system where they lead: it may see names as equal
    /// that are not.
    async fn links(&mut self, targets: &[(&Path, PathBuf)]) -> Result<(), Trouble> {
        for (path, target) in targets {
            self.parents(path).await?;
            let made = fs::symlink(target, self.folder.join(path)).await;
            made.map_err(|error| trouble(path, error))?;
        }
        let root = fs::canonicalize(self.folder).await.map_err(Trouble::Disk)?;
        for (path, target) in targets {
            let (link, target) = ((*path).to_owned(), target.clone());
            match fs::canonicalize(self.folder.join(path)).await {
                Ok(end) if end.starts_with(&root) => {}
                Ok(_) => return Err(Trouble::Refused(Refusal::Escape { link, target })),
                Err(_) => {
                    return Err(Trouble::Refused(Refusal::Nowhere { link, target }));
                }
            }
        }
        Ok(())
    }
}

/// Tells whether a name cannot be written because of itself.
fn trouble(path: &Path, error: io::Error) -> Trouble {
    let is_its_own = matches!(
        error.kind(),
        ErrorKind::AlreadyExists
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput
            | ErrorKind::NotADirectory
    );
    if !is_its_own {
        return Trouble::Disk(error);
    }
    let (path, reason) = (path.to_owned(), error.to_string());
    Trouble::Refused(Refusal::Unwritable { path, reason })
}
