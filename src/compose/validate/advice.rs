//! What works, but not as its writer may think.

use super::super::node::{Entry, Node};
use super::super::problem::Problems;
use super::{Candidate, boolean, items, text};

pub(super) fn check(stack: &Candidate, problems: &mut Problems) {
    for (name, service) in stack.services() {
        let path = format!("services.{name}.depends_on");
        for (other, dependency) in
            service.node.get("depends_on").into_iter().flat_map(Node::entries)
        {
            let Some(depended) = stack.service(other) else { continue };
            let path = format!("{path}.{other}");
            match text(&dependency.node, "condition") {
                Some("service_healthy") => {
                    cannot_be_healthy(depended, dependency, &path, problems);
                }
                Some("service_completed_successfully") => {
                    never_completes(other, depended, dependency, &path, problems);
                }
                _ => started_only(
                    &service.node,
                    other,
                    depended,
                    dependency,
                    &path,
                    problems,
                ),
            }
        }
    }
}

/// Tells whether a dependency was written as a mere name.
fn is_short(service: &Node, dependency: &Entry) -> bool {
    dependency.key == dependency.node.span && !is_implied(service, dependency)
}

/// Tells whether a dependency follows from sharing something.
fn is_implied(service: &Node, dependency: &Entry) -> bool {
    let key = dependency.key;
    let modes = ["network_mode", "ipc", "pid", "uts", "cgroup"];
    modes.iter().any(|mode| service.get(mode).is_some_and(|node| node.span == key))
        || ["links", "volumes_from"]
            .iter()
            .any(|list| items(service, list).iter().any(|node| node.span == key))
}

fn has_health_check(service: &Node) -> bool {
    service.get("healthcheck").is_some_and(|check| !check.is_null())
        && !is_disabled(service)
}

fn is_disabled(service: &Node) -> bool {
    let Some(check) = service.get("healthcheck") else { return false };
    let first = items(check, "test").first().and_then(Node::as_text);
    check.get("disable").and_then(boolean) == Some(true) || first == Some("NONE")
}

fn started_only(
    service: &Node,
    other: &str,
    depended: &Node,
    dependency: &Entry,
    path: &str,
    problems: &mut Problems,
) {
    if is_short(service, dependency) && has_health_check(depended) {
        problems
            .warning(
                dependency.key,
                path,
                format!("this waits only until `{other}` is started, not until it is healthy"),
            )
            .help(format!(
                "`{other}` has a health check: write `{other}: {{condition: service_healthy}}`"
            ));
    }
}

fn cannot_be_healthy(
    depended: &Node,
    dependency: &Entry,
    path: &str,
    problems: &mut Problems,
) {
    if is_disabled(depended) {
        let problem = problems.error(
            dependency.key,
            path,
            "it is never healthy: its health check is disabled",
        );
        if let Some(check) = depended.get("healthcheck") {
            problem.see(check.span, "it is disabled here");
        }
    }
}

fn never_completes(
    other: &str,
    depended: &Node,
    dependency: &Entry,
    path: &str,
    problems: &mut Problems,
) {
    let node = depended.get("restart");
    if let (Some(node), Some(policy @ ("always" | "unless-stopped"))) =
        (node, node.and_then(Node::as_text))
    {
        problems
            .warning(
                dependency.key,
                path,
                format!("`{other}` may never complete: with `restart: {policy}` it starts again"),
            )
            .help(format!("write `restart: \"no\"` or `restart: on-failure` in `{other}`"))
            .see(node.span, "its restart policy");
    }
}
