//! Mappings: known keys, free names, and lists of names.

use super::{Path, Reader, text};
use crate::compose::attribute::shape::Shape;
use crate::compose::attribute::{Attribute, Empty, Honoured};
use crate::compose::merge;
use crate::compose::node::{Entry, Kind, Mapping, Node, Tag};
use crate::compose::problem::{Span, nearest};

impl Reader<'_> {
    /// Reads a mapping whose keys are rows of the shape. Null says nothing, which is
    /// hardly meant.
    pub(super) fn keys(
        &mut self,
        node: Node,
        shape: &'static Shape,
        path: &Path<'_>,
    ) -> Kind {
        match node.kind {
            Kind::Mapping(mapping) => Kind::Mapping(self.entries(mapping, shape, path)),
            Kind::Null if matches!(shape, Shape::Keys(_)) => {
                let message = "nothing stands here, so it has no effect";
                self.problems.warning(node.span, path.to_string(), message);
                Kind::Null
            }
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Real(_)
            | Kind::Text(_)
            | Kind::Sequence(_) => {
                self.wrong(&node, "a mapping", path);
                Kind::Null
            }
        }
    }

    /// Reads the entries of such a mapping.
    pub(super) fn entries(
        &mut self,
        mut mapping: Mapping,
        shape: &'static Shape,
        path: &Path<'_>,
    ) -> Mapping {
        self.adopt_external_name(&mut mapping, shape, path);
        mapping
            .into_iter()
            .filter_map(|(key, entry)| {
                let node = self.entry(&key, entry.node, entry.key, shape, path)?;
                Some((key, Entry { key: entry.key, node }))
            })
            .collect()
    }

    fn entry(
        &mut self,
        key: &str,
        node: Node,
        place: Span,
        shape: &'static Shape,
        path: &Path<'_>,
    ) -> Option<Node> {
        let path = Path::Key(path, key);
        if key.starts_with("x-") {
            return Some(self.read(node, &Shape::Any, &path));
        }
        let Some(row) = shape.row(key) else {
            self.unknown_key(key, place, shape, &path);
            return None;
        };
        let ignoring = self.ignoring;
        self.ignoring |= self.is_ignored(row, &node, place, &path);
        let node = self.read(node, &row.shape, &path);
        self.ignoring = ignoring;
        Some(self.without_repetitions(node, row, &path))
    }

    /// Says that an attribute has no effect, if anything was written.
    fn is_ignored(
        &mut self,
        row: &Attribute,
        node: &Node,
        place: Span,
        path: &Path<'_>,
    ) -> bool {
        let nothing = matches!(node.kind, Kind::Null)
            || node.as_mapping().is_some_and(Mapping::is_empty)
            || node.tag == Tag::Reset;
        if self.ignoring || nothing {
            return false;
        }
        match row.honoured {
            Honoured::Yes | Honoured::FromApi(..) => false,
            Honoured::No(why) => {
                let message = format!("`{}` is ignored: {why}", row.key);
                self.problems.warning(place, path.to_string(), message);
                true
            }
            Honoured::Unsupported(why) => {
                let message = format!("`{}` is not supported: {why}", row.key);
                self.problems.error(place, path.to_string(), message);
                false
            }
        }
    }

    fn unknown_key(&mut self, key: &str, place: Span, shape: &Shape, path: &Path<'_>) {
        let known: Vec<&str> = shape.rows().map(|row| row.key).collect();
        let problem = self.problems.error(
            place,
            path.to_string(),
            format!("the key `{key}` is unknown"),
        );
        if let Some(meant) = nearest(key, known.iter().copied()) {
            problem.help(format!("perhaps `{meant}` was meant"));
        } else if known.len() <= 12 {
            problem.help(format!("known here are `{}`", known.join("`, `")));
        } else {
            problem.help("keys of your own begin with `x-`");
        }
    }

    /// Applies the row's rule for items of one identity within one list.
    fn without_repetitions(
        &mut self,
        node: Node,
        row: &Attribute,
        path: &Path<'_>,
    ) -> Node {
        let Kind::Sequence(items) = node.kind else { return node };
        let problems = &mut *self.problems;
        let items = merge::unique(items, row.merge, |earlier, later| {
            if earlier.value() != later.value() {
                problems
                    .warning(
                        earlier.span,
                        path.to_string(),
                        "a later item takes its place, so this one has no effect",
                    )
                    .see(later.span, "the later item");
            }
        });
        Node { kind: Kind::Sequence(items), ..node }
    }

    /// Reads a mapping from free names.
    pub(super) fn map(
        &mut self,
        node: Node,
        inner: &'static Shape,
        path: &Path<'_>,
    ) -> Kind {
        let Kind::Mapping(mapping) = node.kind else {
            self.wrong(&node, "a mapping", path);
            return Kind::Null;
        };
        let entries = mapping.into_iter().map(|(name, entry)| {
            let is_null = matches!(entry.node.kind, Kind::Null);
            let node = if is_null && matches!(inner, Shape::Keys(_)) {
                // A name says enough: `networks: {front: }`.
                entry.node
            } else if is_null && matches!(inner, Shape::Word) {
                Node { kind: text("", false), ..entry.node }
            } else {
                self.read(entry.node, inner, &Path::Key(path, &name))
            };
            (name, Entry { key: entry.key, node })
        });
        Kind::Mapping(entries.collect())
    }

    /// Reads a mapping from free names, or a list of names that say nothing more.
    pub(super) fn named(
        &mut self,
        node: Node,
        inner: &'static Shape,
        path: &Path<'_>,
    ) -> Kind {
        match node.kind {
            Kind::Sequence(items) => {
                let mut mapping = Mapping::new();
                for (index, item) in items.into_iter().enumerate() {
                    let span = item.span;
                    let name = self.text(&item, &Path::Item(path, index));
                    if let Kind::Text(name) = name {
                        let node = Node::new(defaults(inner, span), span);
                        mapping.insert(name.text, Entry { key: span, node });
                    }
                }
                Kind::Mapping(mapping)
            }
            Kind::Mapping(_) => self.map(node, inner, path),
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) | Kind::Text(_) => {
                self.wrong(&node, "a mapping or a list of names", path);
                Kind::Null
            }
        }
    }

    /// Reads a whole number, or a mapping that has all of these keys.
    pub(super) fn integer_or(
        &mut self,
        node: Node,
        shape: &'static Shape,
        rows: &'static [Attribute],
        path: &Path<'_>,
    ) -> Kind {
        if !matches!(node.kind, Kind::Mapping(_)) {
            return self.integer(&node, path);
        }
        let span = node.span;
        let kind = self.keys(node, shape, path);
        for row in rows {
            self.require(&kind, row.key, span, path);
        }
        kind
    }

    /// Reports that a key is missing from a mapping that must have it.
    pub(super) fn require(
        &mut self,
        kind: &Kind,
        key: &str,
        span: Span,
        path: &Path<'_>,
    ) {
        if let Kind::Mapping(mapping) = kind
            && !mapping.contains_key(key)
        {
            self.problems.error(
                span,
                path.to_string(),
                format!("the key `{key}` is missing"),
            );
        }
    }

    /// Takes the older `external: {name: …}` as `external: true` and `name: …`.
    fn adopt_external_name(
        &mut self,
        mapping: &mut Mapping,
        shape: &Shape,
        path: &Path<'_>,
    ) {
        if shape.row("external").is_none() {
            return;
        }
        let Some(external) = mapping.get_mut("external") else { return };
        let Kind::Mapping(inner) = &mut external.node.kind else { return };
        let Some(name) = inner.remove("name") else { return };
        let place = external.key;
        if let Some(beside) = mapping.get("name") {
            if beside.node.as_text() != name.node.as_text() {
                self.problems
                    .error(
                        name.key,
                        format!("{path}.external.name"),
                        "the external thing has two names",
                    )
                    .see(beside.key, "the other name")
                    .help("keep `name` and write `external: true`");
            }
            return;
        }
        self.problems
            .warning(
                place,
                format!("{path}.external.name"),
                "`external.name` is an older form of `name`",
            )
            .help("write `external: true` and `name` beside it");
        mapping.insert("name".to_owned(), name);
    }
}

/// Returns a mapping that says nothing: what its rows print then, or null.
pub(super) fn defaults(shape: &Shape, span: Span) -> Kind {
    let mut mapping = Mapping::new();
    fill(&mut mapping, shape, span);
    if mapping.is_empty() { Kind::Null } else { Kind::Mapping(mapping) }
}

/// Adds what the rows print for keys that are not there.
pub(super) fn fill(mapping: &mut Mapping, shape: &Shape, span: Span) {
    for row in shape.rows() {
        let kind = match row.empty {
            Empty::True => Kind::Bool(true),
            Empty::Text(word) => text(word, false),
            Empty::Omitted
            | Empty::Never
            | Empty::Written
            | Empty::Null
            | Empty::Mapping => continue,
        };
        mapping
            .entry(row.key.to_owned())
            .or_insert_with(|| Entry { key: span, node: Node::new(kind, span) });
    }
}

/// Adds a key that a short form implies.
pub(super) fn put(mapping: &mut Mapping, key: &str, kind: Kind, span: Span) {
    mapping.insert(key.to_owned(), Entry { key: span, node: Node::new(kind, span) });
}

/// Returns the text of a key of a mapping, if it is text.
pub(super) fn text_of<'a>(mapping: &'a Mapping, key: &str) -> Option<&'a str> {
    mapping.get(key)?.node.as_text()
}
