//! Replacement: a candidate is made before the old container is touched, and takes over
//! with the final name in place before it starts.
//!
//! Every stage is read off the engine, so that a crash between two stages loses nothing:
//! no candidate → a candidate that is not in line yet → the old one's restart policy is
//! taken away → it is stopped → it gives up the name → the candidate gets it (then it is
//! the holder, and is started and proven like any other).

use crate::state::document::Document;
use crate::state::ids::{ContainerId, ContainerName};
use crate::state::observed::Container;
use crate::state::step::Step;
use crate::state::value::Value;

use super::change::Action;
use super::decision::{Decision, Next};
use super::office::is_running;
use super::replica::{creation, decision, named};
use super::world::{Instance, World};
use super::{in_place, order};

/// Decides the next stage of a replacement.
pub fn decide(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Decision {
    let reason = named(&instance.drift, Action::Recreate);
    decision(instance, Action::Recreate, reason, next(world, instance, holder))
}

fn next(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Next {
    let Some(candidate) = instance.office.candidate else {
        let name = aside(&instance.target.name, &holder.id, "next");
        return creation(world, instance, &name, Some(holder));
    };
    let fields =
        instance.drift_of(candidate, world.desired, world.observed, world.memory);
    let worst = fields.iter().map(|field| field.cost).max().unwrap_or(Action::None);
    if worst == Action::Recreate {
        return Next::Step(Step::Remove { container: candidate.id.clone() });
    }
    if worst == Action::UpdateInPlace {
        return in_place::step(world, instance, candidate);
    }
    if is_running(holder) {
        let waits = order::before_disruption(world, instance);
        if !waits.is_empty() {
            return Next::Wait(waits);
        }
        return take_down(instance, holder);
    }
    Next::Step(Step::Rename {
        container: holder.id.clone(),
        to: aside(&instance.target.name, &holder.id, "old"),
    })
}

/// The engine starts a stopped container again at its own restart, unless its restart
/// policy says no: then there would be two of them.
pub fn take_down(instance: &Instance<'_>, container: &Container) -> Next {
    let policy = container.document.get("HostConfig.RestartPolicy.Name");
    if !matches!(policy.as_text(), None | Some("" | "no")) {
        let document: Document =
            [("HostConfig.RestartPolicy.Name", Value::text("no"))].into_iter().collect();
        return Next::Step(Step::Update { container: container.id.clone(), document });
    }
    Next::Step(Step::Stop {
        container: container.id.clone(),
        grace: instance.service.stop_grace,
    })
}

/// Returns a name beside the final one that no other replacement can want.
fn aside(name: &ContainerName, holder: &ContainerId, part: &str) -> ContainerName {
    let short: String = holder.as_str().chars().take(8).collect();
    ContainerName::new(format!("{name}.{part}-{short}"))
}
