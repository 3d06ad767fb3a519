//! The canonical long form of one document, and everything that is wrong with it.
//!
//! One walk over the tree, led by the shapes of the attribute table. Read in this order:
//! [`mapping`] (keys), [`list`] (items), [`scalar`] (what plain text is), [`mod@typed`] (one
//! value), then the short forms: [`pairs`], [`words`], [`ports`], [`mounts`], [`short`].

mod list;
mod mapping;
mod mounts;
mod pairs;
mod path;
mod ports;
mod scalar;
mod short;
#[cfg(test)]
mod tests;
mod timestamp;
mod typed;
mod words;

use super::attribute::shape::Shape;
use super::attribute::stack;
use super::node::{Kind, Node, Tag, Text};
use super::problem::{Problem, Problems};
use path::Path;

/// Turns one parsed and interpolated document into its canonical long form.
///
/// Every value keeps its place and its tag, and every text stays sensitive that was so.
/// All problems are reported, each with the canonical path; where one is an error, null
/// stands in the result. Defaults are filled in where a list item has to have them; the
/// others are printed by [`super::render`].
pub fn canonicalise(root: Node, problems: &mut Problems) -> Node {
    let mut reader = Reader { problems, ignoring: false, ports: MOST_PORTS };
    if matches!(root.kind, Kind::Null) {
        reader.wrong(&root, "a mapping", &Path::Root);
        return root;
    }
    reader.read(root, &stack::ROOT, &Path::Root)
}

/// Types a tree of which nothing is known, as [`Shape::Any`] is.
pub fn typed(node: Node) -> Node {
    let (span, tag) = (node.span, node.tag);
    Node { kind: scalar::any(node), span, tag }
}

/// Tells whether plain text is text, and not a number, a date or the like.
pub fn is_plain_text(text: &str) -> bool {
    matches!(scalar::plain(text), scalar::Scalar::Text(_))
}

/// How many ports a document may publish: a range is short to write and long to read.
const MOST_PORTS: usize = 100_000;

/// The state of the walk.
struct Reader<'p> {
    problems: &'p mut Problems,
    /// Inside an attribute that is ignored as a whole: one warning is enough.
    ignoring: bool,
    /// How many more ports may come.
    ports: usize,
}

impl Reader<'_> {
    /// Reads a value of a shape; `!reset` takes the key away, so that its value is nothing.
    fn read(&mut self, node: Node, shape: &'static Shape, path: &Path<'_>) -> Node {
        let (span, tag) = (node.span, node.tag);
        let kind = match tag {
            Tag::Reset => Kind::Null,
            Tag::None | Tag::Override => self.kind(node, shape, path),
        };
        Node { kind, span, tag }
    }

    fn kind(&mut self, node: Node, shape: &'static Shape, path: &Path<'_>) -> Kind {
        match *shape {
            Shape::Any => scalar::any(node),
            Shape::Text => self.text(&node, path),
            Shape::Word => self.word(&node, path),
            Shape::Choice(choices) => self.choice(&node, choices, path),
            Shape::PullPolicy => self.pull_policy(&node, path),
            Shape::Boolean => self.boolean(&node, path),
            Shape::Integer | Shape::Percent => self.integer(&node, path),
            Shape::Number => self.number(&node, path),
            Shape::Bytes => self.bytes(&node, path),
            Shape::Duration => self.duration(&node, path),
            Shape::Count => self.count(&node, path),
            Shape::Command => self.command(node, path),
            Shape::HealthTest => self.health_test(node, path),
            Shape::List(inner) => self.list(node, inner, path),
            Shape::OneOrMore(inner) => self.one_or_more(node, inner, path),
            Shape::Map(inner) => self.map(node, inner, path),
            Shape::Named(inner) => self.named(node, inner, path),
            Shape::Pairs(missing) => self.pairs(node, missing, path),
            Shape::ExtraHosts => self.extra_hosts(node, path),
            Shape::IntegerOr(rows) => self.integer_or(node, shape, rows, path),
            Shape::Short(short, _) => self.short(node, short, shape, path),
            Shape::Keys(_) | Shape::Families(_) => self.keys(node, shape, path),
        }
    }

    /// Reports that a value is not what is needed, and stands null in its place.
    fn wrong(&mut self, node: &Node, needed: &str, path: &Path<'_>) -> &mut Problem {
        let found = scalar::found(node);
        self.problems.error(
            node.span,
            path.to_string(),
            format!("{found}; {needed} is needed"),
        )
    }
}

/// Makes a canonical text: what it was derived from says whether it is sensitive.
fn text(text: impl Into<String>, sensitive: bool) -> Kind {
    Kind::Text(Text { text: text.into(), plain: false, sensitive })
}
