//! A shallow copy of a repository, which may be lost at any time.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tokio::sync::{Mutex, OnceCell};

use super::access::{Access, AccessError, Credentials};
use super::complaint::{self, Meaning};
use super::descent;
use super::error::GitError;
use super::process::{Bounds, Ended, ProcessError, run};
use super::program::{Call, Program};
use super::reference::Reference;
use super::tree::Refusal;
use super::url::GitUrl;
use crate::state::commit::{Commit, CommitId};
use crate::state::time::EngineTime;

/// What is followed, and who we are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Where.
    pub url: GitUrl,
    /// Which commit.
    pub reference: Reference,
    /// Who we are.
    pub access: Access,
}

/// A repository that holds what was fetched last; one process works with it at a time.
#[derive(Debug)]
pub struct Cache {
    pub(super) folder: PathBuf,
    pub(super) remote: Remote,
    pub(super) program: Program,
    /// What it had to keep when it was tidied last, in bytes; held while it is worked with.
    pub(super) kept: Mutex<u64>,
    checked: OnceCell<()>,
}

/// The tip, as it was fetched.
pub(super) const TIP: &str = "refs/reconciler/tip";
/// The commit that is in force: the next one is to descend from it.
pub(super) const KNOWN: &str = "refs/reconciler/known";

/// How many characters of a subject or an author are kept.
const LONGEST_LINE: usize = 200;

/// Why something did not work out.
#[derive(Debug)]
pub(super) enum Fault {
    /// The cache may be at fault, and is worth a new one.
    Spoilt { doing: &'static str, reason: String },
    /// It is not.
    Error(GitError),
}

impl From<GitError> for Fault {
    fn from(error: GitError) -> Self {
        Self::Error(error)
    }
}

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        Self::Error(error.into())
    }
}

impl From<Fault> for GitError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Spoilt { doing, reason } => {
                Self::Other { doing: doing.to_owned(), reason }
            }
            Fault::Error(error) => error,
        }
    }
}

impl Cache {
    /// Uses a folder for a copy of a repository; it is made when it is first needed.
    pub fn new(folder: PathBuf, remote: Remote, program: Program) -> Self {
        Self { folder, remote, program, kept: Mutex::default(), checked: OnceCell::new() }
    }

    /// Returns what is followed.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Asks the server for the tip of the branch, or for what the tag names.
    ///
    /// # Errors
    /// The server cannot be asked, or has no such branch or tag.
    pub async fn tip(&self) -> Result<CommitId, GitError> {
        self.check().await?;
        let full = self.remote.reference.full();
        // The commit that an annotated tag names.
        let peeled = format!("{full}^{{}}");
        let url = self.remote.url.as_str();
        let arguments = ["ls-remote", "--quiet", "--", url, &full, &peeled];
        let time = self.program.limits().tip;
        let output = self.ask(Path::new("/dev/null"), &arguments, time).await?;
        let output = String::from_utf8_lossy(&output);
        let find = |name: &str| {
            output
                .lines()
                .find_map(|line| line.split_once('\t').filter(|it| it.1 == name))
        };
        let Some((id, _)) = find(&peeled).or_else(|| find(&full)) else {
            return Err(GitError::NoReference { remote: self.name() });
        };
        CommitId::parse(id).map_err(|error| GitError::Other {
            doing: format!("asking for {}", self.name()),
            reason: error.to_string(),
        })
    }

    /// Fetches the tip, and enough of what was before it to compare it with the commit that
    /// is known. The tip may have moved since it was asked for.
    ///
    /// A cache that is spoilt is made anew, once.
    ///
    /// # Errors
    /// The server cannot be reached or has no such branch or tag, the commit is refused by
    /// `git`, or the disk is full.
    pub async fn fetch(&self, known: Option<&CommitId>) -> Result<Commit, GitError> {
        let _kept = self.kept.lock().await;
        self.check().await?;
        match self.fetch_once(known).await {
            Err(fault @ Fault::Spoilt { .. }) if self.is_there() => {
                self.lose(&fault)?;
                Ok(self.fetch_once(known).await?)
            }
            other => Ok(other?),
        }
    }

    async fn fetch_once(&self, known: Option<&CommitId>) -> Result<Commit, Fault> {
        if !self.is_there() {
            let tip = self.tip().await?;
            self.make(&tip).await?;
        }
        let mut depth = 1;
        if let Some(known) = known {
            depth = descent::FIRST_DEPTH;
            // So that it is kept. Where the cache has lost it there is nothing to keep.
            self.call(&["update-ref", KNOWN, known.as_str()]).await?;
        }
        self.bring(&self.remote.reference.full(), depth).await?;
        self.read(TIP).await
    }

    /// Fetches something to a depth, as the tip.
    pub(super) async fn bring(&self, what: &str, depth: u32) -> Result<(), Fault> {
        self.clear_remains();
        let (depth, what) = (format!("--depth={depth}"), format!("+{what}:{TIP}"));
        let arguments = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            &depth,
            "--",
            self.remote.url.as_str(),
            &what,
        ];
        let time = self.program.limits().fetch;
        let brought = self.ask(&self.folder, &arguments, time).await;
        if brought.is_err() {
            self.clear_remains();
        }
        brought.map(drop)
    }

    /// Brings back a commit that the cache has lost.
    pub(super) async fn mend(
        &self,
        fault: Fault,
        commit: &CommitId,
    ) -> Result<(), GitError> {
        if let Fault::Error(error) = fault {
            return Err(error);
        }
        if self.is_there() {
            self.lose(&fault)?;
        }
        self.make(commit).await?;
        Ok(self.bring(commit.as_str(), 1).await?)
    }

    /// Throws everything away that was fetched.
    pub(super) fn lose(&self, fault: &Fault) -> Result<(), GitError> {
        tracing::warn!(folder = %self.folder.display(), ?fault,
            "the cache of the repository is spoilt; it is made anew");
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(GitError::of_disk("removing", &self.folder, &error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Makes an empty repository with names of the length that the server's have.
    async fn make(&self, like: &CommitId) -> Result<(), Fault> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|error| GitError::of_disk("making", &self.folder, &error))?;
        let format = if like.as_str().len() == 40 { "sha1" } else { "sha256" };
        let format = format!("--object-format={format}");
        let arguments = ["init", "--bare", "--quiet", "--template=", &format];
        self.local("making the cache", &arguments).await.map(drop)
    }

    pub(super) fn is_there(&self) -> bool {
        self.folder.join("HEAD").exists()
    }

    /// Tells whether the cache has a commit.
    pub(super) async fn has(&self, commit: &CommitId) -> Result<bool, Fault> {
        let name = format!("{}^{{commit}}", commit.as_str());
        let ended = self.call(&["cat-file", "-e", &name]).await?;
        Ok(ended.status.success())
    }

    /// Reads what people want to know of a commit.
    async fn read(&self, name: &str) -> Result<Commit, Fault> {
        let doing = "reading a commit";
        let format = "--format=%H%x00%an <%ae>%x00%ct%x00%s";
        let name = format!("{name}^{{commit}}");
        let arguments = [
            "log",
            "-1",
            "--no-patch",
            "--encoding=UTF-8",
            format,
            "--end-of-options",
            &name,
        ];
        let output = self.local(doing, &arguments).await?;
        let output = String::from_utf8_lossy(&output);
        parse_commit(output.trim_end_matches('\n')).ok_or_else(|| Fault::Spoilt {
            doing,
            reason: "git does not say what it is".to_owned(),
        })
    }

    /// Makes sure that there is a program, until there is one.
    pub(super) async fn check(&self) -> Result<(), GitError> {
        self.checked.get_or_try_init(|| self.program.check()).await?;
        Ok(())
    }

    /// What is followed, for people.
    pub(super) fn name(&self) -> String {
        format!("{} of {}", self.remote.reference, self.remote.url)
    }
}

/// The two kinds of calls.
impl Cache {
    /// Asks the server.
    async fn ask(
        &self,
        repository: &Path,
        arguments: &[&str],
        time: std::time::Duration,
    ) -> Result<Vec<u8>, Fault> {
        let credentials = self.remote.access.credentials(&self.remote.url)?;
        let call = Call {
            repository,
            arguments: arguments.iter().map(|it| OsStr::new(*it)).collect(),
            remote: Some((self.remote.url.scheme(), &credentials)),
            settings: Vec::new(),
        };
        let bounds = Bounds { time, ..self.program.local() };
        let ended = match run(self.program.prepare(&call), Vec::new(), bounds).await {
            Ok(ended) => ended,
            Err(ProcessError::Late(time)) => {
                return Err(GitError::late(self.name(), time).into());
            }
            Err(error) => return Err(self.program.unable(&error).into_fault()),
        };
        if ended.status.success() {
            Ok(ended.output)
        } else {
            Err(self.fault(&ended, &credentials))
        }
    }

    /// Tells why a server did not give what it was asked for.
    fn fault(&self, ended: &Ended, credentials: &Credentials) -> Fault {
        let reason = complaint::line(&ended.complaints, credentials.token.as_ref());
        let remote = self.name();
        let refused = |reason| GitError::Refused { commit: self.name(), reason };
        Fault::Error(match complaint::meaning(&ended.complaints) {
            Meaning::Denied(advice) => GitError::Denied { remote, reason, advice },
            Meaning::Unreachable => GitError::Unreachable { remote, reason },
            Meaning::NoReference => GitError::NoReference { remote },
            Meaning::DiskFull => GitError::DiskFull { folder: self.folder.clone() },
            Meaning::TooLarge => {
                refused(Refusal::TooMuch { most: self.program.limits().most_fetched })
            }
            Meaning::BadObject => refused(Refusal::Object(reason)),
            Meaning::Unknown => return Fault::Spoilt { doing: "fetching", reason },
        })
    }

    /// Works on what is in the cache; where that fails the cache is spoilt.
    pub(super) async fn local(
        &self,
        doing: &'static str,
        arguments: &[&str],
    ) -> Result<Vec<u8>, Fault> {
        let ended = self.call(arguments).await?;
        self.output(doing, ended)
    }

    pub(super) fn output(
        &self,
        doing: &'static str,
        ended: Ended,
    ) -> Result<Vec<u8>, Fault> {
        if ended.status.success() {
            return Ok(ended.output);
        }
        let reason = complaint::line(&ended.complaints, None);
        match complaint::meaning(&ended.complaints) {
            Meaning::DiskFull => {
                Err(GitError::DiskFull { folder: self.folder.clone() }.into())
            }
            Meaning::Denied(_)
            | Meaning::Unreachable
            | Meaning::NoReference
            | Meaning::TooLarge
            | Meaning::BadObject
            | Meaning::Unknown => Err(Fault::Spoilt { doing, reason }),
        }
    }

    /// Runs git on the cache, whatever it says.
    pub(super) async fn call(&self, arguments: &[&str]) -> Result<Ended, Fault> {
        let command = self.program.prepare(&self.local_call(arguments));
        let ended = run(command, Vec::new(), self.program.local()).await;
        ended.map_err(|error| self.program.unable(&error).into_fault())
    }

    pub(super) fn local_call<'c>(&'c self, arguments: &[&'c str]) -> Call<'c> {
        Call {
            repository: &self.folder,
            arguments: arguments.iter().map(|it| OsStr::new(*it)).collect(),
            remote: None,
            settings: Vec::new(),
        }
    }
}

impl super::error::ProgramError {
    fn into_fault(self) -> Fault {
        Fault::Error(self.into())
    }
}

/// Reads what `git log` printed of a commit.
fn parse_commit(text: &str) -> Option<Commit> {
    let mut fields = text.splitn(4, '\0');
    let (id, author, seconds, subject) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let seconds = seconds.parse().ok()?;
    let short = |text: &str| text.chars().take(LONGEST_LINE).collect();
    Some(Commit {
        id: CommitId::parse(id).ok()?,
        author: short(author),
        subject: short(subject),
        // A date that no calendar has is that of somebody who plays with it.
        committed: EngineTime::from_second(seconds).unwrap_or(EngineTime::UNIX_EPOCH),
    })
}
