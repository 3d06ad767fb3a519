//! What an end of a container counts for: a crash, somebody's will, or its engine's.
//!
//! Where the engine's restart policy starts a container again, crashes are read off its
//! restart count; elsewhere an end is counted once, by its time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::state::desired::Desired;
use crate::state::ids::{ContainerId, Object, ServiceName};
use crate::state::observed::{Container, Observed, Status};
use crate::state::step::Step;
use crate::state::time::{EngineTime, Now};

use super::attribution::{Attributed, Outage, cause_of_end, cause_of_restarts};
use super::memory::{Crashes, Memory, Stopper};
use super::readiness::Readiness;
use super::retry::CRASH;
use super::world::{Instance, Standing, World, is_awaited};

/// For how long a service must be ready before its crashes are forgotten.
const FORGIVEN: Duration = Duration::from_mins(10);

/// How much longer than its grace period a container may take to end after a signal.
const SIGNAL: Duration = Duration::from_secs(2);

/// How many crashes in a row are a loop: one may happen to anybody.
const LOOP: u32 = 2;

impl Crashes {
    /// Tells whether it keeps crashing.
    pub const fn is_loop(&self) -> bool {
        self.count >= LOOP
    }

    /// Returns for how long it must run before it is believed: as long as it was last
    /// made to wait.
    pub fn proof(&self) -> Duration {
        CRASH.after(self.count.saturating_sub(1))
    }
}

/// Remembers which ends are nobody's crash: those of containers that somebody sent a
/// signal to, and those that came with their engine's while nobody watched.
pub(super) fn excuse(
    memory: &mut Memory,
    desired: &Desired,
    observed: &Observed,
    unwatched: Option<EngineTime>,
    now: Now,
) {
    forget_the_running(memory, observed, unwatched.is_some(), now);
    for container in observed.containers.values() {
        let state = &container.state;
        let (Status::Exited | Status::Dead, Some(finished)) =
            (state.status, state.finished)
        else {
            continue;
        };
        let grace = grace(desired, container).saturating_add(SIGNAL);
        let signal = memory.signalled.remove(&container.id);
        let followed = |signal: EngineTime| {
            Duration::try_from(finished.duration_since(signal))
                .is_ok_and(|took| took <= grace)
        };
        let id = container.id.clone();
        let is_of_gap = unwatched.is_some_and(|since| finished > since);
        if is_of_gap && !did_its_job(desired, container) {
            // An engine that ends tells of signals too: they are its own.
            memory.stopped.insert(id, Stopper::Engine);
        } else if signal.is_some_and(followed) {
            memory.stopped.entry(id).or_insert(Stopper::Somebody);
        }
    }
}

/// A container that was told to end and runs on may yet end of it, but not for ever: most
/// signals are sent for something else.
fn forget_the_running(memory: &mut Memory, observed: &Observed, is_gap: bool, now: Now) {
    let status = |id: &ContainerId| Some(observed.containers.get(id)?.state.status);
    for (id, stopper) in std::mem::take(&mut memory.stopped) {
        match status(&id) {
            // What an engine that ended has said was for a run that is over.
            Some(Status::Running) if stopper == Stopper::Somebody && !is_gap => {
                memory.signalled.insert(id, now.engine);
            }
            None | Some(Status::Running) => {}
            Some(_) => {
                memory.stopped.insert(id, stopper);
            }
        }
    }
    memory.signalled.retain(|id, _| status(id).is_some());
}

fn grace(desired: &Desired, container: &Container) -> Duration {
    let replica = container.origin.replica.as_ref();
    let service = replica.and_then(|it| desired.services.get(&it.service));
    service.map_or(Duration::ZERO, |service| service.stop_grace)
}

/// Tells whether a container ended because its work was done, whoever watched.
fn did_its_job(desired: &Desired, container: &Container) -> bool {
    let replica = container.origin.replica.as_ref();
    let service = replica.and_then(|it| desired.services.get(&it.service));
    container.state.exit_code == 0
        && service.is_some_and(|service| {
            service.settings.job == Some(true) || is_awaited(desired, service)
        })
}

/// Counts the crashes in a row of every replica; a long time of readiness forgives them.
/// Ends that a dependency accounts for are told apart.
pub(super) fn crashes(
    world: &World<'_>,
    unwatched: Option<EngineTime>,
    outages: &BTreeMap<ServiceName, Outage>,
) -> (BTreeMap<Object, Crashes>, BTreeMap<Object, Attributed>) {
    let mut crashes = world.memory.crashes.clone();
    let mut attributed = BTreeMap::new();
    for (replica, instance) in &world.instances {
        let object = Object::Service(replica.clone());
        let Some(holder) = instance.office.holder else { continue };
        let age = holder.state.started.map(|it| world.now.age(it));
        let is_forgiven = instance.standing == Standing::Running(Readiness::Ready)
            && age.is_some_and(|age| age >= FORGIVEN);
        let known = crashes.get(&object);
        if is_forgiven || known.is_some_and(|it| it.spec != holder.origin.spec) {
            crashes.remove(&object);
        }
        let known = crashes.get(&object);
        let restarts = match unwatched {
            // What it grew by is the engine's own doing.
            Some(_) => 0,
            None => restarts(world.memory, holder, is_forgiven),
        };
        let own = u32::from(is_crash(world, instance, holder, known));
        if let Some(end) = attribution(world, outages, instance, (restarts, own)) {
            attributed.insert(object, end);
        } else if restarts + own > 0 {
            let crash = count(known, &object, holder, (restarts, own), world.now);
            crashes.insert(object, crash);
        }
    }
    (crashes, attributed)
}

/// Returns what the last end of a replica is put down to: what it was before, or what
/// accounts for an end that is new.
fn attribution(
    world: &World<'_>,
    outages: &BTreeMap<ServiceName, Outage>,
    instance: &Instance<'_>,
    (restarts, own): (u32, u32),
) -> Option<Attributed> {
    let holder = instance.office.holder?;
    let last = (holder.id.clone(), holder.state.finished?);
    let known = world.memory.attributed.get(&Object::Service(instance.replica.clone()));
    if let Some(known) = known.filter(|known| known.last == last) {
        return Some(known.clone());
    }
    let to = if own > 0 {
        cause_of_end(world, outages, instance, holder)?
    } else if restarts > 0 {
        cause_of_restarts(world, outages, instance)?
    } else {
        return None;
    };
    Some(Attributed { last, to: to.clone() })
}

/// How often the engine has started a container again since it was last looked at; the
/// count begins anew when somebody starts it.
fn restarts(memory: &Memory, holder: &Container, is_forgiven: bool) -> u32 {
    let before = match memory.restarts.get(&holder.id) {
        Some(before) if *before <= holder.state.restarts => *before,
        None if is_forgiven => holder.state.restarts,
        Some(_) | None => 0,
    };
    u32::try_from(holder.state.restarts - before).unwrap_or(u32::MAX)
}

/// Tells whether a container has ended, should not have, and nobody accounts for it yet.
fn is_crash(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
    known: Option<&Crashes>,
) -> bool {
    let end = holder.state.finished.map(|finished| (holder.id.clone(), finished));
    let is_counted = known.map(|known| &known.last) == end.as_ref();
    instance.standing == Standing::Ended
        && end.is_some()
        && !is_counted
        && !is_our_doing(world.memory, &Object::Service(instance.replica.clone()), holder)
}

/// Somebody stopped it, or we are about to: its end may be seen before the stop has
/// returned.
fn is_our_doing(memory: &Memory, object: &Object, holder: &Container) -> bool {
    let under_way = memory.under_way.get(object);
    memory.stopped.contains_key(&holder.id)
        || matches!(under_way, Some(Step::Stop { container, .. }) if *container == holder.id)
}

/// Adds the crashes that the engine's policy answered and those that we must answer:
/// only the latter wait for a delay of ours.
fn count(
    known: Option<&Crashes>,
    object: &Object,
    holder: &Container,
    (restarts, own): (u32, u32),
    now: Now,
) -> Crashes {
    let before = known.map_or(0, |known| known.count);
    let count = before.saturating_add(restarts).saturating_add(own);
    let delay = match own {
        0 => Duration::ZERO,
        _ => CRASH.jittered(count - 1, &object.to_string()),
    };
    // A running container has no exit code: the last one is remembered.
    let has_code =
        matches!(holder.state.status, Status::Exited | Status::Dead | Status::Restarting);
    let exit_code = has_code.then_some(holder.state.exit_code);
    Crashes {
        count,
        last: (holder.id.clone(), holder.state.finished.unwrap_or(now.engine)),
        not_before: now.moment.after(delay),
        exit_code: exit_code.or(known.and_then(|known| known.exit_code)),
        spec: holder.origin.spec.clone(),
    }
}

/// Returns how often the engine has started each container again.
pub(super) fn restart_counts(observed: &Observed) -> BTreeMap<ContainerId, u64> {
    let containers = observed.containers.values();
    containers
        .filter(|it| it.state.restarts > 0)
        .map(|it| (it.id.clone(), it.state.restarts))
        .collect()
}
