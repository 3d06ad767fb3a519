//! Between the engine's JSON and a [`Document`].

mod endpoints;
mod mounts;
mod ports;

pub use ports::published;

use serde_json::{Map as JsonMap, Value as Json, json};

use super::field::{Field, Form};
use crate::compose::units;
use crate::state::document::Document;
use crate::state::secret::{Secret, is_sensitive_name, is_sensitive_text};
use crate::state::value::{Map, Real, Value};

/// Reads the fields of a container from the engine's answer to an inspection.
pub fn read(inspect: &Json) -> Document {
    super::fields()
        .map(|(_, field)| (field.pointer, read_field(field, inspect)))
        .filter(|(_, value)| !value.is_zero())
        .collect()
}

/// Reads from the inspection of an image what it gives to its containers.
pub fn read_image(inspect: &Json) -> Document {
    super::fields()
        .filter(|(_, field)| field.pointer.starts_with("Config."))
        .map(|(_, field)| (field.pointer, read_field(field, inspect)))
        .filter(|(_, value)| !value.is_zero())
        .collect()
}

/// Writes the body of a request that creates a container.
pub fn write(document: &Document) -> Json {
    let mut body = Json::Object(JsonMap::new());
    for (_, field) in super::fields() {
        let value = document.get(field.pointer);
        if !value.is_null() {
            write_field(field, value, &mut body);
        }
    }
    body
}

/// Writes the body of a request that updates a live container.
pub fn write_update(document: &Document) -> Json {
    let mut body = write(document);
    body.get_mut("HostConfig").map_or_else(|| json!({}), Json::take)
}

fn read_field(field: &Field, inspect: &Json) -> Value {
    let place = place(field, inspect);
    match field.form {
        Form::Plain => Value::from(place.clone()),
        Form::Set => set(texts(place).map(str::to_owned)),
        Form::Options => set(texts(place).map(option)),
        Form::Capabilities => set(texts(place).map(capability)),
        Form::Pairs => Value::Map(texts(place).map(pair).collect()),
        Form::Names => Value::Map(
            place
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| (name.clone(), Value::Bool(true)))
                .collect(),
        ),
        Form::Keyed(key) => keyed(place, key),
        Form::Nanoseconds => duration(place, 1),
        Form::Seconds => duration(place, 1_000_000_000),
        Form::NanoCpus => cpus(place),
        Form::PortBindings => ports::read(place),
        Form::Mounts => mounts::read(&inspect["HostConfig"]),
        Form::Endpoints => endpoints::read(inspect),
    }
}

/// Finds a field in an inspection; null when it is not there.
fn place<'a>(field: &Field, inspect: &'a Json) -> &'a Json {
    field.pointer.split('.').fold(inspect, |json, key| &json[key])
}

fn write_field(field: &Field, value: &Value, body: &mut Json) {
    let json = match field.form {
        Form::Plain | Form::Set | Form::Options | Form::Capabilities => value.exposed(),
        Form::Pairs => value
            .entries()
            .map(|(name, value)| {
                Json::String(match value.exposed_text() {
                    Some(text) => format!("{name}={text}"),
                    None => name.to_owned(),
                })
            })
            .collect(),
        Form::Names => {
            value.entries().map(|(name, _)| (name.to_owned(), json!({}))).collect()
        }
        Form::Keyed(key) => {
            value.entries().map(|(name, item)| with_key(item, key, name)).collect()
        }
        Form::Nanoseconds => nanoseconds(value).into(),
        Form::Seconds => {
            (nanoseconds(value) + 999_999_999).div_euclid(1_000_000_000).into()
        }
        Form::NanoCpus => nano_cpus(value).into(),
        Form::PortBindings => ports::write(value),
        Form::Mounts => {
            mounts::write(value, body);
            return;
        }
        Form::Endpoints => endpoints::write(value),
    };
    let path = field.pointer.strip_prefix("Config.").unwrap_or(field.pointer);
    put(body, path, json);
}

/// Puts a value at a dotted path, making objects on the way.
fn put(body: &mut Json, path: &str, value: Json) {
    let slot = path.split('.').fold(body, |slot, key| {
        if !slot.is_object() {
            *slot = json!({});
        }
        &mut slot[key]
    });
    *slot = value;
}

fn texts(json: &Json) -> impl Iterator<Item = &str> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str)
}

fn set(items: impl Iterator<Item = String>) -> Value {
    let mut items: Vec<Value> = items.map(Value::Text).collect();
    items.sort();
    items.dedup();
    Value::List(items)
}

/// Returns a security option in the form `name=value`; the form with a colon is the old one.
pub(super) fn option(text: &str) -> String {
    match text.split_once(['=', ':']) {
        Some((name, value)) => format!("{name}={value}"),
        None => text.to_owned(),
    }
}

/// Returns a capability in upper case without its prefix.
pub(super) fn capability(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
}

fn pair(text: &str) -> (String, Value) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let value = if is_sensitive_name(name) || is_sensitive_text(value) {
        Value::Secret(Secret::new(value))
    } else {
        Value::text(value)
    };
    (name.to_owned(), value)
}

fn keyed(json: &Json, key: &str) -> Value {
    let items = json.as_array().into_iter().flatten();
    Value::Map(
        items
            .filter_map(|item| {
                let mut fields: Map =
                    Value::from(item.clone()).as_map().cloned().unwrap_or_default();
                let name = fields.remove(key)?.as_text()?.to_owned();
                Some((name, Value::Map(fields)))
            })
            .collect(),
    )
}

fn with_key(item: &Value, key: &str, name: &str) -> Json {
    let mut json = item.exposed();
    json[key] = Json::from(name);
    json
}

fn duration(json: &Json, unit: u64) -> Value {
    match json.as_u64() {
        None | Some(0) => Value::Null,
        Some(count) => Value::Text(units::show_duration(
            std::time::Duration::from_nanos(count.saturating_mul(unit)),
        )),
    }
}

fn nanoseconds(value: &Value) -> i64 {
    let duration = value.as_text().and_then(|text| units::parse_duration(text).ok());
    duration.map_or(0, |duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

fn cpus(json: &Json) -> Value {
    match json.as_i64() {
        None | Some(0) => Value::Null,
        Some(count) => {
            let (whole, rest) =
                (count.div_euclid(1_000_000_000), count.rem_euclid(1_000_000_000));
            let fraction = format!("{rest:09}");
            let fraction = fraction.trim_end_matches('0');
            Value::Text(if fraction.is_empty() {
                whole.to_string()
            } else {
                format!("{whole}.{fraction}")
            })
        }
    }
}

fn nano_cpus(value: &Value) -> i64 {
    let number = match value {
        Value::Text(text) => text.parse::<f64>().unwrap_or(0.0),
        Value::Int(number) => number.to_string().parse().unwrap_or(0.0),
        Value::Real(Real(number)) => *number,
        Value::Null
        | Value::Bool(_)
        | Value::Secret(_)
        | Value::List(_)
        | Value::Map(_) => 0.0,
    };
    // As text a float says all its digits, and one that does not fit is no number.
    format!("{:.0}", number * 1e9).parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(document: &Document) -> Document {
        let body = write(document);
        let mut inspect = json!({ "HostConfig": body["HostConfig"], "Config": body });
        inspect["NetworkSettings"]["Networks"] =
            inspect["Config"]["NetworkingConfig"]["EndpointsConfig"].clone();
        read(&inspect)
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let document: Document = [
            (
                "Config.Env",
                Value::map([
                    ("A", Value::text("1=2")),
                    ("DB_PASSWORD", Value::Secret(Secret::new("x"))),
                ]),
            ),
            ("HostConfig.NanoCpus", Value::text("0.25")),
            ("HostConfig.Memory", Value::Int(8_589_934_592)),
            ("HostConfig.CapAdd", Value::texts(["NET_ADMIN", "SYS_TIME"])),
            ("Config.StopTimeout", Value::text("2m0s")),
            ("Config.Healthcheck.Interval", Value::text("30s")),
            ("Config.Healthcheck.Test", Value::texts(["CMD", "true"])),
            (
                "HostConfig.Ulimits",
                Value::map([(
                    "nofile",
                    Value::map([("Soft", Value::Int(1)), ("Hard", Value::Int(2))]),
                )]),
            ),
            (
                "HostConfig.PortBindings",
                Value::map([("80/tcp", Value::texts(["127.0.0.1:8080"]))]),
            ),
        ]
        .into_iter()
        .collect();
        assert_eq!(round_trip(&document), document);
    }

    #[test]
    fn durations_and_processors_read_as_the_file_writes_them() {
        let read = read(&json!({
            "Config": { "StopTimeout": 90, "Healthcheck": { "Timeout": 1_500_000_000 } },
            "HostConfig": { "NanoCpus": 1_500_000_000 },
        }));
        assert_eq!(read.get("Config.StopTimeout"), &Value::text("1m30s"));
        assert_eq!(read.get("Config.Healthcheck.Timeout"), &Value::text("1.5s"));
        assert_eq!(read.get("HostConfig.NanoCpus"), &Value::text("1.5"));
    }
}
