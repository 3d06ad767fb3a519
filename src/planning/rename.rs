//! Services that were renamed: what left the file, and what is new and just like it.

use std::collections::BTreeMap;

use crate::state::ids::Replica;
use crate::state::observed::Container;

use super::adoption::is_of_source;
use super::in_place::attached;
use super::office::is_running;
use super::world::{Instance, Standing, World};
use super::{change::FieldDrift, exclusive};

/// Returns for every new replica that is just like one that left the file which one that is.
/// Nothing is done otherwise for it: it is made, and the old one is removed.
pub fn renames(world: &World<'_>) -> BTreeMap<Replica, Replica> {
    let mut renames: BTreeMap<Replica, Replica> = BTreeMap::new();
    let is_new = |it: &&Instance<'_>| match it.standing {
        Standing::Absent | Standing::Created => true,
        Standing::Running(_)
        | Standing::Paused
        | Standing::Restarting
        | Standing::Completed
        | Standing::Ended
        | Standing::Dead => false,
    };
    let new = world.instances.values().filter(is_new);
    for instance in new {
        let old = orphans(world).find(|(replica, container)| {
            replica.number == instance.replica.number
                && !renames.values().any(|taken| taken == *replica)
                && is_alike(world, instance, container)
        });
        if let Some((replica, _)) = old {
            renames.insert(instance.replica.clone(), replica.clone());
        }
    }
    renames
}

/// Iterates over the containers of this source whose services left the file.
fn orphans<'a>(
    world: &'a World<'_>,
) -> impl Iterator<Item = (&'a Replica, &'a Container)> {
    let containers = world.observed.containers.values();
    containers
        .filter(|it| !it.origin.one_off && is_of_source(world, it))
        .filter_map(|it| Some((it.origin.replica.as_ref()?, it)))
        .filter(|(replica, _)| {
            !world.desired.services.contains_key(&replica.service)
                && !world.desired.inactive.contains(&replica.service)
        })
}

/// Tells whether nothing but the names differs.
fn is_alike(world: &World<'_>, instance: &Instance<'_>, container: &Container) -> bool {
    let by_name = |field: &FieldDrift| {
        field.path == "container_name" || attached(&field.path).is_some()
    };
    let fields = instance.raw_drift(container, world.desired, world.observed);
    fields.iter().all(by_name)
}

/// Returns what a start waits for: containers that left the file, still run, and have what
/// the new one needs for itself.
pub fn in_the_way(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    orphans(world)
        .filter(|(_, container)| is_running(container))
        .filter_map(|(replica, container)| {
            let why = exclusive::shared(&instance.target.document, &container.document)?;
            let Replica { service, number } = replica;
            Some(format!("service/{service}/{number} removed: {why}"))
        })
        .collect()
}
