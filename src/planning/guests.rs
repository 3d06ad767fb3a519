//! Guests: containers of others that are attached to a network of ours. They are never taken
//! off it, so it stays as long as they do.

use crate::state::desired::NetworkSpec;
use crate::state::ids::Object;
use crate::state::observed::{Network, labels};

use super::change::Note;
use super::network;
use super::world::World;

/// Returns the names of the guests of a network; nothing when it has none.
pub fn of(world: &World<'_>, network: &Network) -> Option<String> {
    let names = world.observed.guests.get(&network.id)?.iter();
    let names: Vec<String> = names
        .map(|name| match world.observed.strangers.get(name) {
            Some(Some(project)) => format!("{name} of project {project}"),
            Some(None) | None => name.to_string(),
        })
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Says which networks would be removed, or made again, and stay because of their guests.
pub fn notes(world: &World<'_>) -> Vec<Note> {
    let networks = world.observed.networks.values();
    let of_project = networks.filter(|network| {
        network.label(labels::PROJECT) == Some(world.desired.project.as_str())
    });
    of_project
        .filter_map(|network| {
            let key = network.label(labels::NETWORK)?;
            let guests = of(world, network)?;
            let spec = spec(world, network);
            let why = match spec {
                _ if world.is_down() => "is not removed",
                None => "left the file and is not removed",
                Some(spec) if network::differs(world, spec, network) => {
                    "differs and is not made again"
                }
                Some(_) => return None,
            };
            Some(Note {
                reason: "NetworkInUse",
                about: Object::Network(key.into()).to_string(),
                message: format!("it {why} while others are attached to it: {guests}"),
            })
        })
        .collect()
}

fn spec<'a>(world: &'a World<'_>, network: &Network) -> Option<&'a NetworkSpec> {
    let there = &world.observed.networks;
    let mut specs = world.desired.networks.values();
    specs.find(|spec| there.get(&spec.name).is_some_and(|it| it.id == network.id))
}
