//! Command lines: how one text becomes words without a shell.

use super::scalar::{self, Scalar, is_sensitive, shown};
use super::{Path, Reader, text};
use crate::compose::node::{Kind, Node, Tag};

/// What became of a command line.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    words: Vec<String>,
    /// What stands from the first shell operator on; it is no part of the command.
    dropped: Option<String>,
}

impl Reader<'_> {
    /// Reads a command: a line, which is split into words, or a list of words. Null means
    /// the image's.
    pub(super) fn command(&mut self, node: Node, path: &Path<'_>) -> Kind {
        let (span, sensitive) = (node.span, is_sensitive(&node));
        match node.kind {
            Kind::Null => return Kind::Null,
            Kind::Sequence(items) => return self.word_list(items, path),
            Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Real(_)
            | Kind::Text(_)
            | Kind::Mapping(_) => {}
        }
        let line_shown = shown(&node);
        let Some(Scalar::Text(written)) = scalar::resolve(&node) else {
            let problem = self.wrong(&node, "a command line or a list of words", path);
            if let Some(written) = node.as_text().filter(|_| !sensitive) {
                problem.help(format!("write it in quotes: \"{written}\""));
            }
            return Kind::Null;
        };
        let Some(line) = split(&written) else {
            self.problems
                .error(
                    span,
                    path.to_string(),
                    format!("{line_shown} has an open quote, escape or parenthesis"),
                )
                .help("no shell reads it; write `[\"sh\", \"-c\", \"…\"]` if one should");
            return Kind::Null;
        };
        if let Some(dropped) = line.dropped {
            let message = if sensitive {
                "what stands from the shell operator on is no part of the command".into()
            } else {
                format!("`{dropped}` is no part of the command: no shell reads it")
            };
            self.problems
                .warning(span, path.to_string(), message)
                .help("write `[\"sh\", \"-c\", \"…\"]` if a shell should read it");
        }
        let words = line.words.into_iter();
        Kind::Sequence(words.map(|word| Node::new(text(word, sensitive), span)).collect())
    }

    /// Reads a health test: a shell line, or a list that says how it is run.
    pub(super) fn health_test(&mut self, node: Node, path: &Path<'_>) -> Kind {
        let (span, sensitive) = (node.span, is_sensitive(&node));
        match node.kind {
            Kind::Sequence(items) => {
                let kind = self.word_list(items, path);
                if let Kind::Sequence(words) = &kind
                    && let Some(first) = words.first()
                    && !matches!(first.as_text(), Some("CMD" | "CMD-SHELL" | "NONE"))
                {
                    let message = "the list must begin with `CMD`, `CMD-SHELL` or `NONE`";
                    self.problems.error(first.span, path.to_string(), message);
                }
                kind
            }
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Real(_)
            | Kind::Text(_)
            | Kind::Mapping(_) => {
                let Kind::Text(line) = self.text(&node, path) else { return Kind::Null };
                Kind::Sequence(vec![
                    Node::text("CMD-SHELL", span),
                    Node::new(text(line.text, sensitive), span),
                ])
            }
        }
    }

    fn word_list(&mut self, items: Vec<Node>, path: &Path<'_>) -> Kind {
        let mut words = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let (span, tag) = (item.span, item.tag);
            if tag != Tag::Reset {
                let kind = self.text(&item, &Path::Item(path, index));
                words.push(Node { kind, span, tag });
            }
        }
        Kind::Sequence(words)
    }
}

/// Splits a line into words as Compose does: quotes and backslashes group, nothing is
/// substituted, and a shell operator ends the command. Nothing when something stays open.
fn split(line: &str) -> Option<Line> {
    let mut splitter = Splitter::default();
    for (place, letter) in line.char_indices() {
        if splitter.is_bare() && matches!(letter, ';' | '&' | '|' | '<' | '>') {
            // A number right before `>` names the stream, not an argument.
            if letter == '>' && splitter.word.starts_with(|c: char| c.is_ascii_digit()) {
                splitter.begun = false;
            }
            let dropped = line.get(place..).map(str::to_owned);
            return splitter.finish(dropped);
        }
        splitter.take(letter)?;
    }
    splitter.finish(None)
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the quotes can be open independently of one another"
)]
struct Splitter {
    words: Vec<String>,
    word: String,
    /// A word has begun, even if it is still empty.
    begun: bool,
    escaped: bool,
    single: bool,
    double: bool,
    back: bool,
    /// Inside `$(…)`.
    dollar: bool,
}

impl Splitter {
    const fn is_quoted(&self) -> bool {
        self.single || self.double || self.back || self.dollar
    }

    const fn is_bare(&self) -> bool {
        !self.escaped && !self.is_quoted()
    }

    /// Takes one letter; nothing when it cannot stand there.
    fn take(&mut self, letter: char) -> Option<()> {
        if self.escaped {
            self.escaped = false;
            self.keep(letter);
            return Some(());
        }
        match letter {
            '\\' if !self.single => self.escaped = true,
            ' ' | '\t' | '\r' | '\n' if !self.is_quoted() => self.end_word(),
            '"' if !self.single && !self.dollar => {
                self.begun |= self.double;
                self.double = !self.double;
            }
            '\'' if !self.double && !self.dollar => {
                self.begun |= self.single;
                self.single = !self.single;
            }
            '`' if !self.single && !self.double && !self.dollar => {
                self.back = !self.back;
                self.keep(letter);
            }
            '(' if !self.single && !self.double && !self.back => {
                if self.dollar || !self.word.ends_with('$') {
                    return None;
                }
                self.dollar = true;
                self.keep(letter);
            }
            ')' if !self.single && !self.double && !self.back => {
                self.dollar = !self.dollar;
                self.keep(letter);
            }
            _ => self.keep(letter),
        }
        Some(())
    }

    fn keep(&mut self, letter: char) {
        self.word.push(letter);
        self.begun = true;
    }

    fn end_word(&mut self) {
        if std::mem::take(&mut self.begun) {
            self.words.push(std::mem::take(&mut self.word));
        } else {
            self.word.clear();
        }
    }

    fn finish(mut self, dropped: Option<String>) -> Option<Line> {
        if self.escaped || self.is_quoted() {
            return None;
        }
        self.end_word();
        Some(Line { words: self.words, dropped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        split(line).map(|line| line.words)
    }

    #[test]
    fn quotes_and_backslashes_group_words() {
        for (line, expected) in [
            (r#"a "b c" d\ e `x`"#, vec!["a", "b c", "d e", "`x`"]),
            (r#"a 'b' "c\"d""#, vec!["a", "b", "c\"d"]),
            (r"a\nb c\td", vec!["anb", "ctd"]),
            (r#""" a"#, vec!["", "a"]),
            ("a''b", vec!["ab"]),
            ("a $(b;c) d", vec!["a", "$(b;c)", "d"]),
            ("a  $(b c)\n d", vec!["a", "$(b c)", "d"]),
            ("a`b c`d", vec!["a`b c`d"]),
            ("", vec![]),
        ] {
            assert_eq!(words(line).expect(line), expected, "{line}");
        }
    }

    #[test]
    fn a_shell_operator_ends_the_command() {
        for (line, expected, dropped) in [
            ("echo a && echo b", vec!["echo", "a"], "&& echo b"),
            ("a | b", vec!["a"], "| b"),
            ("a 2>b", vec!["a"], ">b"),
            ("a2>b", vec!["a2"], ">b"),
        ] {
            let line = split(line).expect(line);
            assert_eq!(line.words, expected);
            assert_eq!(line.dropped.as_deref(), Some(dropped));
        }
    }

    #[test]
    fn what_stays_open_is_an_error() {
        for line in ["a \"b", "a)b", "a (b)", "a 'b", "a\\", "a `b", "$(a"] {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
