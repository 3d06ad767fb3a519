//! Rejections: what did not prove itself is not tried again until it is wanted otherwise.

use std::collections::{BTreeMap, BTreeSet};

use crate::state::desired::{FailureAction, Service};
use crate::state::document::Document;
use crate::state::ids::{ContainerId, ServiceName, SpecHash};
use crate::state::observed::Container;
use crate::state::value::Value;

use super::change::Action;
use super::trial::{Verdict, on_trial};
use super::world::{Instance, World};

/// How many failures all replicas together make, in the measure of the bearable share.
const ALL: u64 = 1_000_000;

/// A spec of a service that did not prove itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rejection {
    /// The spec, of every replica.
    pub specs: BTreeSet<SpecHash>,
    /// What happened: the old containers came back, or a person is to decide.
    pub action: FailureAction,
    /// The container that failed.
    pub container: ContainerId,
    /// Why, in a part of a sentence.
    pub why: String,
}

/// Returns the rejections that are in force after the trials have been judged. One is
/// forgotten when the service is wanted otherwise, or when what was to be decided by a
/// person has proved itself after all.
pub(super) fn rejections(world: &World<'_>) -> BTreeMap<ServiceName, Rejection> {
    let services = world.desired.services.values();
    services
        .filter_map(|service| {
            let known = world.memory.rejections.get(&service.name);
            let known = known.filter(|it| is_in_force(world, service, it)).cloned();
            Some((service.name.clone(), known.or_else(|| rejection(world, service))?))
        })
        .collect()
}

fn is_in_force(world: &World<'_>, service: &Service, rejection: &Rejection) -> bool {
    let mut instances = world.replicas_of(&service.name);
    let is_known = world.observed.image(service.image.as_str()).is_some();
    let is_wanted = !is_known
        || world.replicas_of(&service.name).any(|instance| {
            spec(world, instance).is_some_and(|spec| rejection.specs.contains(&spec))
        });
    let has_proved_itself = rejection.action == FailureAction::Pause
        && instances.any(|instance| {
            let trial = on_trial(instance).and_then(|it| world.memory.trials.get(&it.id));
            trial.is_some_and(|trial| trial.verdict == Verdict::Passed)
        });
    is_wanted && !has_proved_itself
}

/// Returns the spec that a replica would be created from today; nothing while its image is
/// not there.
fn spec(world: &World<'_>, instance: &Instance<'_>) -> Option<SpecHash> {
    let image = world.observed.image(instance.service.image.as_str())?;
    Some(instance.target.spec(&image.id))
}

/// Judges a service by its replicas that failed.
fn rejection(world: &World<'_>, service: &Service) -> Option<Rejection> {
    let failed: Vec<(&Instance<'_>, &Container, &String)> = world
        .replicas_of(&service.name)
        .filter_map(|instance| {
            let container = on_trial(instance)?;
            let trial = world.memory.trials.get(&container.id)?;
            match &trial.verdict {
                Verdict::Failed(why) => Some((instance, container, why)),
                Verdict::Open | Verdict::Passed => None,
            }
        })
        .filter(|(instance, container, _)| is_as_wanted(world, instance, container))
        .filter(|(instance, _, _)| way_back(world, instance).is_some())
        .collect();
    let share = u64::try_from(failed.len()).ok()? * ALL;
    let bearable = u64::from(service.update.bearable) * u64::from(service.replicas);
    let (instance, container, why) = *failed.first()?;
    if share <= bearable {
        return None;
    }
    let action = service
        .update
        .failure_action
        .unwrap_or_else(|| default_action(instance, container));
    if action == FailureAction::Continue {
        return None;
    }
    let made =
        failed.iter().filter_map(|(_, container, _)| container.origin.spec.clone());
    let wanted = world.replicas_of(&service.name).filter_map(|it| spec(world, it));
    Some(Rejection {
        specs: made.chain(wanted).collect(),
        action,
        container: container.id.clone(),
        why: why.clone(),
    })
}

/// What failed is what is wanted now, and not what was wanted before.
fn is_as_wanted(
    world: &World<'_>,
    instance: &Instance<'_>,
    container: &Container,
) -> bool {
    let fields =
        instance.drift_of(container, world.desired, world.observed, world.memory);
    fields.iter().all(|field| field.cost < Action::Recreate)
}

/// Another image that has written to data may have changed it for good: etcd, for one,
/// does not go back. Then a person decides.
fn default_action(instance: &Instance<'_>, failed: &Container) -> FailureAction {
    let before = instance.office.base.or(instance.office.holder);
    let is_same_image = before.is_none_or(|before| before.image == failed.image);
    let has_run = failed.state.started.is_some();
    if has_run && !is_same_image && writes(&failed.document) {
        FailureAction::Pause
    } else {
        FailureAction::Rollback
    }
}

/// Tells whether a container writes to storage that outlives it.
fn writes(document: &Document) -> bool {
    document.get("HostConfig.Mounts").entries().any(|(_, mount)| {
        mount.get("ReadOnly") != &Value::Bool(true)
            && mount.get("Type") != &Value::text("tmpfs")
    })
}

/// Returns the container that can take over from one that failed: the last that was ready,
/// or at least is not known never to have been.
pub fn way_back<'a>(world: &World<'a>, instance: &Instance<'a>) -> Option<&'a Container> {
    let office = &instance.office;
    let warming_up = office.candidate.filter(|it| it.state.started.is_some());
    let before = if warming_up.is_some() { office.holder } else { office.base };
    before.filter(|it| world.memory.offices.get(&it.id) != Some(&false))
}

/// Takes note of who holds an office and was ever ready there.
pub(super) fn offices(world: &World<'_>) -> BTreeMap<ContainerId, bool> {
    let mut offices = world.memory.offices.clone();
    offices.retain(|id, _| world.observed.containers.contains_key(id));
    for instance in world.instances.values() {
        let Some(holder) = instance.office.holder else { continue };
        // Of one that was started before we knew it nobody can tell.
        if instance.is_ready() || holder.state.started.is_none() {
            let was_ready = offices.entry(holder.id.clone()).or_insert(false);
            *was_ready |= instance.is_ready();
        }
    }
    offices
}

/// What is to become of an office.
#[derive(Clone, Copy, Debug)]
pub enum Course<'a> {
    /// The holder stays, and is brought in line while it is there.
    Keep,
    /// Another container takes its place.
    Replace,
    /// The one before takes its place.
    GoBack {
        /// The one before.
        base: &'a Container,
    },
    /// The holder stays as it is: what is wanted must not be done under data.
    Hold,
    /// The holder stays as it is: what is wanted did not prove itself.
    Stay {
        /// What did not.
        rejection: &'a Rejection,
    },
}

/// Returns what is to become of an office.
pub fn course<'a>(world: &World<'a>, instance: &Instance<'a>) -> Course<'a> {
    let Some(holder) = instance.office.holder else { return Course::Keep };
    if !instance.immutable.is_empty() {
        return Course::Hold;
    }
    let memory: &'a super::memory::Memory = world.memory;
    let rejection = memory.rejections.get(&instance.service.name);
    let base = way_back(world, instance).filter(|it| it.id != holder.id);
    if let Some(rejection) = rejection {
        let spec = holder.origin.spec.as_ref();
        let is_rejected = spec.is_some_and(|spec| rejection.specs.contains(spec));
        match (is_rejected, rejection.action, base) {
            (true, FailureAction::Rollback, Some(base)) => {
                return Course::GoBack { base };
            }
            (false, _, _) if instance.verdict() == Action::Recreate => {
                return Course::Stay { rejection };
            }
            (true | false, _, _) => {}
        }
    }
    if instance.verdict() < Action::Recreate {
        return Course::Keep;
    }
    match base.filter(|base| is_as_wanted(world, instance, base)) {
        Some(base) => Course::GoBack { base },
        None => Course::Replace,
    }
}
