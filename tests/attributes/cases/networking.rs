//! How a service is reached, and what it can reach.

use serde_json::json;

use crate::case::{Case, added, changed, respelled};

const ENDPOINTS: &str = "NetworkingConfig.EndpointsConfig";
const MODE: &str = "HostConfig.NetworkMode";

/// Returns the cases.
pub(crate) fn all() -> Vec<Case> {
    [ports(), networks(), modes(), names()].into_iter().flatten().collect()
}

fn ports() -> Vec<Case> {
    const BINDINGS: &str = "HostConfig.PortBindings";
    const EXPOSED: &str = "Config.ExposedPorts";
    vec![
        added("port", "ports", "ports: ['127.0.0.1:{port}:80']")
            .on_network()
            .names(&["ports.80/tcp"])
            .shows(
                BINDINGS,
                json!({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "{port}"}]}),
            )
            .shows(EXPOSED, json!({"80/tcp": {}})),
        changed("port-moved", "ports", "ports: ['81', 82/udp]", "ports: ['83', 82/udp]")
            .on_network()
            .names(&["ports.81/tcp", "ports.83/tcp"])
            .lacks(BINDINGS, "/HostConfig/PortBindings", "81/tcp"),
        respelled(
            "port-spelt",
            "ports",
            "ports: ['84-85:84', '86/udp']",
            "ports: [{target: 84, published: 84-85}, {target: 86, protocol: udp}]",
        )
        .on_network(),
        added("exposed", "expose", "expose: ['9000', 9001-9002/udp]")
            .names(&["expose.9000/tcp", "expose.9001/udp", "expose.9002/udp"])
            .names_back(&["ports.9000/tcp", "ports.9001/udp", "ports.9002/udp"])
            .shows(EXPOSED, json!({"9000/tcp": {}, "9001/udp": {}, "9002/udp": {}})),
    ]
}

fn networks() -> Vec<Case> {
    let aliases = "/NetworkSettings/Networks/{project}_default/Aliases";
    vec![
        changed(
            "alias",
            "networks",
            "networks: {default: {aliases: [kept, gone]}}",
            "networks: {default: {aliases: [kept, new]}}",
        )
        .in_place()
        .names(&["networks.{project}_default"])
        .lists(ENDPOINTS, aliases, json!("new"))
        .lists(ENDPOINTS, aliases, json!("kept"))
        .lists(ENDPOINTS, aliases, json!("alias"))
        .lacks(ENDPOINTS, aliases, "gone"),
        changed(
            "second",
            "networks",
            "networks: [default]",
            "networks: [default, second]",
        )
        .in_place()
        .names(&["networks.{project}_second"])
        .lists(
            ENDPOINTS,
            "/NetworkSettings/Networks/{project}_second/Aliases",
            json!("second"),
        ),
        changed("instead", "networks", "networks: [default]", "networks: [second]")
            .in_place()
            .names(&["networks.{project}_default", "networks.{project}_second"])
            .lacks(ENDPOINTS, "/NetworkSettings/Networks", "{project}_default"),
        changed(
            "address",
            "networks",
            "networks: [fixed]",
            "networks: {fixed: {ipv4_address: '{subnet}.77'}}",
        )
        .in_place()
        .names(&["networks.{project}_fixed"])
        .shows_at(
            ENDPOINTS,
            "/NetworkSettings/Networks/{project}_fixed/IPAddress",
            json!("{subnet}.77"),
        ),
        added("links", "networks", "links: ['peer:friend']")
            .on_network()
            .in_place()
            .names(&["networks.{project}_default"])
            .shows_at(
                ENDPOINTS,
                "/NetworkSettings/Networks/{project}_default/Links",
                json!(["{project}-peer-1:friend"]),
            ),
        respelled("networks-spelt", "networks", "", "networks: {default: {priority: 3}}")
            .on_network(),
    ]
}

fn modes() -> Vec<Case> {
    const BACK: [&str; 2] = ["networks", "networks.{project}_default"];
    let mode = |name, after| added(name, "network_mode", after).on_network();
    vec![
        mode("no-network", "network_mode: none")
            .names_back(&BACK)
            .shows(MODE, json!("none")),
        mode("host-network", "network_mode: host")
            .names_back(&BACK)
            .shows(MODE, json!("host")),
        mode("peer-network", "network_mode: service:peer")
            .names_back(&BACK)
            .begins(MODE, "container:"),
        changed("a-network", "networks", "network_mode: none", "networks: [second]")
            .names(&["networks", "networks.{project}_second"])
            .names_back(&["network_mode"])
            .shows(MODE, json!("{project}_second")),
        added("mac", "mac_address", "mac_address: '02:42:0a:0b:0c:0d'")
            .on_network()
            .shows("Config.MacAddress", json!("02:42:0a:0b:0c:0d")),
    ]
}

fn names() -> Vec<Case> {
    vec![
        changed("dns", "dns", "dns: 10.0.0.1", "dns: [10.0.0.2, 10.0.0.1]")
            .shows("HostConfig.Dns", json!(["10.0.0.2", "10.0.0.1"])),
        added("dns-options", "dns_opt", "dns_opt: ['ndots:2']")
            .shows("HostConfig.DnsOptions", json!(["ndots:2"])),
        added("dns-search", "dns_search", "dns_search: example.test")
            .shows("HostConfig.DnsSearch", json!(["example.test"])),
        changed(
            "hosts",
            "extra_hosts",
            "extra_hosts: {one: 10.0.0.1, gone: 10.0.0.2}",
            "extra_hosts: ['one=10.0.0.1', 'two:10.0.0.3', 'six=::1']",
        )
        .lists("HostConfig.ExtraHosts", "/HostConfig/ExtraHosts", json!("one:10.0.0.1"))
        .lists("HostConfig.ExtraHosts", "/HostConfig/ExtraHosts", json!("two:10.0.0.3"))
        .lists("HostConfig.ExtraHosts", "/HostConfig/ExtraHosts", json!("six:::1"))
        .lacks(
            "HostConfig.ExtraHosts",
            "/HostConfig/ExtraHosts",
            "gone:10.0.0.2",
        ),
        changed("name", "networks", "", "container_name: '{project}-named'")
            .on_network()
            .in_place()
            // Docker's DNS knows a container by its name: it needs no alias for it.
            .names(&["container_name"])
            .shows_at(ENDPOINTS, "/Name", json!("/{project}-named")),
    ]
}
