//! What is learnt from a look and from how steps ended.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::content::meaning_of;
use crate::state::desired::{Desired, Service};
use crate::state::ids::{ContainerId, Object, Replica};
use crate::state::observed::Observed;
use crate::state::step::{Done, Failure, FailureKind, Outcome, Step};
use crate::state::time::Now;
use crate::state::value::Value;

use super::event;
use super::memory::{Memory, Probing, Retry, RetryReason, Stopper};
use super::readiness::{Readiness, readiness};
use super::retry::{ERROR, PROBE, PULL};
use super::trial::Verdict;
use super::world::{Allowed, World};
use super::{
    adoption, attribution, completed, content, crash, data_path, heal, immutable,
    outside, prune, quirk, rejection, restart, target, trial,
};

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
        memory.generation = Some(desired.generation.clone());
        memory.pulled = BTreeSet::new();
        wish(&mut memory, desired, observed);
    }
    let unwatched = memory.unwatched.take();
    for outcome in outcomes {
        memory.under_way.remove(&outcome.object);
        match &outcome.result {
            Ok(done) => succeeded(&mut memory, observed, outcome, done, now),
            Err(_) if is_outdated(&outcome.step, &outcome.object, desired) => {}
            Err(failure) => failed(&mut memory, outcome, failure, now),
        }
    }
    memory.pauses.expire(now.engine);
    forget_the_gone(&mut memory, observed);
    content::learn(&mut memory, desired, observed, outcomes);
    outside::learn(&mut memory, desired, observed, outcomes, now);
    heal::own(&mut memory, observed);
    crash::excuse(&mut memory, desired, observed, unwatched, now);
    start_probing(&mut memory, observed, now);
    let world = World::new(desired, observed, &memory, now, Allowed::default());
    let mismatches = quirk::mismatches(&world, outcomes);
    let completed = completed::completed(&world);
    let outages = attribution::outages(&world);
    let healings = heal::healings(&world);
    let (crashes, attributed) = crash::crashes(&world, unwatched, &outages);
    let (trials, offices) = (trial::trials(&world, outcomes), rejection::offices(&world));
    let due_restarts = restart::due(&world);
    let adopted = adoption::adopted(&world);
    let before_prune = prune::before(&world);
    let data_paths = data_path::remembered(&world);
    let made_with = immutable::remembered(&world);
    memory.crashes = crashes;
    memory.attributed = attributed;
    memory.outages = outages;
    memory.healings = healings;
    memory.due_restarts = due_restarts;
    memory.adopted = adopted;
    memory.before_prune = before_prune;
    memory.data_paths = data_paths;
    memory.made_with = made_with;
    memory.asked_to_restart.clear();
    memory.restarts = crash::restart_counts(observed);
    memory.completed = completed;
    memory.trials = trials;
    memory.offices = offices;
    quirk::remember(&mut memory, mismatches);
    let world = World::new(desired, observed, &memory, now, Allowed::default());
    memory.rejections = rejection::rejections(&world);
    event::learnt(before, &mut memory, desired, observed, outcomes, now);
    memory
}

/// What is wanted otherwise than before is tried at once; what did not change goes on to
/// wait.
fn wish(memory: &mut Memory, desired: &Desired, observed: &Observed) {
    let wishes = wishes(desired);
    let before = std::mem::replace(&mut memory.wishes, wishes);
    let wishes = &memory.wishes;
    let is_same = |object: &Object| before.get(object) == wishes.get(object);
    memory.retries.retain(|object, _| is_same(object));
    memory.crashes.retain(|object, _| is_same(object));
    memory.healings.retain(|object, _| is_same(object));
    // Whether the image of what is wanted now is another may not be known before it is there.
    memory.rejections.retain(|service, _| {
        let first = Replica { service: service.clone(), number: 1 };
        is_same(&Object::Service(first))
    });
    // Neither is a container judged by how it did under another wish.
    let is_another_try = |id: &ContainerId| {
        let replica =
            observed.containers.get(id).and_then(|it| it.origin.replica.clone());
        let object = replica.map(Object::Service);
        object.is_some_and(|it| before.contains_key(&it) && !is_same(&it))
    };
    memory
        .trials
        .retain(|id, trial| trial.verdict == Verdict::Passed || !is_another_try(id));
}

fn wishes(desired: &Desired) -> BTreeMap<Object, String> {
    let networks = desired.networks.iter();
    let networks =
        networks.map(|(key, it)| (Object::Network(key.clone()), &it.canonical));
    let volumes = desired.volumes.iter();
    let volumes = volumes.map(|(key, it)| (Object::Volume(key.clone()), &it.canonical));
    let mut wishes: BTreeMap<Object, String> = networks
        .chain(volumes)
        .map(|(object, canonical)| (object, desired.digest_key.digest(canonical)))
        .collect();
    for service in desired.services.values() {
        let wish = service_wish(desired, service);
        wishes.extend((1..=service.replicas).map(|number| {
            let replica = Replica { service: service.name.clone(), number };
            (Object::Service(replica), wish.clone())
        }));
    }
    wishes
}

fn service_wish(desired: &Desired, service: &Service) -> String {
    let (_, content) = target::files(desired, service);
    let content = content.into_iter().map(|(path, digest)| (path, Value::text(digest)));
    let mut all = vec![service.canonical.clone(), Value::Map(content.collect())];
    if !service.contents.is_empty() {
        all.push(meaning_of(&service.contents));
    }
    desired.digest_key.digest(&Value::List(all))
}

fn succeeded(
    memory: &mut Memory,
    observed: &Observed,
    outcome: &Outcome,
    done: &Done,
    now: Now,
) {
    match (&outcome.step, done) {
        (Step::Probe { container, .. }, Done::Probed { exit_code }) => {
            probed(memory, observed, container, *exit_code, now);
            return;
        }
        (Step::Reach { .. }, _) => return,
        (Step::Pull { image, .. }, _) => {
            memory.pulled.insert(image.clone());
        }
        (Step::CopyIn { container, .. }, _) => {
            memory.filled.insert(container.clone());
        }
        (Step::Stop { container, .. }, _) => {
            memory.stopped.insert(container.clone(), Stopper::Us);
        }
        (Step::ReadLog { container }, _) => {
            memory.logged.insert(container.clone());
        }
        (Step::Measure { container }, Done::Measured { bytes }) => {
            memory.measured.insert(container.clone(), (*bytes, now.moment));
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

/// Tells whether a step was about an image that is no longer wanted: its failure counts for
/// nothing.
fn is_outdated(step: &Step, object: &Object, desired: &Desired) -> bool {
    let (Step::Pull { image, .. }, Object::Service(replica)) = (step, object) else {
        return false;
    };
    let service = desired.services.get(&replica.service);
    service.is_some_and(|service| service.image != *image)
}

/// A probe that could not run says nothing about the container; everything else backs off.
fn failed(memory: &mut Memory, outcome: &Outcome, failure: &Failure, now: Now) {
    if failure.kind == FailureKind::Abandoned {
        return;
    }
    if let Step::ReadLog { container } = &outcome.step {
        // Nobody waits for last words that cannot be had.
        memory.logged.insert(container.clone());
        return;
    }
    if matches!(outcome.step, Step::Reach { .. }) {
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
        message: if is_pull && is_final(failure.kind) {
            format!("{}; {NO_IMAGE}", failure.message)
        } else {
            failure.message.clone()
        },
    };
    memory.retries.insert(outcome.object.clone(), retry);
}

const NO_IMAGE: &str = "this does not pass by itself: correct the image's name, push it, \
                        or log in to its registry";

/// Tells whether the same request has little hope: what it asks for is not there, or not
/// for us.
const fn is_final(kind: FailureKind) -> bool {
    match kind {
        FailureKind::NotFound | FailureKind::Refused => true,
        FailureKind::Conflict
        | FailureKind::Unknown
        | FailureKind::Failed
        | FailureKind::Abandoned => false,
    }
}

fn forget_the_gone(memory: &mut Memory, observed: &Observed) {
    let started =
        |id: &ContainerId| observed.containers.get(id).and_then(|it| it.state.started);
    memory.proven.retain(|id, proven| started(id) == Some(*proven));
    memory.probing.retain(|id, probing| started(id) == Some(probing.started));
    memory.measured.retain(|id, _| observed.containers.contains_key(id));
    memory.filled.retain(|id| observed.containers.contains_key(id));
    memory.logged.retain(|id| observed.containers.contains_key(id));
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
