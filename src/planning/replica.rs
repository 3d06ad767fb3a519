//! What comes next for one replica of a service.

use crate::state::ids::{ContainerName, Object};
use crate::state::observed::Container;
use crate::state::step::Step;

use super::change::{Action, FieldDrift};
use super::decision::{Decision, Next};
use super::readiness::{Readiness, health_command, health_timeout};
use super::world::{Instance, Standing, World};
use super::{handover, in_place, order};

/// Decides what comes next for one replica.
pub fn decide(world: &World<'_>, instance: &Instance<'_>) -> Decision {
    let Some(holder) = instance.office.holder else { return create(world, instance) };
    match instance.verdict() {
        Action::Recreate => handover::decide(world, instance, holder),
        Action::None
        | Action::UpdateInPlace
        | Action::Restart
        | Action::Create
        | Action::Remove => keep(world, instance, holder),
    }
}

/// Makes the first container.
fn create(world: &World<'_>, instance: &Instance<'_>) -> Decision {
    let next = creation(world, instance, &instance.target.name, None);
    decision(instance, Action::Create, "there is no container", next)
}

/// Returns the next step towards a new container of this name.
pub fn creation(
    world: &World<'_>,
    instance: &Instance<'_>,
    name: &ContainerName,
    replaces: Option<&Container>,
) -> Next {
    let service = instance.service;
    if let Some(next) = image(world, instance) {
        return next;
    }
    let Some(image) = world.observed.image(service.image.as_str()) else {
        return Next::Wait(vec![format!("image {}", service.image)]);
    };
    if let Some(owner) = world.observed.strangers.get(name) {
        let owner = owner.as_ref().map_or_else(
            || "which no project owns".to_owned(),
            |project| format!("of project {project}"),
        );
        return Next::Wait(vec![format!("the name {name}: a container has it, {owner}")]);
    }
    let missing = order::missing_objects(world, service);
    if !missing.is_empty() {
        return Next::Wait(missing);
    }
    let document = instance.target.creation(
        world.desired,
        &instance.replica,
        service,
        &image.id,
        replaces.map(|container| &container.id),
        &world.observed.facts,
    );
    Next::Step(Step::Create {
        name: name.clone(),
        document,
        platform: service.platform.clone(),
    })
}

/// Returns the step that fetches the image, or what it waits for; nothing when it is there.
fn image(world: &World<'_>, instance: &Instance<'_>) -> Option<Next> {
    let image = &instance.service.image;
    if !instance.wants_pull(world.observed, world.memory) {
        return None;
    }
    let is_pulled_by_another =
        world.memory.under_way.values().any(
            |step| matches!(step, Step::Pull { image: other, .. } if other == image),
        );
    Some(if is_pulled_by_another {
        Next::Wait(vec![format!("image {image}")])
    } else {
        Next::Step(Step::Pull {
            image: image.clone(),
            platform: instance.service.platform.clone(),
        })
    })
}

/// The holder may stay: brings it in line while it lives, and up when it does not.
fn keep(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Decision {
    if let Some(candidate) = instance.office.candidate {
        let step = Step::Remove { container: candidate.id.clone() };
        let reason = "a candidate is left over that nothing needs any more";
        return decision(instance, Action::Remove, reason, Next::Step(step));
    }
    if !instance.drift.is_empty() {
        return in_place::decide(world, instance, holder);
    }
    match &instance.standing {
        Standing::Running(readiness) => running(world, instance, holder, readiness),
        Standing::Completed => retire(instance),
        Standing::Created => {
            start(world, instance, holder, Action::Create, "it was never started")
        }
        Standing::Ended => ended(world, instance, holder),
        Standing::Paused => {
            let step = Step::Unpause { container: holder.id.clone() };
            decision(instance, Action::Restart, "it is paused", Next::Step(step))
        }
        Standing::Restarting => {
            let reason = format!(
                "it ended with code {}; the engine's restart policy starts it again",
                holder.state.exit_code
            );
            let wait = "the engine's own restart delay".to_owned();
            decision(instance, Action::None, reason, Next::Wait(vec![wait]))
        }
        Standing::Dead | Standing::Absent => {
            let step = Step::Remove { container: holder.id.clone() };
            decision(
                instance,
                Action::Recreate,
                "the engine calls it dead",
                Next::Step(step),
            )
        }
    }
}

fn running(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
    readiness: &Readiness,
) -> Decision {
    match readiness {
        Readiness::Ready => retire(instance),
        Readiness::Starting { next } if *next > world.now.moment => {
            let wait = Next::Until(*next, "its health".to_owned());
            decision(instance, Action::None, "it is not ready yet", wait)
        }
        Readiness::Starting { .. } => {
            let next = health_command(holder).map_or(Next::Nothing, |command| {
                Next::Step(Step::Probe {
                    container: holder.id.clone(),
                    command,
                    timeout: health_timeout(holder),
                })
            });
            decision(instance, Action::None, "it is not ready yet", next)
        }
        Readiness::Unhealthy | Readiness::Down => {
            decision(instance, Action::None, "its health check fails", Next::Nothing)
        }
    }
}

/// Removes a container that gave the office up, once its successor is ready.
fn retire(instance: &Instance<'_>) -> Decision {
    let Some(retired) = instance.office.retired.first() else {
        return decision(instance, Action::None, "it is as wanted", Next::Nothing);
    };
    let next = if super::office::is_running(retired) {
        Step::Stop { container: retired.id.clone(), grace: instance.service.stop_grace }
    } else {
        Step::Remove { container: retired.id.clone() }
    };
    let reason = format!("{} gave its place to {}", retired.name, instance.target.name);
    decision(instance, Action::Remove, reason, Next::Step(next))
}

fn ended(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Decision {
    let state = &holder.state;
    let how = if state.out_of_memory { " for want of memory" } else { "" };
    let mut reason = format!("it ended with code {}{how}", state.exit_code);
    if !state.error.is_empty() {
        reason = format!("{reason}: {}", state.error);
    }
    start(world, instance, holder, Action::Restart, &reason)
}

/// Returns the next step towards a running container, in order: content, gates, start.
pub fn start(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
    action: Action,
    reason: &str,
) -> Decision {
    decision(instance, action, reason, starting(world, instance, holder))
}

fn starting(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Next {
    let unmet = world.unmet(instance.service);
    if !unmet.is_empty() {
        return Next::Wait(unmet);
    }
    let object = object(instance);
    if let Some(crashes) = world.memory.crashes.get(&object)
        && crashes.not_before > world.now.moment
    {
        let why = format!("backoff after {} crashes", crashes.count);
        return Next::Until(crashes.not_before, why);
    }
    let is_new = instance.standing == Standing::Created;
    if is_new
        && !instance.target.files.is_empty()
        && !world.memory.filled.contains(&holder.id)
    {
        return Next::Step(Step::CopyIn {
            container: holder.id.clone(),
            files: instance.target.files.clone(),
        });
    }
    Next::Step(Step::Start { container: holder.id.clone() })
}

/// Returns the object of an instance.
pub fn object(instance: &Instance<'_>) -> Object {
    Object::Service(instance.replica.clone())
}

/// Makes a decision about an instance, with its drift.
pub fn decision(
    instance: &Instance<'_>,
    action: Action,
    reason: impl Into<String>,
    next: Next,
) -> Decision {
    Decision::new(object(instance), action, reason, next).because_of(&instance.drift)
}

/// Names the fields that cost so much, for a reason.
pub fn named(fields: &[FieldDrift], cost: Action) -> String {
    let names: Vec<&str> = fields
        .iter()
        .filter(|field| field.cost == cost)
        .map(|field| field.path.as_str())
        .collect();
    match names.as_slice() {
        [one] => format!("{one} changes"),
        [first, .., last] if names.len() <= 3 => {
            let _ = first;
            format!("{} and {last} change", names[..names.len() - 1].join(", "))
        }
        [first, second, rest @ ..] => {
            format!("{first}, {second} and {} more fields change", rest.len())
        }
        [] => "nothing changes".to_owned(),
    }
}
