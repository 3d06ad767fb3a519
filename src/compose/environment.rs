//! What a container's environment will be: `env_file` and `environment` in one mapping.

use std::path::Path;
use std::rc::Rc;

use super::interpolate::variables::{Variable, Variables};
use super::node::{Entry, Kind, Mapping, Node, Text};
use super::problem::{Problems, Span};
use super::reading::{NoText, Reading};

/// How much text files of variables may bring into one stack.
const MOST_TEXT: usize = 16 * 1024 * 1024;

/// Reads the `env_file`s of every service into its `environment`, which wins over them; of
/// the files the later one wins. An entry without a value takes the one that the caller's
/// environment has; it stays null where there is none, and is then left out.
pub fn resolve(
    root: &mut Node,
    variables: &Variables,
    reading: &mut Reading<'_>,
    problems: &mut Problems,
) {
    let mut taken = 0;
    let services = root.get_mut("services").into_iter().flat_map(Node::entries_mut);
    for (name, service) in services {
        let path = format!("services.{name}.env_file");
        let key = service.key;
        let Some(service) = service.node.as_mapping_mut() else { continue };
        if let Some(files) = service.remove("env_file") {
            let added = from_files(&files.node, &path, variables, reading, problems);
            taken += size(&added);
            add_missing(service, added, files.key);
        }
        if let Some(environment) = service.get_mut("environment") {
            taken += take_values(&mut environment.node, variables);
        }
        if taken > MOST_TEXT {
            let message = "variables make this stack larger than 16 MiB";
            problems.error(key, path, message);
            return;
        }
    }
}

/// Returns about how much memory entries take.
fn size(entries: &Mapping) -> usize {
    let text = |entry: &Entry| entry.node.as_text().map_or(0, str::len);
    entries
        .iter()
        .map(|(name, entry)| name.len() + text(entry) + size_of::<Entry>())
        .sum()
}

/// Adds to the environment of a service the entries that it does not have yet.
fn add_missing(service: &mut Mapping, added: Mapping, key: Span) {
    if added.is_empty() {
        return;
    }
    let empty = || Kind::Mapping(Mapping::new());
    let environment = service
        .entry("environment".to_owned())
        .or_insert_with(|| Entry { key, node: Node::new(empty(), key) });
    if environment.node.is_null() {
        environment.node.kind = empty();
    }
    if let Some(environment) = environment.node.as_mapping_mut() {
        for (name, entry) in added {
            environment.entry(name).or_insert(entry);
        }
    }
}

/// Gives entries without a value the one of the caller's environment; returns how much
/// text that is.
fn take_values(environment: &mut Node, variables: &Variables) -> usize {
    let mut taken = 0;
    for (name, entry) in environment.entries_mut() {
        if entry.node.is_null()
            && let Some(variable) = variables.get(name)
        {
            taken += variable.text.len();
            entry.node.kind = kind(variable);
        }
    }
    taken
}

fn from_files(
    files: &Node,
    path: &str,
    variables: &Variables,
    reading: &mut Reading<'_>,
    problems: &mut Problems,
) -> Mapping {
    let mut collected = Mapping::new();
    for file in files.items() {
        let Some(node) = file.get("path") else { continue };
        let Some(name) = node.as_text().filter(|name| !name.is_empty()) else { continue };
        let required = !matches!(
            file.get("required").map(|node| &node.kind),
            Some(Kind::Bool(false))
        );
        let Some(raw) = is_raw(file, path, problems) else { continue };
        match reading.variables(Path::new(name), raw, variables, problems) {
            Ok(read) => collected.extend(entries(&read, node.span)),
            Err(NoText::Missing) if !required => {}
            Err(NoText::Missing) => {
                problems
                    .error(node.span, path, format!("the file {name} is not there"))
                    .help(
                        "write `required: false` beside its `path` if it may be missing",
                    );
            }
            Err(other) => other.report(Path::new(name), Some(node.span), path, problems),
        }
    }
    collected
}

fn entries(read: &Rc<Variables>, span: Span) -> impl Iterator<Item = (String, Entry)> {
    read.iter().map(move |(name, variable)| {
        (name.to_owned(), Entry { key: span, node: Node::new(kind(variable), span) })
    })
}

/// Tells whether a file is taken literally; nothing when its format is unknown.
fn is_raw(file: &Node, path: &str, problems: &mut Problems) -> Option<bool> {
    match file.get("format").map(|node| (node.as_text(), node.span)) {
        None | Some((None | Some(""), _)) => Some(false),
        Some((Some("raw"), _)) => Some(true),
        Some((Some(other), span)) => {
            let message =
                format!("the format `{other}` is unknown; `raw` is the only one");
            problems.error(span, path, message);
            None
        }
    }
}

fn kind(variable: &Variable) -> Kind {
    Kind::Text(Text {
        text: variable.text.clone(),
        plain: false,
        sensitive: variable.sensitive,
    })
}
