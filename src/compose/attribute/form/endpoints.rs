//! `EndpointsConfig`: the networks that a container is attached to.

use serde_json::{Value as Json, json};

use crate::state::value::{Map, Value};

/// Reads the endpoints by network name, each with what was asked for: `Aliases`,
/// `IPAMConfig`, `Links`, `DriverOpts`, `MacAddress`.
///
/// The engine adds the container's short id to the aliases; it is taken away again. The
/// MAC address and the address that the engine chose are not what was asked for. `none`
/// and `host` are network modes, though the engine lists them as networks.
pub(super) fn read(inspect: &Json) -> Value {
    let id = inspect["Id"].as_str().unwrap_or_default();
    let short = id.get(..12).unwrap_or(id);
    let networks = inspect["NetworkSettings"]["Networks"].as_object();
    let networks = networks.into_iter().flatten();
    Value::Map(
        networks
            .filter(|(name, _)| !matches!(name.as_str(), "none" | "host"))
            .map(|(name, network)| (name.clone(), endpoint(network, short)))
            .collect(),
    )
}

fn endpoint(network: &Json, short: &str) -> Value {
    let mut fields = Map::new();
    for key in ["Aliases", "Links"] {
        let items = network[key].as_array().into_iter().flatten();
        let mut items: Vec<Value> = items
            .filter_map(Json::as_str)
            .filter(|text| short.is_empty() || *text != short)
            .map(Value::text)
            .collect();
        items.sort();
        items.dedup();
        fields.insert(key.to_owned(), Value::List(items));
    }
    fields.insert("IPAMConfig".to_owned(), addresses(&network["IPAMConfig"]));
    fields.insert("DriverOpts".to_owned(), Value::from(network["DriverOpts"].clone()));
    fields.retain(|_, value| !value.is_zero());
    Value::Map(fields)
}

fn addresses(config: &Json) -> Value {
    let mut addresses = Value::from(config.clone()).as_map().cloned().unwrap_or_default();
    addresses.retain(|_, value| !value.is_zero());
    Value::Map(addresses)
}

/// Writes what [`read`] reads.
pub(super) fn write(value: &Value) -> Json {
    value
        .entries()
        .map(|(name, endpoint)| {
            let json = if endpoint.is_zero() { json!({}) } else { endpoint.exposed() };
            (name.to_owned(), json)
        })
        .collect()
}
