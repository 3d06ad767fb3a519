//! Changes of a container that lives on: limits, networks, name.

use crate::state::ids::NetworkName;
use crate::state::observed::Container;
use crate::state::step::Step;

use super::change::Action;
use super::decision::{Decision, Next};
use super::office::is_running;
use super::replica::{decision, named};
use super::shrink::{self, Shrink};
use super::world::{Instance, World};
use super::{drift, network, order};

/// Decides the next step that brings a container in line without replacing it.
pub fn decide(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Decision {
    let reason = named(&instance.drift, Action::UpdateInPlace);
    if instance.must_stop_for_fields() && is_running(holder) {
        let waits = order::before_disruption(world, instance);
        let next = if waits.is_empty() {
            Next::Step(Step::Stop {
                container: holder.id.clone(),
                grace: instance.service.stop_grace,
            })
        } else {
            Next::Wait(waits)
        };
        let reason = format!("{reason}, and the address must not change while it runs");
        return decision(instance, Action::Restart, reason, next);
    }
    let next = step(world, instance, holder);
    let action = instance.verdict().max(Action::UpdateInPlace);
    decision(instance, action, reason, next)
}

/// Returns the next step that brings a container in line in place.
pub fn step(world: &World<'_>, instance: &Instance<'_>, container: &Container) -> Next {
    let fields =
        instance.drift_of(container, world.desired, world.observed, world.memory);
    let endpoint = fields.iter().find_map(|field| Some((field, attached(&field.path)?)));
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
        if !world.observed.networks.contains_key(&name)
            || network::is_to_be_made_again(world, &name)
        {
            return Next::Wait(vec![format!("network {name}")]);
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
    let mut fields = fields;
    match shrink::check(world, container, &fields) {
        Shrink::Free => {}
        Shrink::Measure => {
            return Next::Step(Step::Measure { container: container.id.clone() });
        }
        Shrink::Wait(why) => {
            fields.retain(|field| !shrink::is_memory(field));
            if fields.is_empty() {
                return Next::Wait(vec![why]);
            }
        }
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
pub fn attached(path: &str) -> Option<&str> {
    path.strip_prefix("networks.")
}
