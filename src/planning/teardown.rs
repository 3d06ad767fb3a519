//! Taking a stack down: containers in reverse order, then networks. Volumes stay.

use crate::state::ids::{NetworkKey, Object, Replica};
use crate::state::observed::{Container, labels};
use crate::state::step::Step;

use super::adoption;
use super::change::{Action, Note, Plan};
use super::decision::{Decision, Next};
use super::dry_run;
use super::guests;
use super::office::is_running;
use super::prune::{depends_on, stop_grace};
use super::world::World;

/// Decides what is to be done so that nothing of the stack is left but its data.
pub fn teardown(world: &World<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut decisions: Vec<Decision> = Vec::new();
    for container in world.observed.containers.values() {
        let Some(replica) = &container.origin.replica else { continue };
        if is_ours(world, container, replica) {
            let object = Object::Service(replica.clone());
            if !decisions.iter().any(|other| other.object == object) {
                decisions.push(decide(world, object, replica, container));
            }
        } else {
            plan.notes.push(left_alone(container));
        }
    }
    for (name, network) in &world.observed.networks {
        let key = network.label(labels::NETWORK).filter(|_| {
            network.label(labels::PROJECT) == Some(world.desired.project.as_str())
        });
        let Some(key) = key.filter(|_| guests::of(world, network).is_none()) else {
            continue;
        };
        let object = Object::Network(NetworkKey::new(key));
        let attached = world.observed.containers.values();
        let attached =
            attached.filter(|it| it.attached.get(name) == Some(&network.id)).count();
        let next = if attached == 0 {
            Next::Step(Step::RemoveNetwork { id: network.id.clone() })
        } else {
            Next::Wait(vec![attached_text(attached)])
        };
        decisions.push(Decision::new(
            object,
            Action::Remove,
            "the stack is deleted",
            next,
        ));
    }
    plan.notes.extend(guests::notes(world));
    for decision in decisions {
        let decision = dry_run::hold(world, decision.held_back(world));
        plan.changes.extend(decision.change());
        match decision.next {
            Next::Step(step) => plan.steps.push((decision.object, step)),
            Next::Until(moment, _) => {
                plan.wake = Some(plan.wake.map_or(moment, |wake| wake.min(moment)));
            }
            Next::Nothing | Next::Wait(_) => {}
        }
    }
    plan.is_moving = !plan.steps.is_empty()
        || plan.wake.is_some()
        || !world.memory.under_way.is_empty();
    plan
}

/// We made it from this source, or the file names its service.
pub(super) fn is_ours(
    world: &World<'_>,
    container: &Container,
    replica: &Replica,
) -> bool {
    let is_named = world.desired.services.contains_key(&replica.service)
        || world.desired.inactive.contains(&replica.service);
    (!container.origin.one_off || container.is_rehearsal())
        && (is_named || adoption::is_of_source(world, container))
}

fn decide(
    world: &World<'_>,
    object: Object,
    replica: &Replica,
    container: &Container,
) -> Decision {
    let next = if is_running(container) {
        let waits = dependents(world, replica);
        if waits.is_empty() {
            Next::Step(Step::Stop {
                container: container.id.clone(),
                grace: stop_grace(container),
            })
        } else {
            Next::Wait(waits)
        }
    } else {
        Next::Step(Step::Remove { container: container.id.clone() })
    };
    Decision::new(object, Action::Remove, "the stack is deleted", next)
}

/// Returns what must go first: running containers of services that depend on this one, by
/// the file or by their own label.
pub(super) fn dependents(world: &World<'_>, replica: &Replica) -> Vec<String> {
    let depends = |other: &Container, service: &Replica| {
        let by_file = world.desired.services.get(&service.service);
        by_file.is_some_and(|it| it.depends_on.contains_key(&replica.service))
            || depends_on(other).any(|name| name == replica.service.as_str())
    };
    world
        .observed
        .containers
        .values()
        .filter(|other| is_running(other))
        .filter_map(|other| Some((other, other.origin.replica.as_ref()?)))
        .filter(|(_, other)| other.service != replica.service)
        .filter(|(other, service)| {
            is_ours(world, other, service) && depends(other, service)
        })
        .map(|(_, other)| format!("{} stopped", Object::Service(other.clone())))
        .collect()
}

fn left_alone(container: &Container) -> Note {
    Note {
        reason: "Orphan",
        about: container.name.to_string(),
        message:
            "it belongs to the project, but neither this file nor reconciler made it; \
                  it is left alone"
                .to_owned(),
    }
}

fn attached_text(count: usize) -> String {
    match count {
        1 => "1 container to leave it".to_owned(),
        count => format!("{count} containers to leave it"),
    }
}
