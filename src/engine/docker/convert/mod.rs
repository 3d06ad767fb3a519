//! From the engine's JSON to our words.

mod container;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value as Json;

pub(super) use container::{Listed, container, listed};

use super::error::CallError;
use crate::compose::attribute::form;
use crate::state::document::{Document, Pointer};
use crate::state::ids::{NetworkId, NetworkName, VolumeName};
use crate::state::observed::{EngineFacts, Image, Network, Volume};
use crate::state::time::EngineTime;
use crate::state::value::Value;

/// Reads a time; the engine's zero time means that it never was.
fn time(text: &str) -> Option<EngineTime> {
    if text.starts_with("0001-") { None } else { text.parse().ok() }
}

/// A day, in seconds.
const DAY: i64 = 86_400;

/// Reads an inspected image.
pub(super) fn image(json: &Json) -> Result<Image, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Inspected {
        id: String,
        created: Option<String>,
    }
    let Inspected { id, created } = Inspected::deserialize(json)?;
    // Builds that are to come out the same each time say that they are as old as Unix.
    let created = created.as_deref().and_then(time);
    Ok(Image {
        id: id.as_str().into(),
        created: created.filter(|it| it.as_second() > DAY),
        config: form::read_image(json),
    })
}

/// Reads the list of networks.
pub(super) fn networks(json: &Json) -> Result<BTreeMap<NetworkName, Network>, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Listed {
        id: String,
        name: String,
    }
    const FIELDS: [Pointer; 7] =
        ["Driver", "Options", "IPAM", "Internal", "Attachable", "EnableIPv6", "Labels"];
    let read = |json: &Json| {
        let Listed { id, name } = Listed::deserialize(json)?;
        let network =
            Network { id: NetworkId::new(id), document: document(json, &FIELDS) };
        Ok((NetworkName::new(name), network))
    };
    json.as_array().into_iter().flatten().map(read).collect()
}

/// Reads the list of volumes.
pub(super) fn volumes(json: &Json) -> Result<BTreeMap<VolumeName, Volume>, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Listed {
        name: String,
        mountpoint: Option<String>,
    }
    let read = |json: &Json| {
        let Listed { name, mountpoint } = Listed::deserialize(json)?;
        let mut document = document(json, &["Driver", "Labels"]);
        document.set("DriverOpts", field(json, "Options"));
        Ok((VolumeName::new(name), Volume { document, mountpoint }))
    };
    let volumes = json.get("Volumes").and_then(Json::as_array);
    volumes.into_iter().flatten().map(read).collect()
}

fn document(json: &Json, fields: &[Pointer]) -> Document {
    fields.iter().map(|pointer| (*pointer, field(json, pointer))).collect()
}

fn field(json: &Json, name: &str) -> Value {
    pruned(json.get(name).cloned().unwrap_or_default()).into()
}

/// Drops the members that are null: the engine writes them where nothing was said.
fn pruned(json: Json) -> Json {
    match json {
        Json::Object(members) => members
            .into_iter()
            .filter(|(_, json)| !json.is_null())
            .map(|(name, json)| (name, pruned(json)))
            .collect(),
        Json::Array(items) => items.into_iter().map(pruned).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => json,
    }
}

/// Reads what the engine says of itself.
pub(super) fn facts(json: &Json, api: (u32, u32)) -> Result<EngineFacts, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Info {
        #[serde(rename = "ID", default)]
        id: String,
        #[serde(rename = "NCPU", default)]
        cpus: u32,
        #[serde(default)]
        server_version: String,
        #[serde(default)]
        cgroup_version: String,
        #[serde(default)]
        logging_driver: String,
        #[serde(default)]
        default_runtime: String,
        system_time: String,
    }
    let info = Info::deserialize(json)?;
    let time = time(&info.system_time)
        .ok_or_else(|| serde_json::Error::custom("SystemTime is not a time"))?;
    Ok(EngineFacts {
        id: info.id,
        version: info.server_version,
        api,
        cpus: info.cpus,
        cgroup_version: info.cgroup_version.parse().unwrap_or(0),
        log_driver: info.logging_driver,
        runtime: info.default_runtime,
        time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_network_keeps_its_fields_without_the_nulls() {
        let json = json!([{
            "Name": "n", "Id": "b30d", "Driver": "bridge", "EnableIPv6": false,
            "Scope": "local",
            "IPAM": {"Driver": "default", "Options": null,
                     "Config": [{"Subnet": "10.1.0.0/16", "Gateway": null}]},
            "Options": {}, "Labels": {"a": "b"},
        }]);
        let networks = networks(&json).unwrap();
        let network = networks.get("n").unwrap();
        assert_eq!(network.id, "b30d".into());
        assert_eq!(network.label("a"), Some("b"));
        let ipam = Value::map([
            ("Driver", Value::text("default")),
            (
                "Config",
                Value::List(vec![Value::map([("Subnet", Value::text("10.1.0.0/16"))])]),
            ),
        ]);
        assert_eq!(network.document.get("IPAM"), &ipam);
        assert_eq!(network.document.get("Scope"), &Value::Null);
    }

    #[test]
    fn a_volume_keeps_its_driver_options_under_the_name_that_create_has_for_them() {
        let json = json!({"Volumes": [
            {"Name": "v", "Driver": "local", "Options": {"type": "nfs"}, "Labels": null},
        ], "Warnings": null});
        let volumes = volumes(&json).unwrap();
        let document = &volumes.get("v").unwrap().document;
        assert_eq!(document.get("DriverOpts").get("type"), &Value::text("nfs"));
        assert_eq!(document.get("Labels"), &Value::Null);
    }

    #[test]
    fn facts_are_read_off_the_info_of_the_engine() {
        let json = json!({
            "ID": "WZGS", "NCPU": 2, "ServerVersion": "20.10.24+dfsg1",
            "CgroupVersion": "1", "LoggingDriver": "json-file", "DefaultRuntime": "runc",
            "SystemTime": "2026-11-22T19:59:53.967423572Z",
        });
        let facts = facts(&json, (1, 41)).unwrap();
        assert_eq!((facts.cpus, facts.cgroup_version, facts.api), (2, 1, (1, 41)));
        assert_eq!(facts.version, "20.10.24+dfsg1");
        assert_eq!(facts.time, "2026-11-22T19:59:53.967423572Z".parse().unwrap());
    }
}
