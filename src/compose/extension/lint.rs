//! `lint: {ignore: [NAME]}`: what a stack or a service does not want to hear of.
//!
//! The lints themselves read it; here it is only checked.

use super::super::node::Node;
use super::super::problem::nearest;
use super::super::validate::lint::NAMES;
use super::{Wrong, texts, wrong};

/// Checks `lint`.
pub(super) fn check(node: &Node) -> Result<(), Wrong> {
    let Some(mapping) = node.as_mapping() else {
        return Err(wrong(node, "`{ignore: [NAME, …]}`"));
    };
    if let Some((key, entry)) = mapping.iter().find(|(key, _)| *key != "ignore") {
        let message = format!("`lint` has no key `{key}`; it has `ignore`");
        return Err(Wrong(entry.key, format!(".{key}"), message));
    }
    let Some(list) = node.get("ignore") else { return Ok(()) };
    let below = |Wrong(span, _, message)| Wrong(span, ".ignore".to_owned(), message);
    let names = texts(list).map_err(below)?;
    for (name, item) in names.iter().zip(list.items()) {
        if !NAMES.contains(&name.as_str()) {
            let hint = match nearest(name, NAMES) {
                Some(meant) => format!("perhaps `{meant}` was meant"),
                None => format!("there are {}", NAMES.join(", ")),
            };
            let message = format!("no lint has the name `{name}`; {hint}");
            return Err(Wrong(item.span, ".ignore".to_owned(), message));
        }
    }
    Ok(())
}
