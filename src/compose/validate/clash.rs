//! What exists once on a host can be asked for once: ports, container names, addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::complete::is_external;
use super::super::node::Node;
use super::super::problem::{Problems, Span};
use super::{Candidate, integer, items, replicas, text};

pub(super) fn check(stack: &Candidate, problems: &mut Problems) {
    ports(stack, problems);
    container_names(stack, problems);
    addresses(stack, problems);
}

/// A host port that is asked for.
struct Port<'a> {
    service: &'a str,
    address: Option<IpAddr>,
    span: Span,
}

fn ports(stack: &Candidate, problems: &mut Problems) {
    let mut taken: BTreeMap<(String, u16), Vec<Port<'_>>> = BTreeMap::new();
    for (service, entry) in stack.services() {
        let path = format!("services.{service}.ports");
        for port in items(&entry.node, "ports") {
            let Some(number) = fixed(port) else { continue };
            if replicas(&entry.node).unwrap_or(1) > 1 {
                let message = format!(
                    "several containers of `{service}` cannot all have the host port {number}"
                );
                problems.error(port.span, &path, message).help(
                    "publish a range with room for all, or no port; or keep one replica",
                );
                continue;
            }
            let Ok(address) = host_address(port) else {
                let found = text(port, "host_ip").unwrap_or_default();
                problems.error(port.span, &path, format!("`{found}` is no IP address"));
                continue;
            };
            let protocol = text(port, "protocol").unwrap_or("tcp").to_owned();
            let new = Port { service, address, span: port.span };
            let others = taken.entry((protocol, number)).or_default();
            if let Some(other) =
                others.iter().find(|other| overlap(other.address, address))
            {
                let message =
                    format!("the host port {number} is taken by `{}`", other.service);
                problems
                    .error(port.span, &path, message)
                    .help("publish another port, or none")
                    .see(other.span, "it is taken here");
            } else {
                others.push(new);
            }
        }
    }
}

/// Returns the one host port that a service asks for; nothing when any will do.
fn fixed(port: &Node) -> Option<u16> {
    let published = port.get("published")?;
    integer(published)
        .and_then(|number| u16::try_from(number).ok())
        .filter(|port| *port > 0)
}

/// Returns the address of the host that a port is published on; nothing for all of them.
fn host_address(port: &Node) -> Result<Option<IpAddr>, std::net::AddrParseError> {
    let address = text(port, "host_ip").map(|ip| ip.trim_matches(['[', ']']).parse());
    address.transpose()
}

/// Tells whether two addresses of the host have an address in common.
fn overlap(one: Option<IpAddr>, other: Option<IpAddr>) -> bool {
    match (one, other) {
        (None, _) | (_, None) => true,
        (Some(one), Some(other)) => {
            one == other
                || one.is_ipv4() == other.is_ipv4()
                    && (one.is_unspecified() || other.is_unspecified())
        }
    }
}

fn container_names(stack: &Candidate, problems: &mut Problems) {
    let mut taken: BTreeMap<&str, (&str, Span)> = BTreeMap::new();
    for (service, entry) in stack.services() {
        let Some(node) = entry.node.get("container_name") else { continue };
        let Some(name) = node.as_text() else { continue };
        let path = format!("services.{service}.container_name");
        if replicas(&entry.node).unwrap_or(1) > 1 {
            let message = "several containers cannot have one name";
            problems
                .error(node.span, path, message)
                .help("take `container_name` away, or keep one replica");
        } else if let Some((other, span)) = taken.get(name) {
            let message = format!("the name `{name}` is taken by `{other}`");
            problems.error(node.span, path, message).see(*span, "it is taken here");
        } else if let Some(other) =
            generated(stack, name).filter(|other| *other != service)
        {
            let message = format!("`{name}` is the name of a container of `{other}`");
            problems.error(node.span, path, message).help("choose another name");
        } else {
            taken.insert(name, (service, node.span));
        }
    }
}

/// Returns the service one of whose containers gets a name of itself.
fn generated<'a>(stack: &Candidate, name: &'a str) -> Option<&'a str> {
    let rest = name.strip_prefix(stack.project.as_str())?.strip_prefix('-')?;
    let (service, number) = rest.rsplit_once('-')?;
    let number: i64 = number.parse().ok()?;
    let node = stack.service(service)?;
    let free = text(node, "container_name").is_none();
    (free && (1..=replicas(node).unwrap_or(1)).contains(&number)).then_some(service)
}

fn addresses(stack: &Candidate, problems: &mut Problems) {
    let mut taken: BTreeMap<(&str, IpAddr), (&str, Span)> = BTreeMap::new();
    for (service, entry) in stack.services() {
        let networks = entry.node.get("networks").into_iter().flat_map(Node::entries);
        for (network, attachment) in networks {
            for key in ["ipv4_address", "ipv6_address"] {
                let Some(node) = attachment.node.get(key) else { continue };
                let path = format!("services.{service}.networks.{network}.{key}");
                let Some(address) = address(node, key, &path, problems) else { continue };
                if replicas(&entry.node).unwrap_or(1) > 1 {
                    let message = "several containers cannot have one address";
                    problems.error(node.span, &path, message);
                } else if let Some((other, span)) = taken.get(&(network, address)) {
                    let message = format!("the address {address} is taken by `{other}`");
                    problems
                        .error(node.span, &path, message)
                        .see(*span, "it is taken here");
                } else {
                    taken.insert((network, address), (service, node.span));
                }
                if let Some(network) = stack.declared("networks", network) {
                    inside(network, address, node.span, &path, problems);
                }
            }
        }
    }
}

fn address(
    node: &Node,
    key: &str,
    path: &str,
    problems: &mut Problems,
) -> Option<IpAddr> {
    let text = node.as_text().filter(|text| !text.is_empty())?;
    let (version, wanted) =
        if key == "ipv4_address" { ("IPv4", true) } else { ("IPv6", false) };
    let address: Option<IpAddr> = text.parse().ok();
    let address = address.filter(|address| address.is_ipv4() == wanted);
    if address.is_none() {
        problems.error(node.span, path, format!("`{text}` is no {version} address"));
    }
    address
}

/// Checks that a static address lies in a subnet that its network declares.
fn inside(
    network: &Node,
    address: IpAddr,
    span: Span,
    path: &str,
    problems: &mut Problems,
) {
    if is_external(network) {
        return;
    }
    let pools = network.at("ipam.config").map_or(&[][..], Node::items);
    let subnets: Vec<(&str, Subnet)> = pools
        .iter()
        .filter_map(|pool| text(pool, "subnet"))
        .filter_map(|subnet| Some((subnet, Subnet::parse(subnet)?)))
        .filter(|(_, subnet)| subnet.address.is_ipv4() == address.is_ipv4())
        .collect();
    if subnets.is_empty() {
        problems
            .error(
                span,
                path,
                "a static address needs a network that declares its subnet",
            )
            .help("write `ipam: {config: [{subnet: …}]}` in the network");
    } else if !subnets.iter().any(|(_, subnet)| subnet.contains(address)) {
        let shown: Vec<&str> = subnets.iter().map(|(shown, _)| *shown).collect();
        let message = format!("{address} does not lie in {}", shown.join(" or "));
        problems.error(span, path, message);
    } else if pools.iter().any(|pool| {
        text(pool, "gateway").and_then(|gateway| gateway.parse().ok()) == Some(address)
    }) {
        problems.error(span, path, format!("{address} is the address of the gateway"));
    }
}

/// A range of addresses, `address/bits`.
#[derive(Clone, Copy)]
struct Subnet {
    address: IpAddr,
    bits: u32,
}

impl Subnet {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let bits: u32 = bits.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        let (number, width) = as_number(self.address);
        let (other, other_width) = as_number(address);
        let shift = width - self.bits.min(width);
        let cut = |number: u128| number.checked_shr(shift).unwrap_or(0);
        width == other_width && cut(number) == cut(other)
    }
}

fn as_number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}
