//! Dependencies with `required: false`: waited for while they may come, and no obstacle once
//! they fail.

use crate::state::desired::{Dependency, Service};
use crate::state::ids::{Object, ServiceName};

use super::change::Note;
use super::memory::Crashes;
use super::readiness::Readiness;
use super::world::{Instance, Standing, World};

/// Tells whether nobody has to wait for a dependency: it is not required, and it fails.
pub fn is_no_obstacle(
    world: &World<'_>,
    name: &ServiceName,
    dependency: &Dependency,
) -> bool {
    !dependency.required && fails(world, name)
}

/// Tells whether a service fails, or waits for one that does: then nobody knows whether it
/// will ever be ready.
fn fails(world: &World<'_>, name: &ServiceName) -> bool {
    let waits_in_vain = || {
        let Some(service) = world.desired.services.get(name) else { return false };
        world.unmet_services(service).any(|below| fails(world, below))
    };
    world.replicas_of(name).any(|instance| has_failed(world, instance)) || waits_in_vain()
}

fn has_failed(world: &World<'_>, instance: &Instance<'_>) -> bool {
    let object = Object::Service(instance.replica.clone());
    let was_stopped = || {
        let holder = instance.office.holder;
        holder.is_some_and(|it| world.memory.stopped.contains_key(&it.id))
    };
    let is_loop = || world.memory.crashes.get(&object).is_some_and(Crashes::is_loop);
    world.memory.retries.contains_key(&object)
        || match &instance.standing {
            Standing::Running(Readiness::Unhealthy)
            | Standing::Restarting
            | Standing::Dead => true,
            Standing::Ended => !was_stopped(),
            Standing::Running(Readiness::Starting { .. } | Readiness::Down) => is_loop(),
            Standing::Running(Readiness::Ready)
            | Standing::Absent
            | Standing::Created
            | Standing::Paused
            | Standing::Completed => false,
        }
}

/// Says which dependencies a service goes without.
pub fn note(world: &World<'_>, service: &Service) -> Option<Note> {
    let without: Vec<&str> = service
        .depends_on
        .iter()
        .filter(|(name, it)| {
            world.desired.services.contains_key(*name)
                && !world.holds(name, it.condition)
                && is_no_obstacle(world, name, it)
        })
        .map(|(name, _)| name.as_str())
        .collect();
    (!without.is_empty()).then(|| Note {
        reason: "OptionalDependency",
        about: format!("service/{}", service.name),
        message: format!(
            "it does without {}: `required: false`, and not ready because something fails",
            without.join(", ")
        ),
    })
}
