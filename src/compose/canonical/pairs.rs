//! Names and texts: environment, labels, options; and host names with addresses.

use super::scalar::{self, Scalar, is_sensitive, shown};
use super::{Path, Reader, text};
use crate::compose::attribute::shape::Missing;
use crate::compose::node::{Entry, Kind, Mapping, Node, Tag};

impl Reader<'_> {
    /// Reads a mapping from names to texts, or a list of `name=value`.
    pub(super) fn pairs(
        &mut self,
        node: Node,
        missing: Missing,
        path: &Path<'_>,
    ) -> Kind {
        match node.kind {
            Kind::Mapping(mapping) => {
                let entries = mapping.into_iter().map(|(name, entry)| {
                    let node = self.pair(&entry.node, missing, &Path::Key(path, &name));
                    (name, Entry { key: entry.key, node })
                });
                Kind::Mapping(entries.collect())
            }
            Kind::Sequence(items) => {
                let mut mapping = Mapping::new();
                for (index, item) in items.into_iter().enumerate() {
                    let path = Path::Item(path, index);
                    if let Some((name, node)) = self.listed_pair(&item, missing, &path) {
                        mapping.insert(name, Entry { key: node.span, node });
                    }
                }
                Kind::Mapping(mapping)
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) | Kind::Text(_) => {
                self.wrong(&node, "a mapping or a list of `name=value`", path);
                Kind::Null
            }
        }
    }

    /// Reads the value of a name.
    fn pair(&mut self, node: &Node, missing: Missing, path: &Path<'_>) -> Node {
        let (span, tag) = (node.span, node.tag);
        let sensitive = is_sensitive(node);
        let kind = match scalar::resolve(node) {
            _ if tag == Tag::Reset => Kind::Null,
            Some(Scalar::Null) => unsaid(missing),
            Some(
                scalar @ (Scalar::Bool(_)
                | Scalar::Int(_)
                | Scalar::Unsigned(_)
                | Scalar::Real(_)
                | Scalar::Time(_)
                | Scalar::Text(_)),
            ) => text(scalar.into_text(), sensitive),
            None => {
                self.wrong(node, "text, a number, a boolean or nothing", path);
                Kind::Null
            }
        };
        Node { kind, span, tag }
    }

    /// Reads `name=value` or `name`.
    fn listed_pair(
        &mut self,
        item: &Node,
        missing: Missing,
        path: &Path<'_>,
    ) -> Option<(String, Node)> {
        let (span, tag) = (item.span, item.tag);
        if tag == Tag::Reset {
            return None;
        }
        let Kind::Text(written) = self.text(item, path) else { return None };
        let (name, kind) = match written.text.split_once('=') {
            Some((name, value)) => (name, text(value, written.sensitive)),
            None => (written.text.as_str(), unsaid(missing)),
        };
        if name.is_empty() {
            self.problems.error(span, path.to_string(), "a name is needed before `=`");
            return None;
        }
        Some((name.to_owned(), Node { kind, span, tag }))
    }

    /// Reads host names with addresses, which become a sorted list of `name=address`.
    pub(super) fn extra_hosts(&mut self, node: Node, path: &Path<'_>) -> Kind {
        let mut hosts = Vec::new();
        match node.kind {
            Kind::Mapping(mapping) => {
                for (name, entry) in mapping {
                    self.addresses(
                        &name,
                        entry.node,
                        &mut hosts,
                        &Path::Key(path, &name),
                    );
                }
            }
            Kind::Sequence(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    let path = Path::Item(path, index);
                    hosts.extend(self.listed_host(&item, &path));
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) | Kind::Text(_) => {
                self.wrong(&node, "a mapping or a list of `name=address`", path);
                return Kind::Null;
            }
        }
        hosts.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
        Kind::Sequence(hosts)
    }

    /// Reads the address of a host, or a list of them.
    fn addresses(
        &mut self,
        name: &str,
        node: Node,
        hosts: &mut Vec<Node>,
        path: &Path<'_>,
    ) {
        let addresses = match node.kind {
            Kind::Sequence(items) => items,
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Real(_)
            | Kind::Text(_)
            | Kind::Mapping(_) => vec![node],
        };
        for address in addresses {
            let span = address.span;
            if address.tag != Tag::Reset
                && let Kind::Text(address) = self.text(&address, path)
            {
                hosts.push(host(name, &address.text, address.sensitive, span));
            }
        }
    }

    /// Reads `name=address` or `name:address`.
    fn listed_host(&mut self, item: &Node, path: &Path<'_>) -> Option<Node> {
        let (span, shown, reset) = (item.span, shown(item), item.tag == Tag::Reset);
        if reset {
            return None;
        }
        let Kind::Text(written) = self.text(item, path) else { return None };
        let parts = written.text.split_once('=').or_else(|| written.text.split_once(':'));
        match parts {
            Some((name, address)) if !name.is_empty() && !name.contains(':') => {
                Some(host(name, address, written.sensitive, span))
            }
            Some(_) | None => {
                let message = format!("{shown} is not of the form `name=address`");
                self.problems.error(span, path.to_string(), message);
                None
            }
        }
    }
}

fn unsaid(missing: Missing) -> Kind {
    match missing {
        Missing::Null => Kind::Null,
        Missing::Empty => text("", false),
    }
}

/// Makes a canonical host; brackets around an IPv6 address fall away.
fn host(
    name: &str,
    address: &str,
    sensitive: bool,
    span: crate::compose::problem::Span,
) -> Node {
    let bare = address
        .strip_prefix('[')
        .and_then(|address| address.strip_suffix(']'))
        .unwrap_or(address);
    Node::new(text(format!("{name}={bare}"), sensitive), span)
}
