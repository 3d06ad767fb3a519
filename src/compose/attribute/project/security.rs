//! Rights.

use super::super::field::{Context, Field, Form, field};
use super::super::form::{capability, option};
use crate::state::document::Document;
use crate::state::value::Value;

/// `cap_add`.
pub const CAPABILITIES_ADDED: Field = field("HostConfig.CapAdd").form(Form::Capabilities);

/// `cap_drop`.
pub const CAPABILITIES_DROPPED: Field =
    field("HostConfig.CapDrop").form(Form::Capabilities);

/// `security_opt`: the engine adds `label=disable` where a namespace of the host is shared.
pub const OPTIONS: Field =
    field("HostConfig.SecurityOpt").form(Form::Options).alike(|desired, observed| {
        let rest = |value: &Value| -> Vec<Value> {
            let items = value.items().iter();
            items
                .filter(|item| item.as_text() != Some("label=disable"))
                .cloned()
                .collect()
        };
        rest(desired) == rest(observed)
    });

/// `cap_add`.
pub fn capabilities_added(value: &Value, _: &Context<'_>, to: &mut Document) {
    for item in value.items().iter().filter_map(Value::as_text) {
        to.insert("HostConfig.CapAdd", Value::Text(capability(item)));
    }
}

/// `cap_drop`.
pub fn capabilities_dropped(value: &Value, _: &Context<'_>, to: &mut Document) {
    for item in value.items().iter().filter_map(Value::as_text) {
        to.insert("HostConfig.CapDrop", Value::Text(capability(item)));
    }
}

/// `security_opt`.
pub fn options(value: &Value, _: &Context<'_>, to: &mut Document) {
    for item in value.items().iter().filter_map(Value::as_text) {
        to.insert("HostConfig.SecurityOpt", Value::Text(option(item)));
    }
}

/// `group_add`.
pub fn groups(value: &Value, _: &Context<'_>, to: &mut Document) {
    for item in value.items() {
        to.insert("HostConfig.GroupAdd", Value::Text(item.to_string()));
    }
}

/// `sysctls`: values are texts.
pub fn sysctls(value: &Value, _: &Context<'_>, to: &mut Document) {
    let entries: Vec<(String, Value)> = value
        .entries()
        .map(|(name, value)| (name.to_owned(), Value::Text(value.to_string())))
        .collect();
    if !entries.is_empty() {
        to.extend("HostConfig.Sysctls", entries);
    }
}
