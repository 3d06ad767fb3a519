//! `run` and `sync` with `--git`: a commit is a transaction. All of its stacks are loaded
//! before anything of it acts; a commit that is refused changes nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::session::{Session, chain, said as problems_of};
use crate::cli::arguments::Pull;
use crate::cli::options::Checkout;
use crate::cli::stacks::{LoadedStack, load_all};
use crate::planning::doubt::{Doubt, DoubtReason};
use crate::puller::{Ask, Following, Newest, News, Once, Ready, Taken, follow, said};
use crate::source::git::checkout::{Mark, bring, marks};
use crate::source::git::{Access, Cache, GitUrl, Limits, Program, Reference, Remote};
use crate::state::ids::ProjectName;
use crate::store::commits::{CommitRecord, CommitsError, GitFolder, GitLock};

/// How many who ask may wait.
const ASKS: usize = 16;

/// What a process has that brings the checkout to commits.
pub(super) struct Commits {
    folder: GitFolder,
    pub(super) record: CommitRecord,
    /// What the files were when they were last made what the commit says.
    marks: Option<Marks>,
    _lock: GitLock,
}

type Marks = BTreeMap<PathBuf, Mark>;

/// A repository that is followed.
pub(super) struct Followed {
    pub(super) commits: Commits,
    /// Rings when something was pushed.
    pub(super) pushes: Arc<Notify>,
    /// Takes what is asked for.
    pub(super) asks: mpsc::Sender<Ask>,
    news: mpsc::Receiver<News>,
    task: JoinHandle<()>,
}

/// Why a repository cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CannotFollow {
    /// The command line.
    #[error("{0}")]
    Options(String),
    /// The checkout is not ours.
    #[error(transparent)]
    Checkout(#[from] CommitsError),
}

impl Commits {
    /// Takes the right to the checkout, and reads what an earlier process has left.
    pub(super) fn open(folder: &GitFolder) -> Result<Self, CommitsError> {
        let lock = folder.lock()?;
        let record = folder.record()?;
        Ok(Self { folder: folder.clone(), record, marks: None, _lock: lock })
    }

    /// Returns what follows the repository from here.
    pub(super) fn following(
        &self,
        session: &Session,
        pull: &Pull,
    ) -> Result<Following, CannotFollow> {
        let remote = remote(session, pull)?;
        let cache = Cache::new(self.folder.repository(), remote, program(pull));
        let allowed_signers = match (&pull.verify, &pull.allowed_signers) {
            (Some(crate::cli::arguments::Verify::Ssh), Some(file)) => Some(file.clone()),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let why = "--verify ssh and --allowed-signers FILE need each other";
                return Err(CannotFollow::Options(why.to_owned()));
            }
        };
        Ok(Following {
            cache,
            allowed_signers,
            allow_rewind: pull.allow_rewind,
            staged: self.folder.staged(),
            in_force: self.record.in_force.clone(),
            is_complete: self.record.is_complete,
        })
    }

    /// Takes up what is new, as a whole or not at all.
    pub(super) async fn take(&mut self, session: &Session, newest: Newest) -> Taken {
        let attempt = match newest {
            Newest::InForce => Ok(()),
            Newest::Doubted(doubt) => Err(doubt),
            Newest::Ready(ready) => self.take_up(session, &ready).await,
        };
        self.record.doubt = attempt.err();
        self.keep();
        Taken {
            in_force: self.record.in_force.clone(),
            is_complete: self.record.is_complete,
            doubt: self.record.doubt.clone(),
        }
    }

    async fn take_up(&mut self, session: &Session, ready: &Ready) -> Result<(), Doubt> {
        let commit = &ready.commit;
        let is_new = self.record.in_force.as_ref() != Some(commit);
        if is_new {
            let stacks = self.stacks_of(session, ready)?;
            let mut record = self.record.clone();
            record.put_in_force(commit, stacks);
            // What it is to become is on disk before the files are touched.
            self.folder.keep(&record).map_err(|error| unavailable(&error))?;
            self.record = record;
        }
        let (checkout, staged) = (self.folder.checkout(), self.folder.staged());
        self.marks = None;
        let brought = tokio::task::spawn_blocking(move || {
            let brought = bring(&checkout, &staged)?;
            Ok((brought, marks(&checkout)?))
        });
        let brought = brought.await.map_err(std::io::Error::other).flatten();
        let (brought, marks) = brought.map_err(|error| {
            let message = format!(
                "the files of {} cannot be written to {}: {error}",
                said(commit),
                self.folder.checkout().display()
            );
            Doubt::new(DoubtReason::Unavailable, message)
        })?;
        self.record.is_complete = true;
        self.marks = Some(marks);
        let signer = ready.signer.as_ref().map(|it| it.principal.as_str());
        for warning in &ready.warnings {
            tracing::warn!(commit = %commit.id, "{warning}");
        }
        if is_new {
            tracing::info!(commit = %commit.id, author = commit.author, signer, files = brought.changed(),
                "a commit is in force: {}", commit.subject);
        } else if brought.changed() > 0 {
            tracing::warn!(commit = %commit.id, files = brought.changed(),
                "the checkout was changed by somebody else; it is again as the commit says");
        }
        Ok(())
    }

    /// Tells whether the files are as they were made, as far as that is known.
    pub(super) fn are_as_brought(&self) -> bool {
        let before = self.marks.as_ref();
        before.is_none_or(|before| {
            marks(&self.folder.checkout()).is_ok_and(|now| now == *before)
        })
    }

    /// Loads the stacks of a commit as they will be; nothing is changed by it.
    fn stacks_of(
        &self,
        session: &Session,
        ready: &Ready,
    ) -> Result<BTreeMap<ProjectName, Vec<PathBuf>>, Doubt> {
        let mut options = session.options.clone();
        options.checkout = options
            .checkout
            .map(|checkout| Checkout { staged: Some(self.folder.staged()), ..checkout });
        let loaded = load_all(&options, &session.key);
        let invalid: Vec<String> = loaded
            .stacks
            .iter()
            .filter(|stack| stack.loaded.desired.is_none())
            .map(problems_of)
            .collect();
        if !invalid.is_empty() {
            let message = format!(
                "{} is not taken up: {}",
                said(&ready.commit),
                invalid.join("; ")
            );
            // Within a repository people know files by their paths there.
            let folder = format!("{}/", self.folder.checkout().display());
            return Err(Doubt::invalid(message.replace(&folder, "")));
        }
        let stack = |stack: LoadedStack| {
            Some((stack.loaded.desired?.project.clone(), stack.files))
        };
        Ok(loaded.stacks.into_iter().filter_map(stack).collect())
    }

    /// Forgets a stack that was taken down.
    pub(super) fn forget(&mut self, project: &ProjectName) {
        self.record.gone.remove(project);
        self.keep();
    }

    fn keep(&self) {
        if let Err(error) = self.folder.keep(&self.record) {
            tracing::warn!(%error, "what is known of commits is not kept");
        }
    }
}

impl Followed {
    /// Follows a repository from now on.
    pub(super) fn begin(
        session: &Session,
        folder: &GitFolder,
        pull: &Pull,
        pushes: Arc<Notify>,
    ) -> Result<Self, CannotFollow> {
        let commits = Commits::open(folder)?;
        let following = commits.following(session, pull)?;
        let (asks, asked) = mpsc::channel(ASKS);
        let (sender, news) = mpsc::channel(1);
        // What an earlier process has left half-done is done before anything is loaded.
        let first = commits.record.in_force.as_ref().map(|_| Ask::Restore);
        if first.is_some() {
            pushes.notify_one();
        }
        let (interval, rope) = (pull.interval, pushes.clone());
        let task = tokio::spawn(follow(following, interval, rope, asked, sender, first));
        Ok(Self { commits, pushes, asks, news, task })
    }

    /// Waits for news; for ever when there will be none.
    pub(super) async fn news(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// Takes news; returns what a person allowed with them, or nothing when they are none.
    pub(super) async fn take(&mut self, session: &Session, news: News) -> Option<Once> {
        let before = self.commits.record.clone();
        let is_ready = matches!(news.newest, Newest::Ready(_));
        let taken = self.commits.take(session, news.newest).await;
        // That a commit was taken up is said already.
        let is_said = taken.doubt.is_none() && taken.in_force != before.in_force;
        if taken.doubt != before.doubt && !is_said {
            say(&taken);
        }
        let is_news =
            is_ready || self.commits.record != before || news.once != Once::default();
        // The task has ended when nobody waits for it.
        drop(news.taken.send(taken));
        is_news.then_some(news.once)
    }

    /// Has the files made what the commit in force says: somebody has changed them.
    pub(super) fn restore(&self) {
        // With so many asks before this one, the files are looked at anyway.
        drop(self.asks.try_send(Ask::Restore));
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells the log what is new about the newest commit.
fn say(Taken { in_force, doubt, .. }: &Taken) {
    let in_force = in_force.as_ref().map(|it| it.id.to_string());
    let Some(Doubt { reason, message }) = doubt else {
        tracing::info!(in_force, "the newest commit is in force");
        return;
    };
    let condition =
        if reason.is_certain() { "SpecValid=False" } else { "SpecValid=Unknown" };
    tracing::error!(condition, reason = reason.as_str(), in_force, "{message}");
}

fn unavailable(error: &CommitsError) -> Doubt {
    Doubt::new(DoubtReason::Unavailable, chain(error))
}

fn program(pull: &Pull) -> Program {
    let usual = Limits::default();
    let limits = Limits { tip: pull.timeout, fetch: pull.timeout * 10, ..usual };
    Program::new("git", limits)
}

fn remote(session: &Session, pull: &Pull) -> Result<Remote, CannotFollow> {
    let wrong = |error: &dyn std::error::Error| CannotFollow::Options(chain(error));
    let url = session.options.git.as_deref().unwrap_or_default();
    let url = GitUrl::parse(url).map_err(|error| wrong(&error))?;
    let reference = match &pull.tag {
        Some(tag) => Reference::tag(tag),
        None => Reference::branch(&pull.branch),
    };
    let access = Access {
        token_file: pull.token_file.clone(),
        user: pull.user.clone(),
        ssh_key_file: pull.ssh_key_file.clone(),
        known_hosts_file: pull.known_hosts_file.clone(),
    };
    Ok(Remote { url, reference: reference.map_err(|error| wrong(&error))?, access })
}
