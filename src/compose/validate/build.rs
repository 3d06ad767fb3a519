//! The model that planning reads, made from a stack that was checked.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::complete::is_external;
use super::super::extension;
use super::super::node::Node;
use super::super::problem::Problems;
use super::super::render;
use super::super::units::parse_duration;
use super::{Candidate, boolean, integer, items, replicas, text};
use crate::state::content::meaning_of;
use crate::state::desired::{
    Condition, Content, Dependency, HealthCheck, NetworkSpec, PullPolicy, RestartPolicy,
    Service, Stack, VolumeSpec,
};
use crate::state::ids::{
    ContainerName, Generation, ImageReference, NetworkKey, NetworkName, ServiceName,
    SourceId, VolumeKey, VolumeName,
};
use crate::state::secret::Secret;
use crate::state::value::{Map, Value};

/// How long a stop may take unless told.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Makes the model of a stack.
pub(super) fn stack(candidate: &Candidate, problems: &mut Problems) -> Stack {
    let source = candidate.files.first().map(|path| path.to_string_lossy().into_owned());
    Stack {
        project: candidate.project.clone(),
        source: SourceId::new(source.unwrap_or_default()),
        working_dir: candidate.working_dir.clone(),
        files: candidate.files.clone(),
        generation: generation(candidate),
        digest_key: candidate.digest_key.clone(),
        services: candidate
            .services()
            .map(|(name, entry)| {
                (ServiceName::new(name), service(candidate, name, &entry.node, problems))
            })
            .collect(),
        inactive: candidate.inactive.keys().map(ServiceName::new).collect(),
        networks: declared(candidate, "networks", |key, name, external, canonical| {
            (
                NetworkKey::new(key),
                NetworkSpec { name: NetworkName::new(name), external, canonical },
            )
        }),
        volumes: declared(candidate, "volumes", |key, name, external, canonical| {
            (
                VolumeKey::new(key),
                VolumeSpec { name: VolumeName::new(name), external, canonical },
            )
        }),
        configs: candidate.configs.clone(),
        secrets: candidate.secrets.clone(),
        settings: candidate.extension.settings.clone(),
        canonical: render::canonical(&candidate.root),
        unspeakable: candidate.unspeakable.clone(),
    }
}

fn declared<Key: Ord, Spec>(
    candidate: &Candidate,
    family: &str,
    make: fn(&str, &str, bool, Value) -> (Key, Spec),
) -> BTreeMap<Key, Spec> {
    let entries = candidate.root.get(family).into_iter().flat_map(Node::entries);
    entries
        .map(|(key, entry)| {
            let name = text(&entry.node, "name").unwrap_or(key);
            make(key, name, is_external(&entry.node), entry.node.value())
        })
        .collect()
}

/// Computes the digest of what a stack means: everything but `x-` keys that are not ours.
fn generation(candidate: &Candidate) -> Generation {
    let inline = |contents: &BTreeMap<String, Content>| {
        Value::map(contents.iter().filter_map(|(key, content)| match content {
            Content::Inline(secret) => Some((key, Value::Secret(secret.clone()))),
            Content::File(_) => None,
        }))
    };
    let mut root = render::canonical(&candidate.root);
    drop_foreign(&mut root);
    if let Value::Map(root) = &mut root
        && let Some(Value::Map(services)) = root.get_mut("services")
    {
        services.values_mut().for_each(drop_foreign);
    }
    let mut meaning = vec![
        ("canonical", root),
        ("configs", inline(&candidate.configs)),
        ("secrets", inline(&candidate.secrets)),
        ("inactive", Value::texts(candidate.inactive.keys())),
    ];
    let counted = candidate.counted.iter().filter(|(_, it)| !it.contents.is_empty());
    let counted = Value::map(counted.map(|(name, it)| (name, meaning_of(&it.contents))));
    if !counted.is_zero() {
        meaning.push(("contents", counted));
    }
    let meaning = Value::map(meaning);
    Generation::new(candidate.digest_key.digest(&meaning))
}

fn drop_foreign(value: &mut Value) {
    if let Value::Map(map) = value {
        let keep = |key: &str| !key.starts_with("x-") || key == extension::KEY;
        map.retain(|key, _: &mut Value| keep(key));
    }
}

fn service(
    candidate: &Candidate,
    name: &str,
    node: &Node,
    problems: &mut Problems,
) -> Service {
    let mut settings = extension::service(name, node, problems).settings;
    settings.ready_deadline =
        settings.ready_deadline.or(candidate.extension.ready_deadline);
    let counted = candidate.counted.get(name).cloned().unwrap_or_default();
    settings.heal = settings.heal.or(candidate.extension.heal);
    if let (Some(probe), Some(heal)) = (&mut settings.probe, settings.heal)
        && node.at("x-reconciler.probe.failures").is_none()
    {
        // So many failed probes make it unhealthy, and what is unhealthy is healed.
        probe.failures = heal.failures;
    }
    Service {
        name: ServiceName::new(name),
        canonical: canonical(node),
        image: ImageReference::new(text(node, "image").unwrap_or_default()),
        pull_policy: match text(node, "pull_policy") {
            Some("always") => PullPolicy::Always,
            Some("never") => PullPolicy::Never,
            Some(_) | None => PullPolicy::Missing,
        },
        platform: text(node, "platform").map(str::to_owned),
        container_name: text(node, "container_name").map(ContainerName::new),
        replicas: replicas(node).and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        depends_on: dependencies(candidate, node),
        health_check: health_check(node),
        restart: restart(node),
        stop_grace: duration(node, "stop_grace_period").unwrap_or(STOP_GRACE),
        update: super::rollout::rollout(node.at("deploy.update_config")),
        rollback: super::rollout::rollout(node.at("deploy.rollback_config")),
        settings,
        contents: counted.contents,
        unspeakable: counted.unspeakable,
    }
}

/// Returns the canonical attributes; environment entries without a value are left out.
fn canonical(node: &Node) -> Value {
    let mut value = node.value();
    if let Value::Map(attributes) = &mut value
        && let Some(Value::Map(environment)) = attributes.get_mut("environment")
    {
        let environment: &mut Map = environment;
        environment.retain(|_, value| !value.is_null());
    }
    value
}

fn dependencies(candidate: &Candidate, node: &Node) -> BTreeMap<ServiceName, Dependency> {
    let entries = node.get("depends_on").into_iter().flat_map(Node::entries);
    entries
        .filter(|(other, _)| candidate.service(other).is_some())
        .map(|(other, entry)| {
            let truth = |key| entry.node.get(key).and_then(boolean);
            let condition = match text(&entry.node, "condition") {
                Some("service_healthy") => Condition::Healthy,
                Some("service_completed_successfully") => Condition::Completed,
                Some(_) | None => Condition::Started,
            };
            let dependency = Dependency {
                condition,
                required: truth("required").unwrap_or(true),
                restart: truth("restart").unwrap_or(false),
            };
            (ServiceName::new(other), dependency)
        })
        .collect()
}

fn health_check(node: &Node) -> HealthCheck {
    let Some(check) = node.get("healthcheck").filter(|check| !check.is_null()) else {
        return HealthCheck::Inherited;
    };
    let test: Vec<Secret> =
        items(check, "test").iter().filter_map(Node::as_text).map(Secret::new).collect();
    let disabled = check.get("disable").and_then(boolean) == Some(true);
    if disabled || test.first().is_some_and(|word| word.expose() == "NONE") {
        return HealthCheck::Disabled;
    }
    let retries = check.get("retries").and_then(integer).filter(|retries| *retries > 0);
    HealthCheck::Check {
        test,
        interval: duration(check, "interval"),
        timeout: duration(check, "timeout"),
        start_period: duration(check, "start_period"),
        retries: retries.and_then(|retries| u32::try_from(retries).ok()),
    }
}

fn restart(node: &Node) -> RestartPolicy {
    let policy = node.at("deploy.restart_policy");
    let attempts = policy
        .and_then(|policy| policy.get("max_attempts"))
        .and_then(integer)
        .and_then(|attempts| u32::try_from(attempts).ok())
        .filter(|attempts| *attempts > 0);
    match policy.and_then(|policy| text(policy, "condition")) {
        Some("none") => return RestartPolicy::No,
        Some("on-failure") => return RestartPolicy::OnFailure { attempts },
        Some("any") => return RestartPolicy::Always,
        Some(_) | None => {}
    }
    let word = text(node, "restart").unwrap_or("no");
    match word.split_once(':').unwrap_or((word, "")) {
        ("always", _) => RestartPolicy::Always,
        ("unless-stopped", _) => RestartPolicy::UnlessStopped,
        ("on-failure", attempts) => {
            let attempts = attempts.parse().ok().filter(|attempts| *attempts > 0);
            RestartPolicy::OnFailure { attempts }
        }
        _ => RestartPolicy::No,
    }
}

fn duration(node: &Node, key: &str) -> Option<Duration> {
    text(node, key).and_then(|text| parse_duration(text).ok())
}
