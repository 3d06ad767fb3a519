//! `x-reconciler`: what Compose has no words for.
//!
//! Every key is a row here: where it may stand, how it is read, what it is for.

mod backup;
mod checks;
mod lint;
mod notification;
mod probe;
mod reload;

use std::time::Duration;

use super::attribute::service::SERVICE;
use super::node::{Kind, Node};
use super::problem::{Problems, Span, nearest};
use super::units::parse_duration;
use crate::state::desired::{Heal, Prune, ServiceSettings, StackSettings};

/// The key, at the top of a file and in every service.
pub const KEY: &str = "x-reconciler";

/// One key of `x-reconciler`.
#[derive(Debug)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    stack: Reading<StackExtension>,
    service: Reading<ServiceExtension>,
}

/// What a stack's `x-reconciler` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackExtension {
    /// What planning needs.
    pub settings: StackSettings,
    /// The deadline of services that have none of their own.
    pub ready_deadline: Option<Duration>,
    /// What is done about unhealthy containers of services that say nothing about it.
    pub heal: Option<Heal>,
}

/// What a service's `x-reconciler` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceExtension {
    /// What planning needs.
    pub settings: ServiceSettings,
    /// Names or globs of further environment entries of this service that are secrets.
    pub sensitive: Vec<String>,
}

/// Whether a key may stand somewhere, and how it is read there.
#[derive(Debug)]
enum Reading<T> {
    /// It may not stand here.
    Unknown,
    /// It is read by this function.
    Now(fn(&Node, &mut T) -> Result<(), Wrong>),
}

/// What is wrong with a value: where, the path below the key, and what is allowed.
struct Wrong(Span, String, String);

/// Every key of `x-reconciler`.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "ready_deadline",
        about: "How long a new container may take to become ready.",
        stack: Reading::Now(|node, stack| {
            stack.ready_deadline = Some(duration(node)?);
            Ok(())
        }),
        service: Reading::Now(|node, service| {
            service.settings.ready_deadline = Some(duration(node)?);
            Ok(())
        }),
    },
    Setting {
        key: "sensitive",
        about: "Names or globs of further environment entries that are secrets.",
        stack: Reading::Now(|node, stack| {
            stack.settings.sensitive = patterns(node)?;
            Ok(())
        }),
        service: Reading::Now(|node, service| {
            service.sensitive = patterns(node)?;
            Ok(())
        }),
    },
    Setting {
        key: "prune",
        about: "What happens to what left the file: `guarded`, `always` or `never`.",
        stack: Reading::Now(|node, stack| {
            stack.settings.prune = match node.as_text() {
                Some("guarded") => Prune::Guarded,
                Some("always") => Prune::Always,
                Some("never") => Prune::Never,
                _ => return Err(wrong(node, "`guarded`, `always` or `never`")),
            };
            Ok(())
        }),
        service: Reading::Unknown,
    },
    Setting {
        key: "resync",
        about: "How often everything is looked at with no other reason.",
        stack: Reading::Now(|node, stack| {
            stack.settings.resync = Some(duration(node)?);
            Ok(())
        }),
        service: Reading::Unknown,
    },
    Setting {
        key: "max_parallel",
        about: "How many steps may be under way at once.",
        stack: Reading::Now(|node, stack| {
            stack.settings.max_parallel = Some(count(node)?);
            Ok(())
        }),
        service: Reading::Unknown,
    },
    Setting {
        key: "address",
        about: "Whether a moved address needs a restart: `any` or `stable`.",
        stack: Reading::Unknown,
        service: Reading::Now(|node, service| {
            service.settings.stable_address = match node.as_text() {
                Some("any") => false,
                Some("stable") => true,
                _ => return Err(wrong(node, "`any` or `stable`")),
            };
            Ok(())
        }),
    },
    Setting {
        key: "job",
        about: "Whether it runs to completion, once per spec.",
        stack: Reading::Unknown,
        service: Reading::Now(|node, service| {
            service.settings.job = Some(boolean(node)?);
            Ok(())
        }),
    },
    Setting {
        key: "drift",
        about: "`ignore`: canonical paths that others may change.",
        stack: Reading::Unknown,
        service: Reading::Now(|node, service| {
            service.settings.ignored_drift = ignored_drift(node)?;
            Ok(())
        }),
    },
    Setting {
        key: "heal",
        about: "Whether and how often an unhealthy container is acted on.",
        stack: Reading::Now(|node, stack| {
            stack.heal = Some(heal(node)?);
            Ok(())
        }),
        service: Reading::Now(|node, service| {
            service.settings.heal = Some(heal(node)?);
            Ok(())
        }),
    },
    in_service(
        "probe",
        "Readiness and health, told from outside: `http`, `tcp`, `grpc` or `exec`.",
        probe::read,
    ),
    in_service(
        "reload",
        "How changed content is taken up without a restart: `{signal, test}`.",
        reload::read,
    ),
    in_service("content", "More files and folders whose bytes count.", reload::content),
    in_service(
        "immutable",
        "Canonical paths that must not change under data: such a change is refused.",
        |node, service| {
            service.settings.immutable = paths_of_service(node)?;
            Ok(())
        },
    ),
    Setting {
        key: "lint",
        about: "`ignore`: names of lints that are not to be heard of.",
        stack: Reading::Now(|node, _| lint::check(node)),
        service: Reading::Now(|node, _| lint::check(node)),
    },
    Setting {
        key: "backup",
        about: "Cold backups: `{schedule, keep, paths, directory, after}`.",
        stack: Reading::Now(backup::read),
        service: Reading::Unknown,
    },
    Setting {
        key: "checks",
        about: "The health checks of the stack, by name.",
        stack: Reading::Now(checks::read),
        service: Reading::Unknown,
    },
    Setting {
        key: "notify",
        about: "Who is told about what happens: `{url or url_file, severity, on}`, or several.",
        stack: Reading::Now(notification::read),
        service: Reading::Unknown,
    },
];

const fn in_service(
    key: &'static str,
    about: &'static str,
    read: fn(&Node, &mut ServiceExtension) -> Result<(), Wrong>,
) -> Setting {
    Setting { key, about, stack: Reading::Unknown, service: Reading::Now(read) }
}

/// Reads the `x-reconciler` of a stack.
pub fn stack(root: &Node, problems: &mut Problems) -> StackExtension {
    read(root.get(KEY), KEY, |setting| &setting.stack, problems)
}

/// Reads the `x-reconciler` of a service.
pub fn service(name: &str, node: &Node, problems: &mut Problems) -> ServiceExtension {
    let path = format!("services.{name}.{KEY}");
    read(node.get(KEY), &path, |setting| &setting.service, problems)
}

fn read<T: Default>(
    node: Option<&Node>,
    path: &str,
    reading: fn(&Setting) -> &Reading<T>,
    problems: &mut Problems,
) -> T {
    let mut out = T::default();
    let Some(node) = node.filter(|node| !node.is_null()) else { return out };
    if node.as_mapping().is_none() {
        let message = format!("`{KEY}` is {}; it must be a mapping", node.describe());
        problems.error(node.span, path, message);
    }
    for (key, entry) in node.entries() {
        let setting = SETTINGS.iter().find(|setting| setting.key == key);
        let path = format!("{path}.{key}");
        match setting.map_or(&Reading::Unknown, reading) {
            Reading::Now(set) => {
                if let Err(Wrong(span, below, message)) = set(&entry.node, &mut out) {
                    problems.error(span, format!("{path}{below}"), message);
                }
            }
            Reading::Unknown => unknown(key, entry.key, path, reading, problems),
        }
    }
    out
}

fn unknown<T>(
    key: &str,
    span: Span,
    path: String,
    reading: fn(&Setting) -> &Reading<T>,
    problems: &mut Problems,
) {
    let known: Vec<&str> = SETTINGS
        .iter()
        .filter(|setting| !matches!(reading(setting), Reading::Unknown))
        .map(|setting| setting.key)
        .collect();
    let problem = problems.error(span, path, format!("`{KEY}` has no key `{key}` here"));
    if let Some(elsewhere) = SETTINGS.iter().find(|setting| setting.key == key) {
        let place = match elsewhere.stack {
            Reading::Unknown => "in a service",
            Reading::Now(_) => "at the top of the file",
        };
        problem.help(format!("it belongs to the `{KEY}` {place}"));
        return;
    }
    match nearest(key, known.iter().copied()) {
        Some(meant) => problem.help(format!("perhaps `{meant}` was meant")),
        None => problem.help(format!("known here are `{}`", known.join("`, `"))),
    };
}

fn wrong(node: &Node, allowed: &str) -> Wrong {
    let found = match node.as_text() {
        Some(text) => format!("`{text}`"),
        None => node.describe().to_owned(),
    };
    Wrong(node.span, String::new(), format!("{found} was found; it must be {allowed}"))
}

fn duration(node: &Node) -> Result<Duration, Wrong> {
    const ALLOWED: &str = "a duration such as `30s` or `5m`, longer than nothing";
    let text = node.as_text().ok_or_else(|| wrong(node, ALLOWED))?;
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err(wrong(node, ALLOWED)),
        Ok(duration) => Ok(duration),
        Err(why) => Err(Wrong(node.span, String::new(), format!("`{text}` {why}"))),
    }
}

fn texts(node: &Node) -> Result<Vec<String>, Wrong> {
    const ALLOWED: &str = "a list of texts";
    if !matches!(node.kind, Kind::Sequence(_)) {
        return Err(wrong(node, ALLOWED));
    }
    let items = node.items().iter();
    items
        .map(|item| {
            item.as_text().map(str::to_owned).ok_or_else(|| wrong(item, "a text"))
        })
        .collect()
}

/// Reads names or globs: few and short ones, since each is held against every entry.
fn patterns(node: &Node) -> Result<Vec<String>, Wrong> {
    const MOST: usize = 64;
    let patterns = texts(node)?;
    if patterns.len() > MOST || patterns.iter().any(|pattern| pattern.len() > MOST) {
        return Err(wrong(node, "at most 64 names, each of at most 64 characters"));
    }
    Ok(patterns)
}

fn count(node: &Node) -> Result<u32, Wrong> {
    let number = match &node.kind {
        Kind::Int(number) => u32::try_from(*number).ok(),
        Kind::Text(text) => text.text.parse().ok(),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Real(_)
        | Kind::Sequence(_)
        | Kind::Mapping(_) => None,
    };
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| wrong(node, "a whole number of 1 or more"))
}

fn boolean(node: &Node) -> Result<bool, Wrong> {
    match &node.kind {
        Kind::Bool(value) => Ok(*value),
        Kind::Text(text) if text.text == "true" => Ok(true),
        Kind::Text(text) if text.text == "false" => Ok(false),
        Kind::Null
        | Kind::Int(_)
        | Kind::Real(_)
        | Kind::Text(_)
        | Kind::Sequence(_)
        | Kind::Mapping(_) => Err(wrong(node, "`true` or `false`")),
    }
}

/// Reads `heal: false` or `heal: {failures, budget}`.
fn heal(node: &Node) -> Result<Heal, Wrong> {
    let mut heal = Heal::default();
    if node.as_mapping().is_none() {
        let allowed = "`true`, `false` or `{failures: N, budget: N}`";
        heal.is_on = boolean(node).map_err(|_| wrong(node, allowed))?;
        return Ok(heal);
    }
    for (key, entry) in node.entries() {
        let below = |Wrong(span, _, message)| Wrong(span, format!(".{key}"), message);
        match key {
            "failures" => heal.failures = count(&entry.node).map_err(below)?,
            "budget" => heal.budget = count(&entry.node).map_err(below)?,
            _ => {
                let message =
                    format!("`heal` has no key `{key}`; it has `failures` and `budget`");
                return Err(Wrong(entry.key, format!(".{key}"), message));
            }
        }
    }
    Ok(heal)
}

/// Reads `drift: {ignore: [PATH]}`.
fn ignored_drift(node: &Node) -> Result<Vec<String>, Wrong> {
    let Some(mapping) = node.as_mapping() else {
        return Err(wrong(node, "`{ignore: [PATH, …]}`"));
    };
    if let Some((key, entry)) = mapping.iter().find(|(key, _)| *key != "ignore") {
        let message = format!("`drift` has no key `{key}`; it has `ignore`");
        return Err(Wrong(entry.key, format!(".{key}"), message));
    }
    let Some(list) = node.get("ignore") else { return Ok(Vec::new()) };
    let below = |Wrong(span, _, message)| Wrong(span, ".ignore".to_owned(), message);
    paths_of_service(list).map_err(below)
}

/// Reads canonical paths of a service.
fn paths_of_service(list: &Node) -> Result<Vec<String>, Wrong> {
    let paths = texts(list)?;
    for (path, item) in paths.iter().zip(list.items()) {
        let first = path.split('.').next().unwrap_or(path);
        if SERVICE.row(first).is_none() {
            let near = nearest(first, SERVICE.rows().map(|row| row.key));
            let hint = near.map(|key| format!("; perhaps `{key}` was meant"));
            let message =
                format!("`{path}` is no path of a service{}", hint.unwrap_or_default());
            return Err(Wrong(item.span, String::new(), message));
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests;
