//! One-shot services: what has done its work is remembered, and not run again for the same
//! spec although its container is gone.

use std::collections::BTreeMap;

use crate::state::desired::{Desired, Service};
use crate::state::ids::{ImageId, Object, Replica, ServiceName, SpecHash};
use crate::state::observed::Observed;

use super::change::Action;
use super::memory::Memory;
use super::target::Target;
use super::world::{Standing, World, runs_to_completion};

/// The work that a service has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The spec that it was done for.
    pub spec: SpecHash,
    /// The image that it was done with, so that the spec can be compared when the image is
    /// no longer there.
    pub image: ImageId,
}

/// Returns what has completed, for the spec that is wanted or was.
///
/// A kept container that ended with 0 is evidence by itself, and enters here. What was taken
/// down by `delete` is to be done again when the stack comes up: its data may be gone.
pub(super) fn completed(world: &World<'_>) -> BTreeMap<Object, Completed> {
    if world.is_down() {
        return BTreeMap::new();
    }
    let desired = world.desired;
    let mut completed = world.memory.completed.clone();
    completed.retain(|object, _| match object {
        Object::Service(replica) => {
            desired.services.contains_key(&replica.service)
                || desired.inactive.contains(&replica.service)
        }
        Object::Network(_) | Object::Volume(_) => false,
    });
    for (replica, instance) in &world.instances {
        let Some(holder) = instance.office.holder else { continue };
        // A container of another spec has done other work; one that only differs in what
        // can be changed in place has done this.
        if instance.standing == Standing::Completed
            && instance.verdict() < Action::Restart
        {
            let image = holder.image.clone();
            let spec = instance.target.spec(&image);
            let object = Object::Service(replica.clone());
            completed.insert(object, Completed { spec, image });
        }
    }
    completed
}

/// Tells whether a service that has no container has done its work for today's spec.
pub(super) fn is_remembered(
    (desired, observed, memory): (&Desired, &Observed, &Memory),
    service: &Service,
    replica: &Replica,
    target: &Target,
) -> bool {
    let Some(known) = memory.completed.get(&Object::Service(replica.clone())) else {
        return false;
    };
    let image = observed.image(service.image.as_str()).map(|image| &image.id);
    runs_to_completion(desired, service)
        && target.spec(image.unwrap_or(&known.image)) == known.spec
        && !is_lent(desired, &service.name)
}

/// Tells whether other services need the container itself: its volumes or a namespace.
fn is_lent(desired: &Desired, name: &ServiceName) -> bool {
    let is_it = |text: &str| text.split(':').next() == Some(name.as_str());
    desired.services.values().any(|other| {
        let of_mode = |key: &str| {
            let mode = other.canonical.get(key).as_text();
            mode.and_then(|it| it.strip_prefix("service:")).is_some_and(is_it)
        };
        let sources = other.canonical.get("volumes_from").items().iter();
        ["network_mode", "ipc", "pid", "uts", "cgroup"].into_iter().any(of_mode)
            || sources.filter_map(|it| it.as_text()).any(is_it)
    })
}
