//! What runs: command, environment, labels, host name.

use super::super::field::{Asked, Context, Default, Field, Form, field};
use crate::state::document::Document;
use crate::state::ids::ServiceName;
use crate::state::value::Value;

/// `command`: the image's, unless the entry point was replaced.
pub const COMMAND: Field =
    field("Config.Cmd").default(Default::Computed(|asked: &Asked<'_>| {
        if asked.document.get("Config.Entrypoint").is_null() {
            Some(asked.image?.get("Config.Cmd").clone())
        } else {
            Some(Value::Null)
        }
    }));

/// `environment`.
pub const ENVIRONMENT: Field =
    field("Config.Env").form(Form::Pairs).default(Default::ImageEntries);

/// `labels`.
pub const LABELS: Field = field("Config.Labels").default(Default::ImageEntries);

/// `hostname`: the short id, or the host's where the network is.
pub const HOSTNAME: Field =
    field("Config.Hostname").default(Default::Computed(|asked| {
        let mode = asked.container.document.get("HostConfig.NetworkMode");
        match mode.as_text() {
            Some(mode) if mode == "host" || mode.starts_with("container:") => {
                Some(asked.container.document.get("Config.Hostname").clone())
            }
            Some(_) | None => Some(Value::text(asked.container.id.short())),
        }
    }));

/// `runtime`: the engine's.
pub const RUNTIME: Field = field("HostConfig.Runtime")
    .default(Default::Computed(|asked| Some(Value::text(&asked.facts.runtime))));

/// `ipc`: the engine's choice of `private` and `shareable`.
pub const IPC: Field = field("HostConfig.IpcMode").default(Default::Computed(|asked| {
    let there = asked.container.document.get("HostConfig.IpcMode");
    let is_default = matches!(there.as_text(), None | Some("private" | "shareable"));
    Some(if is_default { there.clone() } else { Value::text("private") })
}));

/// `cgroup`: the engine's choice, the host's with cgroup v1 and where the container is
/// privileged.
pub const CGROUP: Field =
    field("HostConfig.CgroupnsMode").default(Default::Computed(|asked| {
        let there = asked.container.document.get("HostConfig.CgroupnsMode");
        let is_privileged = asked.document.get("HostConfig.Privileged").as_bool();
        let is_host = asked.facts.cgroup_version < 2 || is_privileged == Some(true);
        let is_made_by_us = asked.container.origin.spec.is_some();
        let chosen = Value::text(if is_host { "host" } else { "private" });
        Some(if is_made_by_us { chosen } else { there.clone() })
    }));

/// `ipc`, `pid` and `uts` as they are; `service:x` becomes the container of x.
pub fn namespace(
    pointer: &'static str,
    value: &Value,
    context: &Context<'_>,
    to: &mut Document,
) {
    if let Some(mode) = value.as_text() {
        to.set(pointer, Value::Text(shared(mode, context)));
    }
}

/// Returns a mode in which `service:x` is `container:<id of x>`.
pub fn shared(mode: &str, context: &Context<'_>) -> String {
    let Some(service) = mode.strip_prefix("service:") else { return mode.to_owned() };
    let peer = context.peers.get(&ServiceName::new(service));
    peer.map_or_else(|| mode.to_owned(), |id| format!("container:{id}"))
}

/// `ipc`.
pub fn ipc(value: &Value, context: &Context<'_>, to: &mut Document) {
    namespace("HostConfig.IpcMode", value, context, to);
}

/// `pid`.
pub fn pid(value: &Value, context: &Context<'_>, to: &mut Document) {
    namespace("HostConfig.PidMode", value, context, to);
}

/// `environment`: entries without a value were resolved or dropped by the loader.
pub fn environment(value: &Value, _: &Context<'_>, to: &mut Document) {
    let set = value.entries().filter(|(_, value)| !value.is_null());
    to.extend("Config.Env", set.map(|(name, value)| (name.to_owned(), as_text(value))));
}

/// `labels` and `annotations`: values are texts.
pub fn labels(value: &Value, _: &Context<'_>, to: &mut Document) {
    to.extend(
        "Config.Labels",
        value.entries().map(|(name, value)| (name.to_owned(), as_text(value))),
    );
}

/// Returns a scalar as the text that the engine wants.
pub fn as_text(value: &Value) -> Value {
    match value {
        Value::Secret(_) => value.clone(),
        Value::Null => Value::text(""),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Real(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Map(_) => Value::Text(value.to_string()),
    }
}
