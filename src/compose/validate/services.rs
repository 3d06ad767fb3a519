//! What a service must say, and in which words.

use super::super::node::Node;
use super::super::problem::{Problems, Span, nearest};
use super::{Candidate, integer, items, text};

pub(super) fn check(stack: &Candidate, problems: &mut Problems) {
    for family in ["services", "networks", "volumes", "configs", "secrets"] {
        for (key, entry) in stack.root.get(family).into_iter().flat_map(Node::entries) {
            if !is_key(key) {
                problems
                    .error(
                        entry.key,
                        format!("{family}.{key}"),
                        format!("`{key}` is no valid key"),
                    )
                    .help("letters, digits, `.`, `_` and `-` are allowed");
            }
        }
    }
    for (name, entry) in stack.services() {
        let path = format!("services.{name}");
        image(&entry.node, entry.key, &path, problems);
        pull_policy(&entry.node, &path, problems);
        container_name(&entry.node, &path, problems);
        restart(&entry.node, &path, problems);
        shared_network(&entry.node, &path, problems);
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn image(service: &Node, key: Span, path: &str, problems: &mut Problems) {
    let build = service.get("build");
    let Some(node) = service.get("image") else {
        match build {
            Some(build) => problems
                .error(build.span, format!("{path}.build"), "images are not built here")
                .help("build the image elsewhere, and name it with `image`"),
            None => problems
                .error(key, format!("{path}.image"), "the service has no image")
                .help("add `image: NAME:TAG`"),
        };
        return;
    };
    let Some(text) = node.as_text() else { return };
    if let Some(why) = refused(text) {
        let message = format!("`{text}` is no image reference: {why}");
        problems.error(node.span, format!("{path}.image"), message);
    }
}

/// Says why a text cannot name an image.
fn refused(reference: &str) -> Option<&'static str> {
    let repository = reference.split('@').next().unwrap_or_default();
    let repository = match repository.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        Some(_) | None => repository,
    };
    let path = match repository.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        Some(_) | None => repository,
    };
    if reference.contains(char::is_whitespace) {
        Some("it contains a space")
    } else if path.is_empty() || path.split('/').any(str::is_empty) {
        Some("a part of its name is empty")
    } else if path.contains(|c: char| c.is_uppercase()) {
        Some("names of images are in small letters")
    } else if reference.ends_with(':') || reference.ends_with('@') {
        Some("its tag is empty")
    } else {
        None
    }
}

fn pull_policy(service: &Node, path: &str, problems: &mut Problems) {
    let Some(node) = service.get("pull_policy") else { return };
    let Some(word) = node.as_text().filter(|word| !word.is_empty()) else { return };
    let path = format!("{path}.pull_policy");
    if word == "build" {
        problems
            .error(node.span, path, "images are not built here")
            .help("build the image elsewhere, and write `pull_policy: missing`");
    } else if matches!(word, "daily" | "weekly") || word.starts_with("every_") {
        problems
            .warning(
                node.span,
                path,
                "images are not pulled by age; it is taken as `missing`",
            )
            .help("`always` pulls once for every change of the file");
    }
}

fn container_name(service: &Node, path: &str, problems: &mut Problems) {
    let Some(node) = service.get("container_name") else { return };
    let Some(name) = node.as_text() else { return };
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins || name.len() < 2 || !is_key(name) {
        problems
            .error(
                node.span,
                format!("{path}.container_name"),
                format!("`{name}` cannot name a container"),
            )
            .help(
                "two or more letters, digits, `.`, `_` and `-`, a letter or digit first",
            );
    }
}

fn restart(service: &Node, path: &str, problems: &mut Problems) {
    const WORDS: [&str; 4] = ["no", "always", "unless-stopped", "on-failure"];
    const CONDITIONS: [&str; 3] = ["none", "on-failure", "any"];
    if let Some(node) = service.get("restart")
        && let Some(text) = node.as_text().filter(|text| !text.is_empty())
    {
        let (word, attempts) = match text.split_once(':') {
            Some((word, attempts)) => (word, Some(attempts)),
            None => (text, None),
        };
        let attempts_fit = attempts.is_none_or(|attempts| {
            word == "on-failure" && attempts.parse::<u32>().is_ok()
        });
        if !WORDS.contains(&word) || !attempts_fit {
            let help = match nearest(word, WORDS).filter(|meant| *meant != word) {
                Some(meant) => format!("perhaps `{meant}` was meant"),
                None => {
                    "allowed are `no`, `always`, `unless-stopped` and `on-failure[:N]`"
                        .to_owned()
                }
            };
            let message = format!("`{text}` is no restart policy");
            problems.error(node.span, format!("{path}.restart"), message).help(help);
        }
    }
    let Some(policy) = service.at("deploy.restart_policy") else { return };
    let path = format!("{path}.deploy.restart_policy");
    let condition = policy.get("condition");
    let word = condition.and_then(Node::as_text).filter(|word| !word.is_empty());
    if let (Some(node), Some(word)) = (condition, word)
        && !CONDITIONS.contains(&word)
    {
        problems
            .error(
                node.span,
                format!("{path}.condition"),
                format!("`{word}` is no condition"),
            )
            .help("allowed are `none`, `on-failure` and `any`");
    }
    if let Some(node) = policy.get("max_attempts")
        && integer(node).is_some_and(|attempts| attempts > 0)
        && word.is_some_and(|word| word != "on-failure")
    {
        let message = "the engine counts attempts only with `condition: on-failure`";
        problems.error(node.span, format!("{path}.max_attempts"), message);
    }
}

/// With the network of another container, or the host's, no port can be published.
fn shared_network(service: &Node, path: &str, problems: &mut Problems) {
    let Some(mode) = text(service, "network_mode") else { return };
    let Some(port) = items(service, "ports").first() else { return };
    let path = format!("{path}.ports");
    if mode.starts_with("service:") || mode.starts_with("container:") {
        problems
            .error(
                port.span,
                path,
                format!("with `network_mode: {mode}` no port can be published"),
            )
            .help("publish it in the service whose network it is");
    } else if mode == "host" {
        problems.warning(
            port.span,
            path,
            "with `network_mode: host` ports are not published: the service listens on the \
             host itself",
        );
    }
}
