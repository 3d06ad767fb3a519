//! Changes of a container that lives on: limits, networks, name.

use crate::state::ids::NetworkName;
use crate::state::observed::Container;
use crate::state::step::Step;

use super::change::Action;
use super::decision::{Decision, Next};
use super::drift;
use super::network;
use super::office::is_running;
use super::replica::{decision, named};
use super::world::{Instance, World};

/// Decides the next step that brings a container in line without replacing it.
pub fn decide(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Decision {
    let reason = named(&instance.drift, Action::UpdateInPlace);
    let moves = instance.drift.iter().any(|field| network(&field.path).is_some());
    if moves && instance.service.settings.stable_address && is_running(holder) {
        let step = Step::Stop {
            container: holder.id.clone(),
            grace: instance.service.stop_grace,
        };
        let reason = format!("{reason}, and the address must not change while it runs");
        return decision(instance, Action::Restart, reason, Next::Step(step));
    }
    let next = step(world, instance, holder);
    decision(instance, Action::UpdateInPlace, reason, next)
}

/// Returns the next step that brings a container in line in place.
pub fn step(world: &World<'_>, instance: &Instance<'_>, container: &Container) -> Next {
    let fields =
        instance.drift_of(container, world.desired, world.observed, world.memory);
    let endpoint = fields.iter().find_map(|field| Some((field, network(&field.path)?)));
    if let Some((field, name)) = endpoint {
        let name = NetworkName::new(name);
        if let Some(id) = container.attached.get(&name)
            && !field.observed.is_null()
        {
            return Next::Step(Step::Disconnect {
                container: container.id.clone(),
                network: id.clone(),
            });
        }
        if !world.observed.networks.contains_key(&name) {
            return Next::Wait(vec![format!("network {name}")]);
        }
        if network::is_made_again(world, &name) {
            return Next::Wait(vec![format!("network {name}, which is made again")]);
        }
        return Next::Step(Step::Connect {
            container: container.id.clone(),
            network: name,
            endpoint: field.desired.clone(),
        });
    }
    if fields.iter().any(|field| field.path == "container_name") {
        return rename(world, instance, container);
    }
    let document = drift::update(&fields, &instance.target.document);
    if document.iter().next().is_none() {
        return Next::Nothing;
    }
    Next::Step(Step::Update { container: container.id.clone(), document })
}

fn rename(world: &World<'_>, instance: &Instance<'_>, container: &Container) -> Next {
    let name = &instance.target.name;
    if world.observed.strangers.contains_key(name) {
        return Next::Wait(vec![format!("the name {name}: another container has it")]);
    }
    Next::Step(Step::Rename { container: container.id.clone(), to: name.clone() })
}

/// Returns the network that a drift of `networks.NAME` is about.
fn network(path: &str) -> Option<&str> {
    path.strip_prefix("networks.")
}
