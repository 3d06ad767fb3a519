//! What is remembered from pass to pass: soft, so that losing it is safe.

use std::collections::{BTreeMap, BTreeSet};

use super::attribution::{Attributed, Outage};
use super::check::history::CheckStates;
use super::completed::Completed;
use super::data_path::DataPath;
use super::event::{Events, Seen};
use super::heal::Healings;
use super::immutable::MadeWith;
use super::pause::Pauses;
use super::rejection::Rejection;
use super::rest::Rest;
use super::restart::DueRestarts;
use super::trial::{Trial, Verdict};
use crate::state::content::Contents;
use crate::state::ids::{
    ContainerId, Generation, ImageReference, Object, ServiceName, SourceId, SpecHash,
};
use crate::state::step::Step;
use crate::state::time::{EngineTime, Moment};

/// The memory of one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The generation that was last planned for.
    pub generation: Option<Generation>,
    /// Containers whose own health command passed, with the start that it was for.
    pub proven: BTreeMap<ContainerId, EngineTime>,
    /// The probing of containers that are not ready yet.
    pub probing: BTreeMap<ContainerId, Probing>,
    /// Failed attempts, by object.
    pub retries: BTreeMap<Object, Retry>,
    /// Crashes in a row, by object.
    pub crashes: BTreeMap<Object, Crashes>,
    /// The steps that are under way, at most one per object.
    pub under_way: BTreeMap<Object, Step>,
    /// Containers that their files were copied into.
    pub filled: BTreeSet<ContainerId>,
    /// Containers that somebody stopped, so that their end is neither a crash nor the end
    /// of their work.
    pub stopped: BTreeMap<ContainerId, Stopper>,
    /// Running containers that somebody told to end, or sent another signal, and when that
    /// was known. Of this process only.
    pub signalled: BTreeMap<ContainerId, EngineTime>,
    /// How often the engine had started each container again by the last look.
    pub restarts: BTreeMap<ContainerId, u64>,
    /// The keyed digest of what each service, network and volume was last wanted as.
    pub wishes: BTreeMap<Object, String>,
    /// Images that were pulled for the generation although they were there.
    pub pulled: BTreeSet<ImageReference>,
    /// What the engine makes of a spec: fields, by path, that read back otherwise than
    /// they were asked for, with the digest of what was asked and what they read.
    pub quirks: BTreeMap<(ServiceName, SpecHash), BTreeMap<String, String>>,
    /// Writes in a row that read back otherwise, by service, spec and path: the digest of
    /// what was asked and what it reads, and how often. Enough of them make a quirk.
    pub unequal: BTreeMap<(ServiceName, SpecHash, String), (String, u32)>,
    /// The conditions of the last status, by what they are about, and when each flipped.
    pub conditions: BTreeMap<String, (Option<bool>, EngineTime)>,
    /// The generation that a person took down by `delete` through a running operator: it
    /// stays down until another is wanted.
    pub down: Option<Generation>,
    /// Containers that have yet to prove themselves, and those that have while the old one
    /// is still there.
    pub trials: BTreeMap<ContainerId, Trial>,
    /// What did not prove itself, by service: it is not tried again.
    pub rejections: BTreeMap<ServiceName, Rejection>,
    /// Containers in office, and whether each was ever ready there.
    pub offices: BTreeMap<ContainerId, bool>,
    /// Failed containers whose last words were kept, or cannot be.
    pub logged: BTreeSet<ContainerId>,
    /// The engine's time of the last look before its events were lost: ends after it may be
    /// the engine's own doing. Of this process only.
    pub unwatched: Option<EngineTime>,
    /// What each container read when it started, or was last told to read.
    pub contents: BTreeMap<ContainerId, ReadContent>,
    /// The files that counted when the stack was last looked at: what starts after that has
    /// read these, or newer ones.
    pub offered: BTreeMap<ServiceName, Offered>,
    /// The content, by its digest, that the test of a container's service found good.
    pub tested: BTreeMap<ContainerId, String>,
    /// Content that the test of a service refused: it is not tried again.
    pub refused: BTreeMap<ServiceName, Refused>,
    /// Running containers that are probed from outside.
    pub watched: BTreeMap<ContainerId, Watched>,
    /// What happened.
    pub events: Events,
    /// What the last look saw, so that the next one can tell what happened meanwhile. Of
    /// this process only.
    pub seen: Seen,
    /// One-shot services that have done their work, and for which spec: they are not run
    /// again for the same, also when their container is gone.
    pub completed: BTreeMap<Object, Completed>,
    /// When services that others depend on were last not ready.
    pub outages: BTreeMap<ServiceName, Outage>,
    /// Ends that are put down to a dependency.
    pub attributed: BTreeMap<Object, Attributed>,
    /// What was done about unhealthy containers.
    pub healings: BTreeMap<Object, Healings>,
    /// What a person said to leave alone for a while.
    pub pauses: Pauses,
    /// Services that a person asked to restart, before it is known what that means.
    pub asked_to_restart: BTreeSet<ServiceName>,
    /// The starts that are to give way because a person asked for it, until their
    /// successors are ready.
    pub due_restarts: DueRestarts,
    /// The only service that this process may do something about; nothing for all of them.
    /// Of this process only.
    pub only: Option<ServiceName>,
    /// Why everything is stopped and stays so. Of this process only.
    pub rest: Option<Rest>,
    /// Containers that somebody else made and that a service of a source had the place for:
    /// they are that source's from then on.
    pub adopted: BTreeMap<ContainerId, SourceId>,
    /// The services that had containers when none of them had left the file.
    pub before_prune: BTreeSet<ServiceName>,
    /// The folders of the host that containers may write to, as they were when one ran.
    pub data_paths: BTreeMap<String, DataPath>,
    /// What the data of services was made with, of what must not change under it.
    pub made_with: BTreeMap<ServiceName, MadeWith>,
    /// How many bytes of memory containers used, and when that was asked. Of this process
    /// only.
    pub measured: BTreeMap<ContainerId, (u64, Moment)>,
    /// How the checks have done. Of this process only.
    pub checks: CheckStates,
}

impl Memory {
    /// Forgets the failures of a service, or of everything.
    pub fn try_again(&mut self, service: Option<&ServiceName>) {
        let is_meant = |object: &Object| match (service, object) {
            (None, _) => true,
            (Some(service), Object::Service(replica)) => replica.service == *service,
            (Some(_), Object::Network(_) | Object::Volume(_)) => false,
        };
        self.retries.retain(|object, _| !is_meant(object));
        self.crashes.retain(|object, _| !is_meant(object));
        self.refused.retain(|name, _| service.is_some_and(|service| service != name));
        self.healings.retain(|object, _| !is_meant(object));
        self.rejections.retain(|name, _| service.is_some_and(|it| it != name));
        self.trials.retain(|_, trial| trial.verdict == Verdict::Passed);
    }

    /// Tells whether somebody stopped a container, or a step of ours is about to: its end may
    /// be seen before the step has returned.
    pub fn is_stopped(&self, id: &ContainerId) -> bool {
        self.stopped.contains_key(id) || self.stopping().any(|stopping| stopping == id)
    }

    /// Iterates over the containers that are being stopped.
    pub fn stopping(&self) -> impl Iterator<Item = &ContainerId> {
        let stops = self.under_way.values().filter(|it| matches!(it, Step::Stop { .. }));
        stops.filter_map(Step::container)
    }

    /// Leaves out what no later process can use, and the events, which are kept elsewhere.
    ///
    /// A container that is being stopped is taken down as stopped: should this process end
    /// before the step does, its end is no crash, and no end of its work.
    #[must_use]
    pub fn lasting(self) -> Self {
        let mut stopped = self.stopped.clone();
        for id in self.stopping() {
            stopped.entry(id.clone()).or_insert(Stopper::Somebody);
        }
        Self {
            stopped,
            under_way: BTreeMap::new(),
            probing: BTreeMap::new(),
            signalled: BTreeMap::new(),
            unwatched: None,
            events: Events::default(),
            seen: Seen::default(),
            only: None,
            rest: None,
            measured: BTreeMap::new(),
            checks: CheckStates::new(),
            ..self
        }
    }

    /// Waits for no backoff any longer; what failed is not forgotten.
    pub fn wait_no_longer(&mut self) {
        for retry in self.retries.values_mut() {
            retry.not_before = Moment::default();
        }
        for crashes in self.crashes.values_mut() {
            crashes.not_before = Moment::default();
        }
        for healings in self.healings.values_mut() {
            healings.times.clear();
        }
    }
}

/// How a container does, as it is seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The start that it is for.
    pub started: EngineTime,
    /// Whether it is well; nothing until it was so often enough.
    pub is_well: Option<bool>,
    /// How many probes in a row said so.
    pub passed: u32,
    /// How many in a row did not.
    pub failed: u32,
    /// How many have ended since the start.
    pub count: u32,
    /// When the next one is due.
    pub next: Moment,
    /// What the last one that did not pass said.
    pub last: Option<String>,
}

/// The files that counted at some time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Offered {
    /// By which key their digests are: by another one they tell nothing.
    pub key: String,
    /// The files.
    pub contents: Contents,
}

/// What a container read when it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadContent {
    /// The start that it is for.
    pub started: EngineTime,
    /// The files.
    pub read: Offered,
}

/// Content that a test refused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refused {
    /// Its digest.
    pub content: String,
    /// What the test said, without secrets.
    pub message: String,
}

/// The probing of a container before it is first ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probing {
    /// The start that it is for.
    pub started: EngineTime,
    /// How many probes have ended.
    pub count: u32,
    /// When the next one is due.
    pub next: Moment,
    /// What the last one said.
    pub last: Option<String>,
}

/// Failed attempts of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many in a row.
    pub attempts: u32,
    /// Not before this.
    pub not_before: Moment,
    /// Why the next attempt waits.
    pub reason: RetryReason,
    /// What the engine said.
    pub message: String,
}

/// Why the next attempt at an object waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryReason {
    /// Its image could not be pulled.
    ImagePullBackOff,
    /// Something else is in the way.
    Conflict,
    /// The engine failed, refused or did not answer.
    RetryBackOff,
}

impl RetryReason {
    /// Returns the reason in `CamelCase`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImagePullBackOff => "ImagePullBackOff",
            Self::Conflict => "Conflict",
            Self::RetryBackOff => "RetryBackOff",
        }
    }

    /// Returns the reason that has this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::ImagePullBackOff, Self::Conflict, Self::RetryBackOff]
            .into_iter()
            .find(|it| it.as_str() == word)
    }
}

/// Who stopped a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopper {
    /// A step of ours.
    Us,
    /// A person or a program, by the engine's own `stop` or `kill`.
    Somebody,
    /// Its engine, when that ended or began.
    Engine,
}

/// Crashes of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crashes {
    /// How many in a row.
    pub count: u32,
    /// The end that was counted last.
    pub last: (ContainerId, EngineTime),
    /// Not started again by us before this.
    pub not_before: Moment,
    /// The last exit code that was seen.
    pub exit_code: Option<i64>,
    /// The spec that the container was made from.
    pub spec: Option<SpecHash>,
}
