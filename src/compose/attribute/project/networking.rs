//! Ports, networks and names.

use super::super::field::{Context, Default, Field, Form, field};
use super::super::form::published;
use super::process::shared;
use crate::state::document::Document;
use crate::state::ids::NetworkKey;
use crate::state::value::{Map, Value};

/// `ports`.
pub const PORT_BINDINGS: Field =
    field("HostConfig.PortBindings").form(Form::PortBindings);

/// `expose`, and the target of every port.
pub const EXPOSED_PORTS: Field =
    field("Config.ExposedPorts").form(Form::Names).default(Default::ImageEntries);

/// `network_mode`. With networks, the engine wants the name of one of them there: which
/// one does not matter.
pub const NETWORK_MODE: Field =
    field("HostConfig.NetworkMode").alike(|desired, observed| {
        let is_network = |value: &Value| {
            value.as_text().is_some_and(|mode| {
                !matches!(mode, "host" | "none" | "bridge" | "default")
                    && !mode.starts_with("container:")
            })
        };
        let is_bridge =
            |value: &Value| matches!(value.as_text(), Some("bridge" | "default"));
        is_network(desired) && is_network(observed)
            || is_bridge(desired) && is_bridge(observed)
    });

/// `networks`. Without any, what the network mode brings does not matter.
pub const ENDPOINTS: Field = field("NetworkingConfig.EndpointsConfig")
    .form(Form::Endpoints)
    .default(Default::Any)
    .reconnects();

/// `dns`.
pub const DNS: Field = field("HostConfig.Dns");

/// `extra_hosts`.
pub const EXTRA_HOSTS: Field = field("HostConfig.ExtraHosts").form(Form::Set);

/// `mac_address`.
pub const MAC_ADDRESS: Field = field("Config.MacAddress");

/// `ports`: `{mode, host_ip, target, published, protocol}`.
pub fn ports(value: &Value, _: &Context<'_>, to: &mut Document) {
    let mut bindings = Map::new();
    for port in value.items() {
        let protocol = port.get("protocol").as_text().unwrap_or("tcp");
        let name = format!("{}/{protocol}", port.get("target"));
        let ip = port.get("host_ip").as_text().unwrap_or_default();
        let host_port = port.get("published");
        let host_port =
            if host_port.is_null() { String::new() } else { host_port.to_string() };
        to.extend("Config.ExposedPorts", [(name.clone(), Value::Bool(true))]);
        let place = Value::Text(published(ip, &host_port));
        if let Value::List(places) =
            bindings.entry(name).or_insert(Value::List(Vec::new()))
        {
            places.push(place);
            places.sort();
        }
    }
    if !bindings.is_empty() {
        to.extend("HostConfig.PortBindings", bindings);
    }
}

/// `expose`: `"3000"`, `"3000/udp"`, `"3000-3005"`.
pub fn expose(value: &Value, _: &Context<'_>, to: &mut Document) {
    for item in value.items() {
        let text = item.to_string();
        let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
            continue;
        };
        let names =
            (first..=last).map(|port| (format!("{port}/{protocol}"), Value::Bool(true)));
        to.extend("Config.ExposedPorts", names);
    }
}

/// `network_mode`.
pub fn network_mode(value: &Value, context: &Context<'_>, to: &mut Document) {
    if let Some(mode) = value.as_text() {
        to.set("HostConfig.NetworkMode", Value::Text(shared(mode, context)));
    }
}

/// `networks`: the service and the container can be found in each by name.
pub fn networks(value: &Value, context: &Context<'_>, to: &mut Document) {
    let mut keys: Vec<(&str, &Value)> = value.entries().collect();
    keys.sort_by_key(|(key, network)| {
        (
            std::cmp::Reverse(network.get("priority").as_int().unwrap_or(0)),
            (*key).to_owned(),
        )
    });
    let names: Vec<(String, &Value)> = keys
        .into_iter()
        .filter_map(|(key, network)| {
            let spec = context.stack.networks.get(&NetworkKey::new(key))?;
            Some((spec.name.to_string(), network))
        })
        .collect();
    if let Some((first, _)) = names.first() {
        to.set("HostConfig.NetworkMode", Value::text(first));
    }
    let endpoints =
        names.into_iter().map(|(name, network)| (name, endpoint(network, context)));
    to.extend("NetworkingConfig.EndpointsConfig", endpoints);
}

fn endpoint(network: &Value, context: &Context<'_>) -> Value {
    let mut aliases: Vec<Value> = network.get("aliases").items().to_vec();
    aliases.push(Value::text(context.name));
    aliases.push(Value::text(context.service.name.as_str()));
    aliases.sort();
    aliases.dedup();
    let mut addresses = Map::new();
    for (key, member) in
        [("ipv4_address", "IPv4Address"), ("ipv6_address", "IPv6Address")]
    {
        addresses.insert(member.to_owned(), network.get(key).clone());
    }
    addresses.insert("LinkLocalIPs".to_owned(), network.get("link_local_ips").clone());
    addresses.retain(|_, value| !value.is_zero());
    let mut fields = Map::from([
        ("Aliases".to_owned(), Value::List(aliases)),
        ("IPAMConfig".to_owned(), Value::Map(addresses)),
        ("DriverOpts".to_owned(), network.get("driver_opts").clone()),
        ("Links".to_owned(), links(context)),
    ]);
    fields.retain(|_, value| !value.is_zero());
    Value::Map(fields)
}

/// `links` are aliases for other containers on every network of this one.
fn links(context: &Context<'_>) -> Value {
    let links = context.service.canonical.get("links").items().iter();
    let mut links: Vec<Value> = links
        .filter_map(Value::as_text)
        .filter_map(|link| {
            let (service, alias) = link.split_once(':').unwrap_or((link, link));
            let peer = context.stack.services.get(service)?;
            let name = peer.container_name.as_ref().map_or_else(
                || format!("{}-{service}-1", context.stack.project),
                ToString::to_string,
            );
            Some(Value::Text(format!("{name}:{alias}")))
        })
        .collect();
    links.sort();
    Value::List(links)
}

/// `extra_hosts`: `name=address` becomes `name:address`.
pub fn extra_hosts(value: &Value, _: &Context<'_>, to: &mut Document) {
    let hosts: Vec<String> = match value {
        Value::Map(map) => map
            .iter()
            .flat_map(|(name, addresses)| {
                let one = std::slice::from_ref(addresses);
                let items =
                    if addresses.items().is_empty() { one } else { addresses.items() };
                items.iter().map(move |address| format!("{name}:{address}"))
            })
            .collect(),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Real(_)
        | Value::Text(_)
        | Value::Secret(_)
        | Value::List(_) => value
            .items()
            .iter()
            .map(|item| {
                let text = item.to_string();
                let (name, address) = text.split_once(['=', ':']).unwrap_or((&text, ""));
                format!("{name}:{}", address.trim_matches(['[', ']']))
            })
            .collect(),
    };
    for host in hosts {
        to.insert("HostConfig.ExtraHosts", Value::Text(host));
    }
}
