//! What is named must be there.

use super::super::node::{Entry, Node};
use super::super::problem::{Problems, Span, nearest};
use super::{Candidate, boolean, items, text};
use crate::state::check::CheckKind;
use crate::state::ids::ServiceName;

pub(super) fn check(stack: &Candidate, problems: &mut Problems) {
    for (name, service) in stack.services() {
        let path = format!("services.{name}");
        networks(stack, &service.node, &path, problems);
        mounts(stack, &service.node, &path, problems);
        for family in ["configs", "secrets"] {
            files(stack, family, &service.node, &path, problems);
        }
        dependencies(stack, name, &service.node, problems);
    }
    checks(stack, problems);
}

/// The services that checks name must be there. A host that is none is one of the network.
fn checks(stack: &Candidate, problems: &mut Problems) {
    for (name, check) in &stack.extension.settings.checks.named {
        let services: Vec<&str> = match &check.kind {
            CheckKind::Exec { of, .. } => vec![of.as_str()],
            CheckKind::Containers { of } | CheckKind::Memory { of, .. } => {
                of.iter().map(ServiceName::as_str).collect()
            }
            CheckKind::Http { .. }
            | CheckKind::Tcp { .. }
            | CheckKind::Grpc { .. }
            | CheckKind::EtcdAlarms { .. }
            | CheckKind::S3(_)
            | CheckKind::Disk { .. }
            | CheckKind::ImageAge { .. } => Vec::new(),
        };
        let path = format!("x-reconciler.checks.{name}");
        let span = stack.root.at(&path).map(|node| node.span);
        for missing in services
            .into_iter()
            .filter(|it| stack.service(it).is_none() && !stack.inactive.contains_key(*it))
        {
            let message = format!("the service `{missing}` is not there");
            let problem = problems.error(span, &path, message);
            if let Some(meant) = nearest(missing, stack.services().map(|(name, _)| name))
            {
                problem.help(format!("perhaps `{meant}` was meant"));
            }
        }
    }
}

fn networks(stack: &Candidate, service: &Node, path: &str, problems: &mut Problems) {
    for (key, entry) in service.get("networks").into_iter().flat_map(Node::entries) {
        if stack.declared("networks", key).is_none() {
            undeclared(
                stack,
                "networks",
                key,
                entry.key,
                &format!("{path}.networks"),
                problems,
            );
        }
    }
    let Some(mode) = service.get("network_mode").filter(|mode| !mode.is_null()) else {
        return;
    };
    if let Some(networks) = service.get("networks") {
        problems
            .error(
                mode.span,
                format!("{path}.network_mode"),
                "`network_mode` and `networks` exclude each other",
            )
            .help("keep one of them")
            .see(networks.span, "the networks");
    }
}

fn mounts(stack: &Candidate, service: &Node, path: &str, problems: &mut Problems) {
    for mount in items(service, "volumes") {
        let source = mount.get("source").filter(|source| !source.is_null());
        match (text(mount, "type"), source) {
            (Some("volume"), Some(source)) => {
                let key = source.as_text().unwrap_or_default();
                if !key.is_empty() && stack.declared("volumes", key).is_none() {
                    let path = format!("{path}.volumes");
                    undeclared(stack, "volumes", key, source.span, &path, problems);
                }
            }
            (Some("bind"), None) => {
                let message = "a bind mount needs a `source`: a path of the host";
                problems.error(mount.span, format!("{path}.volumes"), message);
            }
            (Some(_) | None, _) => {}
        }
    }
}

fn files(
    stack: &Candidate,
    family: &str,
    service: &Node,
    path: &str,
    problems: &mut Problems,
) {
    for reference in items(service, family) {
        let Some(source) = reference.get("source") else { continue };
        let Some(key) = source.as_text() else { continue };
        if stack.declared(family, key).is_none() {
            let path = format!("{path}.{family}");
            undeclared(stack, family, key, source.span, &path, problems);
        }
    }
}

fn undeclared(
    stack: &Candidate,
    family: &str,
    key: &str,
    span: Span,
    path: &str,
    problems: &mut Problems,
) {
    let word = family.trim_end_matches('s');
    let message =
        format!("the {word} `{key}` is not declared under the top-level `{family}`");
    let declared = stack.root.get(family).into_iter().flat_map(Node::entries);
    let unused = stack.unused.iter().filter(|(of, _)| *of == family);
    let candidates =
        declared.map(|(key, _)| key).chain(unused.map(|(_, key)| key.as_str()));
    let help = match nearest(key, candidates) {
        Some(meant) => format!("perhaps `{meant}` was meant"),
        None => format!("add `{key}:` under the top-level `{family}`"),
    };
    problems.error(span, path, message).help(help);
}

fn dependencies(stack: &Candidate, name: &str, service: &Node, problems: &mut Problems) {
    for (other, entry) in service.get("depends_on").into_iter().flat_map(Node::entries) {
        if stack.service(other).is_some() {
            continue;
        }
        let path = format!("services.{name}.{}", origin(service, entry));
        let Some(aside) = stack.inactive.get(other) else {
            let message = format!("the service `{other}` is not there");
            let problem = problems.error(entry.key, path, message);
            if let Some(meant) = nearest(other, stack.services().map(|(name, _)| name)) {
                problem.help(format!("perhaps `{meant}` was meant"));
            }
            continue;
        };
        if entry.node.get("required").and_then(boolean) == Some(false) {
            continue;
        }
        let profiles: Vec<&str> =
            items(&aside.node, "profiles").iter().filter_map(Node::as_text).collect();
        let message = format!("the service `{other}` is in no active profile");
        problems
            .error(entry.key, path, message)
            .help(format!(
                "activate it with `--profile {}`, or write `required: false`",
                profiles.first().unwrap_or(&"…")
            ))
            .see(aside.key, "it is here");
    }
}

/// Returns the key by which a dependency came about.
fn origin(service: &Node, dependency: &Entry) -> &'static str {
    let mode = ["network_mode", "ipc", "pid", "uts", "cgroup"]
        .into_iter()
        .find(|key| service.get(key).is_some_and(|node| node.span == dependency.key));
    let list = ["links", "volumes_from"]
        .into_iter()
        .find(|key| items(service, key).iter().any(|node| node.span == dependency.key));
    mode.or(list).unwrap_or("depends_on")
}
