//! What the stacks ask for against what is there: processors, memory, disks, ports, images.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::compose::units::parse_bytes;
use crate::state::desired::{PullPolicy, Service};
use crate::state::host::{Folder, Host};
use crate::state::observed::Status;
use crate::state::value::{Real, Value};

use super::{Facts, Finding, fail, warning};

/// Less than so much of a disk, in hundredths, is too little.
const FREE: u64 = 10;

/// As [`FREE`], in bytes.
const LEAST: u64 = 5 << 30;

/// File systems that are on another host.
const NETWORK: [&str; 6] = ["nfs", "nfs4", "cifs", "smb2", "ceph", "9p"];

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    limits(facts, found);
    if let Some(host) = facts.host {
        taken_ports(facts, host, found);
        folders(facts, host, found);
    }
    images(facts, found);
}

/// Returns the number of processors that a value asks for, in millionths.
fn millionths(value: &Value) -> u64 {
    let text = match value {
        Value::Int(number) => number.to_string(),
        Value::Real(Real(number)) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Null
        | Value::Bool(_)
        | Value::Secret(_)
        | Value::List(_)
        | Value::Map(_) => return 0,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part: String = part.chars().chain("000000".chars()).take(6).collect();
    let whole = whole.parse::<u64>().unwrap_or(0).saturating_mul(1_000_000);
    whole.saturating_add(part.parse().unwrap_or(0))
}

fn bytes(value: &Value) -> u64 {
    let number = match value {
        Value::Int(number) => Some(*number),
        Value::Text(text) => parse_bytes(text).ok(),
        Value::Null
        | Value::Bool(_)
        | Value::Real(_)
        | Value::Secret(_)
        | Value::List(_)
        | Value::Map(_) => None,
    };
    number.and_then(|it| u64::try_from(it).ok()).unwrap_or(0)
}

fn either<'a>(service: &'a Service, newer: &str, older: &str) -> &'a Value {
    let limits = service.canonical.at("deploy.resources.limits").get(newer);
    if limits.is_null() { service.canonical.get(older) } else { limits }
}

fn limits(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let (mut cpus, mut memory) = (0_u64, 0_u64);
    let there = u64::from(facts.engine.cpus) * 1_000_000;
    for (about, service) in facts.services() {
        let asked = millionths(either(service, "cpus", "cpus"));
        if there > 0 && asked > there {
            found.push(fail(
                "cpus",
                about.as_str(),
                format!(
                    "it asks for {} processors, and the engine has {}: it refuses the container",
                    shown(asked),
                    facts.engine.cpus
                ),
                "lower deploy.resources.limits.cpus (with .env: MILVUS_CPUS and the like)",
            ));
        }
        let wanted = bytes(either(service, "memory", "mem_limit"));
        if facts.engine.memory > 0 && wanted > facts.engine.memory {
            found.push(fail(
                "memory",
                about.as_str(),
                format!(
                    "it may take {} MiB of memory, and the host has {}: the limit limits \
                     nothing, and the kernel ends whatever it likes",
                    wanted >> 20,
                    facts.engine.memory >> 20
                ),
                "lower deploy.resources.limits.memory, or take a smaller size",
            ));
        }
        cpus = cpus.saturating_add(asked.saturating_mul(u64::from(service.replicas)));
        memory =
            memory.saturating_add(wanted.saturating_mul(u64::from(service.replicas)));
    }
    if there > 0 && cpus > there {
        found.push(warning(
            "cpus-together",
            "host",
            format!(
                "all limits together are {} processors, and there are {}",
                shown(cpus),
                facts.engine.cpus
            ),
            "services then wait for each other under load; lower limits, or accept it",
        ));
    }
    if facts.engine.memory > 0 && memory > facts.engine.memory {
        found.push(warning(
            "memory-together",
            "host",
            format!(
                "all limits together are {} MiB, and the host has {}",
                memory >> 20,
                facts.engine.memory >> 20
            ),
            "the kernel may end a service although none is above its limit; lower limits",
        ));
    }
}

fn shown(millionths: u64) -> String {
    let (whole, part) = (millionths / 1_000_000, millionths % 1_000_000);
    let text = format!("{whole}.{part:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the fixed ports of the host that a service asks for, with protocol and address.
pub(super) fn ports(service: &Service) -> Vec<((String, u16), Option<IpAddr>)> {
    let ports = service.canonical.get("ports").items().iter();
    ports
        .filter_map(|port| {
            let published = port.get("published");
            let number = match published.as_int() {
                Some(number) => u16::try_from(number).ok(),
                None => published.as_text().and_then(|text| text.parse().ok()),
            };
            let protocol = port.get("protocol").as_text().unwrap_or("tcp").to_owned();
            let address = port.get("host_ip").as_text().unwrap_or_default();
            let address: Option<IpAddr> = address.trim_matches(['[', ']']).parse().ok();
            let address = address.filter(|it| !it.is_unspecified());
            Some(((protocol, number.filter(|it| *it > 0)?), address))
        })
        .collect()
}

/// Returns the ports that the stacks' own running containers have.
fn own_ports(facts: &Facts<'_>) -> BTreeSet<(String, u16)> {
    let containers = facts.stacks.iter().flat_map(|(_, it)| it.containers.values());
    let running = containers.filter(|it| it.state.status == Status::Running);
    let mut own = BTreeSet::new();
    for container in running {
        let bindings = container.document.get("HostConfig.PortBindings");
        for (inside, outside) in bindings.entries() {
            let protocol = inside.split_once('/').map_or("tcp", |(_, it)| it);
            // Each is `address:port`.
            let places = outside.items().iter().filter_map(Value::as_text);
            let numbers = places.filter_map(|it| it.rsplit(':').next()?.parse().ok());
            own.extend(numbers.map(|port| (protocol.to_owned(), port)));
        }
    }
    own
}

fn taken_ports(facts: &Facts<'_>, host: &Host, found: &mut Vec<Finding>) {
    let own = own_ports(facts);
    for (about, service) in facts.services() {
        for (port, address) in ports(service) {
            let taken = host.listeners.iter().find(|it| {
                let is_it = it.protocol == port.0 && it.port == port.1;
                let meets = address.is_none_or(|address| {
                    it.address.is_unspecified() || it.address == address
                });
                is_it && meets
            });
            if let Some(taken) = taken.filter(|_| !own.contains(&port)) {
                found.push(fail(
                    "port-in-use",
                    about.as_str(),
                    format!(
                        "port {} ({}) is taken already, on {}: the container would not start",
                        port.1, port.0, taken.address
                    ),
                    format!("see who has it: ss -lntup 'sport = :{}'; or publish another", port.1),
                ));
            }
        }
    }
}

/// Returns the paths of the host that the stacks' services may write to, with who does.
pub fn paths<'a>(
    services: impl Iterator<Item = (String, &'a Service)>,
) -> BTreeMap<String, String> {
    let mut paths = BTreeMap::new();
    for (about, service) in services {
        for mount in service.canonical.get("volumes").items() {
            let is_bind = mount.get("type").as_text() == Some("bind");
            let is_writable = mount.get("read_only").as_bool() != Some(true);
            if let Some(source) =
                mount.get("source").as_text().filter(|_| is_bind && is_writable)
            {
                paths.entry(source.to_owned()).or_insert_with(|| about.clone());
            }
        }
    }
    paths
}

fn folders(facts: &Facts<'_>, host: &Host, found: &mut Vec<Finding>) {
    let engine = host.folders.get(&facts.engine.root);
    if let Some(folder) = engine {
        full("engine", &facts.engine.root, folder, found);
    }
    for (path, about) in paths(facts.services()) {
        let Some(folder) = host.folders.get(&path) else { continue };
        if !folder.exists {
            found.push(warning(
                "data-folder",
                about.as_str(),
                format!(
                    "{path} is not there: the engine makes it, as root and open to read"
                ),
                format!(
                    "install -d -o UID -g GID -m 0750 {path} (whom the image runs as)"
                ),
            ));
        } else if !folder.is_folder {
            continue;
        }
        full(&about, &path, folder, found);
        if NETWORK.contains(&folder.file_system.as_str()) {
            found.push(warning(
                "data-network",
                about.as_str(),
                format!(
                    "{path} is on {}: etcd and RocksDB need a disk that syncs at once",
                    folder.file_system
                ),
                "put it on a local disk",
            ));
        } else if engine.is_some_and(|it| it.device == folder.device) {
            found.push(warning(
                "data-disk",
                about.as_str(),
                format!(
                    "{path} is on one disk with {}: images and logs fill it too",
                    facts.engine.root
                ),
                "mount a disk of its own there",
            ));
        } else if folder.is_on_root {
            found.push(warning(
                "data-disk",
                about.as_str(),
                format!("{path} is on the disk of the system: either fills the other"),
                "mount a disk of its own there",
            ));
        }
    }
}

fn full(about: &str, path: &str, folder: &Folder, found: &mut Vec<Finding>) {
    let is_little = folder.free < folder.total / 100 * FREE || folder.free < LEAST;
    if folder.total == 0 || !is_little {
        return;
    }
    let message = format!(
        "the disk of {path} has {} MiB free of {}",
        folder.free >> 20,
        folder.total >> 20
    );
    let fix = "make room, or put it on a larger disk: 5 GiB and a tenth should be free";
    found.push(if folder.free < LEAST / 10 {
        fail("disk-full", about, message, fix)
    } else {
        warning("disk-full", about, message, fix)
    });
}

fn images(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (desired, observed) in facts.stacks {
        for service in desired.services.values() {
            if observed.image(service.image.as_str()).is_some() {
                continue;
            }
            let about = format!("{}/{}", desired.project, service.name);
            let image = &service.image;
            found.push(match service.pull_policy {
                PullPolicy::Never => fail(
                    "image",
                    about,
                    format!("the image {image} is not there, and is never pulled"),
                    format!("docker pull {image}, or build it"),
                ),
                PullPolicy::Missing | PullPolicy::Always => warning(
                    "image",
                    about,
                    format!(
                        "the image {image} is not there yet: the first start pulls it"
                    ),
                    format!("docker pull {image} shows beforehand whether it can be had"),
                ),
            });
        }
    }
}
