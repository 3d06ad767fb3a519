//! `PortBindings`: published ports.

use serde_json::{Value as Json, json};

use crate::state::value::Value;

/// Reads `{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}` as `{80/tcp: [":8080"]}`.
///
/// `0.0.0.0` and no address mean the same.
pub(super) fn read(bindings: &Json) -> Value {
    let ports = bindings.as_object().into_iter().flatten();
    Value::Map(
        ports
            .map(|(port, places)| {
                let places = places.as_array().into_iter().flatten();
                let mut places: Vec<Value> = places.map(place).collect();
                places.sort();
                (port.clone(), Value::List(places))
            })
            .filter(|(_, places)| !places.is_zero())
            .collect(),
    )
}

fn place(binding: &Json) -> Value {
    let text = |key: &str| binding[key].as_str().unwrap_or_default();
    Value::Text(published(text("HostIp"), text("HostPort")))
}

/// Returns a place on the host as `ip:port`, where every address is no address.
pub fn published(ip: &str, port: &str) -> String {
    let ip = if ip == "0.0.0.0" { "" } else { ip };
    format!("{ip}:{port}")
}

/// Writes what [`read`] reads.
pub(super) fn write(value: &Value) -> Json {
    value
        .entries()
        .map(|(port, places)| {
            let places: Json = places
                .items()
                .iter()
                .filter_map(Value::as_text)
                .map(|place| {
                    let (ip, port) = place.rsplit_once(':').unwrap_or(("", place));
                    json!({ "HostIp": ip, "HostPort": port })
                })
                .collect();
            (port.to_owned(), places)
        })
        .collect()
}
