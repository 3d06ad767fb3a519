//! Order and gates: what must come first.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::desired::{Desired, Service};
use crate::state::ids::{NetworkKey, ServiceName, VolumeKey};
use crate::state::value::Value;

use super::rollout;
use super::world::{Instance, Standing, World};
use super::{disruption, optional};

/// Returns the services so that every one comes after those that it depends on.
pub fn dependencies_first(desired: &Desired) -> Vec<&ServiceName> {
    let mut ordered = Vec::new();
    let mut seen = BTreeSet::new();
    for name in desired.services.keys() {
        visit(desired, name, &mut seen, &mut ordered);
    }
    ordered
}

/// Validation has ruled out cycles; `seen` makes sure that one would end all the same.
fn visit<'a>(
    desired: &'a Desired,
    name: &'a ServiceName,
    seen: &mut BTreeSet<&'a ServiceName>,
    ordered: &mut Vec<&'a ServiceName>,
) {
    let Some((name, service)) = desired.services.get_key_value(name) else { return };
    if !seen.insert(name) {
        return;
    }
    for dependency in service.depends_on.keys() {
        visit(desired, dependency, seen, ordered);
    }
    ordered.push(name);
}

/// Returns what must be there before a container of a service can be made: containers of
/// its dependencies, networks, volumes.
pub fn missing_objects(world: &World<'_>, service: &Service) -> Vec<String> {
    let mut missing: Vec<String> = service
        .depends_on
        .iter()
        .filter(|(name, _)| {
            world.replicas_of(name).any(|instance| instance.standing == Standing::Absent)
        })
        .filter(|(name, it)| !optional::is_no_obstacle(world, name, it))
        // What the start will wait for is worth more to know than that the creation does.
        .map(|(name, dependency)| {
            format!("service/{name} {}", dependency.condition.as_str())
        })
        .collect();
    for (key, _) in service.canonical.get("networks").entries() {
        let Some(spec) = world.desired.networks.get(&NetworkKey::new(key)) else {
            continue;
        };
        if !world.observed.networks.contains_key(&spec.name) {
            let whose =
                if spec.external { ", which somebody else must make" } else { "" };
            missing.push(format!("network/{key} ({}){whose}", spec.name));
        }
    }
    for mount in service.canonical.get("volumes").items() {
        let key = mount.get("source").as_text().unwrap_or_default();
        let is_volume = mount.get("type") == &Value::text("volume");
        let Some(spec) =
            world.desired.volumes.get(&VolumeKey::new(key)).filter(|_| is_volume)
        else {
            continue;
        };
        if !world.observed.volumes.contains_key(&spec.name) {
            let whose =
                if spec.external { ", which somebody else must make" } else { "" };
            missing.push(format!("volume/{key} ({}){whose}", spec.name));
        }
    }
    missing
}

/// Returns what a running container waits for before it may be taken down for a change.
///
/// In a chain of dependencies one service at a time: first those that it depends on. Of a
/// service as many replicas at a time as [`rollout::turn`] says.
pub fn before_disruption(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let waits = others_first(world, instance);
    if waits.is_empty() { disruption::dependents_first(world, instance) } else { waits }
}

/// As [`before_disruption`], but for the dependents that are stopped with it.
pub fn others_first(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let service = instance.service;
    let mut waits = world.unmet(service);
    // What could not be started again must not be stopped.
    waits.extend(super::data_path::waits(world, instance));
    for name in below(world, service) {
        let is_named = waits.iter().any(|it| it.starts_with(&format!("service/{name} ")));
        if !is_named && !world.is_settled(name) {
            waits.push(format!("service/{name} up to date and ready"));
        }
    }
    waits.extend(rollout::turn(world, instance));
    waits.extend(disruption::rolling_dependents(world, instance));
    waits
}

/// As [`before_disruption`], of a container that did not prove itself: what it depends on
/// does not matter any more.
pub fn before_return(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let waits = rollout::turn(world, instance);
    if waits.is_empty() { disruption::dependents_first(world, instance) } else { waits }
}

/// Returns the services of the stack that a service depends on, however far down, but for
/// those that are no obstacle.
fn below<'a>(world: &World<'a>, service: &'a Service) -> BTreeSet<&'a ServiceName> {
    let mut found = BTreeSet::new();
    let mut open = vec![service];
    while let Some(service) = open.pop() {
        for (name, dependency) in &service.depends_on {
            if let Some(below) = world.desired.services.get(name)
                && !optional::is_no_obstacle(world, name, dependency)
                && found.insert(name)
            {
                open.push(below);
            }
        }
    }
    found
}

/// Groups services by their distance from those that depend on nothing.
pub fn depth(desired: &Desired) -> BTreeMap<&ServiceName, usize> {
    let mut depths: BTreeMap<&ServiceName, usize> = BTreeMap::new();
    for name in dependencies_first(desired) {
        let below = desired.services.get(name).into_iter().flat_map(|service| {
            service.depends_on.keys().filter_map(|other| depths.get(other)).copied()
        });
        let depth = below.max().map_or(0, |depth| depth + 1);
        depths.insert(name, depth);
    }
    depths
}
