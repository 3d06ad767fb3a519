//! Where the bytes of configs and secrets come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::complete::is_external;
use super::encrypted;
use super::interpolate::variables::Variables;
use super::node::{Entry, Node};
use super::problem::Problems;
use super::reading::Reading;
use crate::state::desired::Content;
use crate::state::secret::Secret;

/// Returns the configs or secrets of a stack, by key.
pub fn contents(
    root: &Node,
    family: &str,
    variables: &Variables,
    reading: &mut Reading<'_>,
    problems: &mut Problems,
) -> BTreeMap<String, Content> {
    let declared = root.get(family).into_iter().flat_map(Node::entries);
    declared
        .filter_map(|(key, entry)| {
            let path = format!("{family}.{key}");
            let content = content(entry, &path, variables, reading, problems)?;
            Some((key.to_owned(), content))
        })
        .collect()
}

fn content(
    entry: &Entry,
    path: &str,
    variables: &Variables,
    reading: &mut Reading<'_>,
    problems: &mut Problems,
) -> Option<Content> {
    if is_external(&entry.node) {
        problems
            .error(
                entry.key,
                path,
                "an engine without Swarm keeps no configs and no secrets",
            )
            .help("give its `file` or its `environment` in place of `external`");
        return None;
    }
    let said: Vec<(&str, &Node)> = ["file", "content", "environment"]
        .into_iter()
        .filter_map(|key| Some((key, entry.node.get(key)?)))
        .collect();
    let [(key, node)] = said.as_slice() else {
        let message = if said.is_empty() {
            "it does not say where its bytes come from"
        } else {
            "it says more than once where its bytes come from"
        };
        let problem = problems.error(entry.key, path, message);
        problem.help("write one of `file`, `environment` and (for configs) `content`");
        return None;
    };
    let text = node.as_text()?;
    match *key {
        "file" if let Some(how) = encrypted::by_name(Path::new(text)) => {
            match reading.plaintext(Path::new(text), how) {
                Ok(secret) => Some(Content::Inline(secret)),
                Err(why) => {
                    let at = format!("{path}.file");
                    why.report(Path::new(text), Some(node.span), &at, problems);
                    None
                }
            }
        }
        "file" => {
            if !reading.exists(Path::new(text)) {
                let message = format!("the file {text} is not there now");
                problems
                    .warning(node.span, format!("{path}.file"), message)
                    .help("it must be there before a service that has it starts");
            }
            Some(Content::File(PathBuf::from(text)))
        }
        "content" => Some(Content::Inline(Secret::new(text))),
        _ => {
            let Some(value) = variables.text(text) else {
                let message = format!("the variable {text} is not set");
                problems
                    .error(node.span, format!("{path}.environment"), message)
                    .help("set it in the environment or in the .env file");
                return None;
            };
            Some(Content::Inline(Secret::new(value)))
        }
    }
}
