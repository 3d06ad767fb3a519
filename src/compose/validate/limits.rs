//! What the engine would refuse, or what contradicts itself.

use std::time::Duration;

use super::super::node::Node;
use super::super::problem::Problems;
use super::super::units::{parse_bytes, parse_duration};
use super::{Candidate, integer, number, text};

/// The smallest memory limit of the engine.
const LEAST_MEMORY: i64 = 6 * 1024 * 1024;

/// The smallest share of a processor that the engine takes.
const LEAST_CPUS: f64 = 0.01;

/// More containers of one service than any single engine runs.
const MOST_REPLICAS: i64 = 1000;

pub(super) fn check(stack: &Candidate, problems: &mut Problems) {
    for (name, service) in stack.services() {
        let path = format!("services.{name}");
        replicas(&service.node, &path, problems);
        twice_said(&service.node, &path, problems);
        memory(&service.node, &path, problems);
        processors(&service.node, &path, problems);
        health_check(&service.node, &path, problems);
    }
}

fn replicas(service: &Node, path: &str, problems: &mut Problems) {
    for key in ["scale", "deploy.replicas"] {
        let Some(node) = service.at(key) else { continue };
        if integer(node).is_some_and(|count| !(0..=MOST_REPLICAS).contains(&count)) {
            let message = format!("a service has from 0 to {MOST_REPLICAS} containers");
            problems.error(node.span, format!("{path}.{key}"), message);
        }
    }
}

/// How the values of two keys are brought into one form.
type Reading = fn(&Node) -> Option<String>;

/// Older keys that say the same as a newer one: both may stand there if they agree.
fn twice_said(service: &Node, path: &str, problems: &mut Problems) {
    const PAIRS: [(&str, &str, Reading); 5] = [
        ("scale", "deploy.replicas", exact),
        ("mem_limit", "deploy.resources.limits.memory", exact),
        ("mem_reservation", "deploy.resources.reservations.memory", exact),
        ("cpus", "deploy.resources.limits.cpus", as_number),
        ("pids_limit", "deploy.resources.limits.pids", exact),
    ];
    for (older, newer, value) in PAIRS {
        let (Some(one), Some(other)) = (service.at(older), service.at(newer)) else {
            continue;
        };
        if let (Some(said), Some(also)) = (value(one), value(other))
            && said != also
        {
            let message = format!("`{older}` says {said}, but `{newer}` says {also}");
            problems
                .error(one.span, format!("{path}.{older}"), message)
                .help(format!("keep `{newer}`"))
                .see(other.span, "the other value");
        }
    }
}

fn exact(node: &Node) -> Option<String> {
    (!node.is_null()).then(|| node.value().to_string())
}

fn as_number(node: &Node) -> Option<String> {
    number(node).map(|number| number.to_string())
}

/// Returns the first of these keys that gives a number of bytes.
fn bytes<'a>(service: &'a Node, keys: &[&'static str]) -> Option<Amount<'a>> {
    keys.iter().find_map(|key| {
        let node = service.at(key)?;
        let bytes = integer(node).or_else(|| parse_bytes(node.as_text()?).ok())?;
        Some(Amount { key, node, bytes })
    })
}

/// A number of bytes, and where it was found.
#[derive(Clone, Copy)]
struct Amount<'a> {
    key: &'static str,
    node: &'a Node,
    bytes: i64,
}

fn memory(service: &Node, path: &str, problems: &mut Problems) {
    let limit = bytes(service, &["deploy.resources.limits.memory", "mem_limit"])
        .filter(|limit| limit.bytes > 0);
    let reserved =
        bytes(service, &["deploy.resources.reservations.memory", "mem_reservation"]);
    let swap = bytes(service, &["memswap_limit"]).filter(|swap| swap.bytes > 0);
    let mut error = |at: Amount<'_>, message: &str, limit: Option<Amount<'_>>| {
        let problem = problems.error(at.node.span, format!("{path}.{}", at.key), message);
        match limit {
            Some(limit) => problem.see(limit.node.span, "the memory limit"),
            None => problem.help("units are b, k, m and g, as in `512m`"),
        };
    };
    if let Some(limit) = limit.filter(|limit| limit.bytes < LEAST_MEMORY) {
        let found = limit.bytes;
        let message =
            format!("a limit of {found} bytes is below the engine's minimum of 6 MiB");
        error(limit, &message, None);
    }
    if let (Some(limit), Some(reserved)) = (limit, reserved)
        && reserved.bytes > limit.bytes
    {
        error(reserved, "more memory is reserved than the limit allows", Some(limit));
    }
    match (limit, swap) {
        (Some(limit), Some(swap)) if swap.bytes < limit.bytes => {
            let message = "`memswap_limit` counts memory and swap together: it cannot be \
                           below the memory limit";
            error(swap, message, Some(limit));
        }
        (None, Some(swap)) => {
            error(swap, "`memswap_limit` needs a memory limit beside it", None);
        }
        (Some(_) | None, _) => {}
    }
}

fn processors(service: &Node, path: &str, problems: &mut Problems) {
    for key in ["cpus", "deploy.resources.limits.cpus"] {
        let Some(node) = service.at(key) else { continue };
        let Some(cpus) = number(node) else { continue };
        if cpus < 0.0 || cpus > 0.0 && cpus < LEAST_CPUS {
            let message =
                format!("{cpus} processors are below the engine's minimum of 0.01");
            problems.error(node.span, format!("{path}.{key}"), message);
        }
    }
}

fn health_check(service: &Node, path: &str, problems: &mut Problems) {
    let Some(check) = service.get("healthcheck") else { return };
    for key in ["interval", "timeout", "start_period", "start_interval"] {
        let Some(duration) = text(check, key).and_then(|text| parse_duration(text).ok())
        else {
            continue;
        };
        if duration > Duration::ZERO && duration < Duration::from_millis(1) {
            let span = check.get(key).map(|node| node.span);
            let message = "the engine takes no time below 1 ms here";
            problems.error(span, format!("{path}.healthcheck.{key}"), message);
        }
    }
    if let Some(node) = check.get("retries")
        && integer(node)
            .is_some_and(|retries| !(0..=i64::from(i32::MAX)).contains(&retries))
    {
        let message = "the number of retries is 0 (as the image says) or more";
        problems.error(node.span, format!("{path}.healthcheck.retries"), message);
    }
}
