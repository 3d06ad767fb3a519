//! `checks: {interval, NAME: {KIND: …, …}}`.
//!
//! A check is a mapping with one key that says what is asked, and keys that say more about
//! it. One of those that are made without being named is changed by its name, or turned off
//! by `NAME: false`. No message repeats what was found in the place of a secret.

mod kinds;

use std::time::Duration;

use super::super::node::{Entry, Kind, Node};
use super::super::problem::nearest;
use super::reload::below;
use super::{StackExtension, Wrong, count, duration, wrong};
use crate::state::check::{Check, CheckKind, Checks, Severity};
use crate::state::ids::CheckName;

/// How many checks a stack may have: each of them is a series of metrics.
const MOST: usize = 64;

/// How long a check may take at most.
const LONGEST: Duration = Duration::from_mins(1);

/// The keys that every check may have.
const COMMON: [&str; 3] = ["severity", "timeout", "failures"];

/// One kind of check: its key, the keys that only it has, and how it is read.
struct Row {
    key: &'static str,
    more: &'static [&'static str],
    read: fn(&Node, &Node) -> Result<CheckKind, Wrong>,
}

const LOGIN: [&str; 3] = ["user", "password", "password_file"];

/// Every kind of check. Each is read from the value of its key and the whole check.
const ROWS: [Row; 10] = [
    Row { key: "http", more: &["status", "body"], read: kinds::http },
    Row { key: "tcp", more: &[], read: kinds::tcp },
    Row {
        key: "grpc",
        more: &["service", LOGIN[0], LOGIN[1], LOGIN[2]],
        read: kinds::grpc,
    },
    Row { key: "etcd_alarms", more: &LOGIN, read: kinds::etcd_alarms },
    Row {
        key: "s3",
        more: &["bucket", "region", "access_key", "secret_key", "secret_key_file"],
        read: kinds::s3,
    },
    Row { key: "exec", more: &["in"], read: kinds::exec },
    Row { key: "containers", more: &[], read: kinds::containers },
    Row { key: "disk", more: &["below"], read: kinds::disk },
    Row { key: "memory", more: &["below"], read: kinds::memory },
    Row { key: "image_age", more: &[], read: kinds::image_age },
];

/// Reads `checks`.
pub(super) fn read(node: &Node, stack: &mut StackExtension) -> Result<(), Wrong> {
    const ALLOWED: &str = "a mapping of names to checks, such as \
                           `{front: {tcp: '127.0.0.1:19530'}}`";
    let mapping = node.as_mapping().ok_or_else(|| wrong(node, ALLOWED))?;
    let mut checks = Checks::default();
    for (name, entry) in mapping {
        let within =
            |Wrong(span, path, message)| Wrong(span, format!(".{name}{path}"), message);
        if name == "interval" {
            checks.interval = duration(&entry.node).map_err(within)?;
        } else {
            named(name, entry, &mut checks).map_err(within)?;
        }
    }
    if checks.named.len() > MOST {
        return Err(wrong(node, "at most 64 checks"));
    }
    stack.settings.checks = checks;
    Ok(())
}

fn named(name: &str, entry: &Entry, checks: &mut Checks) -> Result<(), Wrong> {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_".contains(it);
    if name.is_empty() || name.len() > 63 || !name.chars().all(is_plain) {
        let message = "the name of a check has letters, digits, `-` and `_`, at most 63";
        return Err(Wrong(entry.key, String::new(), message.to_owned()));
    }
    if is_off(&entry.node) {
        if checks.named.remove(name).is_some() {
            return Ok(());
        }
        let message = format!(
            "there is no check `{name}` to turn off: `containers`, `disk`, `memory` and \
             `image-age` are made without being named"
        );
        return Err(Wrong(entry.node.span, String::new(), message));
    }
    checks.named.insert(CheckName::new(name), check(&entry.node)?);
    Ok(())
}

fn is_off(node: &Node) -> bool {
    match &node.kind {
        Kind::Bool(value) => !value,
        Kind::Text(text) => text.text == "false",
        Kind::Null
        | Kind::Int(_)
        | Kind::Real(_)
        | Kind::Sequence(_)
        | Kind::Mapping(_) => false,
    }
}

fn check(node: &Node) -> Result<Check, Wrong> {
    let row = row(node)?;
    only_known_keys(node, row)?;
    let Some(asked) = node.get(row.key) else { return Err(says_nothing(node)) };
    let mut check = Check::new((row.read)(asked, node)?);
    if let Some(severity) = node.get("severity") {
        let known = [Severity::Warn, Severity::Fail];
        let found = known.into_iter().find(|it| severity.as_text() == Some(it.as_str()));
        let wrong = || below(wrong(severity, "`warn` or `fail`"), ".severity");
        check.severity = found.ok_or_else(wrong)?;
    }
    if let Some(timeout) = node.get("timeout") {
        let time = duration(timeout).map_err(|it| below(it, ".timeout"))?;
        // The next round waits for the slowest.
        if time > LONGEST {
            return Err(below(wrong(timeout, "at most `1m`"), ".timeout"));
        }
        check.timeout = time;
    }
    if let Some(failures) = node.get("failures") {
        check.failures = count(failures).map_err(|it| below(it, ".failures"))?;
    }
    Ok(check)
}

/// Finds out what is asked: exactly one key says it.
fn row(node: &Node) -> Result<&'static Row, Wrong> {
    if node.as_mapping().is_none() {
        let message = format!(
            "a check is a mapping such as `{{tcp: '127.0.0.1:19530'}}`; this is {}",
            node.describe()
        );
        return Err(Wrong(node.span, String::new(), message));
    }
    let mut given = ROWS.iter().filter(|row| node.get(row.key).is_some());
    match (given.next(), given.next()) {
        (Some(row), None) => Ok(row),
        (None, _) => Err(says_nothing(node)),
        (Some(one), Some(other)) => {
            let message = format!(
                "it says twice what is asked: keep one of `{}` and `{}`",
                one.key, other.key
            );
            Err(Wrong(node.span, String::new(), message))
        }
    }
}

fn says_nothing(node: &Node) -> Wrong {
    let known = ROWS.map(|row| row.key);
    let meant = node.entries().find_map(|(key, _)| nearest(key, known));
    let message = match meant {
        Some(meant) => {
            format!("it does not say what is asked; perhaps `{meant}` was meant")
        }
        None => format!(
            "it does not say what is asked: write one of `{}`",
            known.join("`, `")
        ),
    };
    Wrong(node.span, String::new(), message)
}

fn only_known_keys(node: &Node, row: &Row) -> Result<(), Wrong> {
    let known = || row.more.iter().copied().chain(COMMON).chain([row.key]);
    for (key, entry) in node.entries() {
        if known().any(|it| it == key) {
            continue;
        }
        let hint = match nearest(key, known()) {
            Some(near) => format!("perhaps `{near}` was meant"),
            None => format!("it has `{}`", known().collect::<Vec<_>>().join("`, `")),
        };
        let message = format!("a check by `{}` has no key `{key}`; {hint}", row.key);
        return Err(Wrong(entry.key, format!(".{key}"), message));
    }
    Ok(())
}
