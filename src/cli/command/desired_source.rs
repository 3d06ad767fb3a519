//! Where `run` has desired state from: files of this host, or a repository that it follows.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::following::{CannotFollow, Followed};
use super::listening::Shared;
use super::session::{Session, chain};
use super::sync;
use crate::board::Board;
use crate::cli::arguments::Run;
use crate::cli::exit::Exit;
use crate::cli::stacks::LoadedStacks;
use crate::clock::host_time;
use crate::planning::doubt::Doubt;
use crate::puller::News;
use crate::state::ids::ProjectName;
use crate::store::commits::{CommitsError, GoneStack};

/// How long the files of the commit in force are waited for at the start.
const PATIENCE: Duration = Duration::from_secs(10);

/// The source of desired state of a `run`.
pub(super) enum Source {
    /// Files, watched where they are.
    Files,
    /// A repository.
    Git(Box<Git>),
}

/// A repository that is followed, and those who ask for it to be.
pub(super) struct Git {
    followed: Followed,
    _asked: sync::Asked,
    board: Board,
    /// The removal of stacks that are gone is allowed this time.
    prune_once: bool,
}

/// Why there is no source.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Refusal(#[from] CannotFollow);

impl Refusal {
    /// Says why.
    pub(super) fn told(&self, session: &Session) -> Result<Exit> {
        session.output.notice(&format!("error: {}\n", chain(self)))?;
        Ok(match &self.0 {
            CannotFollow::Options(_) => Exit::Invalid,
            CannotFollow::Checkout(CommitsError::Held(_)) => Exit::Refused,
            CannotFollow::Checkout(CommitsError::File { .. }) => Exit::NotAsWanted,
        })
    }
}

impl Source {
    /// Finds out which source it is; a repository is followed from now on.
    pub(super) async fn begin(
        session: &Session,
        options: &Run,
        shared: &Shared,
    ) -> Result<Self, Refusal> {
        let Some(folder) = &session.git else {
            return Ok(Self::Files);
        };
        let pushes = shared.pushes.clone();
        let mut followed = match Followed::begin(session, folder, &options.pull, pushes) {
            Ok(followed) => followed,
            Err(CannotFollow::Checkout(error)) if options.dry_run => {
                tracing::info!(reason = %chain(&error), "the checkout is watched as it is");
                return Ok(Self::Files);
            }
            Err(error) => return Err(error.into()),
        };
        let asked = sync::Asked::listen(session, folder, followed.asks.clone());
        // A commit that is in force already needs no network, but for a cache that is lost.
        if followed.commits.record.in_force.is_some()
            && let Ok(news) = tokio::time::timeout(PATIENCE, followed.news()).await
        {
            followed.take(session, news).await;
            let doubt = &followed.commits.record.doubt;
            shared.board.synced(doubt.is_none(), host_time());
        }
        let board = shared.board.clone();
        let git = Git { followed, _asked: asked, board, prune_once: false };
        Ok(Self::Git(Box::new(git)))
    }

    /// Loads what is wanted: no stack while no commit is in force as a whole. Nothing when
    /// somebody has edited the files of the commit: news follow when they are as it says.
    pub(super) fn load(&self, session: &Session) -> Option<LoadedStacks> {
        let Self::Git(git) = self else { return Some(session.load_wanted()) };
        let record = &git.followed.commits.record;
        if record.in_force.is_none() || !record.is_complete {
            return Some(LoadedStacks::default());
        }
        if !git.followed.commits.are_as_brought() {
            git.followed.restore();
            return None;
        }
        let mut loaded = session.load_wanted();
        for stack in &mut loaded.stacks {
            stack.commit.clone_from(&record.in_force);
            stack.doubt.clone_from(&record.doubt);
        }
        Some(loaded)
    }

    /// Waits for news of the repository.
    pub(super) async fn news(&mut self) -> News {
        match self {
            Self::Files => std::future::pending().await,
            Self::Git(git) => git.followed.news().await,
        }
    }

    /// Takes news; tells whether they are a reason to load again.
    pub(super) async fn take(&mut self, session: &Session, news: News) -> bool {
        let Self::Git(git) = self else { return false };
        let once = git.followed.take(session, news).await;
        let is_current = git.followed.commits.record.doubt.is_none();
        git.board.synced(is_current, host_time());
        git.prune_once = once.is_some_and(|once| once.prune);
        once.is_some()
    }

    /// Has the repository asked now.
    pub(super) fn ask(&self) {
        if let Self::Git(git) = self {
            git.followed.pushes.notify_one();
        }
    }

    /// Tells whether files that somebody changed are made again what the commit says; news of
    /// that follow.
    pub(super) fn restores(&self) -> bool {
        match self {
            Self::Files => false,
            Self::Git(git) => {
                git.followed.restore();
                true
            }
        }
    }

    /// Returns the stacks that no commit asks for any more.
    pub(super) fn gone(&self) -> &BTreeMap<ProjectName, GoneStack> {
        static NONE: BTreeMap<ProjectName, GoneStack> = BTreeMap::new();
        match self {
            Self::Files => &NONE,
            Self::Git(git) => &git.followed.commits.record.gone,
        }
    }

    /// Returns why the commit in force may not be the newest.
    pub(super) fn doubt(&self) -> Option<&Doubt> {
        match self {
            Self::Files => None,
            Self::Git(git) => git.followed.commits.record.doubt.as_ref(),
        }
    }

    /// Tells whether a person allowed that they are taken down.
    pub(super) fn allows_prune(&self) -> bool {
        match self {
            Self::Files => false,
            Self::Git(git) => git.prune_once,
        }
    }

    /// Forgets a stack that was taken down.
    pub(super) fn forget(&mut self, project: &ProjectName) {
        if let Self::Git(git) = self {
            git.followed.commits.forget(project);
        }
    }
}
