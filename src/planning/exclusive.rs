//! What two containers of one replica cannot both have while they run.

use crate::state::document::Document;
use crate::state::value::{Map, Value};

/// Says what two containers cannot have at once: a port or the network of the host, an
/// address, or data that both write. Nothing when they can run side by side.
///
/// Services that share a volume by design are not asked about: this is for a container and
/// its successor.
pub fn shared(one: &Document, other: &Document) -> Option<String> {
    host_network(one, other)
        .or_else(|| port(one, other))
        .or_else(|| address(one, other))
        .or_else(|| data(one, other))
}

fn host_network(one: &Document, other: &Document) -> Option<String> {
    let mode = |document: &Document| {
        document.get("HostConfig.NetworkMode").as_text().unwrap_or_default().to_owned()
    };
    let (one, other) = (mode(one), mode(other));
    if one == "host" && other == "host" {
        return Some("both have the network of the host".to_owned());
    }
    (one.starts_with("container:") && one == other)
        .then(|| "both have the network of the same container".to_owned())
}

/// Without a fixed number the engine gives each its own.
fn port(one: &Document, other: &Document) -> Option<String> {
    let places = |document: &Document| -> Vec<(String, String)> {
        let bindings = document.get("HostConfig.PortBindings");
        let all = bindings.entries().flat_map(|(port, places)| {
            let protocol = port.rsplit_once('/').map_or("tcp", |(_, it)| it).to_owned();
            places.items().iter().map(move |place| (protocol.clone(), place.to_string()))
        });
        all.filter(|(_, place)| !place.ends_with(':') && !place.ends_with(":0")).collect()
    };
    let others = places(other);
    let number = |place: &str| place.rsplit(':').next().unwrap_or_default().to_owned();
    places(one).into_iter().find_map(|(protocol, place)| {
        let same = |(its, there): &(String, String)| {
            *its == protocol
                && number(there) == number(&place)
                // One of them on every address, or both on the same.
                && (there.starts_with(':') || place.starts_with(':') || *there == place)
        };
        others.iter().any(same).then(|| {
            let number = number(&place);
            format!("both publish port {number} of the host")
        })
    })
}

fn address(one: &Document, other: &Document) -> Option<String> {
    let mac = |document: &Document| document.get("Config.MacAddress").clone();
    if !mac(one).is_zero() && mac(one) == mac(other) {
        return Some("both have the same MAC address".to_owned());
    }
    let endpoints = |document: &Document| -> Map {
        let all = document.get("NetworkingConfig.EndpointsConfig");
        all.as_map().cloned().unwrap_or_default()
    };
    let others = endpoints(other);
    endpoints(one).iter().find_map(|(network, endpoint)| {
        let addresses = endpoint.get("IPAMConfig");
        let there = others.get(network)?.get("IPAMConfig");
        let mut fixed = addresses.entries().filter(|(_, address)| !address.is_zero());
        let (_, address) = fixed.find(|(key, address)| there.get(key) == *address)?;
        Some(format!("both have the address {address} in {network}"))
    })
}

fn data(one: &Document, other: &Document) -> Option<String> {
    let written = |document: &Document| -> Vec<String> {
        let mounts = document.get("HostConfig.Mounts");
        let written = mounts.entries().filter(|(_, mount)| {
            mount.get("ReadOnly") != &Value::Bool(true)
                && mount.get("Type") != &Value::text("tmpfs")
        });
        written
            .filter_map(|(_, mount)| mount.get("Source").as_text().map(str::to_owned))
            .filter(|source| !source.is_empty() && !is_socket(source))
            .collect()
    };
    let others = written(other);
    written(one)
        .into_iter()
        .find(|source| others.contains(source))
        .map(|source| format!("both write to {source}"))
}

/// A socket or a device is made to be used by several.
fn is_socket(source: &str) -> bool {
    let extension = std::path::Path::new(source).extension();
    extension.is_some_and(|it| it == "sock") || source.starts_with("/dev/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::testing::target_document as document;

    #[test]
    fn two_that_share_nothing_run_side_by_side() {
        for service in [
            "ports: ['80']",
            "volumes: ['data:/data:ro']",
            "volumes: ['/var/run/docker.sock:/var/run/docker.sock']",
            "tmpfs: /tmp",
            "networks: {n: {aliases: [b]}}",
        ] {
            let document = document(service);
            assert_eq!(shared(&document, &document), None, "{service}");
        }
    }

    #[test]
    fn what_two_cannot_both_have_is_named() {
        for (service, said) in [
            ("network_mode: host", "both have the network of the host"),
            ("ports: ['8080:80']", "both publish port 8080 of the host"),
            ("networks: {n: {ipv4_address: 10.1.0.9}}", "10.1.0.9 in demo_n"),
            ("volumes: ['data:/data']", "both write to demo_data"),
            ("volumes: ['/srv/d:/data']", "both write to /srv/d"),
            ("mac_address: '02:42:ac:11:00:02'", "the same MAC address"),
        ] {
            let document = document(service);
            let shared = shared(&document, &document).unwrap_or_default();
            assert!(shared.contains(said), "{service}: {shared}");
        }
    }

    #[test]
    fn the_same_port_on_two_addresses_is_two_ports() {
        let [any, local, other] = ["'80:80'", "'127.0.0.1:80:80'", "'127.0.0.2:80:80'"]
            .map(|port| document(&format!("ports: [{port}]")));
        assert!(shared(&any, &local).is_some() && shared(&local, &any).is_some());
        assert_eq!(shared(&local, &other), None);
        let udp = document("ports: ['80:80/udp']");
        assert_eq!(shared(&any, &udp), None);
    }
}
