//! Whose fault an end is: what ends because a service that it depends on did has not
//! crashed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::state::desired::Condition;
use crate::state::ids::{ContainerId, Object, ServiceName};
use crate::state::observed::Container;
use crate::state::step::Step;
use crate::state::time::{EngineTime, Now};

use super::readiness::Readiness;
use super::world::{Instance, Standing, World};

/// For how long after its dependency is ready again an end is still put down to that: what
/// has lost a lease or a connection may take as long to notice.
const AFTERMATH: Duration = Duration::from_mins(2);

/// How much earlier than its dependency something may end because of it: a server closes
/// its connections before it ends.
const SLACK: Duration = Duration::from_secs(2);

/// A time in which a service was not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Since when.
    pub began: EngineTime,
    /// Until when; nothing while it lasts.
    pub ended: Option<EngineTime>,
}

/// An end that is no crash: a dependency was not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributed {
    /// The end.
    pub last: (ContainerId, EngineTime),
    /// The dependency.
    pub to: ServiceName,
}

/// Returns the last outage of every service that others depend on, as far as it matters.
pub(super) fn outages(world: &World<'_>) -> BTreeMap<ServiceName, Outage> {
    let services = world.desired.services.values();
    let depended: BTreeSet<&ServiceName> =
        services.flat_map(|service| service.depends_on.keys()).collect();
    let outages = depended.into_iter().filter_map(|name| {
        let outage = outage(world, name)?;
        Some((name.clone(), outage))
    });
    outages.filter(|(_, outage)| matters(*outage, world.now)).collect()
}

fn matters(outage: Outage, now: Now) -> bool {
    outage.ended.is_none_or(|ended| now.age(ended) < AFTERMATH)
}

fn outage(world: &World<'_>, name: &ServiceName) -> Option<Outage> {
    let known = world.memory.outages.get(name).copied();
    let open = known.filter(|known| known.ended.is_none());
    let is_out =
        world.replicas_of(name).any(|it| !it.is_ready() || is_being_stopped(world, it));
    let last = world.replicas_of(name).filter_map(last_end).max();
    let is_new = |began: EngineTime| known.is_none_or(|known| known.ended < Some(began));
    let last = last.filter(|(began, _)| is_new(*began));
    match (is_out, open) {
        (true, Some(open)) => Some(open),
        (true, None) => {
            let began = last.map_or(world.now.engine, |(began, _)| began);
            Some(Outage { began, ended: None })
        }
        (false, Some(open)) => Some(Outage { ended: Some(world.now.engine), ..open }),
        // It was gone and back between two looks.
        (false, None) => match last {
            Some((began, ended)) => Some(Outage { began, ended: Some(ended) }),
            None => known,
        },
    }
}

/// Returns when the last run of a replica ended, and when the next began.
fn last_end(instance: &Instance<'_>) -> Option<(EngineTime, EngineTime)> {
    let state = &instance.office.holder?.state;
    let ended = state.finished?;
    let runs_again = state.started.filter(|started| *started >= ended);
    let is_work_done = instance.standing == Standing::Completed;
    (!is_work_done).then(|| (ended, runs_again.unwrap_or(ended)))
}

fn is_being_stopped(world: &World<'_>, instance: &Instance<'_>) -> bool {
    let object = Object::Service(instance.replica.clone());
    let by_us = matches!(world.memory.under_way.get(&object), Some(Step::Stop { .. }));
    let holder = instance.office.holder;
    by_us || holder.is_some_and(|it| world.memory.signalled.contains_key(&it.id))
}

/// Returns the dependency whose outage a container has ended of: it began while the
/// container ran. One that was started into an outage has only itself to blame: its gate
/// asked for no more.
pub(super) fn cause_of_end<'a>(
    world: &World<'a>,
    outages: &BTreeMap<ServiceName, Outage>,
    instance: &Instance<'a>,
    holder: &Container,
) -> Option<&'a ServiceName> {
    let (started, finished) = (holder.state.started?, holder.state.finished?);
    cause(world, outages, instance, |outage| {
        let began = outage.began.checked_sub(SLACK).unwrap_or(outage.began);
        let is_after = outage.ended.is_none_or(|ended| age(ended, finished) < AFTERMATH);
        started <= outage.began && began <= finished && is_after
    })
}

/// Returns the dependency for whose sake the engine has had to start a container again just
/// now: its outage began when the container was there already. One that was made into an
/// outage has only itself to blame.
pub(super) fn cause_of_restarts<'a>(
    world: &World<'a>,
    outages: &BTreeMap<ServiceName, Outage>,
    instance: &Instance<'a>,
) -> Option<&'a ServiceName> {
    let made = instance.office.holder.map(|holder| holder.created)?;
    let is_it = |outage: Outage| made <= outage.began && matters(outage, world.now);
    cause(world, outages, instance, is_it)
}

fn cause<'a>(
    world: &World<'a>,
    outages: &BTreeMap<ServiceName, Outage>,
    instance: &Instance<'a>,
    is_it: impl Fn(Outage) -> bool,
) -> Option<&'a ServiceName> {
    let service = world.desired.services.get(&instance.service.name)?;
    let mut live = service
        .depends_on
        .iter()
        .filter(|(_, dependency)| dependency.condition != Condition::Completed);
    live.find(|(name, _)| outages.get(*name).copied().is_some_and(&is_it))
        .map(|(name, _)| name)
}

fn age(then: EngineTime, now: EngineTime) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// Returns the dependency that the last end of a replica is put down to, while it is down.
pub fn of<'a>(world: &'a World<'_>, instance: &Instance<'_>) -> Option<&'a ServiceName> {
    let holder = instance.office.holder?;
    let object = Object::Service(instance.replica.clone());
    let known = world.memory.attributed.get(&object)?;
    let end = (holder.id.clone(), holder.state.finished?);
    let is_down = match &instance.standing {
        Standing::Ended | Standing::Restarting | Standing::Running(Readiness::Down) => {
            true
        }
        Standing::Absent
        | Standing::Created
        | Standing::Running(_)
        | Standing::Paused
        | Standing::Completed
        | Standing::Dead => false,
    };
    (is_down && known.last == end).then_some(&known.to)
}
