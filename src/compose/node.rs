//! The YAML tree, with the place of every key and value.

use std::collections::BTreeMap;

use super::problem::Span;
use crate::state::secret::Secret;
use crate::state::value::{Real, Value};

/// A value and its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub kind: Kind,
    /// The place of the value.
    pub span: Span,
    /// What a merge does with it; see `!reset` and `!override`.
    pub tag: Tag,
}

/// What a merge does with a value of a later file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Tag {
    /// As its key says.
    #[default]
    None,
    /// `!reset`: the key is taken away.
    Reset,
    /// `!override`: it takes the place of the earlier value.
    Override,
}

/// The value of a node.
///
/// Reading YAML makes nulls, texts, sequences and mappings; the other kinds appear when
/// the attribute table has given a text its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`, `~` or nothing at all.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Real(Real),
    /// Text, not typed yet when it is plain.
    Text(Text),
    /// A list.
    Sequence(Vec<Node>),
    /// Named values.
    Mapping(Mapping),
}

/// Named values, each with the place of its key.
pub type Mapping = BTreeMap<String, Entry>;

/// A value and the place of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The place of the key.
    pub key: Span,
    /// The value.
    pub node: Node,
}

/// A scalar as it was written, or after interpolation.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// The characters.
    pub text: String,
    /// It was written without quotes, so that `8080` or `true` may have another type.
    pub plain: bool,
    /// A variable that holds a secret went into it.
    pub sensitive: bool,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.sensitive {
            f.write_str(crate::state::secret::CONCEALED)
        } else {
            std::fmt::Debug::fmt(&self.text, f)
        }
    }
}

impl Node {
    /// Makes a node with no tag.
    pub const fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span, tag: Tag::None }
    }

    /// Makes a text that was not written by hand: it has no other type.
    pub fn text(text: impl Into<String>, span: Span) -> Self {
        Self::new(
            Kind::Text(Text { text: text.into(), plain: false, sensitive: false }),
            span,
        )
    }

    /// Returns the mapping of a mapping.
    pub const fn as_mapping(&self) -> Option<&Mapping> {
        if let Kind::Mapping(mapping) = &self.kind { Some(mapping) } else { None }
    }

    /// Returns the mapping of a mapping, to change it.
    pub const fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        if let Kind::Mapping(mapping) = &mut self.kind { Some(mapping) } else { None }
    }

    /// Returns the items of a sequence, to change them; nothing for any other kind.
    pub fn items_mut(&mut self) -> &mut [Self] {
        if let Kind::Sequence(items) = &mut self.kind { items } else { &mut [] }
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.as_mapping_mut()?.get_mut(key).map(|entry| &mut entry.node)
    }

    /// Iterates over the entries of a mapping; over nothing for any other kind.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        let entries = self.as_mapping().into_iter().flatten();
        entries.map(|(key, entry)| (key.as_str(), entry))
    }

    /// Iterates over the entries of a mapping, to change them.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = (&str, &mut Entry)> {
        let entries = self.as_mapping_mut().into_iter().flatten();
        entries.map(|(key, entry)| (key.as_str(), entry))
    }

    /// Tells whether this says nothing.
    pub const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Returns the text of a text.
    pub fn as_text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(&text.text) } else { None }
    }

    /// Returns the items of a sequence; nothing for any other kind.
    pub fn items(&self) -> &[Self] {
        if let Kind::Sequence(items) = &self.kind { items } else { &[] }
    }

    /// Returns the entry of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.get(key).map(|entry| &entry.node)
    }

    /// Returns the node at a dotted path of mapping keys.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, key| node.get(key))
    }

    /// Says what kind of value it is, with its article, for messages.
    pub const fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) | Kind::Real(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    /// Forgets the places; texts that a secret went into become secrets.
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(number) => Value::Int(*number),
            Kind::Real(number) => Value::Real(*number),
            Kind::Text(Text { text, sensitive: true, .. }) => {
                Value::Secret(Secret::new(text))
            }
            Kind::Text(Text { text, .. }) => Value::text(text),
            Kind::Sequence(items) => Value::List(items.iter().map(Self::value).collect()),
            Kind::Mapping(mapping) => {
                Value::map(mapping.iter().map(|(key, entry)| (key, entry.node.value())))
            }
        }
    }
}
