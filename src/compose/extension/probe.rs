//! `probe: {http | tcp | grpc | exec, interval, timeout, successes, failures}`.

use std::time::Duration;

use super::super::node::{Kind, Node};
use super::super::problem::nearest;
use super::reload::{below, command};
use super::{ServiceExtension, Wrong, count, duration, wrong};
use crate::state::desired::{ProbeKind, ProbeSettings};

const KINDS: [&str; 4] = ["http", "tcp", "grpc", "exec"];
const KEYS: [&str; 8] =
    ["http", "tcp", "grpc", "exec", "interval", "timeout", "successes", "failures"];

/// Reads `probe`.
pub(super) fn read(node: &Node, service: &mut ServiceExtension) -> Result<(), Wrong> {
    const ALLOWED: &str = "a mapping such as `{http: ':8080/healthz'}`";
    let mapping = node.as_mapping().ok_or_else(|| wrong(node, ALLOWED))?;
    if let Some((key, entry)) =
        mapping.iter().find(|(key, _)| !KEYS.contains(&key.as_str()))
    {
        let near = nearest(key, KEYS);
        let near = near.map(|near| format!("; perhaps `{near}` was meant"));
        let message = format!("`probe` has no key `{key}`{}", near.unwrap_or_default());
        return Err(Wrong(entry.key, format!(".{key}"), message));
    }
    let given: Vec<(&str, &Node)> =
        KINDS.into_iter().filter_map(|key| Some((key, node.get(key)?))).collect();
    let [(key, asked)] = given.as_slice() else {
        let message = if given.is_empty() {
            "it does not say what is asked: write one of `http`, `tcp`, `grpc` and `exec`"
        } else {
            "it says more than once what is asked: keep one of `http`, `tcp`, `grpc` and `exec`"
        };
        return Err(Wrong(node.span, String::new(), message.to_owned()));
    };
    let how = kind(key, asked).map_err(|it| below(it, &format!(".{key}")))?;
    let time = |key: &str, otherwise: u64| match node.get(key) {
        Some(node) => duration(node).map_err(|it| below(it, &format!(".{key}"))),
        None => Ok(Duration::from_secs(otherwise)),
    };
    let times = |key: &str, otherwise: u32| match node.get(key) {
        Some(node) => count(node).map_err(|it| below(it, &format!(".{key}"))),
        None => Ok(otherwise),
    };
    let probe = ProbeSettings {
        how,
        interval: time("interval", 1)?,
        timeout: time("timeout", 5)?,
        successes: times("successes", 1)?,
        failures: times("failures", 3)?,
    };
    service.settings.probe = Some(probe);
    Ok(())
}

fn kind(key: &str, node: &Node) -> Result<ProbeKind, Wrong> {
    match key {
        "http" => http(node),
        "tcp" => {
            let text = scalar(node).ok_or_else(|| wrong(node, PORT))?;
            let port = port(&text).ok_or_else(|| wrong(node, PORT))?;
            Ok(ProbeKind::Tcp { port })
        }
        "grpc" => {
            const ALLOWED: &str = "a port, or a port and a service, such as `50051/db`";
            let text = scalar(node).ok_or_else(|| wrong(node, ALLOWED))?;
            let (first, service) = text.split_once('/').unwrap_or((&text, ""));
            let port = port(first).ok_or_else(|| wrong(node, ALLOWED))?;
            Ok(ProbeKind::Grpc { port, service: service.to_owned() })
        }
        _ => Ok(ProbeKind::Exec { command: command(node)? }),
    }
}

const PORT: &str = "a port from 1 to 65535";

fn scalar(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Int(number) => Some(number.to_string()),
        Kind::Text(text) => Some(text.text.clone()),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Real(_)
        | Kind::Sequence(_)
        | Kind::Mapping(_) => None,
    }
}

fn port(text: &str) -> Option<u16> {
    text.trim_start_matches(':').parse().ok().filter(|port| *port > 0)
}

/// Reads `:8080/healthz`, `http://:8080/healthz` or `http://host:8080/healthz`.
fn http(node: &Node) -> Result<ProbeKind, Wrong> {
    const ALLOWED: &str = "a URL such as `:8080/healthz` (of the container itself) or \
                           `http://host:8080/healthz`";
    let text = scalar(node).ok_or_else(|| wrong(node, ALLOWED))?;
    if text.starts_with("https:") {
        let message = "`https` is not spoken by probes: write `tcp: PORT`, or a command \
                       under `exec`";
        return Err(Wrong(node.span, String::new(), message.to_owned()));
    }
    let rest = text.strip_prefix("http://").unwrap_or(&text);
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let is_plain = |it: char| it.is_ascii_graphic();
    let (host, number) = match authority.rsplit_once(':') {
        Some((host, number)) if !host.ends_with(':') => (host, Some(number)),
        Some(_) | None => (authority, None),
    };
    let port = match number {
        Some(number) => port(number),
        None => Some(80),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match port {
        Some(port)
            if text.chars().all(is_plain)
                && (number.is_some() || text.starts_with("http://"))
                && !host.contains('@') =>
        {
            let host = (!host.is_empty()).then(|| host.to_owned());
            Ok(ProbeKind::Http { host, port, path: path.to_owned() })
        }
        Some(_) | None => Err(wrong(node, ALLOWED)),
    }
}
