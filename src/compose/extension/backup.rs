//! `x-reconciler.backup`.

use std::path::{Component, Path};

use super::{StackExtension, Wrong, count, texts, wrong};
use crate::compose::node::Node;
use crate::state::backup::{BackupSettings, Keep};

const KEYS: &str = "`schedule`, `keep`, `paths`, `directory` and `after`";

/// Reads `backup: {schedule, keep, paths, directory, after}`.
pub(super) fn read(node: &Node, stack: &mut StackExtension) -> Result<(), Wrong> {
    if node.as_mapping().is_none() {
        return Err(wrong(node, "`{schedule, keep, paths, directory, after}`"));
    }
    let mut settings = BackupSettings::default();
    for (key, entry) in node.entries() {
        let node = &entry.node;
        let below =
            |Wrong(span, path, message)| Wrong(span, format!(".{key}{path}"), message);
        match key {
            "schedule" => {
                let text = node.as_text().unwrap_or_default();
                let schedule = text.parse().map_err(|error| {
                    below(Wrong(node.span, String::new(), format!("{error}")))
                });
                settings.schedule = Some(schedule?);
            }
            "keep" => settings.keep = Some(keep(node).map_err(below)?),
            "paths" => {
                settings.paths = texts(node).map_err(below)?;
                for item in node.items() {
                    absolute(item).map_err(below)?;
                }
            }
            "directory" => {
                settings.directory = Some(absolute(node).map_err(below)?.into());
            }
            "after" => settings.after = texts(node).map_err(below)?,
            _ => {
                let message = format!("`backup` has no key `{key}`; it has {KEYS}");
                return Err(Wrong(entry.key, format!(".{key}"), message));
            }
        }
    }
    stack.settings.backup = Some(settings);
    Ok(())
}

fn keep(node: &Node) -> Result<Keep, Wrong> {
    if node.as_mapping().is_none() {
        return Err(wrong(node, "`{last: N, daily: N, weekly: N}`"));
    }
    let mut keep = Keep::default();
    for (key, entry) in node.entries() {
        let below = |Wrong(span, _, message)| Wrong(span, format!(".{key}"), message);
        let number = || count(&entry.node).map_err(below);
        match key {
            "last" => keep.last = number()?,
            "daily" => keep.daily = number()?,
            "weekly" => keep.weekly = number()?,
            _ => {
                let message = format!(
                    "`keep` has no key `{key}`; it has `last`, `daily` and `weekly`"
                );
                return Err(Wrong(entry.key, format!(".{key}"), message));
            }
        }
    }
    Ok(keep)
}

fn absolute(node: &Node) -> Result<&str, Wrong> {
    let text = node.as_text().filter(|text| {
        let path = Path::new(text);
        path.is_absolute() && !path.components().any(|it| it == Component::ParentDir)
    });
    text.ok_or_else(|| wrong(node, "an absolute path without `..`"))
}
