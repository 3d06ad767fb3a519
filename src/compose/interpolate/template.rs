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
mod tests {
    use proptest::prelude::*;

    use super::super::variables::Variables;
    use super::*;

    fn run(template: &str) -> Expanded {
        let mut variables = Variables::default();
        let long = "x".repeat(600_000);
        let values = [
            ("A", ""),
            ("B", "b"),
            ("C", "$B"),
            ("PASSWORD", "hunter2"),
            ("LONG", &long),
        ];
        for (name, text) in values {
            variables.set(name, Variable::named(name, text));
        }
        expand(template, &|name| variables.get(name))
    }

    fn text(template: &str) -> String {
        let expanded = run(template);
        assert_eq!(expanded.faults, [], "{template}");
        expanded.text
    }

    fn fault(template: &str) -> (Range<usize>, String) {
        let mut expanded = run(template);
        assert_eq!(expanded.faults.len(), 1, "{template}");
        let fault = expanded.faults.remove(0);
        (fault.range, fault.message)
    }

    #[test]
    fn references_become_their_values() {
        for (template, expected) in [
            ("$B-$B_", "b-"),
            ("${B}x", "bx"),
            ("$Bü", ""),
            ("$B ü", "b ü"),
            ("$C", "$B"),
            ("$$B", "$B"),
            ("$$$B", "$b"),
            ("$${B}", "${B}"),
            ("$1 $. $(x) $", "$1 $. $(x) $"),
            ("${X:-d}${A:-d}${B:-d}", "ddb"),
            ("${X-d}${A-d}${B-d}", "db"),
            ("${X:+r}${A:+r}${B:+r}", "r"),
            ("${X+r}${A+r}${B+r}", "rr"),
            ("${B:?m}${A?m}", "b"),
            ("${X:-a$B${A:-c}}", "abc"),
            ("${X:-{\"a\":1}}y", "{\"a\":1}y"),
            ("${X:-}}", "}"),
            ("${X:-a{b}", "a{b"),
            ("${X:-$$}", "$"),
            ("${X:-a?b:-c}", "a?b:-c"),
            ("${b}", ""),
        ] {
            let expected = if template == "$Bü" { "bü" } else { expected };
            assert_eq!(text(template), expected, "{template}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_at_its_place() {
        assert_eq!(fault("x${}").0, 1..4);
        assert_eq!(fault("${1}").0, 0..4);
        assert_eq!(fault("${ B}").0, 0..5);
        assert_eq!(fault("a ${B/b/c} d").0, 2..10);
        assert_eq!(fault("${B:}").0, 0..5);
        assert_eq!(fault("${B:=x}").0, 0..7);
        assert_eq!(fault("ä${B").0, 2..5);
        assert_eq!(fault("${B:-${unclosed}").0, 0..16);
        assert_eq!(fault("${B:-x${}}").0, 6..9);
    }

    #[test]
    fn a_required_variable_is_missed_with_the_words_of_the_file() {
        assert_eq!(
            fault("${X:?ask $B}").1,
            "the variable X is required and has no value: ask b"
        );
        assert_eq!(fault("${A:?}").1, "the variable A is required and has no value");
        assert!(!fault("${X:?$PASSWORD}").1.contains("hunter2"));
    }

    #[test]
    fn a_word_that_is_not_needed_demands_nothing() {
        let expanded = run("${B:-${X:?no}}${X:+$Y}");
        assert_eq!((expanded.text.as_str(), expanded.unset.len()), ("b", 0));
        assert_eq!(expanded.faults, []);
    }

    #[test]
    fn a_variable_that_is_not_set_is_empty_and_named() {
        let expanded = run("a$X${Y}");
        assert_eq!(expanded.text, "a");
        assert_eq!(expanded.unset, [("X".to_owned(), 1..3), ("Y".to_owned(), 3..7)]);
    }

    #[test]
    fn a_secret_taints_what_it_goes_into() {
        for (template, sensitive) in [
            ("a${PASSWORD}", true),
            ("${PASSWORD:-x}", true),
            ("${DB_PASSWORD:-x}", true),
            ("${X:-$PASSWORD}", true),
            ("${DB_PASSWORD:-}", false),
            ("${DB_PASSWORD}", false),
            ("${PASSWORD:+x}", false),
            ("${B:-$PASSWORD}", false),
            ("$B", false),
        ] {
            assert_eq!(run(template).sensitive, sensitive, "{template}");
        }
    }

    #[test]
    fn growth_and_depth_have_an_end() {
        assert!(fault("$LONG$LONG$LONG").1.contains("1 MiB"));
        let deep = format!("{}{}", "${X:-".repeat(40), "}".repeat(40));
        assert!(fault(&deep).1.contains("too deep"));
        assert!(!run(&"${X:-".repeat(100_000)).faults.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn no_text_panics_and_every_fault_lies_inside(
            template in "([$}{:?+AXB-]|\\$\\{|ü){0,40}",
        ) {
            let expanded = run(&template);
            let ranges = expanded.faults.iter().map(|fault| &fault.range)
                .chain(expanded.unset.iter().map(|(_, range)| range));
            for range in ranges {
                prop_assert!(template.get(range.clone()).is_some());
            }
        }

        #[test]
        fn text_without_a_dollar_stays_as_it_is(template in "[^$]{0,40}") {
            let expanded = run(&template);
            prop_assert!(!expanded.changed);
            prop_assert_eq!(expanded.text, template);
        }
    }
}
