//! What is learnt from a look and from how steps ended.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::desired::Desired;
use crate::state::ids::{ContainerId, Object};
use crate::state::observed::{Container, Observed, Status};
use crate::state::step::{Done, Failure, FailureKind, Outcome, Step};
use crate::state::time::Now;

use super::event;
use super::memory::{Crashes, Memory, Probing, Retry, RetryReason};
use super::quirk;
use super::readiness::{Readiness, readiness};
use super::retry::{CRASH, ERROR, PROBE, PULL};
use super::world::{Allowed, Standing, World};

/// For how long a service must be ready before its crashes are forgotten.
const FORGIVEN: std::time::Duration = std::time::Duration::from_mins(10);

/// Returns the memory after a look and after these steps have ended. Total, pure and
/// deterministic.
pub fn learn(
    memory: &Memory,
    desired: &Desired,
    observed: &Observed,
    outcomes: &[Outcome],
    now: Now,
) -> Memory {
    let before = memory;
    let mut memory = before.clone();
    if memory.generation.as_ref() != Some(&desired.generation) {
        // A new generation pre-empts every wait.
        memory.generation = Some(desired.generation.clone());
        memory.retries = BTreeMap::new();
        memory.crashes = BTreeMap::new();
        memory.pulled = BTreeSet::new();
    }
    for outcome in outcomes {
        memory.under_way.remove(&outcome.object);
        match &outcome.result {
            Ok(done) => succeeded(&mut memory, observed, outcome, *done, now),
            Err(failure) => failed(&mut memory, outcome, failure, now),
        }
    }
    forget_the_gone(&mut memory, observed);
    start_probing(&mut memory, observed, now);
    let world = World::new(desired, observed, &memory, now, Allowed::default());
    let mismatches = quirk::mismatches(&world, outcomes);
    memory.crashes = crashes(&world);
    quirk::remember(&mut memory, mismatches);
    event::learnt(before, &mut memory, desired, observed, outcomes, now);
    memory
}

fn succeeded(
    memory: &mut Memory,
    observed: &Observed,
    outcome: &Outcome,
    done: Done,
    now: Now,
) {
    match (&outcome.step, done) {
        (Step::Probe { container, .. }, Done::Probed { exit_code }) => {
            probed(memory, observed, container, exit_code, now);
            return;
        }
        (Step::Pull { image, .. }, _) => {
            memory.pulled.insert(image.clone());
        }
        (Step::CopyIn { container, .. }, _) => {
            memory.filled.insert(container.clone());
        }
        (Step::Stop { container, .. }, _) => {
            memory.stopped.insert(container.clone());
        }
        (Step::Start { container }, _) => {
            memory.stopped.remove(container);
        }
        _ => {}
    }
    memory.retries.remove(&outcome.object);
}

fn probed(
    memory: &mut Memory,
    observed: &Observed,
    container: &ContainerId,
    exit_code: i64,
    now: Now,
) {
    let Some(probing) = memory.probing.get_mut(container) else { return };
    let started =
        observed.containers.get(container).and_then(|there| there.state.started);
    if started != Some(probing.started) {
        return;
    }
    if exit_code == 0 {
        memory.proven.insert(container.clone(), probing.started);
        memory.probing.remove(container);
        return;
    }
    probing.count = probing.count.saturating_add(1);
    probing.next = now.moment.after(PROBE.after(probing.count));
    probing.last = Some(format!("its health command ended with {exit_code}"));
}

/// A probe that could not run says nothing about the container; everything else backs off.
fn failed(memory: &mut Memory, outcome: &Outcome, failure: &Failure, now: Now) {
    if failure.kind == FailureKind::Abandoned {
        return;
    }
    if let Step::Probe { container, .. } = &outcome.step {
        if let Some(probing) = memory.probing.get_mut(container) {
            probing.count = probing.count.saturating_add(1);
            probing.next = now.moment.after(PROBE.after(probing.count));
            probing.last = Some(failure.message.clone());
        }
        return;
    }
    let attempts =
        memory.retries.get(&outcome.object).map_or(0, |retry| retry.attempts) + 1;
    let is_pull = matches!(outcome.step, Step::Pull { .. });
    let backoff = if is_pull { PULL } else { ERROR };
    let reason = match failure.kind {
        _ if is_pull => RetryReason::ImagePullBackOff,
        FailureKind::Conflict => RetryReason::Conflict,
        FailureKind::NotFound
        | FailureKind::Refused
        | FailureKind::Unknown
        | FailureKind::Failed
        | FailureKind::Abandoned => RetryReason::RetryBackOff,
    };
    let retry = Retry {
        attempts,
        not_before: now
            .moment
            .after(backoff.jittered(attempts, &outcome.object.to_string())),
        reason,
        message: failure.message.clone(),
    };
    memory.retries.insert(outcome.object.clone(), retry);
}

fn forget_the_gone(memory: &mut Memory, observed: &Observed) {
    let started =
        |id: &ContainerId| observed.containers.get(id).and_then(|it| it.state.started);
    memory.proven.retain(|id, proven| started(id) == Some(*proven));
    memory.probing.retain(|id, probing| started(id) == Some(probing.started));
    memory.filled.retain(|id| observed.containers.contains_key(id));
    memory.stopped.retain(|id| {
        let there = observed.containers.get(id);
        there.is_some_and(|it| it.state.status != Status::Running)
    });
}

/// A container that runs and is not ready is probed at once.
fn start_probing(memory: &mut Memory, observed: &Observed, now: Now) {
    for container in observed.containers.values() {
        let Some(started) = container.state.started else { continue };
        let is_starting =
            matches!(readiness(container, memory, now), Readiness::Starting { .. });
        if is_starting && !memory.probing.contains_key(&container.id) {
            let probing = Probing { started, count: 0, next: now.moment, last: None };
            memory.probing.insert(container.id.clone(), probing);
        }
    }
}

/// We stopped it, or are about to: its end may be seen before the stop has returned.
fn is_our_doing(memory: &Memory, object: &Object, holder: &Container) -> bool {
    let under_way = memory.under_way.get(object);
    memory.stopped.contains(&holder.id)
        || matches!(under_way, Some(Step::Stop { container, .. }) if *container == holder.id)
}

/// Counts the crashes in a row of every replica; a long time of readiness forgives them.
fn crashes(world: &World<'_>) -> BTreeMap<Object, Crashes> {
    let mut crashes = world.memory.crashes.clone();
    for (replica, instance) in &world.instances {
        let object = Object::Service(replica.clone());
        let Some(holder) = instance.office.holder else { continue };
        if instance.standing == Standing::Ended {
            if !is_our_doing(world.memory, &object, holder) {
                count(&mut crashes, object, holder, world.now);
            }
        } else if instance.standing == Standing::Running(Readiness::Ready)
            && holder.state.started.is_some_and(|it| world.now.age(it) >= FORGIVEN)
        {
            crashes.remove(&object);
        }
    }
    crashes
}

/// Counts an end once.
fn count(
    crashes: &mut BTreeMap<Object, Crashes>,
    object: Object,
    holder: &Container,
    now: Now,
) {
    let Some(finished) = holder.state.finished else { return };
    let last = (holder.id.clone(), finished);
    let known = crashes.get(&object);
    if known.is_some_and(|known| known.last == last) {
        return;
    }
    let count = known.map_or(0, |known| known.count).saturating_add(1);
    let delay = CRASH.jittered(count - 1, &object.to_string());
    let not_before = now.moment.after(delay);
    crashes.insert(object, Crashes { count, last, not_before });
}
