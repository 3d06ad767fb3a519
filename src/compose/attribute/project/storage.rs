//! Mounts, secrets, configs and devices.

use super::super::field::{Context, Field, Form, field};
use crate::compose::units;
use crate::state::desired::Content;
use crate::state::document::Document;
use crate::state::ids::{ServiceName, VolumeKey};
use crate::state::value::{Map, Value};

/// `volumes`, and `configs` and `secrets` that are files.
///
/// Whether a missing source is made cannot be seen on a container that runs.
pub const MOUNTS: Field =
    field("HostConfig.Mounts").form(Form::Mounts).alike(|desired, observed| {
        let visible = |value: &Value| {
            let mut mount = value.as_map().cloned().unwrap_or_default();
            mount.remove("Create");
            if matches!(
                mount.get("Propagation").and_then(Value::as_text),
                Some("rprivate")
            ) {
                mount.remove("Propagation");
            }
            mount
        };
        visible(desired) == visible(observed)
    });

/// `tmpfs`.
pub const TMPFS: Field = field("HostConfig.Tmpfs");

/// `devices`.
pub const DEVICES: Field =
    field("HostConfig.Devices").form(Form::Keyed("PathInContainer"));

/// `volumes_from`.
pub const VOLUMES_FROM: Field = field("HostConfig.VolumesFrom").form(Form::Set);

/// `volumes`: `{type, source, target, read_only, bind, volume, tmpfs}`.
pub fn volumes(value: &Value, context: &Context<'_>, to: &mut Document) {
    let mounts = value.items().iter().filter_map(|item| {
        Some((item.get("target").as_text()?.to_owned(), mount(item, context)))
    });
    let mounts: Vec<(String, Value)> = mounts.collect();
    if !mounts.is_empty() {
        to.extend("HostConfig.Mounts", mounts);
    }
}

fn mount(item: &Value, context: &Context<'_>) -> Value {
    let kind = item.get("type").as_text().unwrap_or("volume");
    let mut fields = Map::from([
        ("Type".to_owned(), Value::text(kind)),
        ("ReadOnly".to_owned(), item.get("read_only").clone()),
    ]);
    let mut options = Map::new();
    match kind {
        "bind" => {
            let bind = item.get("bind");
            fields.insert("Source".to_owned(), item.get("source").clone());
            fields.insert("Create".to_owned(), bind.get("create_host_path").clone());
            fields.insert("Propagation".to_owned(), bind.get("propagation").clone());
            fields.insert("Label".to_owned(), bind.get("selinux").clone());
        }
        "tmpfs" => {
            let tmpfs = item.get("tmpfs");
            options.insert("SizeBytes".to_owned(), size(tmpfs.get("size")));
            options.insert("Mode".to_owned(), tmpfs.get("mode").clone());
        }
        _ => {
            let volume = item.get("volume");
            fields.insert("Source".to_owned(), volume_name(item.get("source"), context));
            fields.insert("NoCopy".to_owned(), volume.get("nocopy").clone());
            options.insert("Subpath".to_owned(), volume.get("subpath").clone());
        }
    }
    options.retain(|_, value| !value.is_zero());
    fields.insert("Options".to_owned(), Value::Map(options));
    fields.retain(|_, value| !value.is_zero());
    Value::Map(fields)
}

fn volume_name(source: &Value, context: &Context<'_>) -> Value {
    let Some(key) = source.as_text() else { return Value::Null };
    match context.stack.volumes.get(&VolumeKey::new(key)) {
        Some(spec) => Value::text(spec.name.as_str()),
        None => source.clone(),
    }
}

fn size(value: &Value) -> Value {
    match value {
        Value::Text(text) => units::parse_bytes(text).map_or(Value::Null, Value::Int),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Real(_)
        | Value::Secret(_)
        | Value::List(_)
        | Value::Map(_) => value.clone(),
    }
}

/// `tmpfs`: `/run` or `/run:size=64m`.
pub fn tmpfs(value: &Value, _: &Context<'_>, to: &mut Document) {
    let items = value.items().iter().filter_map(Value::as_text).map(|item| {
        let (path, options) = item.split_once(':').unwrap_or((item, ""));
        (path.to_owned(), Value::text(options))
    });
    let items: Vec<(String, Value)> = items.collect();
    if !items.is_empty() {
        to.extend("HostConfig.Tmpfs", items);
    }
}

/// `configs`: those that are files of the host are mounted, read-only.
pub fn configs(value: &Value, context: &Context<'_>, to: &mut Document) {
    for reference in value.items() {
        let key = reference.get("source").as_text().unwrap_or_default();
        if let Some(Content::File(path)) = context.stack.configs.get(key) {
            mount_file(&config_target(reference), path, to);
        }
    }
}

/// `secrets`: those that are files of the host are mounted, read-only.
pub fn secrets(value: &Value, context: &Context<'_>, to: &mut Document) {
    for reference in value.items() {
        let key = reference.get("source").as_text().unwrap_or_default();
        if let Some(Content::File(path)) = context.stack.secrets.get(key) {
            mount_file(&secret_target(reference), path, to);
        }
    }
}

fn mount_file(target: &str, path: &std::path::Path, to: &mut Document) {
    let fields = Value::map([
        ("Type", Value::text("bind")),
        ("Source", Value::Text(path.to_string_lossy().into_owned())),
        ("ReadOnly", Value::Bool(true)),
    ]);
    to.extend("HostConfig.Mounts", [(target.to_owned(), fields)]);
}

/// Returns where a config stands inside: `/<source>` unless told.
pub fn config_target(reference: &Value) -> String {
    target(reference, "/")
}

/// Returns where a secret stands inside: `/run/secrets/<source>` unless told.
pub fn secret_target(reference: &Value) -> String {
    target(reference, "/run/secrets/")
}

fn target(reference: &Value, folder: &str) -> String {
    let named = reference.get("target").as_text().filter(|target| !target.is_empty());
    let name = named.or_else(|| reference.get("source").as_text()).unwrap_or_default();
    if name.starts_with('/') { name.to_owned() } else { format!("{folder}{name}") }
}

/// `devices`: `/host:/container:rwm`, or `{source, target, permissions}`.
pub fn devices(value: &Value, _: &Context<'_>, to: &mut Document) {
    let devices = value.items().iter().map(|item| {
        let text = |key: &str| item.get(key).as_text().map(str::to_owned);
        let mut parts = item.as_text().unwrap_or_default().split(':').map(str::to_owned);
        let source = text("source").or_else(|| parts.next()).unwrap_or_default();
        let target =
            text("target").or_else(|| parts.next()).unwrap_or_else(|| source.clone());
        let permissions = text("permissions").or_else(|| parts.next());
        let fields = Value::map([
            ("PathOnHost", Value::Text(source)),
            (
                "CgroupPermissions",
                Value::Text(permissions.unwrap_or_else(|| "rwm".to_owned())),
            ),
        ]);
        (target, fields)
    });
    let devices: Vec<(String, Value)> = devices.collect();
    if !devices.is_empty() {
        to.extend("HostConfig.Devices", devices);
    }
}

/// `volumes_from`: `service[:ro]` or `container:name[:ro]`.
pub fn volumes_from(value: &Value, context: &Context<'_>, to: &mut Document) {
    for item in value.items().iter().filter_map(Value::as_text) {
        let text = if let Some(container) = item.strip_prefix("container:") {
            container.to_owned()
        } else {
            let (service, mode) = item.split_once(':').unwrap_or((item, "rw"));
            let peer = context.peers.get(&ServiceName::new(service));
            peer.map_or_else(|| item.to_owned(), |id| format!("{id}:{mode}"))
        };
        to.insert("HostConfig.VolumesFrom", Value::Text(text));
    }
}
