//! Files of variables: `.env`, `--env-file` and a service's `env_file`.
//!
//! `NAME=value`, `NAME: value`, `export NAME=value`, or `NAME` alone, which is taken from
//! the environment or left out. Values may stand in single quotes (literal, except `\'`),
//! in double quotes (escapes and variables) or bare (variables, up to ` #`); quoted ones
//! may have several lines.

mod read;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::interpolate::template::Fault;
use super::interpolate::variables::{Variable, Variables};
use read::Reader;

/// What a file of variables says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DotEnv {
    /// The variables; of a name that comes twice the later one.
    pub variables: Variables,
    /// What is wrong with the file.
    pub faults: Vec<Fault>,
    /// Variables that were needed and are not set, and where.
    pub unset: Vec<(String, Range<usize>)>,
    /// Where the names stand; everything else in the file may be a secret.
    pub names: Vec<Range<usize>>,
}

/// Reads a file of variables, with the variables that its values may name. Those win over
/// the file's own, as in Compose.
pub fn parse(text: &str, environment: &Variables) -> DotEnv {
    Reader::new(text, environment).read()
}

/// Reads a file of `format: raw`: every line is `NAME=value`, and the value is literal.
pub fn parse_raw(text: &str, environment: &Variables) -> DotEnv {
    let mut file = DotEnv::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        let name_at = at + (line.len() - line.trim_start().len());
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (line, None),
        };
        let range = name_at..name_at + name.len();
        if name.is_empty() || name.contains(char::is_whitespace) {
            let message = "expected `NAME=value`".to_owned();
            file.faults.push(Fault { range: name_at..name_at, message, help: None });
            return file;
        }
        let variable = match value {
            Some(value) => Some(Variable::named(name, value)),
            None => environment.get(name).cloned(),
        };
        file.names.push(range);
        if let Some(variable) = variable {
            file.variables.set(name, variable);
        }
    }
    file
}

/// Returns a text of the same length in which only the names are readable, so that a
/// problem can be drawn on it.
pub fn conceal(text: &str, file: &DotEnv) -> String {
    let mut shown: Vec<u8> =
        text.bytes().map(|byte| if byte == b'\n' { byte } else { b'*' }).collect();
    for range in &file.names {
        if let (Some(target), Some(name)) =
            (shown.get_mut(range.clone()), text.as_bytes().get(range.clone()))
        {
            target.copy_from_slice(name);
        }
    }
    String::from_utf8_lossy(&shown).into_owned()
}
