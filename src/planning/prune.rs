//! What left the file: removed when it is ours, reported when it is not.

use std::collections::BTreeSet;

use crate::state::desired::Prune;
use crate::state::ids::{Object, Replica, ServiceName};
use crate::state::observed::Container;
use crate::state::step::Step;

use super::adoption;
use super::change::{Action, Note};
use super::decision::{Decision, Next};
use super::office::is_running;
use super::rename;
use super::world::World;

/// Decides what comes next for containers that no wanted replica accounts for, and says
/// what is left alone.
pub fn decide(world: &World<'_>) -> (Vec<Decision>, Vec<Note>) {
    let (mut decisions, mut notes) = (Vec::new(), Vec::new());
    let renames = rename::renames(world);
    let new_name_of = |replica: &Replica| {
        let mut renames = renames.iter();
        renames.find(|(_, old)| *old == replica).map(|(new, _)| &new.service)
    };
    let mut gone = gone_services(world);
    // A service that only has another name now is not gone.
    gone.retain(|service| !renames.values().any(|old| old.service == **service));
    let blocked = blocked(world, &gone);
    let is_kept = world.desired.settings.prune == Prune::Never && !world.allowed.prune;
    for container in world.observed.containers.values() {
        let Some(replica) = &container.origin.replica else { continue };
        if container.origin.one_off && !container.is_rehearsal()
            || world.desired.inactive.contains(&replica.service)
            || world.instances.contains_key(replica)
        {
            continue;
        }
        if !is_ours(world, container) {
            notes.push(stranger(world, container));
            continue;
        }
        let is_scaled_down = world.desired.services.contains_key(&replica.service);
        if is_kept && !is_scaled_down {
            notes.push(kept(container));
            continue;
        }
        let new_name = new_name_of(replica);
        let is_gone = !is_scaled_down && new_name.is_none();
        let next = match &blocked {
            Some(why) if is_gone => Next::Wait(vec![why.clone()]),
            Some(_) | None => removal(world, replica, container),
        };
        let reason = match new_name {
            _ if is_scaled_down => "there are more containers than wanted".to_owned(),
            Some(name) => format!("the service is called {name} now"),
            None => "the service left the file".to_owned(),
        };
        let object = Object::Service(replica.clone());
        decisions.push(Decision::new(object, Action::Remove, reason, next));
    }
    if let Some(why) = blocked {
        notes.push(Note {
            reason: "PruneBlocked",
            about: format!("{} of the stack's services", gone.len()),
            message: format!("they are not removed: {why}"),
        });
    }
    decisions.sort_by(|a, b| b.object.cmp(&a.object));
    decisions.dedup_by(|a, b| a.object == b.object);
    (decisions, notes)
}

/// We made it, or took it over, and from this source.
fn is_ours(world: &World<'_>, container: &Container) -> bool {
    adoption::is_of_source(world, container)
}

fn gone_services<'a>(world: &'a World<'_>) -> BTreeSet<&'a ServiceName> {
    world
        .observed
        .containers
        .values()
        .filter(|container| !container.origin.one_off && is_ours(world, container))
        .filter_map(|container| Some(&container.origin.replica.as_ref()?.service))
        .filter(|service| !world.desired.services.contains_key(*service))
        .filter(|service| !world.desired.inactive.contains(*service))
        .collect()
}

/// Says why services that left the file are not removed; nothing when they may be.
fn blocked(world: &World<'_>, gone: &BTreeSet<&ServiceName>) -> Option<String> {
    if gone.is_empty() || world.allowed.prune {
        return None;
    }
    match world.desired.settings.prune {
        Prune::Always | Prune::Never => None,
        Prune::Guarded => {
            // What came since some of them left does not make them fewer.
            let before = &world.memory.before_prune;
            let before: BTreeSet<&ServiceName> = if before.is_empty() {
                present(world).collect()
            } else {
                before.iter().collect()
            };
            let total = before.union(gone).count();
            (gone.len() * 2 > total).then(|| {
                format!(
                    "{} of {total} services would go, which is more than half; \
                     --allow-prune says that it is meant",
                    gone.len()
                )
            })
        }
    }
}

/// Iterates over the wanted services that have containers.
fn present<'w>(world: &'w World<'_>) -> impl Iterator<Item = &'w ServiceName> {
    let there = world.instances.values().filter(|it| it.office.holder.is_some());
    there.map(|instance| &instance.service.name)
}

/// Returns the services that had containers when none of them had left the file.
pub(super) fn before(world: &World<'_>) -> BTreeSet<ServiceName> {
    if gone_services(world).is_empty() {
        present(world).cloned().collect()
    } else {
        world.memory.before_prune.clone()
    }
}

fn removal(world: &World<'_>, replica: &Replica, container: &Container) -> Next {
    if !is_running(container) {
        return Next::Step(Step::Remove { container: container.id.clone() });
    }
    let dependents = dependents(world, &replica.service);
    if !dependents.is_empty() {
        return Next::Wait(dependents);
    }
    let grace = stop_grace(container);
    Next::Step(Step::Stop { container: container.id.clone(), grace })
}

/// A stop goes in reverse: containers that say by their label that they depend on it, and
/// that go too, go first.
fn dependents(world: &World<'_>, service: &ServiceName) -> Vec<String> {
    world
        .observed
        .containers
        .values()
        .filter(|other| is_running(other) && is_ours(world, other))
        .filter_map(|other| Some((other, other.origin.replica.as_ref()?)))
        .filter(|(_, replica)| !world.desired.services.contains_key(&replica.service))
        .filter(|(other, _)| depends_on(other).any(|name| name == service.as_str()))
        .map(|(_, replica)| format!("{} removed", Object::Service(replica.clone())))
        .collect()
}

/// Returns the services that a container depends on, by its own label.
pub fn depends_on(container: &Container) -> impl Iterator<Item = &str> {
    let label = container
        .document
        .get("Config.Labels")
        .get(crate::state::observed::labels::DEPENDS_ON)
        .as_text()
        .unwrap_or_default();
    label
        .split(',')
        .filter_map(|entry| entry.split(':').next())
        .filter(|name| !name.is_empty())
}

/// Returns how long a container may take to stop, as it was made: 10 s unless told.
pub fn stop_grace(container: &Container) -> std::time::Duration {
    let text = container.document.get("Config.StopTimeout").as_text();
    text.and_then(|text| crate::compose::units::parse_duration(text).ok())
        .unwrap_or(std::time::Duration::from_secs(10))
}

fn kept(container: &Container) -> Note {
    Note {
        reason: "Orphan",
        about: container.name.to_string(),
        message:
            "its service left the file; x-reconciler.prune is `never`, so it is left \
                  alone"
                .to_owned(),
    }
}

fn stranger(world: &World<'_>, container: &Container) -> Note {
    let whose = container.origin.source.as_ref().map_or_else(
        || "it was not made by reconciler".to_owned(),
        |source| format!("it was made from {source}"),
    );
    Note {
        reason: "Orphan",
        about: container.name.to_string(),
        message: format!(
            "it has the project {} but no service of this file wants it; {whose}, so it \
             is left alone",
            world.desired.project
        ),
    }
}
