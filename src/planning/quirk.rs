//! Quirks: what an engine makes of a field, so that nothing is done for it over and over.

use std::collections::BTreeMap;

use crate::state::desired::Desired;
use crate::state::ids::{ContainerId, ServiceName, SpecHash};
use crate::state::observed::{Container, Observed, Status};
use crate::state::step::{Outcome, Step};
use crate::state::value::Value;

use super::change::{Action, FieldDrift};
use super::in_place::attached;
use super::memory::Memory;
use super::world::{Instance, World};

/// The quirks of one container: by path, the digest of what was asked for and what it reads.
pub type Quirks = BTreeMap<String, String>;

/// Under what the quirks of a container are remembered: its service, and the spec that it
/// was made from.
pub type Key = (ServiceName, SpecHash);

/// Returns under what the quirks of a container are remembered.
pub fn key(instance: &Instance<'_>, container: &Container) -> Key {
    let spec = container.origin.spec.clone().unwrap_or_default();
    (instance.replica.service.clone(), spec)
}

/// Tells whether a field is known to read as it does although this was asked for.
pub fn is_quirk(quirks: Option<&Quirks>, desired: &Desired, field: &FieldDrift) -> bool {
    let known = quirks.and_then(|quirks| quirks.get(&field.path));
    known.is_some_and(|known| *known == digest(desired, field))
}

/// Another wish for the same field is another matter, so both values enter.
fn digest(desired: &Desired, field: &FieldDrift) -> String {
    let both = vec![field.desired.clone(), field.observed.clone()];
    desired.digest_key.digest(&Value::List(both))
}

/// How often a write must read back otherwise before it is no longer repeated: once may be
/// somebody else's doing.
const ENOUGH: u32 = 3;

/// A field that reads otherwise than it was asked for although it was just written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    key: Key,
    path: String,
    digest: String,
    /// It was made so, and nobody has touched it since.
    is_certain: bool,
}

/// Finds what reads otherwise than it was just written.
///
/// What a container that was made from today's target and never started reads otherwise
/// than it was asked for is what the engine makes of the target: another container would
/// be no better. Of a write to a container that is there already the same is believed
/// after [`ENOUGH`] times.
pub fn mismatches(world: &World<'_>, outcomes: &[Outcome]) -> Vec<Mismatch> {
    let written: Vec<&Step> = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_ok())
        .map(|outcome| &outcome.step)
        .collect();
    let mut found = Vec::new();
    for instance in world.instances.values() {
        let office = &instance.office;
        for container in office.candidate.into_iter().chain(office.holder) {
            found.extend(of_container(world, instance, container, &written));
        }
    }
    found
}

fn of_container(
    world: &World<'_>,
    instance: &Instance<'_>,
    container: &Container,
    written: &[&Step],
) -> Vec<Mismatch> {
    let is_fresh = is_fresh(instance, container, world.observed);
    if !is_fresh && !written.iter().any(|step| writes_to(step) == Some(&container.id)) {
        return Vec::new();
    }
    let fields = instance.raw_drift(container, world.desired, world.observed).into_iter();
    let mismatch = |field: &FieldDrift| {
        let is_certain = is_fresh && field.cost == Action::Recreate;
        let is_one = is_certain || written.iter().any(|it| wrote(it, container, field));
        is_one.then(|| Mismatch {
            key: key(instance, container),
            path: field.path.clone(),
            digest: digest(world.desired, field),
            is_certain,
        })
    };
    fields.filter_map(|field| mismatch(&field)).collect()
}

/// Takes note of mismatches; those that are certain, or come often enough, are quirks.
pub fn remember(memory: &mut Memory, mismatches: Vec<Mismatch>) {
    for Mismatch { key, path, digest, is_certain } in mismatches {
        let place = (key.0.clone(), key.1.clone(), path.clone());
        let known = memory.unequal.get(&place);
        let before =
            known.filter(|(known, _)| *known == digest).map_or(0, |(_, count)| *count);
        if is_certain || before + 1 >= ENOUGH {
            memory.unequal.remove(&place);
            memory.quirks.entry(key).or_default().insert(path, digest);
        } else {
            memory.unequal.insert(place, (digest, before + 1));
        }
    }
}

/// Tells whether a container was made from today's target and never started.
fn is_fresh(instance: &Instance<'_>, container: &Container, observed: &Observed) -> bool {
    let image = observed.image(instance.service.image.as_str());
    container.state.status == Status::Created
        && container.state.started.is_none()
        && image.is_some_and(|image| {
            container.origin.spec.as_ref() == Some(&instance.target.spec(&image.id))
        })
}

/// Returns the container that a step writes fields to while it lives.
const fn writes_to(step: &Step) -> Option<&ContainerId> {
    match step {
        Step::Update { container, .. } | Step::Connect { container, .. } => {
            Some(container)
        }
        Step::Pull { .. }
        | Step::CreateNetwork { .. }
        | Step::RemoveNetwork { .. }
        | Step::CreateVolume { .. }
        | Step::Create { .. }
        | Step::CopyIn { .. }
        | Step::Disconnect { .. }
        | Step::Rename { .. }
        | Step::Start { .. }
        | Step::Unpause { .. }
        | Step::Stop { .. }
        | Step::Remove { .. }
        | Step::ReadLog { .. }
        | Step::Measure { .. }
        | Step::Probe { .. }
        | Step::Reach { .. }
        | Step::Signal { .. }
        | Step::Test { .. }
        | Step::Rehearse(_) => None,
    }
}

/// Tells whether a step wrote the very value that a field still lacks.
fn wrote(step: &Step, to: &Container, field: &FieldDrift) -> bool {
    let value = match step {
        Step::Update { document, .. } => document.get(field.pointer),
        Step::Connect { network, endpoint, .. }
            if attached(&field.path) == Some(network.as_str()) =>
        {
            endpoint
        }
        Step::Connect { .. }
        | Step::Pull { .. }
        | Step::CreateNetwork { .. }
        | Step::RemoveNetwork { .. }
        | Step::CreateVolume { .. }
        | Step::Create { .. }
        | Step::CopyIn { .. }
        | Step::Disconnect { .. }
        | Step::Rename { .. }
        | Step::Start { .. }
        | Step::Unpause { .. }
        | Step::Stop { .. }
        | Step::Remove { .. }
        | Step::ReadLog { .. }
        | Step::Measure { .. }
        | Step::Probe { .. }
        | Step::Reach { .. }
        | Step::Signal { .. }
        | Step::Test { .. }
        | Step::Rehearse(_) => return false,
    };
    writes_to(step) == Some(&to.id) && !value.is_null() && *value == field.desired
}
