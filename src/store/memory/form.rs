//! The form of a memory outside its process, and the way into it and back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::MemoryError;
use super::backoff::{StoredCrashes, StoredRetry};
use super::by_hand::{StoredPauses, StoredStart, starts, stored_starts};
use super::check::{StoredCheck, checks, stored_checks};
use super::data_path::{StoredDataPath, data_paths};
use super::life::{StoredAttributed, StoredCompleted, StoredHealings, StoredOutage};
use super::step::StoredStep;
use super::trial::StoredTrial;
use crate::planning::event::{Event, Events, Seen};
use crate::planning::immutable::MadeWith;
use crate::planning::memory::{
    Memory, Offered, Probing, ReadContent, Refused, Stopper, Watched,
};
use crate::planning::rejection::Rejection;
use crate::planning::rest::Rest;
use crate::state::ids::{
    ContainerId, Generation, ImageReference, Object, ServiceName, SourceId, SpecHash,
};
use crate::state::time::{Moment, Now};
use crate::store::form::{EngineTimeText, StoredEvent};

/// No deadline of ours lies further ahead: one that does was set by a clock that was wrong.
const FURTHEST: Duration = Duration::from_hours(1);

/// A memory as JSON. Deadlines are by the engine's clock, which every process can ask.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Stored {
    pub(super) version: u32,
    generation: Option<Generation>,
    down: Option<Generation>,
    rest: Option<Rest>,
    trials: BTreeMap<ContainerId, StoredTrial>,
    rejections: BTreeMap<ServiceName, Rejection>,
    offices: BTreeMap<ContainerId, bool>,
    logged: BTreeSet<ContainerId>,
    unwatched: Option<EngineTimeText>,
    proven: BTreeMap<ContainerId, EngineTimeText>,
    probing: BTreeMap<ContainerId, StoredProbing>,
    retries: BTreeMap<String, StoredRetry>,
    crashes: BTreeMap<String, StoredCrashes>,
    under_way: BTreeMap<String, StoredStep>,
    filled: BTreeSet<ContainerId>,
    stopped: BTreeMap<ContainerId, Stopper>,
    restarts: BTreeMap<ContainerId, u64>,
    wishes: BTreeMap<String, String>,
    pulled: BTreeSet<ImageReference>,
    quirks: Vec<StoredQuirks>,
    unequal: Vec<StoredUnequal>,
    conditions: BTreeMap<String, StoredCondition>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<StoredEvent>,
    contents: BTreeMap<ContainerId, StoredContent>,
    offered: BTreeMap<ServiceName, Offered>,
    tested: BTreeMap<ContainerId, String>,
    refused: BTreeMap<ServiceName, Refused>,
    watched: BTreeMap<ContainerId, StoredWatched>,
    completed: BTreeMap<String, StoredCompleted>,
    outages: BTreeMap<ServiceName, StoredOutage>,
    attributed: BTreeMap<String, StoredAttributed>,
    healings: BTreeMap<String, StoredHealings>,
    pauses: StoredPauses,
    asked_to_restart: BTreeSet<ServiceName>,
    due_restarts: BTreeMap<String, StoredStart>,
    adopted: BTreeMap<ContainerId, SourceId>,
    before_prune: BTreeSet<ServiceName>,
    data_paths: BTreeMap<String, StoredDataPath>,
    made_with: BTreeMap<ServiceName, MadeWith>,
    checks: Vec<StoredCheck>,
}

/// Only what a later process cannot find out at once.
#[derive(Serialize, Deserialize)]
struct StoredWatched {
    started: EngineTimeText,
    is_well: Option<bool>,
    last: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredContent {
    started: EngineTimeText,
    read: Offered,
}

#[derive(Serialize, Deserialize)]
struct StoredProbing {
    started: EngineTimeText,
    count: u32,
    next: EngineTimeText,
    last: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredQuirks {
    service: ServiceName,
    spec: SpecHash,
    fields: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct StoredUnequal {
    service: ServiceName,
    spec: SpecHash,
    path: String,
    digest: String,
    count: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredCondition {
    status: Option<bool>,
    since: EngineTimeText,
}

/// Returns when a deadline of ours is by the engine's clock.
pub(super) fn by_engine(moment: Moment, now: Now) -> EngineTimeText {
    let ahead = now.engine.checked_add(moment.since(now.moment));
    let time = ahead.and_then(|it| it.checked_sub(now.moment.since(moment)));
    EngineTimeText(time.unwrap_or(now.engine))
}

/// Returns the deadline of ours that lies at a time by the engine's clock: now, if that is
/// past.
pub(super) fn by_us(time: EngineTimeText, now: Now) -> Moment {
    let ahead = Duration::try_from(time.0.duration_since(now.engine)).unwrap_or_default();
    now.moment.after(ahead.min(FURTHEST))
}

impl Stored {
    #[allow(clippy::too_many_lines, reason = "a line for each field")]
    /// Takes down a whole memory; the match is exhaustive, so that a new field is thought of.
    #[expect(clippy::too_many_lines, reason = "one line for each field")]
    pub(super) fn new(version: u32, memory: &Memory, now: Now) -> Self {
        let Memory {
            generation,
            proven,
            probing,
            retries,
            crashes,
            under_way,
            filled,
            stopped,
            signalled: _,
            restarts,
            wishes,
            pulled,
            quirks,
            unequal,
            conditions,
            down,
            trials,
            rejections,
            offices,
            logged,
            unwatched,
            events,
            seen: _,
            contents,
            offered,
            tested,
            refused,
            watched,
            completed,
            outages,
            attributed,
            healings,
            pauses,
            asked_to_restart,
            due_restarts,
            only: _,
            rest,
            adopted,
            before_prune,
            data_paths,
            made_with,
            measured: _,
            checks,
        } = memory;
        Self {
            version,
            generation: generation.clone(),
            down: down.clone(),
            trials: values(trials, |it| StoredTrial::from(it)),
            rejections: rejections.clone(),
            offices: offices.clone(),
            logged: logged.clone(),
            unwatched: unwatched.map(EngineTimeText),
            proven: values(proven, |time| EngineTimeText(*time)),
            probing: values(probing, |it| StoredProbing::new(it, now)),
            retries: named(retries, |it| StoredRetry::new(it, now)),
            crashes: named(crashes, |it| StoredCrashes::new(it, now)),
            under_way: named(under_way, |step| step.into()),
            filled: filled.clone(),
            stopped: stopped.clone(),
            rest: *rest,
            restarts: restarts.clone(),
            wishes: named(wishes, Clone::clone),
            pulled: pulled.clone(),
            quirks: quirks.iter().map(StoredQuirks::new).collect(),
            unequal: unequal.iter().map(StoredUnequal::new).collect(),
            conditions: values(conditions, |(status, since)| StoredCondition {
                status: *status,
                since: EngineTimeText(*since),
            }),
            events: events.iter().map(StoredEvent::from).collect(),
            contents: values(contents, |it| StoredContent {
                started: EngineTimeText(it.started),
                read: it.read.clone(),
            }),
            offered: offered.clone(),
            tested: tested.clone(),
            refused: refused.clone(),
            watched: values(watched, |it| StoredWatched {
                started: EngineTimeText(it.started),
                is_well: it.is_well,
                last: it.last.clone().filter(|_| it.is_well != Some(true)),
            }),
            completed: named(completed, StoredCompleted::new),
            outages: values(outages, StoredOutage::new),
            attributed: named(attributed, StoredAttributed::new),
            healings: named(healings, StoredHealings::new),
            pauses: StoredPauses::new(pauses),
            asked_to_restart: asked_to_restart.clone(),
            due_restarts: stored_starts(due_restarts),
            adopted: adopted.clone(),
            before_prune: before_prune.clone(),
            data_paths: values(data_paths, StoredDataPath::new),
            made_with: made_with.clone(),
            checks: stored_checks(checks),
        }
    }

    /// Makes a memory of it again.
    pub(super) fn memory(self, now: Now) -> Result<Memory, MemoryError> {
        let retry = |it: StoredRetry| it.retry(now);
        let unequal =
            |it: StoredUnequal| ((it.service, it.spec, it.path), (it.digest, it.count));
        Ok(Memory {
            generation: self.generation,
            down: self.down,
            trials: each(self.trials, |it| it.trial(now)),
            rejections: self.rejections,
            offices: self.offices,
            logged: self.logged,
            unwatched: self.unwatched.map(|time| time.0),
            proven: each(self.proven, |time| time.0),
            probing: each(self.probing, |it| it.probing(now)),
            retries: objects(self.retries, retry)?,
            crashes: objects(self.crashes, |it| Ok(it.crashes(now)))?,
            under_way: objects(self.under_way, |it| Ok(it.into()))?,
            filled: self.filled,
            stopped: self.stopped,
            signalled: BTreeMap::new(),
            restarts: self.restarts,
            wishes: objects(self.wishes, Ok)?,
            pulled: self.pulled,
            quirks: self
                .quirks
                .into_iter()
                .map(|it| ((it.service, it.spec), it.fields))
                .collect(),
            unequal: self.unequal.into_iter().map(unequal).collect(),
            conditions: each(self.conditions, |it| (it.status, it.since.0)),
            events: Events::of_records(
                self.events.into_iter().map(Event::from).collect(),
            ),
            seen: Seen::default(),
            contents: each(self.contents, |it| ReadContent {
                started: it.started.0,
                read: it.read,
            }),
            offered: self.offered,
            tested: self.tested,
            refused: self.refused,
            watched: each(self.watched, |it| it.watched(now)),
            completed: objects(self.completed, |it| Ok(it.completed()))?,
            outages: each(self.outages, StoredOutage::outage),
            attributed: objects(self.attributed, |it| Ok(it.attributed()))?,
            healings: objects(self.healings, |it| Ok(it.healings()))?,
            pauses: self.pauses.pauses(),
            asked_to_restart: self.asked_to_restart,
            due_restarts: starts(self.due_restarts)?,
            only: None,
            rest: self.rest,
            adopted: self.adopted,
            before_prune: self.before_prune,
            data_paths: data_paths(self.data_paths),
            made_with: self.made_with,
            measured: BTreeMap::new(),
            checks: checks(self.checks)?,
        })
    }
}

fn each<K: Ord, S, V>(map: BTreeMap<K, S>, value: impl Fn(S) -> V) -> BTreeMap<K, V> {
    map.into_iter().map(|(key, stored)| (key, value(stored))).collect()
}

pub(super) fn values<K: Ord + Clone, V, S>(
    map: &BTreeMap<K, V>,
    stored: impl Fn(&V) -> S,
) -> BTreeMap<K, S> {
    map.iter().map(|(key, value)| (key.clone(), stored(value))).collect()
}

pub(super) fn named<V, S>(
    map: &BTreeMap<Object, V>,
    stored: impl Fn(&V) -> S,
) -> BTreeMap<String, S> {
    map.iter().map(|(object, value)| (object.to_string(), stored(value))).collect()
}

pub(super) fn objects<S, V>(
    map: BTreeMap<String, S>,
    value: impl Fn(S) -> Result<V, MemoryError>,
) -> Result<BTreeMap<Object, V>, MemoryError> {
    map.into_iter().map(|(name, stored)| Ok((name.parse()?, value(stored)?))).collect()
}

impl StoredProbing {
    fn new(probing: &Probing, now: Now) -> Self {
        let Probing { started, count, next, last } = probing;
        Self {
            started: EngineTimeText(*started),
            count: *count,
            next: by_engine(*next, now),
            last: last.clone(),
        }
    }

    fn probing(self, now: Now) -> Probing {
        Probing {
            started: self.started.0,
            count: self.count,
            next: by_us(self.next, now),
            last: self.last,
        }
    }
}

impl StoredWatched {
    fn watched(self, now: Now) -> Watched {
        Watched {
            started: self.started.0,
            is_well: self.is_well,
            passed: 0,
            failed: 0,
            count: 0,
            next: now.moment,
            last: self.last,
        }
    }
}

impl StoredQuirks {
    fn new(
        ((service, spec), fields): (&(ServiceName, SpecHash), &BTreeMap<String, String>),
    ) -> Self {
        Self { service: service.clone(), spec: spec.clone(), fields: fields.clone() }
    }
}

impl StoredUnequal {
    fn new(
        ((service, spec, path), (digest, count)): (
            &(ServiceName, SpecHash, String),
            &(String, u32),
        ),
    ) -> Self {
        Self {
            service: service.clone(),
            spec: spec.clone(),
            path: path.clone(),
            digest: digest.clone(),
            count: *count,
        }
    }
}
