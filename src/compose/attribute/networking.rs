//! Ports, networks and names.

use super::field::{Project, field};
use super::project;
use super::shape::{Missing, Shape, Short};
use super::{Attribute, Empty, Merge, row};

/// How a service is reached, and what it can reach.
pub const NETWORKING: &[Attribute] = &[
    row(
        "ports",
        Shape::List(&Shape::Short(Short::Port, PORT)),
        "The ports that are published on the host.",
    )
    .merges(Merge::Unique(&["host_ip", "published", "target", "protocol"]))
    .becomes(
        &[project::networking::PORT_BINDINGS, project::networking::EXPOSED_PORTS],
        Project::With(project::networking::ports),
    ),
    row(
        "expose",
        Shape::List(&Shape::Word),
        "The ports that the image listens on, for whom it may concern.",
    )
    .merges(Merge::Unique(&[]))
    .becomes(
        &[project::networking::EXPOSED_PORTS],
        Project::With(project::networking::expose),
    ),
    row(
        "networks",
        Shape::Named(&Shape::Keys(ATTACHMENT)),
        "The networks that the containers are attached to.",
    )
    .becomes(
        &[project::networking::ENDPOINTS, project::networking::NETWORK_MODE],
        Project::With(project::networking::networks),
    ),
    row(
        "network_mode",
        Shape::Text,
        "Whose network is used in place of networks: `host`, `none`, \
         `service:…` or `container:…`.",
    )
    .becomes(
        &[project::networking::NETWORK_MODE],
        Project::With(project::networking::network_mode),
    ),
    row("mac_address", Shape::Text, "The hardware address on the first network.")
        .is_field(&[project::networking::MAC_ADDRESS]),
    row("dns", Shape::OneOrMore(&Shape::Text), "The name servers.")
        .merges(Merge::Unique(&[]))
        .is_field(&[project::networking::DNS]),
    row("dns_opt", Shape::List(&Shape::Text), "Options of the resolver.")
        .merges(Merge::Unique(&[]))
        .is_field(&[field("HostConfig.DnsOptions")]),
    row(
        "dns_search",
        Shape::OneOrMore(&Shape::Text),
        "Domains in which short names are looked up.",
    )
    .merges(Merge::Unique(&[]))
    .is_field(&[field("HostConfig.DnsSearch")]),
    row("extra_hosts", Shape::ExtraHosts, "More host names and their addresses.")
        .merges(Merge::Append)
        .becomes(
            &[project::networking::EXTRA_HOSTS],
            Project::With(project::networking::extra_hosts),
        ),
    row(
        "links",
        Shape::List(&Shape::Text),
        "Other services under other names, as `service[:alias]`.",
    )
    .merges(Merge::Unique(&[])),
    row(
        "external_links",
        Shape::List(&Shape::Text),
        "Containers of others under other names.",
    )
    .merges(Merge::Append)
    .ignored(
        "links to containers of others are not made; share a network with \
         them, their names resolve there",
    ),
];

const PORT: &[Attribute] = &[
    row("name", Shape::Text, "What the port is called."),
    row(
        "mode",
        Shape::Text,
        "`ingress` or `host`; on one engine there is no difference.",
    )
    .when_empty(Empty::Text("ingress")),
    row(
        "host_ip",
        Shape::Text,
        "The address of the host that it is published on; all of them unless \
         told.",
    ),
    row("target", Shape::Integer, "The port inside the container."),
    row(
        "published",
        Shape::Word,
        "The port of the host, or a range to pick from; any free one unless \
         told.",
    ),
    row("protocol", Shape::Text, "`tcp`, `udp` or `sctp`.")
        .when_empty(Empty::Text("tcp")),
    row(
        "app_protocol",
        Shape::Text,
        "What is spoken on the port, for whom it may concern.",
    ),
];

const ATTACHMENT: &[Attribute] = &[
    row(
        "aliases",
        Shape::List(&Shape::Text),
        "More names of the service on this network.",
    )
    .merges(Merge::Unique(&[])),
    row(
        "interface_name",
        Shape::Text,
        "The name of the network interface inside the container.",
    )
    .from_api(1, 49),
    row("ipv4_address", Shape::Text, "The static IPv4 address."),
    row("ipv6_address", Shape::Text, "The static IPv6 address."),
    row("link_local_ips", Shape::List(&Shape::Text), "Link-local addresses.")
        .merges(Merge::Unique(&[])),
    row("mac_address", Shape::Text, "The hardware address on this network.")
        .from_api(1, 44),
    row("driver_opts", Shape::Map(&Shape::Word), "What the network driver is told.")
        .merges(Merge::Entries),
    row(
        "priority",
        Shape::Integer,
        "Which network comes first: the one with the highest number.",
    ),
    row(
        "gw_priority",
        Shape::Integer,
        "Which network has the default route: the one with the highest number.",
    )
    .from_api(1, 48),
];

/// A network of the stack.
pub const NETWORK: &[Attribute] = &[
    row(
        "name",
        Shape::Text,
        "The name on the engine; the project and the key unless told.",
    ),
    row("driver", Shape::Text, "The network driver; `bridge` unless told."),
    row("driver_opts", Shape::Map(&Shape::Word), "What the driver is told.")
        .merges(Merge::Entries),
    row("ipam", Shape::Keys(IPAM), "How addresses are given out.")
        .when_empty(Empty::Mapping),
    row(
        "external",
        Shape::Short(Short::External, super::stack::EXTERNAL),
        "It is made by somebody else and must be there.",
    ),
    row("internal", Shape::Boolean, "Whether there is no way out."),
    row(
        "attachable",
        Shape::Boolean,
        "Whether containers outside of Swarm services may be attached.",
    ),
    row("enable_ipv4", Shape::Boolean, "Whether there are IPv4 addresses.")
        .when_empty(Empty::Written)
        .from_api(1, 47),
    row("enable_ipv6", Shape::Boolean, "Whether there are IPv6 addresses."),
    row("labels", Shape::Pairs(Missing::Empty), "The labels of the network.")
        .merges(Merge::Entries),
];

const IPAM: &[Attribute] = &[
    row("driver", Shape::Text, "Who gives out the addresses."),
    row("config", Shape::List(&Shape::Keys(IPAM_POOL)), "The address pools.")
        .merges(Merge::ReplaceItems("subnet")),
    row("options", Shape::Map(&Shape::Word), "What the driver is told.")
        .merges(Merge::Entries),
];

const IPAM_POOL: &[Attribute] = &[
    row("subnet", Shape::Text, "The subnet, as `address/bits`."),
    row("ip_range", Shape::Text, "The part of it that containers get addresses from."),
    row("gateway", Shape::Text, "The address of the gateway."),
    row(
        "aux_addresses",
        Shape::Map(&Shape::Text),
        "Addresses that are taken, by host name.",
    )
    .merges(Merge::Entries),
];
