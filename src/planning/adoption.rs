//! Taking over what others made: a container that a service has the place for is compared
//! like any other, and from then on it is the source's own.

use std::collections::BTreeMap;

use crate::state::ids::{ContainerId, SourceId};
use crate::state::observed::Container;
use crate::state::value::Value;

use super::change::FieldDrift;
use super::drift::same;
use super::in_place::attached;
use super::world::{Instance, World};

/// Returns the containers that were taken over, by the source that did: those of before that
/// are still there, and those that a service has the place for now.
pub fn adopted(world: &World<'_>) -> BTreeMap<ContainerId, SourceId> {
    let mut adopted = world.memory.adopted.clone();
    adopted.retain(|id, _| world.observed.containers.contains_key(id));
    for instance in world.instances.values() {
        let office = &instance.office;
        let all = office.holder.into_iter().chain(office.candidate);
        let foreign = all
            .chain(office.retired.iter().copied())
            .filter(|it| it.origin.source.as_ref() != Some(&world.desired.source));
        adopted.extend(foreign.map(|it| (it.id.clone(), world.desired.source.clone())));
    }
    adopted
}

/// Tells whether a container was made or taken over from the source of what is wanted.
pub fn is_of_source(world: &World<'_>, container: &Container) -> bool {
    let source = Some(&world.desired.source);
    container.origin.source.as_ref() == source
        || world.memory.adopted.get(&container.id) == source
}

/// Tells whether an endpoint differs in the container's own names alone, which the engine
/// resolves without any alias: nobody is taken off a network for that.
///
/// docker compose v1 gave no such alias, and names of its own with `_`.
pub fn differs_by_own_names(
    instance: &Instance<'_>,
    container: &Container,
    field: &FieldDrift,
) -> bool {
    let is_endpoint = attached(&field.path).is_some();
    if !is_endpoint || field.observed.as_map().is_none() {
        return false;
    }
    let target = instance.target.name.as_str();
    let own = [target, container.name.as_str(), &target.replace('-', "_")];
    let others = |endpoint: &Value| {
        let mut members = endpoint.as_map().cloned().unwrap_or_default();
        let aliases = endpoint.get("Aliases").items().iter();
        let aliases =
            aliases.filter(|it| !it.as_text().is_some_and(|it| own.contains(&it)));
        members.insert("Aliases".to_owned(), Value::List(aliases.cloned().collect()));
        Value::Map(members)
    };
    same(&others(&field.desired), &others(&field.observed))
}
