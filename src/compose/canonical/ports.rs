//! Published ports: `[address:][published:]target[/protocol]`.

use std::net::IpAddr;

use super::mapping::{fill, put, text_of};
use super::scalar::{self, Scalar, is_sensitive, shown};
use super::{Path, Reader, text};
use crate::compose::attribute::shape::Shape;
use crate::compose::node::{Kind, Mapping, Node};

/// A port in short form.
#[derive(Debug, PartialEq, Eq)]
struct Port {
    address: Option<String>,
    published: Option<String>,
    target: u16,
    protocol: String,
}

impl Reader<'_> {
    /// Reads one item of `ports`; a range becomes several.
    pub(super) fn ports(
        &mut self,
        node: Node,
        shape: &'static Shape,
        path: &Path<'_>,
    ) -> Vec<Node> {
        if matches!(node.kind, Kind::Mapping(_)) {
            return vec![self.long_port(node, shape, path)];
        }
        let (span, tag) = (node.span, node.tag);
        let sensitive = is_sensitive(&node);
        let written = match scalar::resolve(&node) {
            Some(Scalar::Text(written)) => written,
            Some(Scalar::Int(number)) => number.to_string(),
            Some(
                Scalar::Null
                | Scalar::Bool(_)
                | Scalar::Unsigned(_)
                | Scalar::Real(_)
                | Scalar::Time(_),
            )
            | None => {
                self.wrong(&node, "a port such as `8080:80`, or a mapping", path);
                return Vec::new();
            }
        };
        let ports = match parse(&written, self.ports) {
            Ok(ports) => ports,
            Err(why) => {
                let message = if sensitive {
                    "the value is no port such as `8080:80`".to_owned()
                } else {
                    format!("{} is no port: {why}", shown(&node))
                };
                self.problems.error(span, path.to_string(), message);
                return Vec::new();
            }
        };
        self.ports -= ports.len();
        let mappings = ports.into_iter().map(|port| {
            let mut mapping = Mapping::new();
            if let Some(address) = port.address {
                put(&mut mapping, "host_ip", text(address, sensitive), span);
            }
            if let Some(published) = port.published {
                put(&mut mapping, "published", text(published, sensitive), span);
            }
            put(&mut mapping, "target", Kind::Int(port.target.into()), span);
            put(&mut mapping, "protocol", text(port.protocol, sensitive), span);
            fill(&mut mapping, shape, span);
            Node { kind: Kind::Mapping(mapping), span, tag }
        });
        mappings.collect()
    }

    /// Reads a port in long form.
    fn long_port(&mut self, node: Node, shape: &'static Shape, path: &Path<'_>) -> Node {
        let (span, tag) = (node.span, node.tag);
        let Kind::Mapping(mapping) = node.kind else { return node };
        let mut mapping = self.entries(mapping, shape, path);
        if text_of(&mapping, "published") == Some("") {
            mapping.remove("published");
        }
        fill(&mut mapping, shape, span);
        let kind = Kind::Mapping(mapping);
        self.require(&kind, "target", span, path);
        Node { kind, span, tag }
    }
}

/// Reads a port in short form, which may stand for so many at most.
fn parse(written: &str, most: usize) -> Result<Vec<Port>, String> {
    let mut slashes = written.splitn(3, '/');
    let ports = slashes.next().unwrap_or_default();
    let protocol = slashes.next().unwrap_or("tcp").to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("the protocol `{protocol}` is not tcp, udp or sctp"));
    }
    let (rest, target) = match ports.rsplit_once(':') {
        Some((rest, target)) => (Some(rest), target),
        None => (None, ports),
    };
    let (address, published) = match rest.map(|rest| (rest, rest.rsplit_once(':'))) {
        Some((_, Some((address, published)))) => (Some(address), published),
        Some((published, None)) => (None, published),
        None => (None, ""),
    };
    let address = address.map(read_address).transpose()?.flatten();
    let targets = range(target, "inside the container")?;
    let published =
        if published.is_empty() { None } else { Some(range(published, "of the host")?) };
    if usize::from(targets.1 - targets.0) >= most {
        return Err("these are more ports than one file may publish".to_owned());
    }
    let mut ports = pair(published, targets)?
        .map(|(published, target)| Port {
            address: address.clone(),
            published,
            target,
            protocol: protocol.clone(),
        })
        .collect::<Vec<_>>();
    // Compose orders them as text.
    ports.sort_by_cached_key(|port| port.target.to_string());
    Ok(ports)
}

/// Pairs the ports of a range with those of another one of the same length. With one
/// port inside, the engine picks one of the range on the host.
fn pair(
    published: Option<(u16, u16)>,
    (first, last): (u16, u16),
) -> Result<impl Iterator<Item = (Option<String>, u16)>, String> {
    if let Some((start, end)) = published
        && first != last
        && end - start != last - first
    {
        return Err("the two ranges differ in length".to_owned());
    }
    Ok((first..=last).map(move |target| {
        let published = published.map(|(start, end)| {
            if first == last && start != end {
                format!("{start}-{end}")
            } else {
                (start + (target - first)).to_string()
            }
        });
        (published, target)
    }))
}

/// Reads an address; IPv6 may stand in brackets.
fn read_address(written: &str) -> Result<Option<String>, String> {
    if written.is_empty() {
        return Ok(None);
    }
    let bare = written
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(written);
    match bare.parse::<IpAddr>() {
        Ok(_) => Ok(Some(bare.to_owned())),
        Err(_) => Err(format!("`{bare}` is no address")),
    }
}

/// Reads a port or a range of ports.
fn range(written: &str, place: &str) -> Result<(u16, u16), String> {
    let number = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("`{text}` is not a port {place} (1 to 65535)"))
    };
    let (first, last) = match written.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(written)?, number(written)?),
    };
    if last < first {
        return Err(format!("the range `{written}` runs backwards"));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(written: &str) -> String {
        let show = |port: Port| {
            let address = port.address.unwrap_or_default();
            let published = port.published.unwrap_or_default();
            format!("{address}|{published}|{}|{}", port.target, port.protocol)
        };
        match parse(written, 100) {
            Ok(ports) => ports.into_iter().map(show).collect::<Vec<_>>().join(" "),
            Err(why) => why,
        }
    }

    #[test]
    fn every_short_form_is_understood() {
        for (written, expected) in [
            ("80", "||80|tcp"),
            ("8080:80", "|8080|80|tcp"),
            (":80", "||80|tcp"),
            ("80/UDP", "||80|udp"),
            ("127.0.0.1:8080:80", "127.0.0.1|8080|80|tcp"),
            ("127.0.0.1::80", "127.0.0.1||80|tcp"),
            ("[::1]:80:81", "::1|80|81|tcp"),
            ("::1:80:81", "::1|80|81|tcp"),
            ("9000-9005:90/udp", "|9000-9005|90|udp"),
            ("3000-3001:4000-4001", "|3000|4000|tcp |3001|4001|tcp"),
            ("8-11", "||10|tcp ||11|tcp ||8|tcp ||9|tcp"),
        ] {
            assert_eq!(show(written), expected, "{written}");
        }
    }

    #[test]
    fn what_is_no_port_is_told_apart() {
        for (written, expected) in [
            ("0", "`0` is not a port inside the container (1 to 65535)"),
            ("8080:", "`` is not a port inside the container (1 to 65535)"),
            ("70000:80", "`70000` is not a port of the host (1 to 65535)"),
            ("80:80/foo", "the protocol `foo` is not tcp, udp or sctp"),
            ("300.1.1.1:80:80", "`300.1.1.1` is no address"),
            ("8000-8001:80-82", "the two ranges differ in length"),
            ("9-8", "the range `9-8` runs backwards"),
        ] {
            assert_eq!(show(written), expected, "{written}");
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(written in "[0-9a-z:/\\[\\].-]{0,24}") {
            let _ports = parse(&written, 100);
        }

        #[test]
        fn ranges_pair_up_one_to_one(start in 1_u16..60_000, target in 1_u16..60_000, more in 1_u16..50) {
            let written = format!("{start}-{}:{target}-{}", start + more, target + more);
            let ports = parse(&written, 100).expect("a range");
            prop_assert_eq!(ports.len(), usize::from(more) + 1);
            for port in ports {
                let published: u16 = port.published.expect("published").parse().expect("one");
                prop_assert_eq!(published - start, port.target - target);
            }
        }
    }
}
