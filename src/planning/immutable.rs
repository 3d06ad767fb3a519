//! Fields that must not change under data: `x-reconciler.immutable`.
//!
//! What a service was made with is remembered from its first start on, so that a container
//! that somebody removed by hand does not open the way to another value. Where nothing is
//! remembered (adopted, state lost), the container that is there says what it was. A change
//! is refused, and the service is left as it is, until a person says that it is meant.

use std::collections::BTreeMap;

use crate::state::desired::{Desired, Service};
use crate::state::ids::ServiceName;
use crate::state::observed::{Container, Observed};
use crate::state::secret::{CONCEALED, Secret};
use crate::state::value::Value;

use super::change::{Action, FieldDrift};
use super::difference::covers;
use super::memory::Memory;
use super::world::{Instance, World};

/// What the data of a service was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MadeWith {
    /// By which key the digests are: by another one they tell nothing.
    pub key: String,
    /// The values, by canonical path.
    pub values: BTreeMap<String, MadeValue>,
}

/// One value that data was made with.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MadeValue {
    /// Its keyed digest.
    pub digest: String,
    /// What people may see of it: nothing when it was not set.
    pub shown: Option<String>,
}

/// How the texts of these waits begin.
pub const WAIT: &str = "leave to change ";

/// Returns what the data of every service was made with, as far as it is known by now.
///
/// What is known once stays so: only [`accept`] changes it. A path that is guarded no more
/// is forgotten; a service that left the file is not, for it may come back to its data.
pub fn remembered(world: &World<'_>) -> BTreeMap<ServiceName, MadeWith> {
    let mut all = world.memory.made_with.clone();
    let key = world.desired.digest_key.fingerprint();
    for service in world.desired.services.values() {
        let paths = &service.settings.immutable;
        if paths.is_empty() {
            all.remove(&service.name);
            continue;
        }
        let known = all.entry(service.name.clone()).or_default();
        if known.key != key {
            *known = MadeWith { key: key.clone(), values: BTreeMap::new() };
        }
        known.values.retain(|path, _| paths.contains(path));
        for path in paths {
            if !known.values.contains_key(path)
                && let Some(value) = live(world, service, path)
            {
                known.values.insert(path.clone(), made(world.desired, &value));
            }
        }
        if known.values.is_empty() {
            all.remove(&service.name);
        }
    }
    all
}

fn started<'a>(instance: &Instance<'a>) -> Option<&'a Container> {
    instance.office.holder.filter(|holder| holder.state.started.is_some())
}

/// Returns the value that the containers of a service have, in the words of the file;
/// nothing where they differ from the file in a way that has no such words.
fn live(world: &World<'_>, service: &Service, path: &str) -> Option<Value> {
    let mut value = None;
    for instance in world.replicas_of(&service.name) {
        let Some(holder) = started(instance) else { continue };
        let drift = instance.raw_drift(holder, world.desired, world.observed);
        let mut drift = drift.into_iter().filter(|field| covers(path, &field.path));
        let there = match drift.next() {
            None => wanted(service, path).clone(),
            // The same kind as the file's, or the two could never be equal.
            Some(field) if field.path == path && drift.next().is_none() => field.observed,
            Some(_) => return None,
        };
        value = Some(there);
    }
    value
}

/// Returns what the file says at a canonical path. Keys may have dots of their own.
fn wanted<'a>(service: &'a Service, path: &str) -> &'a Value {
    at(&service.canonical, path)
}

fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    const NOTHING: &Value = &Value::Null;
    if path.is_empty() {
        return value;
    }
    let mut entries = value.entries();
    let below = entries.find_map(|(key, value)| {
        let rest = path.strip_prefix(key)?;
        (rest.is_empty() || rest.starts_with('.'))
            .then(|| at(value, rest.trim_start_matches('.')))
            .filter(|it| !it.is_null())
    });
    below.unwrap_or(NOTHING)
}

fn made(desired: &Desired, value: &Value) -> MadeValue {
    let shown = if value.is_null() {
        None
    } else if value.is_sensitive() {
        Some(CONCEALED.to_owned())
    } else {
        Some(value.to_string())
    };
    // The same text is the same value, whether it is known to be a secret or not.
    MadeValue { digest: desired.digest_key.digest(&value.clone().concealed()), shown }
}

/// Returns the changes that are refused: what the data was made with, and what is wanted.
pub fn refused(
    instance: &Instance<'_>,
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
) -> Vec<FieldDrift> {
    let service = instance.service;
    let paths = &service.settings.immutable;
    if paths.is_empty() {
        return Vec::new();
    }
    let drift = started(instance).map(|it| instance.raw_drift(it, desired, observed));
    let known = memory.made_with.get(&service.name);
    let known = known.filter(|it| it.key == desired.digest_key.fingerprint());
    let mut refused = Vec::new();
    for path in paths {
        let wanted = wanted(service, path);
        let known = known.and_then(|it| it.values.get(path));
        let there = drift.as_ref().map(|drift| {
            drift.iter().filter(|it| covers(path, &it.path)).collect::<Vec<_>>()
        });
        match (known, there) {
            // The container that runs has what is wanted.
            (_, Some(there)) if there.is_empty() => {}
            (Some(known), _) if known.digest == made(desired, wanted).digest => {}
            (Some(known), _) => refused.push(field(path, wanted, before(known))),
            (None, Some(there)) => refused.extend(there.into_iter().cloned()),
            (None, None) => {}
        }
    }
    refused
}

fn before(known: &MadeValue) -> Value {
    match known.shown.as_deref() {
        None => Value::Null,
        Some(CONCEALED) => Value::Secret(Secret::new(CONCEALED)),
        Some(shown) => Value::text(shown),
    }
}

fn field(path: &str, desired: &Value, observed: Value) -> FieldDrift {
    FieldDrift {
        path: path.to_owned(),
        pointer: "",
        desired: desired.clone(),
        observed,
        cost: Action::Recreate,
    }
}

/// Says what a refused change waits for, and what to do.
pub fn waits(instance: &Instance<'_>) -> Vec<String> {
    let service = &instance.service.name;
    let refused = instance.immutable.iter();
    refused
        .map(|field| {
            let word = |shown: Option<String>| {
                shown.map_or_else(|| "not set".to_owned(), |it| format!("`{it}`"))
            };
            let (from, to) = field.shown();
            format!(
                "{WAIT}{} from {} to {}, which must not change under data \
                 (x-reconciler.immutable): put it back, or say that it is meant: \
                 `reconciler apply --accept-immutable {service}`",
                field.path,
                word(from),
                word(to),
            )
        })
        .collect()
}

/// Takes what is wanted now as what the data of a service is made with: a person said so.
pub fn accept(memory: &mut Memory, desired: &Desired, service: &ServiceName) {
    let Some(service) = desired.services.get(service) else { return };
    let paths = service.settings.immutable.iter();
    let values = paths.map(|path| (path.clone(), made(desired, wanted(service, path))));
    let made_with =
        MadeWith { key: desired.digest_key.fingerprint(), values: values.collect() };
    memory.made_with.insert(service.name.clone(), made_with);
}
