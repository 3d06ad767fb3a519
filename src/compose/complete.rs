//! What a stack means without saying it: the default network, names, dependencies.

use super::node::{Entry, Kind, Mapping, Node};
use super::problem::Span;
use crate::state::ids::ProjectName;

/// Adds to a canonical stack what Compose takes for granted.
pub fn complete(root: &mut Node, project: &ProjectName) {
    let span = root.span;
    let mut uses_default = false;
    for (_, service) in root.get_mut("services").into_iter().flat_map(Node::entries_mut) {
        let key = service.key;
        if let Some(service) = service.node.as_mapping_mut() {
            uses_default |= attach(service, key);
            depend(service);
        }
    }
    let Some(top) = root.as_mapping_mut() else { return };
    top.remove("version");
    top.insert(
        "name".to_owned(),
        Entry { key: span, node: Node::text(project.as_str(), span) },
    );
    if uses_default && let Some(networks) = child(top, "networks", span) {
        networks.entry("default".to_owned()).or_insert_with(|| Entry {
            key: span,
            node: Node::new(Kind::Mapping(Mapping::new()), span),
        });
    }
    for family in ["networks", "volumes", "configs", "secrets"] {
        if let Some(family) = top.get_mut(family) {
            name_all(&mut family.node, project);
        }
    }
}

/// Returns the mapping under a key, which is made when it is not there.
fn child<'a>(mapping: &'a mut Mapping, key: &str, span: Span) -> Option<&'a mut Mapping> {
    let empty = || Kind::Mapping(Mapping::new());
    let entry = mapping
        .entry(key.to_owned())
        .or_insert_with(|| Entry { key: span, node: Node::new(empty(), span) });
    if entry.node.is_null() {
        entry.node.kind = empty();
    }
    entry.node.as_mapping_mut()
}

/// Attaches a service that names no network to the default one, and tells whether the
/// service uses that.
fn attach(service: &mut Mapping, key: Span) -> bool {
    let has = |name: &str| service.get(name).is_some_and(|entry| !entry.node.is_null());
    let unattached = service
        .get("networks")
        .is_none_or(|networks| networks.node.as_mapping().is_none_or(Mapping::is_empty));
    if unattached && !has("network_mode") {
        let default = Entry { key, node: Node::new(Kind::Null, key) };
        let networks = Mapping::from([("default".to_owned(), default)]);
        let node = Node::new(Kind::Mapping(networks), key);
        service.insert("networks".to_owned(), Entry { key, node });
    } else if unattached {
        service.remove("networks");
    }
    let networks = service.get("networks");
    networks.is_some_and(|networks| networks.node.get("default").is_some())
}

/// Adds the dependencies that come with sharing something of another service.
fn depend(service: &mut Mapping) {
    let mut implied: Vec<(String, Span, bool)> = Vec::new();
    let text = |key: &str| {
        service.get(key).and_then(|entry| Some((entry.node.as_text()?, entry.node.span)))
    };
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some((mode, span)) = text(key)
            && let Some(other) = mode.strip_prefix("service:")
        {
            implied.push((other.to_owned(), span, true));
        }
    }
    let items =
        |key: &str| service.get(key).map_or(&[][..], |entry| entry.node.items()).iter();
    for link in items("links") {
        if let Some(text) = link.as_text() {
            let other = text.split(':').next().unwrap_or(text);
            implied.push((other.to_owned(), link.span, true));
        }
    }
    for source in items("volumes_from") {
        let text = source.as_text().filter(|text| !text.starts_with("container:"));
        if let Some(text) = text {
            let other = text.split(':').next().unwrap_or(text);
            implied.push((other.to_owned(), source.span, false));
        }
    }
    for (other, span, restart) in implied {
        if let Some(dependencies) = child(service, "depends_on", span) {
            dependencies.entry(other).or_insert_with(|| dependency(span, restart));
        }
    }
}

fn dependency(span: Span, restart: bool) -> Entry {
    let entry = |kind| Entry { key: span, node: Node::new(kind, span) };
    let mut mapping = Mapping::from([
        ("condition".to_owned(), entry(Node::text("service_started", span).kind)),
        ("required".to_owned(), entry(Kind::Bool(true))),
    ]);
    if restart {
        mapping.insert("restart".to_owned(), entry(Kind::Bool(true)));
    }
    Entry { key: span, node: Node::new(Kind::Mapping(mapping), span) }
}

/// Gives every network, volume, config and secret its name: `<project>_<key>`, or the key
/// itself when it is somebody else's.
fn name_all(family: &mut Node, project: &ProjectName) {
    for (key, entry) in family.entries_mut() {
        let span = entry.key;
        if entry.node.is_null() {
            entry.node.kind = Kind::Mapping(Mapping::new());
        }
        let external = is_external(&entry.node);
        let name = if external { key.to_owned() } else { format!("{project}_{key}") };
        if let Some(mapping) = entry.node.as_mapping_mut() {
            let named = mapping.get("name").is_some_and(|entry| !entry.node.is_null());
            if !named {
                let node = Node::text(name, span);
                mapping.insert("name".to_owned(), Entry { key: span, node });
            }
        }
    }
}

/// Tells whether a network, volume, config or secret is somebody else's.
pub fn is_external(node: &Node) -> bool {
    matches!(node.get("external").map(|node| &node.kind), Some(Kind::Bool(true)))
}
