//! Which values are secrets: marked where they are, revealed where they cannot be.

use super::node::{Kind, Node};
use super::problem::Problems;
use crate::state::secret::{Secret, is_sensitive_name, is_sensitive_text};

/// Marks the environment entries of a service whose names say that they hold a secret.
///
/// `patterns` are further names, in which `*` stands for any characters and `?` for one.
pub fn mark(service: &mut Node, patterns: &[&str]) {
    for (name, entry) in
        service.get_mut("environment").into_iter().flat_map(Node::entries_mut)
    {
        if let Kind::Text(text) = &mut entry.node.kind {
            text.sensitive |= is_secret(name, patterns);
        }
    }
}

/// The keys of a check that hold a secret.
const OF_CHECKS: [&str; 2] = ["password", "secret_key"];

/// Marks what is a secret wherever it stands in `x-reconciler`: the URLs at which somebody is
/// told, since whoever knows one may write there, and the credentials of checks.
pub fn mark_addresses(root: &mut Node) {
    let checks = root.get_mut("x-reconciler").and_then(|it| it.get_mut("checks"));
    for (_, check) in checks.into_iter().flat_map(Node::entries_mut) {
        for key in OF_CHECKS {
            if let Some(Kind::Text(text)) = check.node.get_mut(key).map(|it| &mut it.kind)
            {
                text.sensitive = true;
            }
        }
    }
    let notify = root.get_mut("x-reconciler").and_then(|it| it.get_mut("notify"));
    let Some(notify) = notify else { return };
    mark_url(notify);
    notify.items_mut().iter_mut().for_each(mark_url);
}

/// What stands in the wrong place is a URL all the same.
fn mark_url(notify: &mut Node) {
    let is_text = notify.as_text().is_some();
    let url = if is_text { Some(notify) } else { notify.get_mut("url") };
    if let Some(Kind::Text(text)) = url.map(|url| &mut url.kind) {
        text.sensitive = true;
    }
}

/// Marks the texts that are secrets whatever they are called, where a secret can hide.
pub fn mark_texts(root: &mut Node) {
    mark_below(root, &mut Vec::new(), false);
}

fn mark_below(node: &mut Node, path: &mut Vec<String>, hides: bool) {
    let hides = hides || may_hide(path);
    match &mut node.kind {
        Kind::Text(text) => text.sensitive |= hides && is_sensitive_text(&text.text),
        Kind::Sequence(items) => {
            for item in items {
                mark_below(item, path, hides);
            }
        }
        Kind::Mapping(entries) => {
            for (key, entry) in entries {
                path.push(key.clone());
                mark_below(&mut entry.node, path, hides);
                path.pop();
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) => {}
    }
}

/// Finds what stands as a secret in a document as it was read: in environments under a name
/// that says so, in URLs, in checks, and where somebody is told.
pub fn literals(document: &Node) -> Vec<Secret> {
    let mut patterns = texts(document.at("x-reconciler.sensitive"));
    let services = document.get("services").into_iter().flat_map(Node::entries);
    let services: Vec<&Node> = services.map(|(_, entry)| &entry.node).collect();
    for service in &services {
        patterns.extend(texts(service.at("x-reconciler.sensitive")));
    }
    let mut found = Vec::new();
    if let Some(notify) = document.at("x-reconciler.notify") {
        let each = std::iter::once(notify).chain(notify.items());
        found.extend(
            each.flat_map(|it| it.as_text().into_iter().chain(texts(it.get("url")))),
        );
    }
    let checks = document.at("x-reconciler.checks").into_iter().flat_map(Node::entries);
    for (_, check) in checks {
        found.extend(OF_CHECKS.iter().flat_map(|key| texts(check.node.get(key))));
    }
    for environment in services.iter().filter_map(|service| service.get("environment")) {
        for (name, entry) in environment.entries() {
            if is_secret(name, &patterns) {
                found.extend(texts(Some(&entry.node)));
            }
        }
        let pairs = texts(Some(environment)).into_iter();
        let pairs = pairs.filter_map(|text| text.split_once(['=', ':']));
        found.extend(
            pairs.filter(|(name, _)| is_secret(name, &patterns)).map(|(_, value)| value),
        );
    }
    found
        .extend(texts(Some(document)).into_iter().filter(|text| is_sensitive_text(text)));
    found.into_iter().map(|text| Secret::new(text.trim())).collect()
}

/// Returns every text of a tree.
fn texts(node: Option<&Node>) -> Vec<&str> {
    let Some(node) = node else { return Vec::new() };
    let items = node.items().iter();
    let entries = node.entries().map(|(_, entry)| &entry.node);
    let below = items.chain(entries).flat_map(|node| texts(Some(node)));
    node.as_text().into_iter().chain(below).collect()
}

fn is_secret(name: &str, patterns: &[&str]) -> bool {
    is_sensitive_name(name) || patterns.iter().any(|pattern| matches_glob(pattern, name))
}

/// Makes values plain again that a secret cannot hide in: names, ports, paths and whatever
/// else the engine shows to everybody. Where that may surprise, a warning says so.
pub fn reveal(root: &mut Node, problems: &mut Problems) {
    walk(root, &mut Vec::new(), problems);
}

fn walk(node: &mut Node, path: &mut Vec<String>, problems: &mut Problems) {
    if may_hide(path) {
        return;
    }
    let span = node.span;
    match &mut node.kind {
        Kind::Text(text) if text.sensitive => {
            text.sensitive = false;
            if !text.text.starts_with(['/', '.', '~']) {
                problems
                    .warning(span, path.join("."), "this value is shown to everybody")
                    .help(
                        "a variable that looks like a secret, or comes from an encrypted \
                         file, went into it; give it another name, or another place, \
                         if it is none",
                    );
            }
        }
        Kind::Sequence(items) => {
            for item in items {
                walk(item, path, problems);
            }
        }
        Kind::Mapping(entries) => {
            for (key, entry) in entries {
                path.push(key.clone());
                walk(&mut entry.node, path, problems);
                path.pop();
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) | Kind::Text(_) => {}
    }
}

/// Tells whether everything below a path may be secret.
fn may_hide(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        [key] | ["services", _, key] if key.starts_with("x-") => true,
        [
            "services",
            _,
            "environment" | "command" | "entrypoint" | "labels" | "annotations" | "build"
            | "pre_start" | "post_start" | "pre_stop",
        ]
        | ["services", _, "healthcheck", "test"]
        | ["services", _, "logging", "options"]
        | ["networks" | "volumes", _, "driver_opts" | "labels"]
        | ["configs", _, "content"] => true,
        _ => false,
    }
}

/// Tells whether a name fits a pattern with `*` and `?`.
fn matches_glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when the last `*` has to take one character more.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            Some(_) | None => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name) in [
            ("A", "A"),
            ("*", ""),
            ("A*", "ABC"),
            ("*C", "ABC"),
            ("A?C", "ABC"),
            ("*_*_X", "A_B_C_X"),
        ] {
            assert!(matches_glob(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("A", "B"), ("", "A"), ("A?", "A"), ("*X", "XY"), ("a", "A")]
        {
            assert!(!matches_glob(pattern, name), "{pattern} {name}");
        }
    }
}
