//! Parser events become trees; anchors, aliases and merge keys are resolved on the way.

use std::collections::BTreeMap;

use granit_parser::{Event, ScalarStyle, Span as Place, Tag as YamlTag};

use super::{
    MOST_DEPTH, MOST_DOCUMENTS, MOST_FAULTS, MOST_NODES, MOST_TEXT, scalar, span,
};
use crate::compose::node::{Entry, Kind, Mapping, Node, Tag};
use crate::compose::problem::{Problem, Problems, Span};

/// Builds the documents of one file. A step that returns nothing has reported an error
/// after which reading on makes no sense.
pub(super) struct Builder<'a> {
    file: u16,
    text: &'a str,
    problems: &'a mut Problems,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Part>,
    used: Size,
    documents: Vec<Node>,
    faults: usize,
}

/// A list or mapping whose end is not reached yet.
struct Open {
    start: usize,
    anchor: usize,
    tag: Tag,
    size: Size,
    height: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Mapping, merges: Vec<Node>, key: Option<Key> },
}

/// A key that waits for its value.
enum Key {
    Named(String, Span),
    Merge,
    /// A key that was reported: its value is read and dropped.
    Faulty,
}

/// A finished tree, with what copying it would cost.
#[derive(Clone)]
struct Part {
    node: Node,
    size: Size,
    height: usize,
}

#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    text: usize,
}

impl<'a> Builder<'a> {
    pub(super) const fn new(
        file: u16,
        text: &'a str,
        problems: &'a mut Problems,
    ) -> Self {
        Self {
            file,
            text,
            problems,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            used: Size { nodes: 0, text: 0 },
            documents: Vec::new(),
            faults: 0,
        }
    }

    pub(super) fn finish(self) -> Option<Vec<Node>> {
        (self.faults == 0).then_some(self.documents)
    }

    /// Takes one event of the parser.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum is open; all other events are no nodes"
    )]
    pub(super) fn take(&mut self, event: Event<'_>, place: &Place) -> Option<()> {
        let range = place.byte_range().unwrap_or(0..0);
        let tag_span =
            place.tag_span().and_then(|tag| tag.byte_range()).unwrap_or(range.clone());
        let at = span(self.file, range.clone());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag_span = span(self.file, tag_span);
                self.scalar(&text, style, anchor, tag.as_deref(), at, tag_span)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let tag = self.tag(tag.as_deref(), "seq", tag_span)?;
                self.begin(range.start, anchor, tag, Content::Sequence(Vec::new()), at)
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = self.tag(tag.as_deref(), "map", tag_span)?;
                let content = Content::Mapping {
                    entries: Mapping::new(),
                    merges: Vec::new(),
                    key: None,
                };
                self.begin(range.start, anchor, tag, content, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range.end),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::DocumentStart(..) if self.documents.len() == MOST_DOCUMENTS => self
                .fail(at, format!("the file has more than {MOST_DOCUMENTS} documents")),
            _ => Some(()),
        }
    }

    /// Reports what the parser could not read.
    pub(super) fn syntax_error(
        &mut self,
        offset: usize,
        message: &str,
        help: Option<&'static str>,
    ) {
        let (at, path) = (span(self.file, offset..self.after(offset)), self.path());
        let opened = self.unclosed();
        let problem = self.problems.error(at, path, message);
        if let Some(help) = help {
            problem.help(help);
        }
        if let Some((place, bracket)) = opened {
            problem.see(place, format!("this `{bracket}` is still open"));
        }
    }

    /// Returns the innermost `[` or `{` that is open.
    fn unclosed(&self) -> Option<(Span, char)> {
        let start = self.open.last()?.start;
        let bracket = self.text.get(start..)?.chars().next()?;
        matches!(bracket, '[' | '{').then(|| (span(self.file, start..start + 1), bracket))
    }

    /// Returns the offset after the character at an offset.
    fn after(&self, offset: usize) -> usize {
        let next = self.text.get(offset..).and_then(|rest| rest.chars().next());
        offset + next.filter(|next| *next != '\n').map_or(0, char::len_utf8)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&YamlTag>,
        at: Span,
        tag_at: Span,
    ) -> Option<()> {
        // What the parser calls `~` and nobody wrote is nothing.
        let text = if at.start == at.end { "" } else { text };
        let (kind, merge_tag) = match scalar::kind(text, style, tag) {
            Ok(kind) => kind,
            Err(message) => return self.fail(tag_at, message),
        };
        let node = Node { kind, span: self.trimmed(at), tag: merge_tag };
        let size = Size { nodes: 1, text: text.len() };
        self.spend(size, at)?;
        let part = Part { node, size, height: 0 };
        self.remember(anchor, &part, at)?;
        self.place(part, style == ScalarStyle::Plain && tag.is_none())
    }

    /// Cuts the line ends that a block text has after its last line.
    fn trimmed(&self, at: Span) -> Span {
        let raw = self.text.get(at.start as usize..at.end as usize).unwrap_or_default();
        let length = raw.trim_end().len();
        span(self.file, at.start as usize..at.start as usize + length)
    }

    fn tag(
        &mut self,
        tag: Option<&YamlTag>,
        name: &str,
        at: std::ops::Range<usize>,
    ) -> Option<Tag> {
        match scalar::collection_tag(tag, name) {
            Ok(tag) => Some(tag),
            Err(message) => {
                self.fail(span(self.file, at), message)?;
                None
            }
        }
    }

    fn begin(
        &mut self,
        start: usize,
        anchor: usize,
        tag: Tag,
        content: Content,
        at: Span,
    ) -> Option<()> {
        if self.awaits_key() {
            return self.fail(at, "a list or mapping cannot be a key".to_owned());
        }
        self.check_depth(1, at)?;
        let size = Size { nodes: 1, text: 0 };
        self.spend(size, at)?;
        self.open.push(Open { start, anchor, tag, size, height: 1, content });
        Some(())
    }

    fn end(&mut self, end: usize) -> Option<()> {
        let Open { start, anchor, tag, size, height, content } = self.open.pop()?;
        let bracket = matches!(self.text.get(start..=start), Some("[" | "{"));
        let (kind, block_end) = match content {
            Content::Sequence(items) => (Kind::Sequence(items), start + 1),
            Content::Mapping { mut entries, merges, .. } => {
                let first = entries
                    .values()
                    .map(|entry| entry.key)
                    .filter(|key| key.start as usize == start)
                    .map(|key| key.end as usize)
                    .next();
                self.merge_into(&mut entries, merges)?;
                (Kind::Mapping(entries), first.unwrap_or(start + 1))
            }
        };
        let at = span(self.file, start..if bracket { end } else { block_end });
        let part = Part { node: Node { kind, span: at, tag }, size, height };
        self.remember(anchor, &part, at)?;
        self.place(part, false)
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Option<()> {
        let Some(part) = self.anchors.get(&anchor) else {
            return self.fail(at, "this alias stands inside what it names".to_owned());
        };
        let (size, height) = (part.size, part.height);
        self.check_depth(height, at)?;
        self.spend(size, at)?;
        let mut part = self.anchors.get(&anchor)?.clone();
        if self.awaits_key() {
            part.node.span = at;
        }
        self.place(part, false)
    }

    /// Keeps a tree for its aliases. The copy is paid for like any other.
    fn remember(&mut self, anchor: usize, part: &Part, at: Span) -> Option<()> {
        if anchor != 0 {
            self.spend(part.size, at)?;
            self.anchors.insert(anchor, part.clone());
        }
        Some(())
    }

    /// Puts a finished tree where it belongs.
    fn place(&mut self, part: Part, may_merge: bool) -> Option<()> {
        if self.awaits_key() {
            return self.take_key(part.node, may_merge);
        }
        let Some(top) = self.open.last_mut() else {
            self.documents.push(part.node);
            return Some(());
        };
        top.size.nodes += part.size.nodes;
        top.size.text += part.size.text;
        top.height = top.height.max(part.height + 1);
        match &mut top.content {
            Content::Sequence(items) => items.push(part.node),
            Content::Mapping { entries, merges, key } => match key.take() {
                Some(Key::Named(name, key)) => {
                    entries.insert(name, Entry { key, node: part.node });
                }
                Some(Key::Merge) => merges.push(part.node),
                Some(Key::Faulty) | None => {}
            },
        }
        Some(())
    }

    fn awaits_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|top| matches!(top.content, Content::Mapping { key: None, .. }))
    }

    /// Takes the key of the next value; a key that is no text, or is there already, is
    /// reported and reading goes on.
    fn take_key(&mut self, node: Node, may_merge: bool) -> Option<()> {
        let at = node.span;
        let name = match node.kind {
            Kind::Text(text) if !text.plain || !scalar::is_typed(&text.text) => text.text,
            Kind::Text(text) => {
                let message = format!("the key {} is not text", text.text);
                self.report(at, message).help(format!("write \"{}\"", text.text));
                return self.set_key(Key::Faulty);
            }
            Kind::Null => {
                self.report(at, "a key is missing before this `:`".to_owned());
                return self.set_key(Key::Faulty);
            }
            Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Real(_)
            | Kind::Sequence(_)
            | Kind::Mapping(_) => {
                return self.fail(at, "a list or mapping cannot be a key".to_owned());
            }
        };
        let is_merge = may_merge && name == "<<";
        if let Some(first) = self.first_of(&name, is_merge) {
            self.report(at, format!("the key `{name}` is there twice"))
                .help("delete one of them, or write both into one")
                .see(first, "it is here already");
            return self.set_key(Key::Faulty);
        }
        self.set_key(if is_merge { Key::Merge } else { Key::Named(name, at) })
    }

    fn set_key(&mut self, new: Key) -> Option<()> {
        if self.faults >= MOST_FAULTS {
            return None;
        }
        if let Content::Mapping { key, .. } = &mut self.open.last_mut()?.content {
            *key = Some(new);
        }
        Some(())
    }

    /// Returns the place of a key that the open mapping has already.
    fn first_of(&self, name: &str, is_merge: bool) -> Option<Span> {
        let Content::Mapping { entries, merges, .. } = &self.open.last()?.content else {
            return None;
        };
        if is_merge {
            merges.first().map(|node| node.span)
        } else {
            entries.get(name).map(|entry| entry.key)
        }
    }

    /// Adds what `<<` brings: keys of the mapping itself win, then earlier mappings.
    fn merge_into(&mut self, entries: &mut Mapping, merges: Vec<Node>) -> Option<()> {
        for merge in merges {
            let sources = match merge.kind {
                Kind::Sequence(items) => items,
                Kind::Null
                | Kind::Bool(_)
                | Kind::Int(_)
                | Kind::Real(_)
                | Kind::Text(_)
                | Kind::Mapping(_) => vec![merge],
            };
            for source in sources {
                let Kind::Mapping(mapping) = source.kind else {
                    let message = "`<<` takes a mapping, or a list of mappings";
                    return self.fail(source.span, message.to_owned());
                };
                for (name, entry) in mapping {
                    entries.entry(name).or_insert(entry);
                }
            }
        }
        Some(())
    }

    fn check_depth(&mut self, height: usize, at: Span) -> Option<()> {
        if self.open.len() + height <= MOST_DEPTH {
            return Some(());
        }
        self.fail(at, format!("lists and mappings stand more than {MOST_DEPTH} deep"))
    }

    /// Counts what a tree takes, aliases and the copies kept for them included.
    fn spend(&mut self, size: Size, at: Span) -> Option<()> {
        self.used.nodes += size.nodes;
        self.used.text += size.text;
        if self.used.nodes <= MOST_NODES && self.used.text <= MOST_TEXT {
            return Some(());
        }
        self.fail(
            at,
            format!(
                "the file is too large: with its aliases expanded it has more than \
                 {MOST_NODES} values or {MOST_TEXT} bytes of text"
            ),
        )
    }

    /// Reports an error that ends reading.
    fn fail(&mut self, at: Span, message: String) -> Option<()> {
        self.report(at, message);
        None
    }

    fn report(&mut self, at: Span, message: String) -> &mut Problem {
        self.faults += 1;
        let path = self.path();
        self.problems.error(at, path, message)
    }

    /// Returns the dotted path of the mapping that is open.
    fn path(&self) -> String {
        let names = self.open.iter().filter_map(|open| match &open.content {
            Content::Mapping { key: Some(Key::Named(name, _)), .. } => {
                Some(name.as_str())
            }
            Content::Mapping { .. } | Content::Sequence(_) => None,
        });
        names.collect::<Vec<_>>().join(".")
    }
}
