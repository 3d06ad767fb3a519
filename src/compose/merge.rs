//! Later files over earlier ones, by the rule of each attribute.

use std::collections::BTreeMap;

use super::attribute::shape::Shape;
use super::attribute::{Merge, stack};
use super::node::{Entry, Kind, Node, Tag};
use crate::state::value::Value;

/// Merges a canonical document over another one.
///
/// The result has no tags: `!reset` has taken its key away, `!override` has taken the
/// place of what was there. Begin with an empty mapping, so that the tags of the first
/// document do their work too.
pub fn merge(base: Node, over: Node) -> Node {
    node(settle(base), over, &stack::ROOT, Merge::Deep)
}

/// Merges a value over an earlier one.
fn node(base: Node, over: Node, shape: &'static Shape, rule: Merge) -> Node {
    if over.tag != Tag::None {
        return settle(over);
    }
    match rule {
        Merge::Replace => settle(over),
        Merge::Append | Merge::Unique(_) | Merge::UniqueByFirst(_) => {
            items(base, over, rule)
        }
        Merge::ReplaceItems(key) => replace_items(&base, over, shape.inner(), key),
        Merge::Entries => entries(base, over, None),
        Merge::Deep => deep(base, over, shape),
        Merge::DeepIfSame(key) => {
            let differs = match (base.get(key), over.get(key)) {
                (Some(base), Some(over)) => base.value() != over.value(),
                (None, _) | (_, None) => false,
            };
            if differs { settle(over) } else { deep(base, over, shape) }
        }
    }
}

/// Merges mappings key by key; a later null says nothing.
fn deep(base: Node, over: Node, shape: &'static Shape) -> Node {
    match (&base.kind, &over.kind) {
        (_, Kind::Null) => base,
        (Kind::Mapping(_), Kind::Mapping(_)) => entries(base, over, Some(shape)),
        (Kind::Sequence(_), Kind::Sequence(_)) => items(base, over, Merge::Append),
        (
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Real(_)
            | Kind::Text(_)
            | Kind::Sequence(_)
            | Kind::Mapping(_),
            _,
        ) => settle(over),
    }
}

/// Merges the entries of mappings: by the rules of a shape, or each as a whole.
fn entries(base: Node, over: Node, shape: Option<&'static Shape>) -> Node {
    let span = base.span;
    let (mut merged, later) = match (base.kind, over.kind) {
        (Kind::Mapping(base), Kind::Mapping(over)) => (base, over),
        (base, Kind::Null) => return Node::new(base, span),
        (_, kind) => return settle(Node { kind, ..over }),
    };
    for (key, entry) in later {
        if entry.node.tag == Tag::Reset {
            merged.remove(&key);
            continue;
        }
        let node = match (merged.remove(&key), shape) {
            (Some(earlier), Some(shape)) => within(earlier.node, entry.node, shape, &key),
            (None, _) | (_, None) => settle(entry.node),
        };
        merged.insert(key, Entry { key: entry.key, node });
    }
    Node::new(Kind::Mapping(merged), span)
}

/// Merges the values of one key.
fn within(base: Node, over: Node, shape: &'static Shape, key: &str) -> Node {
    if let Shape::Map(inner) | Shape::Named(inner) = shape {
        return node(base, over, inner, Merge::Deep);
    }
    if let Some(row) = shape.row(key) {
        return node(base, over, &row.shape, row.merge);
    }
    // Extensions of others are taken as a whole, as Compose does; ours are merged.
    let ours = key == "x-reconciler" || !key.starts_with("x-");
    node(base, over, &Shape::Any, if ours { Merge::Deep } else { Merge::Replace })
}

/// Adds the items of a later list.
fn items(base: Node, over: Node, rule: Merge) -> Node {
    let span = base.span;
    let over = settle(over);
    match (base.kind, over.kind) {
        (Kind::Sequence(mut items), Kind::Sequence(later)) => {
            items.extend(later);
            Node::new(Kind::Sequence(unique(items, rule, |_, _| ())), span)
        }
        (base, Kind::Null) => Node::new(base, span),
        (_, kind) => Node::new(kind, over.span),
    }
}

/// Takes a later list, with what earlier items of the same key say besides.
fn replace_items(base: &Node, over: Node, inner: &'static Shape, key: &str) -> Node {
    let span = over.span;
    let Kind::Sequence(later) = over.kind else { return deep(base.clone(), over, inner) };
    let merged = later.into_iter().map(|item| {
        let earlier = base.items().iter().find(|earlier| {
            let (earlier, item) = (earlier.get(key), item.get(key));
            earlier.map(Node::value) == item.map(Node::value)
        });
        match earlier {
            Some(earlier) => node(earlier.clone(), item, inner, Merge::Deep),
            None => item,
        }
    });
    settle(Node::new(Kind::Sequence(merged.collect()), span))
}

/// Drops earlier items of the identity that a rule gives to items: the last one counts,
/// in the place of the first. Tells of every item that is replaced.
pub(super) fn unique(
    items: Vec<Node>,
    rule: Merge,
    mut replaced: impl FnMut(&Node, &Node),
) -> Vec<Node> {
    let mut places: BTreeMap<Value, usize> = BTreeMap::new();
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    for item in items {
        let Some(identity) = identity(&item, rule) else {
            kept.push(item);
            continue;
        };
        let slot = places.get(&identity).and_then(|place| kept.get_mut(*place));
        if let Some(slot) = slot {
            replaced(slot, &item);
            *slot = item;
        } else {
            places.insert(identity, kept.len());
            kept.push(item);
        }
    }
    kept
}

/// Returns what makes an item of a list the same as another one; nothing when the rule
/// knows no identity.
fn identity(item: &Node, rule: Merge) -> Option<Value> {
    let of_key = |key: &str| match (item.get(key), key) {
        (Some(node), _) => node.value(),
        // Every address is what no address means.
        (None, "host_ip") => Value::text("0.0.0.0"),
        (None, _) => Value::Null,
    };
    match rule {
        Merge::Append => Some(item.value()),
        Merge::Unique([]) => {
            let text = item.as_text()?;
            Some(Value::text(text.split_once('=').map_or(text, |(name, _)| name)))
        }
        Merge::Unique(keys) => {
            Some(Value::List(keys.iter().map(|key| of_key(key)).collect()))
        }
        Merge::UniqueByFirst(keys) => {
            let key = keys.iter().find(|key| item.get(key).is_some())?;
            Some(of_key(key))
        }
        Merge::ReplaceItems(key) => Some(of_key(key)),
        Merge::Deep | Merge::Replace | Merge::Entries | Merge::DeepIfSame(_) => None,
    }
}

/// Takes away what `!reset` marks, and all tags.
fn settle(node: Node) -> Node {
    let kind = match node.kind {
        Kind::Mapping(mapping) => Kind::Mapping(
            mapping
                .into_iter()
                .filter(|(_, entry)| entry.node.tag != Tag::Reset)
                .map(|(key, entry)| (key, Entry { node: settle(entry.node), ..entry }))
                .collect(),
        ),
        Kind::Sequence(items) => Kind::Sequence(
            items.into_iter().filter(|item| item.tag != Tag::Reset).map(settle).collect(),
        ),
        kind @ (Kind::Null
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Real(_)
        | Kind::Text(_)) => kind,
    };
    Node::new(kind, node.span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::canonical::canonicalise;
    use crate::compose::problem::{Problems, Span};
    use crate::compose::yaml;

    fn merged(files: &[&str]) -> String {
        let span = Span { file: 0, start: 0, end: 0 };
        let mut problems = Problems::default();
        let mut root = Node::new(Kind::Mapping(BTreeMap::new()), span);
        for text in files {
            let text = format!("services: {{a: {text}}}");
            let document = yaml::parse(0, &text, &mut problems).expect("YAML").remove(0);
            root = merge(root, canonicalise(document, &mut problems));
        }
        assert!(!problems.has_errors(), "{problems:?}");
        root.at("services.a").expect("a service").value().to_string()
    }

    #[test]
    fn mappings_merge_by_key_and_lists_by_identity() {
        assert_eq!(
            merged(&[
                "{environment: {A: 1, B: 2}, dns: 1.1.1.1, ulimits: {x: {soft: 1, hard: 2}}}",
                "{environment: [B=3, C], dns: [2.2.2.2, 1.1.1.1], ulimits: {x: 5}}",
            ]),
            "{dns: [1.1.1.1, 2.2.2.2], environment: {A: 1, B: 3, C: null}, ulimits: {x: 5}}"
        );
    }

    #[test]
    fn a_later_item_of_the_same_target_takes_the_place_of_the_earlier_one() {
        assert_eq!(
            merged(&[
                "{secrets: [a, b], configs: [c, {source: d, target: /x}]}",
                "{secrets: [{source: z, target: /run/secrets/a}], configs: [c, {source: e, target: /x}]}",
            ]),
            "{configs: [{source: c}, {source: e, target: /x}], \
             secrets: [{source: z, target: /run/secrets/a}, \
             {source: b, target: /run/secrets/b}]}"
        );
    }

    #[test]
    fn commands_and_tests_are_replaced_and_null_says_so() {
        assert_eq!(
            merged(&[
                "{command: [a, b], entrypoint: x, healthcheck: {test: x, retries: 1}}",
                "{command: c, entrypoint: , healthcheck: {test: [NONE]}}",
            ]),
            "{command: [c], entrypoint: null, healthcheck: {retries: 1, test: [NONE]}}"
        );
    }

    #[test]
    fn log_options_merge_only_within_one_driver() {
        let base = "{logging: {driver: json-file, options: {a: 1}}}";
        assert_eq!(
            merged(&[base, "{logging: {driver: local, options: {b: 2}}}"]),
            "{logging: {driver: local, options: {b: 2}}}"
        );
        assert_eq!(
            merged(&[base, "{logging: {options: {b: 2}}}"]),
            "{logging: {driver: json-file, options: {a: 1, b: 2}}}"
        );
    }

    #[test]
    fn reset_takes_away_and_override_takes_the_place() {
        assert_eq!(
            merged(&[
                "{ports: ['1:1'], environment: {A: 1, B: 2}, dns: [1.1.1.1], labels: {x: 1}}",
                "{ports: !reset [], environment: {A: !reset null}, dns: !override 2.2.2.2, \
                 labels: !override {y: !reset 1, z: 1}}",
            ]),
            "{dns: [2.2.2.2], environment: {B: 2}, labels: {z: 1}}"
        );
        assert_eq!(merged(&["{dns: !reset 1.1.1.1, image: !override a}"]), "{image: a}");
    }

    #[test]
    fn our_extension_is_merged_and_those_of_others_are_replaced() {
        assert_eq!(
            merged(&[
                "{x-reconciler: {a: 1, list: [1]}, x-other: {a: 1}}",
                "{x-reconciler: {b: 2, list: [2]}, x-other: {b: 2}}",
            ]),
            "{x-other: {b: 2}, x-reconciler: {a: 1, b: 2, list: [1, 2]}}"
        );
    }

    #[test]
    fn the_place_of_a_merged_value_is_where_it_was_said_last() {
        let at = |file, start| Span { file, start, end: start + 1 };
        let text = |file, text: &str| {
            let mut root = Node::text(text, at(file, 9));
            for key in ["image", "a", "services"] {
                let entry = Entry { key: at(file, 5), node: root };
                let mapping = BTreeMap::from([(key.to_owned(), entry)]);
                root = Node::new(Kind::Mapping(mapping), at(file, 1));
            }
            root
        };
        let merged = merge(text(0, "one"), text(1, "two"));
        assert_eq!(merged.at("services.a.image").map(|node| node.span), Some(at(1, 9)));
    }
}
