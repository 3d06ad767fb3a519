//! The throw-away container in which changed content is tested when the running one cannot
//! see it: as the service's own, but that it is in nobody's place and can change nothing.

use std::time::Duration;

use crate::state::document::Document;
use crate::state::ids::{ContainerName, NetworkName};
use crate::state::observed::{Container, labels};
use crate::state::secret::Secret;
use crate::state::step::{Rehearsal, Step};
use crate::state::value::{Map, Value};

use super::change::Action;
use super::decision::{Decision, Next};
use super::office::is_running;
use super::order;
use super::replica::{decision, object};
use super::world::{Instance, World};

/// Returns the step that tests the content in a container of its own.
pub(super) fn step(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
    test: &[Secret],
    timeout: Duration,
    content: String,
) -> Next {
    let missing = order::missing_objects(world, instance.service);
    if !missing.is_empty() {
        return Next::Wait(missing);
    }
    let mut document = document(world, instance, test, &content);
    let networks = split_networks(&mut document);
    let short: String = holder.id.as_str().chars().take(8).collect();
    Next::Step(Step::Rehearse(Box::new(Rehearsal {
        holder: holder.id.clone(),
        name: ContainerName::new(format!("{}.test-{short}", instance.target.name)),
        document,
        platform: instance.service.platform.clone(),
        networks,
        files: instance.target.files.clone(),
        timeout,
        content,
    })))
}

/// Removes one that was left over when its test was cut off.
pub(super) fn clear(world: &World<'_>, instance: &Instance<'_>) -> Option<Decision> {
    let under_way = world.memory.under_way.get(&object(instance));
    if matches!(under_way, Some(Step::Rehearse(_))) {
        return None;
    }
    let mut all = world.observed.containers.values();
    let left = all.find(|it| {
        it.is_rehearsal() && it.origin.replica.as_ref() == Some(&instance.replica)
    })?;
    let container = left.id.clone();
    let step = if is_running(left) {
        Step::Stop { container, grace: Duration::ZERO }
    } else {
        Step::Remove { container }
    };
    let reason = "a container that tested changed content is left over";
    Some(decision(instance, Action::Remove, reason, Next::Step(step)))
}

fn document(
    world: &World<'_>,
    instance: &Instance<'_>,
    test: &[Secret],
    content: &str,
) -> Document {
    let mut document = instance.target.document.clone();
    let words: Vec<Value> = test.iter().cloned().map(Value::Secret).collect();
    let (first, rest) = words.split_at(words.len().min(1));
    document.set("Config.Entrypoint", Value::List(first.to_vec()));
    document.set("Config.Cmd", Value::List(rest.to_vec()));
    document.set("Config.Healthcheck.Test", Value::texts(["NONE"]));
    for pointer in [
        "Config.Healthcheck.Interval",
        "Config.Healthcheck.Timeout",
        "Config.Healthcheck.StartPeriod",
        "Config.Healthcheck.StartInterval",
        "Config.Healthcheck.Retries",
        "HostConfig.PortBindings",
        "HostConfig.RestartPolicy.Name",
        "HostConfig.RestartPolicy.MaximumRetryCount",
        "HostConfig.LogConfig.Type",
        "HostConfig.LogConfig.Config",
    ] {
        document.set(pointer, Value::Null);
    }
    document.set("HostConfig.LogConfig.Type", Value::text("json-file"));
    document.set("HostConfig.Mounts", mounts(&document));
    let from = document.get("HostConfig.VolumesFrom").items().iter();
    let from: Vec<Value> = from.map(read_only).collect();
    document.set("HostConfig.VolumesFrom", Value::List(from));
    document.set("NetworkingConfig.EndpointsConfig", endpoints(&document));
    document.set("Config.Labels", bookkeeping(world, instance, content));
    document
}

/// Everything that is mounted is read-only; what has no source would leave a volume behind.
fn mounts(document: &Document) -> Value {
    let mounts =
        document.get("HostConfig.Mounts").entries().filter_map(|(target, mount)| {
            let mut mount = mount.as_map()?.clone();
            let is_memory = mount.get("Type") == Some(&Value::text("tmpfs"));
            if !is_memory {
                mount.get("Source")?;
                mount.insert("ReadOnly".to_owned(), Value::Bool(true));
            }
            Some((target.to_owned(), Value::Map(mount)))
        });
    Value::Map(mounts.collect())
}

fn read_only(from: &Value) -> Value {
    let text = from.as_text().unwrap_or_default();
    Value::Text(format!(
        "{}:ro",
        text.strip_suffix(":rw").unwrap_or(text).trim_end_matches(":ro")
    ))
}

/// No alias, no address: nobody is to find it.
fn endpoints(document: &Document) -> Value {
    let endpoints = document.get("NetworkingConfig.EndpointsConfig").entries();
    Value::map(endpoints.map(|(name, _)| (name, Value::Map(Map::new()))))
}

/// What belongs to the project and is no replica, so that it is found again and nobody
/// takes it for one. Labels of the file would have it found by others.
fn bookkeeping(world: &World<'_>, instance: &Instance<'_>, content: &str) -> Value {
    Value::map([
        (labels::PROJECT, Value::text(world.desired.project.as_str())),
        (labels::SERVICE, Value::text(instance.replica.service.as_str())),
        (labels::NUMBER, Value::Text(instance.replica.number.to_string())),
        (labels::ONE_OFF, Value::text("True")),
        (labels::SOURCE, Value::Text(world.desired.source.to_string())),
        (labels::TEST, Value::text(content)),
    ])
}

/// Leaves the first endpoint, which every engine takes at creation; the others are
/// connected before the start.
fn split_networks(document: &mut Document) -> Vec<NetworkName> {
    let mode = document.get("HostConfig.NetworkMode").clone();
    let endpoints = document.get("NetworkingConfig.EndpointsConfig").clone();
    let (first, others): (Vec<_>, Vec<_>) = endpoints
        .entries()
        .map(|(name, endpoint)| (name.to_owned(), endpoint.clone()))
        .partition(|(name, _)| mode.as_text() == Some(name));
    document
        .set("NetworkingConfig.EndpointsConfig", Value::Map(first.into_iter().collect()));
    others.into_iter().map(|(name, _)| NetworkName::new(name)).collect()
}
