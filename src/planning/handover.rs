//! Replacement: a candidate is made before the old container is touched, and the old one
//! stays until the new one has proved itself.
//!
//! Every stage is read off the engine, so that a crash between two stages loses nothing.
//! Stop-first: no candidate → a candidate that is not in line yet → the old one's restart
//! policy is taken away → it is stopped → it gives up the name → the candidate gets it
//! (then it is the holder, and is started and proven like any other). Start-first: the
//! candidate is started beside the old one, without the names by which others find it; once
//! it is ready it gets them, then the office, and the old one is stopped when it has stayed
//! ready.

use crate::state::desired::StartOrder;
use crate::state::document::Document;
use crate::state::observed::Container;
use crate::state::step::Step;
use crate::state::value::Value;

use super::change::Action;
use super::decision::{Decision, Next};
use super::office::{Aside, is_running};
use super::readiness::{Readiness, readiness};
use super::replica::{creation, decision, filling, named, probing};
use super::rollout::{delay, strategy};
use super::trial::has_passed;
use super::world::{Instance, World};
use super::{in_place, order, retirement};

/// Decides the next stage of a replacement.
pub fn decide(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Decision {
    if let Some(base) = instance.office.base.filter(|_| has_passed(world, instance)) {
        // From now on the holder is the one to come back to.
        let reason = format!("{} gave its place to {}", base.name, holder.name);
        let next = retirement::dismiss(world, instance, base);
        return decision(instance, Action::Recreate, reason, next);
    }
    let strategy = strategy(instance, &holder.document);
    let reason =
        format!("{}; {}", named(&instance.drift, Action::Recreate), strategy.because);
    let is_on_its_way = instance.office.candidate.is_some_and(is_running);
    let next = match strategy.order {
        StartOrder::StartFirst if is_running(holder) => {
            start_first(world, instance, holder)
        }
        // Nobody serves any more: the new one takes over as far as it has come.
        StartOrder::StartFirst if is_on_its_way => {
            set_aside(instance, holder, Aside::Old)
        }
        StartOrder::StartFirst | StartOrder::StopFirst => {
            stop_first(world, instance, holder)
        }
    };
    decision(instance, Action::Recreate, reason, next)
}

fn stop_first(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Next {
    let Some(candidate) = instance.office.candidate else {
        let name = Aside::Next.name(&instance.target.name, &holder.id);
        return creation(world, instance, &name, Some(holder));
    };
    if let Some(next) = prepare(world, instance, candidate) {
        return next;
    }
    if is_running(holder) {
        if let Some(wait) = before_disruption(world, instance) {
            return wait;
        }
        return take_down(instance, holder);
    }
    set_aside(instance, holder, Aside::Old)
}

/// Brings a candidate in line that is not to be started yet; nothing when it is.
fn prepare(
    world: &World<'_>,
    instance: &Instance<'_>,
    candidate: &Container,
) -> Option<Next> {
    // It was to run beside the old one, which is not wanted any more.
    let is_of_no_use = is_running(candidate);
    let fields =
        instance.drift_of(candidate, world.desired, world.observed, world.memory);
    match fields.iter().map(|field| field.cost).max().unwrap_or(Action::None) {
        _ if is_of_no_use => Some(retirement::dismiss(world, instance, candidate)),
        Action::Recreate => Some(retirement::dismiss(world, instance, candidate)),
        Action::UpdateInPlace => Some(in_place::step(world, instance, candidate)),
        Action::None
        | Action::Reload
        | Action::Restart
        | Action::Create
        | Action::Remove => None,
    }
}

/// Dependents that are restarted with it are stopped before the old container is: here only
/// where that is the next step.
fn before_disruption(world: &World<'_>, instance: &Instance<'_>) -> Option<Next> {
    wait(world, instance, order::before_disruption(world, instance))
}

fn wait(world: &World<'_>, instance: &Instance<'_>, waits: Vec<String>) -> Option<Next> {
    if !waits.is_empty() {
        return Some(Next::Wait(waits));
    }
    let until = delay(world, instance)?;
    Some(Next::Until(until, "the delay from one container to the next".to_owned()))
}

fn start_first(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Next {
    let Some(candidate) = instance.office.candidate else {
        let name = Aside::Next.name(&instance.target.name, &holder.id);
        return creation(world, &instance.without_names(), &name, Some(holder));
    };
    let fields =
        instance.drift_of(candidate, world.desired, world.observed, world.memory);
    if fields.iter().any(|field| field.cost == Action::Recreate) {
        return retirement::dismiss(world, instance, candidate);
    }
    if !is_running(candidate) {
        return warm_up(world, instance, candidate);
    }
    match readiness(candidate, world.memory, world.now) {
        Readiness::Ready if fields.is_empty() => set_aside(instance, holder, Aside::Old),
        Readiness::Ready => in_place::step(world, instance, candidate),
        Readiness::Starting { next } => probing(world, candidate, next),
        Readiness::Unhealthy | Readiness::Down => {
            Next::Wait(vec![format!("{} to become ready", candidate.name)])
        }
    }
}

/// Starts a candidate beside the old container, where nobody finds it yet.
fn warm_up(world: &World<'_>, instance: &Instance<'_>, candidate: &Container) -> Next {
    let nameless = instance.without_names();
    let fields =
        nameless.drift_of(candidate, world.desired, world.observed, world.memory);
    if candidate.state.started.is_none() && !fields.is_empty() {
        return in_place::step(world, &nameless, candidate);
    }
    if let Some(wait) = wait(world, instance, order::others_first(world, instance)) {
        return wait;
    }
    if let Some(fill) = filling(world, instance, candidate) {
        return fill;
    }
    Next::Step(Step::Start { container: candidate.id.clone() })
}

/// The engine starts a stopped container again at its own restart, unless its restart
/// policy says no: then there would be two of them.
pub fn take_down(instance: &Instance<'_>, container: &Container) -> Next {
    without_policy(container).unwrap_or_else(|| {
        Next::Step(Step::Stop {
            container: container.id.clone(),
            grace: instance.service.stop_grace,
        })
    })
}

/// Gives a stopped container another name, so that the final one is free.
pub fn set_aside(instance: &Instance<'_>, container: &Container, part: Aside) -> Next {
    let policy = if is_running(container) { None } else { without_policy(container) };
    policy.unwrap_or_else(|| {
        Next::Step(Step::Rename {
            container: container.id.clone(),
            to: part.name(&instance.target.name, &container.id),
        })
    })
}

fn without_policy(container: &Container) -> Option<Next> {
    let policy = container.document.get("HostConfig.RestartPolicy.Name");
    if matches!(policy.as_text(), None | Some("" | "no")) {
        return None;
    }
    let document: Document =
        [("HostConfig.RestartPolicy.Name", Value::text("no"))].into_iter().collect();
    Some(Next::Step(Step::Update { container: container.id.clone(), document }))
}
