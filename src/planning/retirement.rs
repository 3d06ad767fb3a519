//! The end of a replacement: the new container has proved itself and the old one goes, or
//! it has not and the old one comes back.

use crate::state::desired::FailureAction;
use crate::state::observed::Container;
use crate::state::step::Step;

use super::change::{Action, FieldDrift, Note};
use super::decision::{Decision, Next};
use super::handover::{set_aside, take_down};
use super::office::{Aside, is_running};
use super::rejection::Rejection;
use super::replica::{decision, keep_with, named, object};
use super::rollout::is_over;
use super::trial::has_passed;
use super::world::{Instance, World};
use super::{disruption, immutable, order};

/// Decides what comes next for those who gave the office up, once the holder is ready.
pub fn retire(world: &World<'_>, instance: &Instance<'_>) -> Decision {
    if let Some(base) = instance.office.base {
        if !has_passed(world, instance) {
            return wait_for_proof(world, instance, base);
        }
        let reason = format!("{} gave its place to {}", base.name, instance.target.name);
        if is_running(base) {
            let waits = disruption::dependents_first(world, instance);
            let next = if waits.is_empty() {
                take_down(instance, base)
            } else {
                Next::Wait(waits)
            };
            return decision(instance, Action::Recreate, reason, next);
        }
        let others = unfinished(world, instance);
        if !others.is_empty() {
            return decision(instance, Action::Remove, reason, Next::Wait(others));
        }
        let next = dismiss(world, instance, base);
        return decision(instance, Action::Remove, reason, next);
    }
    let Some(retired) = instance.office.retired.first() else {
        return decision(instance, Action::None, "it is as wanted", Next::Nothing);
    };
    let reason = if Aside::Failed.is_name_of(retired) {
        format!("{} did not prove itself", retired.name)
    } else {
        format!("{} gave its place to {}", retired.name, instance.target.name)
    };
    let next = dismiss(world, instance, retired);
    decision(instance, Action::Remove, reason, next)
}

fn wait_for_proof(
    world: &World<'_>,
    instance: &Instance<'_>,
    base: &Container,
) -> Decision {
    let monitor = instance.service.update.monitor;
    let reason = format!(
        "it must stay ready for {} s before {} goes",
        monitor.as_secs_f64(),
        base.name
    );
    let trial =
        instance.office.holder.and_then(|holder| world.memory.trials.get(&holder.id));
    let next = match trial.and_then(|trial| trial.ready_since) {
        Some(since) => Next::Until(since.after(monitor), "its proof".to_owned()),
        None => Next::Wait(vec!["its proof".to_owned()]),
    };
    decision(instance, Action::Recreate, reason, next)
}

/// Returns the replicas that may still need their old containers, should the change fail.
fn unfinished(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let service = &instance.service.name;
    if is_over(world, service) {
        return Vec::new();
    }
    let others = world.replicas_of(service).filter(|other| {
        other.replica != instance.replica
            && (other.must_go_down() || !has_passed(world, other) || !other.is_ready())
    });
    others.map(|other| format!("{} to have proved itself", object(other))).collect()
}

/// Returns the next step towards the end of a container that nobody needs.
pub fn dismiss(
    world: &World<'_>,
    instance: &Instance<'_>,
    container: &Container,
) -> Next {
    if is_running(container) {
        return take_down(instance, container);
    }
    if is_failed(world, instance, container)
        && !world.memory.logged.contains(&container.id)
    {
        return Next::Step(Step::ReadLog { container: container.id.clone() });
    }
    Next::Step(Step::Remove { container: container.id.clone() })
}

/// Tells whether people will want to know why a container did not prove itself.
fn is_failed(world: &World<'_>, instance: &Instance<'_>, container: &Container) -> bool {
    let rejection = world.memory.rejections.get(&instance.service.name);
    let spec = container.origin.spec.as_ref();
    container.state.started.is_some()
        && rejection.is_some_and(|it| spec.is_some_and(|spec| it.specs.contains(spec)))
}

/// Takes the office back from a holder that did not prove itself.
pub fn go_back(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
    base: &Container,
) -> Decision {
    let rejection = world.memory.rejections.get(&instance.service.name);
    let reason = match rejection {
        Some(rejection) => format!("{}; {} comes back", rejection.why, base.name),
        None => format!("{} is what is wanted, and comes back", base.name),
    };
    let next = if let Some(candidate) = instance.office.candidate {
        dismiss(world, instance, candidate)
    } else if is_running(holder) {
        let waits = order::before_return(world, instance);
        if waits.is_empty() { take_down(instance, holder) } else { Next::Wait(waits) }
    } else {
        set_aside(instance, holder, Aside::Failed)
    };
    decision(instance, Action::Recreate, reason, next)
}

/// What is wanted was rejected: the holder goes on as it is, and people are told.
pub fn stay(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
    rejection: &Rejection,
) -> Decision {
    if let Some(candidate) = instance.office.candidate {
        let reason = rejection.why.clone();
        let next = dismiss(world, instance, candidate);
        return decision(instance, Action::Recreate, reason, next);
    }
    if let Some(decided) = as_it_is(world, instance, holder) {
        return decided;
    }
    let reason = format!(
        "{} but was given up: {}",
        named(&instance.drift, Action::Recreate),
        rejection.why
    );
    let next = "another desired state, or `reconciler retry`".to_owned();
    decision(instance, Action::Recreate, reason, Next::Wait(vec![next]))
}

/// Returns what is to be done for a holder that goes on as it is; nothing when that is
/// nothing. Only what goes with the office is brought in line; all else is as it was when
/// it was ready.
fn as_it_is(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Option<Decision> {
    let fields = instance.drift.iter().filter(|field| is_of_office(field)).cloned();
    let as_it_is = Instance { drift: fields.collect(), ..instance.clone() };
    let decided = keep_with(world, &as_it_is, holder);
    let is_nothing =
        decided.action == Action::None && matches!(decided.next, Next::Nothing);
    (!is_nothing).then_some(decided)
}

/// What is wanted must not be done under data: the holder goes on as it is, and people are
/// told.
pub fn hold(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Decision {
    if let Some(candidate) = instance.office.candidate {
        let reason = "what it was made for must not be done under data";
        let next = dismiss(world, instance, candidate);
        return decision(instance, Action::Remove, reason, next);
    }
    if let Some(decided) = as_it_is(world, instance, holder) {
        return decided;
    }
    let reason = "it is left as it is: not everything about it may change under data";
    let next = Next::Wait(immutable::waits(instance));
    decision(instance, Action::Recreate, reason, next)
}

/// Says that a change stopped half-way: nothing is to be done, but it must not go unsaid.
pub fn note(world: &World<'_>, instance: &Instance<'_>) -> Option<Note> {
    let rejection = world.memory.rejections.get(&instance.service.name)?;
    let base = instance.office.base?;
    (rejection.action == FailureAction::Pause).then(|| Note {
        reason: "UpdatePaused",
        about: object(instance).to_string(),
        message: format!(
            "{}; {} is kept: another desired state goes on from here, the one before \
             brings it back, and `reconciler retry` waits once more",
            rejection.why, base.name
        ),
    })
}

fn is_of_office(field: &FieldDrift) -> bool {
    let is_stale = field.path.starts_with("networks.")
        && field.observed.as_text() == Some(super::difference::STALE);
    is_stale
        || field.path == "container_name"
        || field.pointer.starts_with("HostConfig.RestartPolicy.")
}
