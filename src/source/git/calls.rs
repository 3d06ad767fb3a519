//! The two kinds of calls, and what it means when they fail: those that ask the server, and
//! those that work on what is there.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::access::{AccessError, Credentials};
use super::cache::Cache;
use super::complaint::{self, Meaning};
use super::error::{GitError, ProgramError};
use super::process::{Bounds, Ended, ProcessError, run};
use super::program::Call;
use super::tree::Refusal;

/// Why something did not work out.
#[derive(Debug)]
pub(super) enum Fault {
    /// The cache may be at fault, and is worth a new one.
    Spoilt { doing: String, reason: String },
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
            Fault::Spoilt { doing, reason } => Self::Other { doing, reason },
            Fault::Error(error) => error,
        }
    }
}

impl Cache {
    /// Asks the server.
    pub(super) async fn ask(
        &self,
        repository: &Path,
        arguments: &[&str],
        time: Duration,
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
            Meaning::Missing(program, package) => {
                ProgramError::Missing { program: program.to_owned(), package }.into()
            }
            Meaning::DiskFull => GitError::DiskFull { folder: self.folder.clone() },
            Meaning::TooLarge => {
                refused(Refusal::TooMuch { most: self.program.limits().most_fetched })
            }
            Meaning::BadObject => refused(Refusal::Object(reason)),
            Meaning::Unknown => {
                return Fault::Spoilt { doing: format!("fetching {remote}"), reason };
            }
        })
    }

    /// Works on what is in the cache; where that fails the cache is spoilt.
    pub(super) async fn local(
        &self,
        doing: &str,
        arguments: &[&str],
    ) -> Result<Vec<u8>, Fault> {
        let ended = self.call(arguments).await?;
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
            | Meaning::Missing(..)
            | Meaning::TooLarge
            | Meaning::BadObject
            | Meaning::Unknown => Err(Fault::Spoilt { doing: doing.to_owned(), reason }),
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

impl ProgramError {
    fn into_fault(self) -> Fault {
        Fault::Error(self.into())
    }
}
