//! The `$` grammar of Compose, on one text.
//!
//! `$$`, `$VAR`, `${VAR}`, and with a word: `${VAR:-default}`, `${VAR-default}`,
//! `${VAR:?message}`, `${VAR?message}`, `${VAR:+other}`, `${VAR+other}`; with the colon an
//! empty value counts as none. A word may hold references of its own.

use std::ops::Range;

use super::variables::Variable;
use crate::state::secret::is_sensitive_name;

/// How deep references may stand in the words of others.
const MOST_DEPTH: usize = 32;

/// How long a text may become.
const MOST_BYTES: usize = 1024 * 1024;

/// After so many faults the rest of a text is not looked at.
const MOST_FAULTS: usize = 20;

/// What a text became.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The text.
    pub text: String,
    /// A secret went into it.
    pub sensitive: bool,
    /// It is not as it was written.
    pub changed: bool,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The variables that were needed and are not set, and where in the text.
    pub unset: Vec<(String, Range<usize>)>,
}

/// One thing that is wrong with a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where in the text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<&'static str>,
}

/// Replaces the references of a text.
///
/// A word that is not needed is checked for its grammar, and nothing else: it may name
/// variables that are not set, or demand them.
pub fn expand<'v>(text: &str, lookup: &dyn Fn(&str) -> Option<&'v Variable>) -> Expanded {
    let out = Expanded::default();
    let mut expander = Expander { lookup, whole: text, full: false, out };
    expander.run(0..text.len(), true, 0);
    expander.out.changed = expander.out.text != text;
    expander.out
}

struct Expander<'a, 'v> {
    lookup: &'a dyn Fn(&str) -> Option<&'v Variable>,
    whole: &'a str,
    /// Enough was found wrong: the rest is not looked at.
    full: bool,
    out: Expanded,
}

/// What stands between a name and its word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Default,
    Required,
    Replacement,
}

impl<'v> Expander<'_, 'v> {
    /// Expands a part of the text; what is not `wanted` is only checked.
    fn run(&mut self, range: Range<usize>, wanted: bool, depth: usize) {
        let mut at = range.start;
        while let Some(rest) =
            self.whole.get(at..range.end).filter(|rest| !rest.is_empty())
        {
            if self.full {
                return;
            }
            let dollar = rest.find('$').unwrap_or(rest.len());
            self.push(rest.get(..dollar).unwrap_or_default(), wanted);
            if dollar == rest.len() {
                return;
            }
            at = self.reference(at + dollar, range.end, wanted, depth);
        }
    }

    /// Expands what begins with a `$`, and returns where it ends.
    fn reference(&mut self, at: usize, end: usize, wanted: bool, depth: usize) -> usize {
        let rest = self.whole.get(at + 1..end).unwrap_or_default();
        if rest.starts_with('$') {
            self.push("$", wanted);
            return at + 2;
        }
        if rest.starts_with('{') {
            return self.braced(at, end, wanted, depth);
        }
        let name = name_of(rest);
        let after = at + 1 + name.len();
        if name.is_empty() {
            self.push("$", wanted);
        } else if wanted {
            self.variable(name, at..after);
        }
        after
    }

    /// Expands `${…}`, and returns where it ends.
    fn braced(&mut self, at: usize, end: usize, wanted: bool, depth: usize) -> usize {
        let inner = at + 2;
        let Some(close) = closing_brace(self.whole.get(at..end).unwrap_or_default())
        else {
            self.fault(at..end, "this `${` is never closed by `}`", None);
            return end;
        };
        let close = at + close;
        let body = self.whole.get(inner..close).unwrap_or_default();
        let name = name_of(body);
        let tail = body.get(name.len()..).unwrap_or_default();
        let range = at..close + 1;
        if name.is_empty() {
            let message = if body.is_empty() {
                "`${}` names no variable"
            } else {
                "`${` must be followed by the name of a variable"
            };
            self.fault(
                range,
                message,
                Some("a `$` that is no reference is written `$$`"),
            );
        } else if tail.is_empty() {
            if wanted {
                self.variable(name, range);
            }
        } else if let Some((operator, colon, skip)) = operator_of(tail) {
            if depth >= MOST_DEPTH {
                self.fault(range, "references stand too deep in one another", None);
            } else {
                let word = inner + name.len() + skip..close;
                let reference = Reference { name, operator, colon, word, range };
                self.with_word(reference, wanted, depth + 1);
            }
        } else {
            let help =
                "after the name `}` or one of `:-`, `-`, `:?`, `?`, `:+`, `+` follows";
            self.fault(range, "this is no reference that Compose knows", Some(help));
        }
        close + 1
    }

    fn with_word(&mut self, reference: Reference<'_>, wanted: bool, depth: usize) {
        let Reference { name, operator, colon, word, range } = reference;
        let value =
            (self.lookup)(name).filter(|variable| !(colon && variable.text.is_empty()));
        match operator {
            Operator::Replacement => self.run(word, wanted && value.is_some(), depth),
            Operator::Default => self.defaulted(name, value, word, (wanted, depth)),
            Operator::Required => {
                self.required(name, value, word, range, (wanted, depth));
            }
        }
    }

    /// Takes a value, or the word. What stands in for a password is a password.
    fn defaulted(
        &mut self,
        name: &str,
        value: Option<&'v Variable>,
        word: Range<usize>,
        (wanted, depth): (bool, usize),
    ) {
        let start = self.out.text.len();
        self.run(word, wanted && value.is_none(), depth);
        if let Some(variable) = value.filter(|_| wanted) {
            self.take(variable);
        } else if self.out.text.len() > start {
            self.out.sensitive |= is_sensitive_name(name);
        }
    }

    /// Takes a value, or reports its absence with the message of the file.
    fn required(
        &mut self,
        name: &str,
        value: Option<&'v Variable>,
        word: Range<usize>,
        range: Range<usize>,
        (wanted, depth): (bool, usize),
    ) {
        let missing = wanted && value.is_none();
        let start = self.out.text.len();
        let was_sensitive = self.out.sensitive;
        self.run(word, missing, depth);
        let message = self.out.text.split_off(start);
        if let Some(variable) = value.filter(|_| wanted) {
            self.take(variable);
        }
        if missing {
            let secret = self.out.sensitive && !was_sensitive;
            let said = if message.is_empty() || secret {
                format!("the variable {name} is required and has no value")
            } else {
                format!("the variable {name} is required and has no value: {message}")
            };
            self.fault(
                range,
                &said,
                Some("set it in the environment or in the .env file"),
            );
        }
    }

    fn variable(&mut self, name: &str, range: Range<usize>) {
        match (self.lookup)(name) {
            Some(variable) => self.take(variable),
            None => self.out.unset.push((name.to_owned(), range)),
        }
    }

    fn take(&mut self, variable: &Variable) {
        self.out.sensitive |= variable.sensitive && !variable.text.is_empty();
        self.push(&variable.text, true);
    }

    fn push(&mut self, text: &str, wanted: bool) {
        if !wanted || text.is_empty() {
            return;
        }
        if self.out.text.len() + text.len() > MOST_BYTES {
            if !self.out.faults.iter().any(|fault| fault.range == (0..self.whole.len())) {
                self.fault(
                    0..self.whole.len(),
                    "this becomes more than 1 MiB long",
                    None,
                );
            }
            return;
        }
        self.out.text.push_str(text);
    }

    fn fault(&mut self, range: Range<usize>, message: &str, help: Option<&'static str>) {
        self.out.faults.push(Fault { range, message: message.to_owned(), help });
        self.full |= self.out.faults.len() >= MOST_FAULTS;
    }
}

/// A reference with a word.
struct Reference<'a> {
    name: &'a str,
    operator: Operator,
    colon: bool,
    word: Range<usize>,
    range: Range<usize>,
}

/// Returns the name at the front of a text; empty when there is none.
fn name_of(text: &str) -> &str {
    let starts =
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let end = if starts { end.unwrap_or(text.len()) } else { 0 };
    text.get(..end).unwrap_or_default()
}

/// Returns the operator at the front of a text, whether it has a colon, and its length.
fn operator_of(text: &str) -> Option<(Operator, bool, usize)> {
    let (colon, rest) = match text.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let operator = match rest.bytes().next()? {
        b'-' => Operator::Default,
        b'?' => Operator::Required,
        b'+' => Operator::Replacement,
        _other => return None,
    };
    Some((operator, colon, usize::from(colon) + 1))
}

/// Returns the offset of the `}` that closes the `${` at the front; only `${` nests.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'$' if bytes.get(at + 1) == Some(&b'{') => open += 1,
            b'}' => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return Some(at);
                }
            }
            _other => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
