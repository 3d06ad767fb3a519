//! Follows a repository: asks for its newest commit, and readies that for being taken up.
//!
//! Whether the files of a commit are valid, whoever loads them decides, and tells; until then
//! nothing else is asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};

use crate::planning::doubt::{Doubt, DoubtReason};
use crate::planning::retry::{Backoff, ERROR};
use crate::source::git::{Cache, Descent, GitError, SignatureError, Signer};
use crate::state::commit::Commit;

/// How many intervals a failure is waited for at most.
const LONGEST_WAIT: u32 = 5;

/// What is followed, and which commits are trusted.
#[derive(Debug)]
pub struct Following {
    /// The cache of the repository.
    pub cache: Cache,
    /// Who may sign, if a signature is needed.
    pub allowed_signers: Option<PathBuf>,
    /// Commits that do not descend from the one in force are taken too.
    pub allow_rewind: bool,
    /// Where the files of a commit are put for a look.
    pub staged: PathBuf,
    /// The commit in force.
    pub in_force: Option<Commit>,
    /// Its files are where they are to be.
    pub is_complete: bool,
}

/// What is known of the newest commit.
#[derive(Debug)]
pub enum Newest {
    /// It is in force.
    InForce,
    /// It is ready to be looked at.
    Ready(Ready),
    /// It is not to be taken up, or cannot be had.
    Doubted(Doubt),
}

/// A commit whose files are staged.
#[derive(Debug)]
pub struct Ready {
    /// The commit.
    pub commit: Commit,
    /// Who signed it, where that was asked for.
    pub signer: Option<Signer>,
    /// What was left out of its files, and why.
    pub warnings: Vec<String>,
}

/// What a person allows for once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Once {
    /// A commit that does not descend from the one in force.
    pub rewind: bool,
    /// The removal of stacks whose files are gone.
    pub prune: bool,
}

/// What the task is asked for.
#[derive(Debug)]
pub enum Ask {
    /// To ask the repository now.
    Now {
        /// What is allowed this time.
        once: Once,
        /// Takes what came of it.
        done: oneshot::Sender<Taken>,
    },
    /// To ready the commit in force again: its files are not what they were.
    Restore,
}

/// News for whoever loads the files.
#[derive(Debug)]
pub struct News {
    /// What is known of the newest commit.
    pub newest: Newest,
    /// What is allowed this time.
    pub once: Once,
    /// Takes what came of it.
    pub taken: oneshot::Sender<Taken>,
}

/// What came of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The commit that is in force now.
    pub in_force: Option<Commit>,
    /// Its files are where they are to be.
    pub is_complete: bool,
    /// Why that may not be the newest.
    pub doubt: Option<Doubt>,
}

/// Follows a repository for ever: asks at every interval, at every push that is told, and when
/// a person asks. `ask` is what it begins with.
pub async fn follow(
    mut following: Following,
    interval: Duration,
    pushes: Arc<Notify>,
    mut asks: mpsc::Receiver<Ask>,
    news: mpsc::Sender<News>,
    mut ask: Option<Ask>,
) {
    let backoff = Backoff { cap: ERROR.cap.min(interval * LONGEST_WAIT), ..ERROR };
    let mut failures = 0;
    loop {
        let (newest, once, done) = match ask {
            None => (following.newest(false).await, Once::default(), None),
            Some(Ask::Now { once, done }) => {
                (following.newest(once.rewind).await, once, Some(done))
            }
            Some(Ask::Restore) => (following.restored().await, Once::default(), None),
        };
        let is_away = is_away(&newest);
        let (taken, told) = oneshot::channel();
        if news.send(News { newest, once, taken }).await.is_err() {
            return;
        }
        let Ok(taken) = told.await else { return };
        following.took(&taken).await;
        if let Some(done) = done {
            // Whoever asked may have gone away.
            drop(done.send(taken));
        }
        failures = if is_away { failures + 1 } else { 0 };
        let wait = match failures {
            0 => interval,
            failures => backoff.jittered(failures, "git"),
        };
        ask = tokio::select! {
            () = tokio::time::sleep(wait) => None,
            () = pushes.notified() => None,
            asked = asks.recv() => match asked {
                Some(asked) => Some(asked),
                None => return,
            },
        };
    }
}

fn is_away(newest: &Newest) -> bool {
    match newest {
        Newest::Doubted(doubt) => doubt.reason == DoubtReason::Unavailable,
        Newest::InForce | Newest::Ready(_) => false,
    }
}

impl Following {
    /// Finds out what is newest, and readies it unless it is in force.
    pub async fn newest(&mut self, allow_rewind: bool) -> Newest {
        match self.pulled(allow_rewind).await {
            Ok(Some(ready)) => Newest::Ready(ready),
            Ok(None) => Newest::InForce,
            Err(doubt) => Newest::Doubted(doubt),
        }
    }

    async fn pulled(&mut self, allow_rewind: bool) -> Result<Option<Ready>, Doubt> {
        let tip = self.cache.tip().await.map_err(|error| doubt(&error))?;
        let known = self.in_force.as_ref().map(|it| &it.id);
        if let Some(in_force) = self.in_force.clone().filter(|it| it.id == tip) {
            let is_there = self.is_complete;
            let again = async { self.readied(in_force, None).await.map(Some) };
            return if is_there { Ok(None) } else { again.await };
        }
        let commit = self.cache.fetch(known).await.map_err(|error| doubt(&error))?;
        let signer = self.verified(&commit).await?;
        if let Some(in_force) = &self.in_force {
            let descent = self.cache.descent(&commit.id, &in_force.id).await;
            let is_allowed = allow_rewind || self.allow_rewind;
            judge(
                descent.map_err(|error| doubt(&error))?,
                &commit,
                in_force,
                is_allowed,
            )?;
        }
        self.readied(commit, signer).await.map(Some)
    }

    /// Readies the commit in force again.
    pub async fn restored(&mut self) -> Newest {
        let Some(commit) = self.in_force.clone() else {
            return self.newest(false).await;
        };
        match self.readied(commit.clone(), None).await {
            Ok(ready) => Newest::Ready(ready),
            // The cache is spoilt, and begun anew by what is fetched.
            Err(_) => match self.cache.fetch(None).await.map_err(|error| doubt(&error)) {
                Ok(_) => match self.readied(commit, None).await {
                    Ok(ready) => Newest::Ready(ready),
                    Err(doubt) => Newest::Doubted(doubt),
                },
                Err(doubt) => Newest::Doubted(doubt),
            },
        }
    }

    async fn readied(
        &self,
        commit: Commit,
        signer: Option<Signer>,
    ) -> Result<Ready, Doubt> {
        let staged = self.cache.stage(&commit.id, &self.staged).await;
        let warnings = staged.map_err(|error| {
            let Doubt { reason, message } = doubt(&error);
            Doubt::new(reason, format!("{}: {message}", said(&commit)))
        })?;
        Ok(Ready { commit, signer, warnings })
    }

    async fn verified(&self, commit: &Commit) -> Result<Option<Signer>, Doubt> {
        let Some(signers) = &self.allowed_signers else { return Ok(None) };
        let verified = self.cache.verify(&commit.id, signers).await;
        verified.map(Some).map_err(|error| match error {
            SignatureError::Git(error) => doubt(&error),
            SignatureError::Unsigned(_)
            | SignatureError::OtherKind(_)
            | SignatureError::NotAllowed { .. }
            | SignatureError::Bad { .. }
            | SignatureError::Signers { .. } => {
                let message = format!("{} is not taken up: {error}", said(commit));
                Doubt::new(DoubtReason::Untrusted, message)
            }
        })
    }

    /// Takes note of what came of the news, and keeps the cache small.
    async fn took(&mut self, taken: &Taken) {
        self.is_complete = taken.is_complete;
        if self.in_force == taken.in_force {
            return;
        }
        self.in_force.clone_from(&taken.in_force);
        if let Err(error) = self.cache.tidy().await {
            tracing::warn!(%error, "the cache of the repository is not tidied");
        }
    }
}

/// Refuses a commit that would take back what is in force, unless that is allowed.
fn judge(
    descent: Descent,
    commit: &Commit,
    in_force: &Commit,
    is_allowed: bool,
) -> Result<(), Doubt> {
    let why = match descent {
        Descent::Same | Descent::Descends => return Ok(()),
        Descent::Rewound | Descent::Unknown if is_allowed => return Ok(()),
        Descent::Rewound => "does not descend from",
        Descent::Unknown => "is not known to descend from",
    };
    let message = format!(
        "{} {why} {}, which is in force: history was rewritten, or this is an older commit; \
         push a commit on top of {}, or `reconciler sync --allow-rewind` takes it up",
        said(commit),
        in_force.id,
        in_force.id
    );
    Err(Doubt::new(DoubtReason::Rewound, message))
}

/// Names a commit to people.
pub fn said(commit: &Commit) -> String {
    format!("commit {} ({}) by {}", commit.id, commit.subject, commit.author)
}

fn doubt(error: &GitError) -> Doubt {
    let reason = match error {
        GitError::Refused { .. } => DoubtReason::Unusable,
        GitError::Unreachable { .. }
        | GitError::Denied { .. }
        | GitError::NoReference { .. }
        | GitError::DiskFull { .. }
        | GitError::Program(_)
        | GitError::Access(_)
        | GitError::Other { .. } => DoubtReason::Unavailable,
    };
    Doubt::new(reason, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_back_a_commit_needs_to_be_allowed() {
        let (newer, older) = (Commit::of_digit('b'), Commit::of_digit('a'));
        for descent in [Descent::Same, Descent::Descends] {
            assert_eq!(judge(descent, &newer, &older, false), Ok(()));
        }
        for descent in [Descent::Rewound, Descent::Unknown] {
            let doubt = judge(descent, &newer, &older, false).unwrap_err();
            assert_eq!(doubt.reason, DoubtReason::Rewound);
            assert!(doubt.message.contains("--allow-rewind"), "{doubt:?}");
            assert_eq!(judge(descent, &newer, &older, true), Ok(()));
        }
    }
}
