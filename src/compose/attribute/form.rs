//! From the engine's JSON to a document and back: a stand-in.

use serde_json::Value as Json;

use crate::state::document::{Document, Pointer};
use crate::state::value::Value;

const PLAIN: [Pointer; 11] = [
    "Config.Image",
    "Config.Cmd",
    "Config.Entrypoint",
    "Config.Labels",
    "Config.User",
    "HostConfig.Memory",
    "HostConfig.MemorySwap",
    "HostConfig.NanoCpus",
    "HostConfig.PidsLimit",
    "HostConfig.RestartPolicy",
    "HostConfig.NetworkMode",
];

/// Reads an inspected container.
pub fn read(json: &Json) -> Document {
    let field = |pointer: &Pointer| {
        let json = pointer.split('.').try_fold(json, |json, part| json.get(part));
        (*pointer, json.cloned().map_or(Value::Null, Value::from))
    };
    PLAIN.iter().map(field).collect()
}

/// Reads an inspected image.
pub fn read_image(json: &Json) -> Document {
    read(json)
}

/// Writes the body of a create request.
pub fn write(document: &Document) -> Json {
    let mut body = serde_json::json!({});
    for (pointer, value) in document.iter() {
        let pointer = pointer.strip_prefix("Config.").unwrap_or(pointer);
        let slot = pointer.split('.').fold(&mut body, |json, part| &mut json[part]);
        *slot = value.exposed();
    }
    body
}
