//! What only one of two containers can have, or only one should write to.

use std::collections::BTreeSet;

use crate::state::document::Document;
use crate::state::value::Value;

/// Returns what both of two containers ask for that only one can have at a time: host ports,
/// static addresses, the host's network; and what only one should write to: volumes and
/// folders that both may write to. In words.
pub fn shared(one: &Document, other: &Document) -> Vec<String> {
    let held = held(other);
    let both = self::held(one).into_iter().filter(|it| held.contains(it));
    let mut found: Vec<String> = both.collect();
    found.extend(ports(one, other));
    found
}

fn held(document: &Document) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    if document.get("HostConfig.NetworkMode").as_text() == Some("host") {
        held.insert("the host's network".to_owned());
    }
    for (network, endpoint) in document.get("NetworkingConfig.EndpointsConfig").entries()
    {
        for key in ["IPv4Address", "IPv6Address"] {
            if let Some(address) = endpoint.get("IPAMConfig").get(key).as_text() {
                held.insert(format!("the address {address} in {network}"));
            }
        }
    }
    for (_, mount) in document.get("HostConfig.Mounts").entries() {
        let source = mount.get("Source").as_text().unwrap_or_default();
        let is_writable = mount.get("ReadOnly").as_bool() != Some(true);
        let kind = mount.get("Type").as_text().unwrap_or_default();
        if is_writable && !source.is_empty() && matches!(kind, "bind" | "volume") {
            let what = if kind == "bind" { "what is in" } else { "the volume" };
            held.insert(format!("{what} {source}"));
        }
    }
    held
}

/// A port clashes on the same address, and on every address with any.
fn ports(one: &Document, other: &Document) -> Vec<String> {
    let places = |document: &Document| -> Vec<(String, String, String)> {
        let bindings = document.get("HostConfig.PortBindings").entries();
        let all = bindings.flat_map(|(port, places)| {
            let protocol = port.rsplit('/').next().unwrap_or("tcp").to_owned();
            let texts = places.items().iter().filter_map(Value::as_text);
            texts.map(move |text| {
                let (ip, host) = text.rsplit_once(':').unwrap_or(("", text));
                (protocol.clone(), ip.to_owned(), host.to_owned())
            })
        });
        all.filter(|(_, _, host)| !host.is_empty()).collect()
    };
    let theirs = places(other);
    let clashes = |(protocol, ip, host): &(String, String, String)| {
        theirs.iter().any(|(its_protocol, its_ip, its_host)| {
            protocol == its_protocol
                && host == its_host
                && (ip == its_ip || ip.is_empty() || its_ip.is_empty())
        })
    };
    let mine = places(one).into_iter().filter(clashes);
    mine.map(|(protocol, _, host)| format!("the host's port {host}/{protocol}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(pairs: [(&'static str, Value); 2]) -> Document {
        pairs.into_iter().collect()
    }

    fn ports_at(place: &str) -> Document {
        let places = Value::List(vec![Value::text(place)]);
        document([
            ("HostConfig.PortBindings", Value::map([("80/tcp", places)])),
            ("Config.Image", Value::text("x")),
        ])
    }

    #[test]
    fn ports_clash_where_their_addresses_meet() {
        for (one, other, clash) in [
            (":8080", ":8080", true),
            (":8080", "127.0.0.1:8080", true),
            ("10.0.0.1:8080", "127.0.0.1:8080", false),
            (":8080", ":8081", false),
            (":", ":", false),
        ] {
            let found = shared(&ports_at(one), &ports_at(other));
            assert_eq!(!found.is_empty(), clash, "{one} {other}: {found:?}");
        }
    }

    #[test]
    fn what_both_write_to_is_shared_and_what_one_only_reads_is_not() {
        let mounts = |read_only: bool| {
            let mount = Value::map([
                ("Type", Value::text("volume")),
                ("Source", Value::text("data")),
                ("ReadOnly", Value::Bool(read_only)),
            ]);
            document([
                ("HostConfig.Mounts", Value::map([("/data", mount)])),
                ("HostConfig.NetworkMode", Value::text("host")),
            ])
        };
        let both = ["the host's network", "the volume data"];
        assert_eq!(shared(&mounts(false), &mounts(false)), both);
        assert_eq!(shared(&mounts(false), &mounts(true)), both[..1]);
    }
}
