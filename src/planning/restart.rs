//! Restarts that a person asked for: every replica gets a new start, one at a time.
//!
//! What is remembered is which start of which container is to give way, so that it does not
//! matter how often it is planned, or who dies meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::desired::Desired;
use crate::state::ids::{ContainerId, Object, ServiceName};
use crate::state::observed::Container;
use crate::state::step::Step;
use crate::state::time::EngineTime;

use super::change::Action;
use super::decision::{Decision, Next};
use super::memory::Memory;
use super::order;
use super::readiness::Readiness;
use super::replica::{decision, object, start};
use super::world::{Instance, Standing, World};

/// The starts that are to give way, by object: the container and when it was started.
pub type DueRestarts = BTreeMap<Object, (ContainerId, EngineTime)>;

const REASON: &str = "a restart was asked for";

/// Returns the starts that are to give way from now on: those of services that a person has
/// just asked for, and of those before all whose successors are not ready yet.
pub fn due(world: &World<'_>) -> DueRestarts {
    let mut due = world.memory.due_restarts.clone();
    due.retain(|object, _| {
        world.instances.values().any(|instance| {
            let is_it = super::replica::object(instance) == *object;
            is_it && (instance.is_to_restart || !instance.is_ready())
        })
    });
    for service in &world.memory.asked_to_restart {
        for instance in world.replicas_of(service) {
            let holder = instance.office.holder;
            if let Some((holder, started)) =
                holder.and_then(|it| Some((it, it.state.started?)))
            {
                due.insert(object(instance), (holder.id.clone(), started));
            }
        }
    }
    due
}

/// Tells whether the start of a container is to give way.
pub fn is_due(memory: &Memory, object: &Object, holder: &Container) -> bool {
    memory.due_restarts.get(object).is_some_and(|(id, started)| {
        holder.id == *id && holder.state.started == Some(*started)
    })
}

/// Tells whether a service is restarted, or goes down and comes up again with it.
pub fn is_taken_along(
    desired: &Desired,
    restarted: &ServiceName,
    service: &ServiceName,
) -> bool {
    let mut all = BTreeSet::from([restarted]);
    // Each round finds the next in a chain; there are no more than services.
    for _ in 0..desired.services.len() {
        let next = desired.services.values().filter(|service| {
            let mut dependencies = service.depends_on.iter();
            dependencies.any(|(name, it)| it.restart && all.contains(name))
        });
        let next: Vec<&ServiceName> = next.map(|it| &it.name).collect();
        all.extend(next);
    }
    all.contains(service)
}

/// Decides about a container that is to be restarted; nothing when it is not, or when it is
/// on its way already.
pub fn decide(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Option<Decision> {
    if !instance.is_to_restart {
        return None;
    }
    match &instance.standing {
        Standing::Running(
            Readiness::Ready
            | Readiness::Starting { .. }
            | Readiness::Unhealthy
            | Readiness::Down,
        ) => {
            let waits = order::before_disruption(world, instance);
            let next = if waits.is_empty() {
                Next::Step(Step::Stop {
                    container: holder.id.clone(),
                    grace: instance.service.stop_grace,
                })
            } else {
                Next::Wait(waits)
            };
            Some(decision(instance, Action::Restart, REASON, next))
        }
        Standing::Completed => {
            Some(start(world, instance, holder, Action::Restart, REASON))
        }
        Standing::Absent
        | Standing::Created
        | Standing::Paused
        | Standing::Restarting
        | Standing::Ended
        | Standing::Dead => None,
    }
}
