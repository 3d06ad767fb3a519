//! Drift: desired and observed, field by field, after both sides are normalised.

use crate::compose::attribute;
use crate::compose::attribute::field::{Asked, Cost, Default, Field};
use crate::state::document::Document;
use crate::state::observed::labels::is_bookkeeping;
use crate::state::value::{Map, Value};

use super::change::{Action, FieldDrift};

/// Returns every field in which a container differs from what is asked for, in the order
/// of the attribute table.
///
/// What the image or the engine puts where nothing is asked for is no drift, and neither
/// is what cannot be known because the image is gone. `canonical` is the service, whose
/// own spelling of a field is shown.
pub fn drift(canonical: &Value, asked: &Asked<'_>) -> Vec<FieldDrift> {
    attribute::fields_of(canonical)
        .flat_map(|(path, field)| field_drift(path, field, asked))
        .collect()
}

fn field_drift(path: &str, field: &Field, asked: &Asked<'_>) -> Vec<FieldDrift> {
    let observed = asked.container.document.get(field.pointer);
    let Some(expected) = expected(field, asked) else { return Vec::new() };
    match (entries(&expected), entries(observed)) {
        (Some(expected), Some(observed)) => {
            entry_drift(path, field, &expected, &observed)
        }
        (Some(_) | None, Some(_) | None) => {
            single(path.to_owned(), field, &expected, observed).into_iter().collect()
        }
    }
}

/// Returns what the field should read, or nothing when anything will do.
fn expected(field: &Field, asked: &Asked<'_>) -> Option<Value> {
    let wanted = asked.document.get(field.pointer);
    match field.default {
        Default::ImageEntries => {
            let mut entries = map_of(asked.image?.get(field.pointer));
            entries.extend(map_of(wanted));
            Some(Value::Map(entries))
        }
        Default::EngineEntries(label) => {
            let labels = asked.container.document.get("Config.Labels");
            let asked_then = labels.get(label).as_text().unwrap_or_default();
            let mut entries = map_of(asked.container.document.get(field.pointer));
            entries.retain(|name, _| !asked_then.split(',').any(|asked| asked == name));
            entries.extend(map_of(wanted));
            Some(Value::Map(entries))
        }
        _ if !wanted.is_null() => Some(wanted.clone()),
        Default::Zero => Some(Value::Null),
        Default::Text(text) => Some(Value::text(text)),
        Default::Image => Some(asked.image?.get(field.pointer).clone()),
        Default::Any => None,
        Default::Computed(compute) => compute(asked),
    }
}

/// Returns the map of a map, or an empty one for a zero: such fields are compared entry
/// by entry.
fn entries(value: &Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::Null => Some(Map::new()),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Real(_)
        | Value::Text(_)
        | Value::Secret(_)
        | Value::List(_) => None,
    }
}

fn map_of(value: &Value) -> Map {
    entries(value).unwrap_or_default()
}

fn entry_drift(
    path: &str,
    field: &Field,
    expected: &Map,
    observed: &Map,
) -> Vec<FieldDrift> {
    let names: std::collections::BTreeSet<&String> =
        expected.keys().chain(observed.keys()).collect();
    names
        .into_iter()
        .filter(|name| field.pointer != "Config.Labels" || !is_bookkeeping(name))
        .filter_map(|name| {
            let path = format!("{path}.{name}");
            match (expected.get(name), observed.get(name)) {
                (Some(desired), Some(observed)) => single(path, field, desired, observed),
                // An entry that is there is not the same as none, even when it is empty.
                (desired, observed) => {
                    let [desired, observed] =
                        [desired, observed].map(|value| value.unwrap_or(&Value::Null));
                    Some(difference(path, field, desired, observed))
                }
            }
        })
        .collect()
}

fn single(
    path: String,
    field: &Field,
    desired: &Value,
    observed: &Value,
) -> Option<FieldDrift> {
    let equal = same(desired, observed)
        || field.alike.is_some_and(|alike| alike(desired, observed));
    (!equal).then(|| difference(path, field, desired, observed))
}

fn difference(
    path: String,
    field: &Field,
    desired: &Value,
    observed: &Value,
) -> FieldDrift {
    FieldDrift {
        path,
        pointer: field.pointer,
        desired: desired.clone(),
        observed: observed.clone(),
        cost: cost(field, desired),
    }
}

/// Tells whether two values are equal: zeros are, whatever their kind, and a secret equals
/// the text that it conceals.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => {
            let keys = a.keys().chain(b.keys());
            keys.into_iter().all(|key| {
                same(
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                )
            })
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (a, b) if a.is_zero() && b.is_zero() => true,
        (a, b) => match (a.exposed_text(), b.exposed_text()) {
            (Some(a), Some(b)) => a == b,
            (Some(_) | None, _) => a == b,
        },
    }
}

/// Returns what a change of a field to this value costs. The engine accepts the removal of
/// a limit and ignores it, so that needs another container.
fn cost(field: &Field, desired: &Value) -> Action {
    match field.cost {
        Cost::Recreate => Action::Recreate,
        Cost::Update if desired.is_zero() => Action::Recreate,
        Cost::Update | Cost::UpdateAny | Cost::Reconnect => Action::UpdateInPlace,
    }
}

/// Returns the asked-for fields that an update in place has to send for these drifts.
///
/// Memory goes together with the swap limit, and a restart policy's name with its count.
pub fn update(drifts: &[FieldDrift], asked: &Document) -> Document {
    const TOGETHER: [[&str; 2]; 2] = [
        ["HostConfig.Memory", "HostConfig.MemorySwap"],
        ["HostConfig.RestartPolicy.Name", "HostConfig.RestartPolicy.MaximumRetryCount"],
    ];
    let mut document = Document::default();
    for (_, field) in attribute::fields()
        .filter(|(_, field)| matches!(field.cost, Cost::Update | Cost::UpdateAny))
    {
        if let Some(drift) = drifts.iter().find(|drift| drift.pointer == field.pointer) {
            document.set(field.pointer, drift.desired.clone());
        }
    }
    for pair in TOGETHER {
        // What is taken away shows in the drifts alone.
        if drifts.iter().any(|drift| pair.contains(&drift.pointer)) {
            for pointer in pair {
                if document.get(pointer).is_null() {
                    document.set(pointer, asked.get(pointer).clone());
                }
            }
        }
    }
    let memory = document.get("HostConfig.Memory").as_int();
    if let Some(memory) = memory
        && document.get("HostConfig.MemorySwap").is_null()
    {
        document.set("HostConfig.MemorySwap", Value::Int(memory.saturating_mul(2)));
    }
    document
}
