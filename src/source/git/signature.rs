//! Who signed a commit, by ssh.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::cache::{Cache, Fault};
use super::complaint;
use super::error::{GitError, ProgramError};
use super::process::{Ended, run};
use crate::state::commit::CommitId;

/// Who signed a commit, and may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The name that the file of allowed signers has for the key.
    pub principal: String,
    /// The fingerprint of the key.
    pub key: String,
}

/// Why a commit is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// It has no signature.
    #[error(
        "commit {0} is not signed; sign it (`git commit -S`, with gpg.format=ssh and a key that is listed)"
    )]
    Unsigned(CommitId),
    /// It has one that is not by ssh.
    #[error(
        "the signature of commit {0} is not by ssh; sign it anew (`git commit --amend -S`, with gpg.format=ssh)"
    )]
    OtherKind(CommitId),
    /// It was made with a key that is not listed, or not for that time.
    #[error(
        "commit {commit} is signed with the key {key}, which is not listed for its time in {}; sign it with one that is, or list this one", signers.display()
    )]
    NotAllowed {
        /// Which commit.
        commit: CommitId,
        /// The fingerprint of the key.
        key: String,
        /// The file of allowed signers.
        signers: PathBuf,
    },
    /// The signature is not of this commit, or spoilt.
    #[error("the signature of commit {commit} does not fit: {reason}; do not trust it")]
    Bad {
        /// Which commit.
        commit: CommitId,
        /// What was seen.
        reason: String,
    },
    /// The file of allowed signers cannot be used.
    #[error("the file of allowed signers {} {reason}", path.display())]
    Signers {
        /// Where it is.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The commit cannot be looked at.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What each of git's letters for the outcome comes with.
const DETAILS: &str = "--format=%G?%x00%GS%x00%GF";

impl Cache {
    /// Makes sure that a commit is signed, by ssh, with a key that is listed for the time of
    /// the commit.
    ///
    /// # Errors
    /// It is not, or nobody can tell.
    pub async fn verify(
        &self,
        commit: &CommitId,
        allowed_signers: &Path,
    ) -> Result<Signer, SignatureError> {
        let signers = signers(allowed_signers)?;
        let _kept = self.kept.lock().await;
        self.check().await?;
        let kind = match self.signature(commit).await {
            Err(fault @ Fault::Spoilt { .. }) => {
                self.mend(fault, commit).await?;
                self.signature(commit).await.map_err(GitError::from)?
            }
            other => other.map_err(GitError::from)?,
        };
        match kind {
            Kind::None => return Err(SignatureError::Unsigned(commit.clone())),
            Kind::Other => return Err(SignatureError::OtherKind(commit.clone())),
            Kind::Ssh => {}
        }
        // Its exit status is what counts, and the details are for people.
        let id = commit.as_str();
        let verified =
            self.with_signers(&signers, &["verify-commit", "--raw", id]).await?;
        let arguments = ["log", "-1", "--no-patch", DETAILS, "--end-of-options", id];
        let details = self.with_signers(&signers, &arguments).await?;
        judge(commit, allowed_signers, &verified, &details)
    }

    async fn signature(&self, commit: &CommitId) -> Result<Kind, Fault> {
        let arguments = ["cat-file", "commit", commit.as_str()];
        Ok(kind(&self.local("reading a commit", &arguments).await?))
    }

    async fn with_signers(
        &self,
        signers: &Path,
        arguments: &[&str],
    ) -> Result<Ended, GitError> {
        let mut call = self.local_call(arguments);
        call.settings.push(("gpg.ssh.allowedSignersFile", signers.as_os_str()));
        let ended =
            run(self.program.prepare(&call), Vec::new(), self.program.local()).await;
        Ok(ended.map_err(|error| self.program.unable(&error))?)
    }
}

enum Kind {
    None,
    Ssh,
    Other,
}

/// Looks at the header of a commit, which ends at the first empty line.
fn kind(commit: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(commit);
    let signature = text
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix("gpgsig"));
    match signature {
        None => Kind::None,
        Some(begin) if begin.ends_with(" -----BEGIN SSH SIGNATURE-----") => Kind::Ssh,
        Some(_) => Kind::Other,
    }
}

fn judge(
    commit: &CommitId,
    signers: &Path,
    verified: &Ended,
    details: &Ended,
) -> Result<Signer, SignatureError> {
    if details.complaints.contains("cannot run ssh-keygen") {
        let missing = ProgramError::Missing("ssh-keygen".to_owned());
        return Err(GitError::from(missing).into());
    }
    let text = String::from_utf8_lossy(&details.output);
    let mut fields = text.trim_end_matches('\n').split('\0').map(str::to_owned);
    let mut next = || fields.next().unwrap_or_default();
    let (letter, principal, key) = (next(), next(), next());
    match letter.as_str() {
        "G" if verified.status.success() && !principal.is_empty() => {
            Ok(Signer { principal, key })
        }
        "U" if !key.is_empty() => Err(SignatureError::NotAllowed {
            commit: commit.clone(),
            key,
            signers: signers.to_owned(),
        }),
        _ => Err(SignatureError::Bad {
            commit: commit.clone(),
            reason: complaint::all(&verified.complaints),
        }),
    }
}

/// Makes sure that nobody else can list a key.
fn signers(path: &Path) -> Result<PathBuf, SignatureError> {
    let wrong =
        |reason: String| SignatureError::Signers { path: path.to_owned(), reason };
    let cannot = |error| wrong(format!("cannot be read: {error}"));
    let metadata = fs::metadata(path).map_err(cannot)?;
    fs::File::open(path).map_err(cannot)?;
    if !metadata.is_file() {
        return Err(wrong("is not a file".to_owned()));
    }
    if metadata.permissions().mode() & 0o002 != 0 {
        return Err(wrong("can be changed by everybody; `chmod o-w` it".to_owned()));
    }
    std::path::absolute(path).map_err(cannot)
}
