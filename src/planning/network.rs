//! What comes next for one network.

use std::collections::BTreeSet;

use crate::compose::attribute::project::process::as_text;
use crate::state::desired::NetworkSpec;
use crate::state::document::{Document, Pointer};
use crate::state::ids::{NetworkKey, NetworkName, Object};
use crate::state::observed::{Network, labels};
use crate::state::step::Step;
use crate::state::value::{Map, Value};

use super::change::{Action, FieldDrift, Note};
use super::decision::{Decision, Next};
use super::drift::same;
use super::guests;
use super::world::{Instance, World};

/// Decides what comes next for a network of the stack.
pub fn decide(world: &World<'_>, key: &NetworkKey, spec: &NetworkSpec) -> Decision {
    let object = Object::Network(key.clone());
    let Some(network) = world.observed.networks.get(&spec.name) else {
        if spec.external {
            let wait = format!("somebody to make the network {}", spec.name);
            let reason = "it is external, and not there";
            return Decision::new(object, Action::None, reason, Next::Wait(vec![wait]));
        }
        let step = create(world, key, spec);
        return Decision::new(
            object,
            Action::Create,
            "there is no network",
            Next::Step(step),
        );
    };
    let fields =
        if is_ours(world, spec, network) { drift(spec, network) } else { Vec::new() };
    if fields.is_empty() {
        return Decision::new(object, Action::None, "it is as wanted", Next::Nothing);
    }
    let reason =
        "a network cannot change; every container is detached while it is made again";
    let next = match guests::of(world, network) {
        Some(guests) => Next::Wait(vec![format!("others to leave it: {guests}")]),
        None => make_way(world, spec, network),
    };
    Decision::new(object, Action::Recreate, reason, next).because_of(&fields)
}

/// Tells whether a network is about to be removed and made again: nothing is attached to
/// it until then.
pub fn is_to_be_made_again(world: &World<'_>, name: &NetworkName) -> bool {
    let Some(network) = world.observed.networks.get(name) else { return false };
    let specs = world.desired.networks.values();
    guests::of(world, network).is_none()
        && specs
            .filter(|spec| spec.name == *name)
            .any(|spec| differs(world, spec, network))
}

/// Tells whether a network of ours is not as it is wanted.
pub fn differs(world: &World<'_>, spec: &NetworkSpec, network: &Network) -> bool {
    is_ours(world, spec, network) && !drift(spec, network).is_empty()
}

/// Returns the networks that a container cannot be started on yet.
pub fn not_there(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let endpoints = instance.target.document.get("NetworkingConfig.EndpointsConfig");
    endpoints
        .entries()
        .map(|(name, _)| NetworkName::new(name))
        .filter(|name| {
            !world.observed.networks.contains_key(name)
                || is_to_be_made_again(world, name)
        })
        .map(|name| format!("network {name}"))
        .collect()
}

/// A network of another project, or of nobody, is used as it is.
fn is_ours(world: &World<'_>, spec: &NetworkSpec, network: &Network) -> bool {
    !spec.external
        && network.label(labels::PROJECT) == Some(world.desired.project.as_str())
}

fn create(world: &World<'_>, key: &NetworkKey, spec: &NetworkSpec) -> Step {
    let mut document = wanted(spec);
    document.extend(
        "Labels",
        [
            (labels::PROJECT, world.desired.project.as_str()),
            (labels::NETWORK, key.as_str()),
            (labels::VERSION, env!("CARGO_PKG_VERSION")),
        ]
        .map(|(name, text)| (name.to_owned(), Value::text(text))),
    );
    let secret = document.iter().filter(|(_, value)| value.is_sensitive());
    let secret: Vec<&str> = secret.map(|(pointer, _)| pointer).collect();
    if !secret.is_empty() {
        let mark = (labels::SENSITIVE.to_owned(), Value::Text(secret.join(",")));
        document.extend("Labels", [mark]);
    }
    Step::CreateNetwork { name: spec.name.clone(), document }
}

/// Detaches the stack's containers one by one, then removes the network. The containers
/// are attached again when it is back, because they lack it then.
fn make_way(world: &World<'_>, spec: &NetworkSpec, network: &Network) -> Next {
    let attached = world
        .observed
        .containers
        .values()
        .find(|container| container.attached.get(&spec.name) == Some(&network.id));
    Next::Step(match attached {
        Some(container) => Step::Disconnect {
            container: container.id.clone(),
            network: network.id.clone(),
        },
        None => Step::RemoveNetwork { id: network.id.clone() },
    })
}

/// Returns the fields of a network as they are asked for.
fn wanted(spec: &NetworkSpec) -> Document {
    let canonical = &spec.canonical;
    let text = |key: &str| canonical.get(key).clone();
    let driver = Some(text("driver")).filter(|driver| !driver.is_null());
    let mut ipam = Map::new();
    let pools = canonical.at("ipam.config").items().iter().map(pool).collect();
    ipam.insert("Driver".to_owned(), canonical.at("ipam.driver").clone());
    ipam.insert("Config".to_owned(), Value::List(pools));
    ipam.insert("Options".to_owned(), canonical.at("ipam.options").clone());
    ipam.retain(|_, value| !value.is_zero());
    let mut document: Document = [
        ("Driver", driver.unwrap_or_else(|| Value::text("bridge"))),
        ("Internal", text("internal")),
        ("Attachable", text("attachable")),
        ("EnableIPv6", text("enable_ipv6")),
        ("IPAM", Value::Map(ipam)),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_zero())
    .collect();
    document.extend("Options", texts(canonical.get("driver_opts")));
    document.extend("Labels", texts(canonical.get("labels")));
    document
}

fn texts(map: &Value) -> Vec<(String, Value)> {
    map.entries().map(|(name, value)| (name.to_owned(), as_text(value))).collect()
}

fn pool(pool: &Value) -> Value {
    const MEMBERS: [(&str, &str); 4] = [
        ("subnet", "Subnet"),
        ("ip_range", "IPRange"),
        ("gateway", "Gateway"),
        ("aux_addresses", "AuxiliaryAddresses"),
    ];
    let members = MEMBERS.map(|(key, member)| (member.to_owned(), pool.get(key).clone()));
    Value::Map(members.into_iter().filter(|(_, value)| !value.is_zero()).collect())
}

/// Compares what is asked for; what the engine chose by itself (a subnet, a gateway, the
/// driver of addresses) is no drift.
fn drift(spec: &NetworkSpec, network: &Network) -> Vec<FieldDrift> {
    const PATHS: [(&str, &str); 6] = [
        ("Driver", "driver"),
        ("Internal", "internal"),
        ("Attachable", "attachable"),
        ("EnableIPv6", "enable_ipv6"),
        ("Options", "driver_opts"),
        ("IPAM", "ipam"),
    ];
    let wanted = wanted(spec);
    PATHS
        .into_iter()
        .filter_map(|(pointer, path)| {
            let desired = wanted.get(pointer);
            let observed = &seen(network, pointer);
            let equal = match pointer {
                "IPAM" => same_addresses(desired, observed),
                // It means something for swarm's networks only, and docker compose v1
                // made every network so.
                "Attachable" if desired.is_zero() => {
                    network.document.get("Driver").as_text() != Some("overlay")
                        || same(desired, observed)
                }
                _ => same(desired, observed),
            };
            (!equal).then(|| FieldDrift {
                path: path.to_owned(),
                pointer: "",
                desired: desired.clone(),
                observed: observed.clone(),
                cost: Action::Recreate,
            })
        })
        .chain(label_drift(&wanted, network))
        .collect()
}

/// Returns a field of a network, concealed when it held a secret when it was made.
fn seen(network: &Network, pointer: Pointer) -> Value {
    let marked = network.label(labels::SENSITIVE).unwrap_or_default();
    let value = network.document.get(pointer).clone();
    if marked.split(',').any(|mark| mark == pointer) { value.concealed() } else { value }
}

/// Labels differ entry by entry; those of ours and of `docker compose` never do.
fn label_drift(wanted: &Document, network: &Network) -> Vec<FieldDrift> {
    let (wanted, there) = (wanted.get("Labels"), &seen(network, "Labels"));
    let names: BTreeSet<&str> =
        wanted.entries().chain(there.entries()).map(|(name, _)| name).collect();
    names
        .into_iter()
        .filter(|name| !labels::is_bookkeeping(name))
        .filter(|name| {
            // An empty label is not the same as none.
            let (wanted, there) = (wanted.get(name), there.get(name));
            wanted.is_null() != there.is_null() || !same(wanted, there)
        })
        .map(|name| FieldDrift {
            path: format!("labels.{name}"),
            pointer: "",
            desired: wanted.get(name).clone(),
            observed: there.get(name).clone(),
            cost: Action::Recreate,
        })
        .collect()
}

/// Every pool that is asked for is there, in every member that it names; with none asked
/// for, any will do.
fn same_addresses(desired: &Value, observed: &Value) -> bool {
    let (wanted, there) = (desired.get("Config").items(), observed.get("Config").items());
    let found = |pool: &Value| {
        there
            .iter()
            .any(|other| pool.entries().all(|(key, value)| same(value, other.get(key))))
    };
    wanted.is_empty() || wanted.len() == there.len() && wanted.iter().all(found)
}

/// Returns the networks of the project that left the file and that nothing is attached to.
pub fn left_over(world: &World<'_>) -> Vec<Decision> {
    let wanted: Vec<&NetworkName> =
        world.desired.networks.values().map(|spec| &spec.name).collect();
    world
        .observed
        .networks
        .iter()
        .filter(|(name, _)| !wanted.contains(name))
        .filter(|(_, network)| {
            network.label(labels::PROJECT) == Some(world.desired.project.as_str())
                && network.label(labels::NETWORK).is_some()
        })
        .filter(|(name, network)| {
            !is_used(world, name) && guests::of(world, network).is_none()
        })
        .map(|(_, network)| {
            let key = network.label(labels::NETWORK).unwrap_or_default();
            let object = Object::Network(NetworkKey::new(key));
            let step = Step::RemoveNetwork { id: network.id.clone() };
            Decision::new(object, Action::Remove, "it left the file", Next::Step(step))
        })
        .collect()
}

fn is_used(world: &World<'_>, name: &NetworkName) -> bool {
    world
        .observed
        .containers
        .values()
        .any(|container| container.attached.contains_key(name))
}

/// Says what people should know about a network that somebody else made.
pub fn note(world: &World<'_>, key: &NetworkKey, spec: &NetworkSpec) -> Option<Note> {
    let network = world.observed.networks.get(&spec.name)?;
    (!spec.external && !is_ours(world, spec, network)).then(|| Note {
        reason: "ForeignNetwork",
        about: Object::Network(key.clone()).to_string(),
        message: format!(
            "the network {} was not made for this project and is used as it is; say \
             `external: true` if that is meant",
            spec.name
        ),
    })
}
