//! What comes next for one replica of a service.

use crate::state::desired::StartOrder;
use crate::state::ids::{ContainerName, Object};
use crate::state::observed::{Container, Status};
use crate::state::step::Step;
use crate::state::time::Moment;

use super::change::{Action, FieldDrift, Note};
use super::decision::{Decision, Next};
use super::memory::Stopper;
use super::office::is_running;
use super::readiness::{Readiness, health_command, health_timeout};
use super::rejection::{Course, course};
use super::target::Predecessors;
use super::world::{Instance, Standing, World};
use super::{
    anonymous, attribution, content, data_path, disruption, exclusive, handover, heal,
    immutable, in_place, network, order, outside, rehearsal, rename, restart, retirement,
};

/// Decides what comes next for one replica.
pub fn decide(world: &World<'_>, instance: &Instance<'_>) -> Decision {
    if let Some(decision) = rehearsal::clear(world, instance) {
        return decision;
    }
    let Some(holder) = instance.office.holder else {
        if instance.standing == Standing::Completed {
            let reason = "it has done its work; its container is gone";
            return decision(instance, Action::None, reason, Next::Nothing);
        }
        return create(world, instance);
    };
    if let Some(decision) = disruption::go_along(world, instance, holder) {
        return decision;
    }
    match course(world, instance) {
        Course::Keep if heal::is_recreating(world, instance) => {
            heal::recreate(world, instance, holder)
        }
        Course::Keep => keep(world, instance, holder),
        Course::Replace if has_no_successor(world, instance) => {
            let reason = "its successor cannot be made yet";
            start(world, instance, holder, Action::Recreate, reason)
        }
        Course::Replace => handover::decide(world, instance, holder),
        Course::GoBack { base } => retirement::go_back(world, instance, holder, base),
        Course::Hold => retirement::hold(world, instance, holder),
        Course::Stay { rejection } => {
            retirement::stay(world, instance, holder, rejection)
        }
    }
}

/// Tells whether a container is down and its successor fails to come: then the old one is
/// better than none.
fn has_no_successor(world: &World<'_>, instance: &Instance<'_>) -> bool {
    instance.standing == Standing::Ended
        && instance.office.candidate.is_none()
        && world.memory.retries.contains_key(&object(instance))
}

/// Says which fields this engine reads back otherwise than they are asked for: nothing can
/// be done about it here, but it must not go unsaid.
pub fn note(world: &World<'_>, instance: &Instance<'_>) -> Option<Note> {
    let holder = instance.office.holder?;
    let fields = instance.quirks_of(holder, world.desired, world.observed, world.memory);
    let fields: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
    (!fields.is_empty()).then(|| Note {
        reason: "NotConverging",
        about: object(instance).to_string(),
        message: format!(
            "{} was written, and the engine reads it back otherwise; the container runs on",
            fields.join(", ")
        ),
    })
}

/// Makes the first container.
fn create(world: &World<'_>, instance: &Instance<'_>) -> Decision {
    let refused = immutable::waits(instance);
    if !refused.is_empty() {
        let reason = "there is no container, and its data was made with other settings";
        let held = decision(instance, Action::Create, reason, Next::Wait(refused));
        return held.because_of(&instance.immutable);
    }
    let next = creation(world, instance, &instance.target.name, None);
    let image = &instance.service.image;
    let reason = if instance.wants_pull(world.observed, world.memory) {
        format!("there is no container; the image {image} is pulled first")
    } else if let Some(old) = rename::renames(world).get(&instance.replica) {
        format!("renamed from {}, whose container is like it", old.service)
    } else {
        "there is no container".to_owned()
    };
    decision(instance, Action::Create, reason, next)
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
    // However often people change their minds, what was only ever on trial does not pile up.
    if let Some(spare) = instance.office.spare() {
        return retirement::dismiss(world, instance, spare);
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
    if let Some(other) = world.observed.containers.values().find(|it| it.name == *name) {
        if other.state.status == Status::Removing {
            return Next::Wait(vec![format!("the engine to finish removing {name}")]);
        }
        let whose = other.origin.replica.clone().map(Object::Service);
        let whose = whose.map_or_else(|| "nobody".to_owned(), |it| it.to_string());
        return Next::Wait(vec![format!("the name {name}, which {whose} has")]);
    }
    let mut missing = order::missing_objects(world, service);
    missing.extend(data_path::waits(world, instance));
    if !missing.is_empty() {
        return Next::Wait(missing);
    }
    let mut document = instance.target.creation(
        world.desired,
        &instance.replica,
        service,
        &image.id,
        replaces.map(|holder| Predecessors {
            holder: &holder.id,
            base: instance.office.base.map(|base| &base.id),
        }),
        &world.observed.facts,
    );
    if let Some(container) = replaces {
        anonymous::carry_over(&mut document, container);
    }
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
        let next = retirement::dismiss(world, instance, candidate);
        let reason = "a candidate is left over that nothing needs any more";
        return decision(instance, Action::Remove, reason, next);
    }
    keep_with(world, instance, holder)
}

/// As [`keep`], when no candidate is there.
pub fn keep_with(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Decision {
    if let Some(sick) = heal::needless(world, instance, holder) {
        let reason = format!("{} was unhealthy and is replaced", sick.name);
        let next = retirement::dismiss(world, instance, sick);
        return decision(instance, Action::Remove, reason, next);
    }
    if !instance.drift.is_empty() {
        return in_place::decide(world, instance, holder);
    }
    if let Some(decision) = restart::decide(world, instance, holder) {
        return decision;
    }
    if !instance.content.is_empty() {
        return content::decide(world, instance, holder);
    }
    match &instance.standing {
        Standing::Running(readiness) => running(world, instance, holder, readiness),
        Standing::Completed => retirement::retire(world, instance),
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
        Readiness::Ready => retirement::retire(world, instance),
        Readiness::Starting { next } => {
            let next = probing(world, holder, *next);
            decision(instance, Action::None, "it is not ready yet", next)
        }
        Readiness::Unhealthy => heal::decide(world, instance, holder),
        Readiness::Down => {
            decision(instance, Action::None, "it does not run", Next::Nothing)
        }
    }
}

fn ended(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Decision {
    let state = &holder.state;
    if let Some(stopper) = world.memory.stopped.get(&holder.id) {
        let reason = match stopper {
            Stopper::Us if heal::under_way(world, instance).is_some() => {
                "it is stopped because its health check failed"
            }
            Stopper::Us => "it is stopped",
            Stopper::Somebody => "it was stopped by somebody else",
            Stopper::Engine => "it ended with its engine",
        };
        return start(world, instance, holder, Action::Restart, reason);
    }
    let how = if state.out_of_memory { " for want of memory" } else { "" };
    let mut reason = format!("it ended with code {}{how}", state.exit_code);
    if let Some(dependency) = attribution::of(world, instance) {
        reason = format!("{reason}, because {dependency} was not ready");
    }
    if !state.error.is_empty() {
        reason = format!("{reason}: {}", state.error);
    }
    start(world, instance, holder, Action::Restart, &reason)
}

/// Returns the next step towards knowing that a container is ready.
pub fn probing(world: &World<'_>, container: &Container, next: Moment) -> Next {
    if next > world.now.moment {
        return Next::Until(next, "its health".to_owned());
    }
    if outside::is_awaited(world.memory, container) {
        return outside::step(world.desired, world.observed, container)
            .map_or(Next::Nothing, Next::Step);
    }
    health_command(container).map_or(Next::Nothing, |command| {
        Next::Step(Step::Probe {
            container: container.id.clone(),
            command,
            timeout: health_timeout(container),
        })
    })
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
    let mut waits = world.unmet(instance.service);
    waits.extend(network::not_there(world, instance));
    waits.extend(rename::in_the_way(world, instance));
    waits.extend(data_path::waits(world, instance));
    if holder.state.started.is_none() {
        // Somebody else made it.
        waits.extend(immutable::waits(instance));
    }
    if waits.is_empty() {
        waits = disruption::before_start(world, instance, holder);
    }
    if !waits.is_empty() {
        return Next::Wait(waits);
    }
    let office = &instance.office;
    // A base that still serves may go on beside it, unless they share what they cannot.
    let base = office.base.filter(|base| {
        exclusive::shared(&base.document, &holder.document).is_some()
            || anonymous::is_shared(base, holder)
            || instance.service.update.order == StartOrder::StopFirst
    });
    let mut others = office.retired.iter().copied().chain(base);
    if let Some(other) = others.find(|it| is_running(it)) {
        // Two of one replica would share its ports and its data.
        return handover::take_down(instance, other);
    }
    let object = object(instance);
    if let Some(crashes) = world.memory.crashes.get(&object)
        && crashes.not_before > world.now.moment
        && !world.memory.stopped.contains_key(&holder.id)
    {
        let why = format!("backoff after {} crashes", crashes.count);
        return Next::Until(crashes.not_before, why);
    }
    filling(world, instance, holder)
        .unwrap_or_else(|| Next::Step(Step::Start { container: holder.id.clone() }))
}

/// Returns the step that puts files into a container before its first start; nothing when
/// there are none, or they are in.
pub fn filling(
    world: &World<'_>,
    instance: &Instance<'_>,
    container: &Container,
) -> Option<Next> {
    let is_to_be_filled = container.state.status == Status::Created
        && !instance.target.files.is_empty()
        && !world.memory.filled.contains(&container.id);
    is_to_be_filled.then(|| {
        Next::Step(Step::CopyIn {
            container: container.id.clone(),
            files: instance.target.files.clone(),
        })
    })
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
    Decision::new(object(instance), action, reason, next).because_of(&instance.fields())
}

/// Names the fields that cost so much, for a reason.
pub fn named(fields: &[FieldDrift], cost: Action) -> String {
    let mut names: Vec<&str> = fields
        .iter()
        .filter(|field| field.cost == cost)
        .map(|field| field.path.as_str())
        .collect();
    names.dedup();
    match names.as_slice() {
        [one] => format!("{one} changes"),
        [one, two] => format!("{one} and {two} change"),
        [one, two, three] => format!("{one}, {two} and {three} change"),
        [one, two, rest @ ..] => {
            format!("{one}, {two} and {} more fields change", rest.len())
        }
        [] => "nothing changes".to_owned(),
    }
}
