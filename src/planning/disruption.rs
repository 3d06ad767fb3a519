//! Whom a stop of ours takes along: dependents with `restart: true` are stopped before
//! their dependency and started after it, as one disruption.
//!
//! Everything is read off the world, so that a crash at any point loses nothing: a
//! dependent goes down while its dependency is at the point of being stopped, that stop
//! waits until the dependent is down, and the dependent's start waits until the dependency
//! is past that point and ready.

use crate::state::desired::{Condition, Dependency, Desired};
use crate::state::ids::{ContainerId, Object, ServiceName};
use crate::state::observed::Container;
use crate::state::step::Step;

use super::change::Action;
use super::decision::{Decision, Next};
use super::memory::Stopper;
use super::office::is_running;
use super::pause;
use super::readiness::Readiness;
use super::rejection::{Course, course};
use super::replica::{self, decision, object};
use super::world::{Instance, Standing, World};
use super::{handover, trial};

/// Returns what a stop of a container waits for on the side of its dependents: those with
/// `restart: true` are prepared for a change of their own, and stopped.
pub fn dependents_first(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let prepared = preparing(world, instance);
    if prepared.is_empty() { stopping(world, instance) } else { prepared }
}

/// The dependents that run and have yet to be stopped.
fn stopping(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let dependents = taken_along(world, &instance.service.name);
    dependents.map(|it| format!("{} stopped", object(it))).collect()
}

/// The dependents whose own successor is being made: they go down once for both.
fn preparing(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    if world.memory.only.is_some() {
        // A restart by hand changes nobody.
        return Vec::new();
    }
    let dependents = taken_along(world, &instance.service.name);
    let preparing = dependents.filter(|it| {
        let Some(holder) = it.office.holder else { return false };
        let is_to_change = matches!(course(world, it), Course::Replace);
        is_to_change && is_being_prepared(world, it, holder)
    });
    preparing.map(|it| format!("{} prepared", object(it))).collect()
}

fn is_being_prepared(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> bool {
    let object = object(instance);
    if let Some(step) = world.memory.under_way.get(&object) {
        return !matches!(step, Step::Stop { .. });
    }
    let is_failing = world.memory.retries.contains_key(&object);
    !is_failing
        && match handover::decide(world, instance, holder).next {
            Next::Step(step) => !is_stop_of(&step, instance),
            Next::Nothing | Next::Wait(_) | Next::Until(..) => false,
        }
}

/// The running replicas of services that go down with a service.
fn taken_along<'w, 'a>(
    world: &'w World<'a>,
    name: &'w ServiceName,
) -> impl Iterator<Item = &'w Instance<'a>> {
    world.instances.values().filter(move |it| {
        let dependency = it.service.depends_on.get(name);
        dependency.copied().is_some_and(goes_along) && it.holder_runs()
    })
}

/// Tells whether a service is restarted with another, directly or by way of others.
pub fn follows(desired: &Desired, service: &ServiceName, other: &ServiceName) -> bool {
    let Some(service) = desired.services.get(service) else { return false };
    let mut along = service.depends_on.iter().filter(|(_, it)| goes_along(**it));
    along.any(|(name, _)| name == other || follows(desired, name, other))
}

/// A completed job is needed by nobody any more.
fn goes_along(dependency: Dependency) -> bool {
    dependency.restart && dependency.condition != Condition::Completed
}

/// Tells whether a replica is at the point of being stopped by us: its next step is that, or
/// waits for nothing but its dependents.
pub fn goes_down(world: &World<'_>, instance: &Instance<'_>) -> bool {
    if !instance.holder_runs() || pause::is_left_alone(world, &instance.service.name) {
        return false;
    }
    let decision = replica::decide(world, instance);
    match decision.next {
        Next::Step(step @ Step::Update { .. }) => {
            decision.action == Action::Recreate && is_stop_of(&step, instance)
        }
        Next::Step(step) => is_stop_of(&step, instance),
        Next::Wait(waits) => {
            !waits.is_empty()
                && preparing(world, instance).is_empty()
                && waits == stopping(world, instance)
        }
        Next::Nothing | Next::Until(..) => false,
    }
}

/// A stop of a container that others find, or the change of the restart policy that comes
/// before it.
fn is_stop_of(step: &Step, instance: &Instance<'_>) -> bool {
    let office = &instance.office;
    let is_found = |id: &ContainerId| {
        office.holder.into_iter().chain(office.base).any(|it| it.id == *id)
    };
    match step {
        Step::Stop { container, .. } => is_found(container),
        Step::Update { container, document } => {
            let policy = document.get("HostConfig.RestartPolicy.Name");
            is_found(container) && policy.as_text() == Some("no")
        }
        Step::Pull { .. }
        | Step::CreateNetwork { .. }
        | Step::RemoveNetwork { .. }
        | Step::CreateVolume { .. }
        | Step::Create { .. }
        | Step::CopyIn { .. }
        | Step::Connect { .. }
        | Step::Disconnect { .. }
        | Step::Rename { .. }
        | Step::Start { .. }
        | Step::Unpause { .. }
        | Step::Remove { .. }
        | Step::ReadLog { .. }
        | Step::Measure { .. }
        | Step::Probe { .. }
        | Step::Reach { .. }
        | Step::Signal { .. }
        | Step::Test { .. }
        | Step::Rehearse(_) => false,
    }
}

/// Stops a dependent whose dependency is at the point of being stopped; nothing when none
/// is.
pub fn go_along(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Option<Decision> {
    if !is_running(holder) || instance.standing == Standing::Paused {
        return None;
    }
    let mut dependencies = instance.service.depends_on.iter();
    let (name, _) = dependencies.find(|(name, dependency)| {
        goes_along(**dependency) && any_goes_down(world, name)
    })?;
    let waits = dependents_first(world, instance);
    let next = if waits.is_empty() {
        Next::Step(Step::Stop {
            container: holder.id.clone(),
            grace: instance.service.stop_grace,
        })
    } else {
        Next::Wait(waits)
    };
    let reason = format!("{name}, which it depends on, is about to be stopped");
    Some(decision(instance, Action::Restart, reason, next))
}

fn any_goes_down(world: &World<'_>, name: &ServiceName) -> bool {
    world.replicas_of(name).any(|it| goes_down(world, it))
}

/// Returns what a start waits for besides its gate: a dependency that is about to be
/// stopped, and the readiness of one that it was stopped for.
pub fn before_start(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Vec<String> {
    let is_back = world.memory.stopped.get(&holder.id) == Some(&Stopper::Us);
    let dependencies = instance.service.depends_on.iter();
    dependencies
        .filter(|(_, it)| it.condition != Condition::Completed)
        .filter(|(name, it)| {
            let comes_up = || {
                world.replicas_of(name).any(|it| is_starting(it) || is_next(world, it))
            };
            any_goes_down(world, name) || is_back && it.restart && comes_up()
        })
        .map(|(name, _)| format!("service/{name} up to date and ready"))
        .collect()
}

/// Tells whether another replica of a dependency is about to be replaced: all of them are
/// one disruption.
fn is_next(world: &World<'_>, instance: &Instance<'_>) -> bool {
    let object = object(instance);
    instance.office.candidate.is_some()
        && matches!(course(world, instance), Course::Replace)
        && !world.memory.retries.contains_key(&object)
}

fn is_starting(instance: &Instance<'_>) -> bool {
    matches!(instance.standing, Standing::Running(Readiness::Starting { .. }))
}

/// Returns the dependents that are in the middle of a change of their own: a dependency
/// that is ready is not taken away from them meanwhile.
pub fn rolling_dependents(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    if !instance.is_ready() {
        return Vec::new();
    }
    let rolling = world.instances.values().filter(|other| {
        let dependency = other.service.depends_on.get(&instance.service.name);
        dependency.is_some_and(|it| it.condition != Condition::Completed)
            && other.holder_runs()
            && trial::is_open(world, other)
            // Else its trial stands still, and may wait for this very change.
            && world.unmet(other.service).is_empty()
    });
    rolling
        .map(|other| format!("{} ready", Object::Service(other.replica.clone())))
        .collect()
}
