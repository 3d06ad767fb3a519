//! What is declared and not used is no part of the stack.

use std::collections::BTreeSet;

use super::node::{Mapping, Node};
use super::problem::Problems;

/// Drops the networks, volumes, configs and secrets that no active service uses, as
/// Compose does, and warns of those that no service uses at all. Returns what was dropped
/// as family and key.
pub fn drop_unused(
    root: &mut Node,
    inactive: &Mapping,
    problems: &mut Problems,
) -> Vec<(&'static str, String)> {
    let mut dropped = Vec::new();
    for family in ["networks", "volumes", "configs", "secrets"] {
        let mut active = BTreeSet::new();
        for (_, service) in root.get("services").into_iter().flat_map(Node::entries) {
            active.extend(used(family, &service.node));
        }
        let mut aside = BTreeSet::new();
        for service in inactive.values() {
            aside.extend(used(family, &service.node));
        }
        let Some(top) = root.as_mapping_mut() else { return dropped };
        let Some(declared) =
            top.get_mut(family).and_then(|entry| entry.node.as_mapping_mut())
        else {
            continue;
        };
        declared.retain(|key, entry| {
            if !active.contains(key) && !aside.contains(key) && key != "default" {
                let word = family.trim_end_matches('s');
                problems
                    .warning(
                        entry.key,
                        format!("{family}.{key}"),
                        format!("no service uses the {word} `{key}`; it is not made"),
                    )
                    .help("use it in a service, or delete it");
            }
            let kept = active.contains(key);
            if !kept {
                dropped.push((family, key.clone()));
            }
            kept
        });
        if declared.is_empty() {
            top.remove(family);
        }
    }
    dropped
}

/// Returns the keys of a family that a service uses.
fn used(family: &str, service: &Node) -> Vec<String> {
    let text =
        |node: &Node, key| node.get(key).and_then(Node::as_text).map(str::to_owned);
    let node = service.get(family);
    match family {
        "networks" => node
            .into_iter()
            .flat_map(Node::entries)
            .map(|(key, _)| key.to_owned())
            .collect(),
        "volumes" => {
            let mounts = node.map_or(&[][..], Node::items).iter();
            let volumes =
                mounts.filter(|mount| text(mount, "type").as_deref() == Some("volume"));
            volumes.filter_map(|mount| text(mount, "source")).collect()
        }
        _ => {
            let references = node.map_or(&[][..], Node::items).iter();
            references.filter_map(|reference| text(reference, "source")).collect()
        }
    }
}
