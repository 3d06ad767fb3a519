//! Reading one statement after the other.

use std::ops::Range;

use super::DotEnv;
use crate::compose::interpolate::template::{Fault, expand};
use crate::compose::interpolate::variables::{Variable, Variables};
use crate::state::secret::{is_sensitive_name, is_sensitive_text};

/// How much text the values of one file may become.
const MOST_TEXT: usize = 4 * 1024 * 1024;

pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    environment: &'a Variables,
    grown: usize,
    file: DotEnv,
}

/// A value as it is written.
struct Raw {
    text: String,
    range: Range<usize>,
    literal: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, environment: &'a Variables) -> Self {
        Self { text, at: 0, environment, grown: 0, file: DotEnv::default() }
    }

    pub(super) fn read(mut self) -> DotEnv {
        // A fault ends reading: after an open quote nothing that follows can be trusted.
        while self.statement().is_some() && self.file.faults.is_empty() {}
        self.file
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes characters off the front, and returns them.
    fn take_while(&mut self, holds: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !holds(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Reads one statement; nothing at the end of the file or after a fault.
    fn statement(&mut self) -> Option<()> {
        self.take_while(char::is_whitespace);
        if self.rest().is_empty() {
            return None;
        }
        if self.rest().starts_with('#') {
            self.take_while(|c| c != '\n');
            return Some(());
        }
        let after_export = self
            .rest()
            .strip_prefix("export")
            .filter(|rest| rest.starts_with([' ', '\t']));
        if after_export.is_some() {
            self.at += "export".len();
            self.take_while(is_blank);
        }
        let start = self.at;
        let name = self.take_while(is_name);
        let range = start..self.at;
        if name.is_empty() {
            return self.fault(start, "expected a name, as in `NAME=value`");
        }
        self.file.names.push(range);
        self.take_while(is_blank);
        match self.rest().chars().next() {
            Some('=' | ':') => {
                self.at += 1;
                self.value(name)
            }
            None | Some('\n' | '\r') => {
                if let Some(variable) = self.environment.get(name) {
                    self.set(name, variable.clone());
                }
                Some(())
            }
            Some(_) => self.fault(
                self.at,
                &format!(
                    "after the name {name} there must be a `=`, or the line must end"
                ),
            ),
        }
    }

    fn value(&mut self, name: &str) -> Option<()> {
        self.take_while(is_blank);
        let raw = match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            Some(_) | None => self.bare(),
        };
        let mut variable = Variable { text: raw.text, sensitive: false };
        if !raw.literal {
            variable = self.expanded(&variable.text, raw.range);
        }
        variable.sensitive |=
            is_sensitive_name(name) || is_sensitive_text(&variable.text);
        self.grown += variable.text.len();
        if self.grown > MOST_TEXT {
            return self.fault(self.at, "the values of this file become too long");
        }
        self.set(name, variable);
        Some(())
    }

    fn set(&mut self, name: &str, variable: Variable) {
        self.file.variables.set(name, variable);
    }

    fn bare(&mut self) -> Raw {
        let start = self.at;
        let line = self.take_while(|c| c != '\n');
        // A `#` at the very front belongs to the value, as in Compose.
        let value = line.split(" #").next().unwrap_or(line).trim();
        Raw { text: value.to_owned(), range: start..start + value.len(), literal: false }
    }

    /// Reads what stands in quotes; what follows on the line of the last quote is dropped.
    fn quoted(&mut self, quote: char) -> Option<Raw> {
        let start = self.at;
        self.at += 1;
        let body = self.rest();
        let mut escaped = false;
        let close = body.char_indices().find(|(_, c)| {
            let closes = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let Some((length, _)) = close else {
            self.fault(start, "this quote is never closed")?;
            return None;
        };
        let body = body.get(..length).unwrap_or_default();
        self.at += length + 1;
        let range = start..self.at;
        self.take_while(|c| c != '\n');
        let literal = quote == '\'';
        let text = if literal { body.replace("\\'", "'") } else { unescape(body) };
        Some(Raw { text, range, literal })
    }

    fn expanded(&mut self, text: &str, range: Range<usize>) -> Variable {
        let lookup = |name: &str| {
            self.environment.get(name).or_else(|| self.file.variables.get(name))
        };
        let expanded = expand(text, &lookup);
        for fault in expanded.faults {
            self.file.faults.push(Fault { range: range.clone(), ..fault });
        }
        for (name, _) in expanded.unset {
            self.file.unset.push((name, range.clone()));
        }
        Variable { text: expanded.text, sensitive: expanded.sensitive }
    }

    fn fault(&mut self, at: usize, message: &str) -> Option<()> {
        let range = at..at;
        self.file.faults.push(Fault { range, message: message.to_owned(), help: None });
        None
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\n'
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']')
}

/// Replaces the escapes of double quotes. `\$` becomes `$$`, which is a `$` later on;
/// escapes that are unknown stay as they are.
fn unescape(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('v') => out.push('\u{b}'),
            Some('$') => out.push_str("$$"),
            Some(same @ ('"' | '\\')) => out.push(same),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
