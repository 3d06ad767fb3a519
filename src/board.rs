//! Where operators put up how their stacks are, for whoever wants to read it.
//!
//! Nobody waits for a reader: an operator replaces what it has put up, and a reader takes
//! what is there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::measured::Meter;
use crate::pass::Found;
use crate::planning::event::Event;
use crate::planning::tally::{GitSync, Tally};
use crate::state::ids::ProjectName;
use crate::state::time::{EngineTime, Now};

/// What an operator puts up about its stack.
#[derive(Clone, Debug, Default)]
pub struct Post {
    /// What the last pass found, and when; nothing before the first.
    pub last: Option<(Arc<Found>, Now)>,
    /// What happened, the newest last.
    pub events: Arc<Vec<Event>>,
    /// What was counted.
    pub tally: Tally,
    /// Why the last look failed, if it did.
    pub blind: Option<String>,
}

/// What was put up; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Board {
    inner: Arc<Mutex<Inner>>,
    /// What the engine was asked.
    pub meter: Meter,
}

#[derive(Debug, Default)]
struct Inner {
    posts: BTreeMap<ProjectName, watch::Receiver<Post>>,
    /// The stacks that were taken up, with their files; nothing before the files were read.
    taken: Option<BTreeMap<ProjectName, Vec<PathBuf>>>,
    /// How many stacks somebody else holds.
    refused: usize,
    git: Option<GitSync>,
}

impl Board {
    /// Makes a place for the operator of a stack; what it puts up goes with the sender.
    pub fn enter(&self, project: &ProjectName) -> watch::Sender<Post> {
        let (sender, receiver) = watch::channel(Post::default());
        self.inner().posts.insert(project.clone(), receiver);
        sender
    }

    /// Takes note of which stacks were taken up from which files, and of how many were not
    /// because somebody else holds them.
    pub fn took(&self, stacks: BTreeMap<ProjectName, Vec<PathBuf>>, refused: usize) {
        let mut inner = self.inner();
        inner.taken = Some(stacks);
        inner.refused = refused;
    }

    /// Takes note of an answer of the repository: whether its newest commit is in force.
    pub fn synced(&self, is_current: bool, time: EngineTime) {
        let mut inner = self.inner();
        let git = inner.git.get_or_insert_default();
        git.is_current = is_current;
        if is_current {
            git.last_success = Some(time);
        }
    }

    /// Returns what is put up by operators that are there.
    pub fn posts(&self) -> BTreeMap<ProjectName, Post> {
        let mut inner = self.inner();
        inner.posts.retain(|_, receiver| receiver.has_changed().is_ok());
        let posts = inner.posts.iter();
        posts.map(|(name, it)| (name.clone(), it.borrow().clone())).collect()
    }

    /// Returns the files of the stacks that were taken up.
    pub fn files(&self) -> BTreeMap<ProjectName, Vec<PathBuf>> {
        self.inner().taken.clone().unwrap_or_default()
    }

    /// Returns what is known of the repository, if one is followed.
    pub fn git(&self) -> Option<GitSync> {
        self.inner().git
    }

    /// Tells whether every stack was looked at, and the last look at each succeeded.
    ///
    /// # Errors
    /// It is not so; why, without names.
    pub fn readiness(&self) -> Result<(), String> {
        let posts = self.posts();
        let inner = self.inner();
        let Some(taken) = &inner.taken else {
            return Err("the engine has not answered yet".to_owned());
        };
        let is_seen = |post: &Post| post.last.is_some() && post.blind.is_none();
        let unseen = taken.keys().filter(|name| !posts.get(*name).is_some_and(is_seen));
        match (unseen.count(), inner.refused) {
            (0, 0) => Ok(()),
            (0, refused) => Err(format!("somebody else holds {refused} of the stacks")),
            (unseen, _) => {
                Err(format!("{unseen} of {} stacks cannot be seen now", taken.len()))
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::change::Plan;
    use crate::planning::check::history::CheckStates;
    use crate::planning::status::StackStatus;
    use crate::state::time::Moment;

    fn seen() -> Post {
        let status = StackStatus {
            name: "web".into(),
            generation: "sha256:a".into(),
            observed_generation: None,
            commit: None,
            ready: false,
            conditions: Vec::new(),
            checks: CheckStates::new(),
            services: Vec::new(),
        };
        let found = Arc::new(Found { plan: Plan::default(), status });
        let now = Now { moment: Moment::default(), engine: EngineTime::UNIX_EPOCH };
        Post { last: Some((found, now)), ..Post::default() }
    }

    #[test]
    fn it_is_ready_once_every_stack_was_looked_at_whether_those_are_ready_or_not() {
        let board = Board::default();
        assert_eq!(board.readiness().unwrap_err(), "the engine has not answered yet");
        let web = board.enter(&"web".into());
        board.took([("web".into(), Vec::new())].into(), 0);
        assert_eq!(board.readiness().unwrap_err(), "1 of 1 stacks cannot be seen now");
        web.send_replace(seen());
        assert_eq!(board.readiness(), Ok(()));
        web.send_replace(Post { blind: Some("no answer".to_owned()), ..seen() });
        assert!(board.readiness().is_err());
        web.send_replace(seen());
        board.took([("web".into(), Vec::new())].into(), 1);
        assert!(board.readiness().unwrap_err().starts_with("somebody else holds 1"));
        board.took(BTreeMap::new(), 0);
        assert_eq!(board.readiness(), Ok(()), "no stack is all stacks");
    }

    #[test]
    fn what_an_operator_put_up_goes_with_it_but_not_what_its_successor_did() {
        let board = Board::default();
        let first = board.enter(&"web".into());
        let second = board.enter(&"web".into());
        drop(first);
        assert_eq!(board.posts().len(), 1);
        drop(second);
        assert_eq!(board.posts().len(), 0);
    }
}
