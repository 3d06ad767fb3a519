//! Folders of the host that hold data: nothing is started on one whose disk is not mounted.
//!
//! What a container could write to while it ran is remembered: whether there was anything in
//! it, and where its file system was mounted. When there is nothing any more, or the path has
//! fallen back to a file system further up, the next start of ours waits for a person. Where
//! no path can be looked at (the engine is another host's), nothing is remembered.

use std::collections::BTreeMap;

use crate::state::ids::ContainerId;
use crate::state::observed::{Container, HostPath};
use crate::state::time::EngineTime;

use super::change::Note;
use super::world::{Instance, World};

/// What is remembered of a folder that holds data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPath {
    /// There was something in it.
    pub had_entries: bool,
    /// Where its file system was mounted.
    pub mount: String,
    /// The container that ran on it then.
    pub container: ContainerId,
    /// Since when that ran.
    pub started: EngineTime,
}

/// How the texts of these waits begin.
pub const WAIT: &str = "the data in ";

/// Returns what is remembered of the folders that running containers may write to.
///
/// What happens to a folder while a container runs on it is the container's own doing. A
/// start that was not ours (the engine's, at boot) on a folder that is not what it was
/// changes nothing: it stays remembered as it was, and is told.
pub fn remembered(world: &World<'_>) -> BTreeMap<String, DataPath> {
    let mut paths = world.memory.data_paths.clone();
    for instance in world.instances.values() {
        let Some(holder) = instance.office.holder else { continue };
        let Some(started) = holder.state.started.filter(|_| instance.is_started()) else {
            continue;
        };
        for path in writable(holder) {
            let Some(Some(there)) = world.observed.host_paths.get(path) else { continue };
            let known = paths.get(path);
            let is_same_run = known.is_some_and(|known| {
                known.container == holder.id && known.started == started
            });
            if is_same_run
                || known.is_none_or(|known| change(known, Some(there)).is_none())
            {
                let known = DataPath {
                    had_entries: !there.is_empty,
                    mount: there.mount.clone(),
                    container: holder.id.clone(),
                    started,
                };
                paths.insert(path.to_owned(), known);
            }
        }
    }
    paths
}

/// Iterates over the folders of the host that a container may write to.
fn writable(container: &Container) -> impl Iterator<Item = &str> {
    writable_in(&container.document)
}

fn writable_in(
    document: &crate::state::document::Document,
) -> impl Iterator<Item = &str> {
    let mounts = document.get("HostConfig.Mounts").entries();
    mounts
        .filter(|(_, mount)| mount.get("Type").as_text() == Some("bind"))
        .filter(|(_, mount)| mount.get("ReadOnly").as_bool() != Some(true))
        .filter_map(|(_, mount)| mount.get("Source").as_text())
}

/// Says how a folder is not what it was; nothing when it is.
fn change(known: &DataPath, there: Option<&HostPath>) -> Option<String> {
    match there {
        None if known.had_entries => Some("it is gone".to_owned()),
        Some(there) if known.had_entries && there.is_empty => {
            Some("it is empty".to_owned())
        }
        Some(there) if is_above(&there.mount, &known.mount) => {
            Some(format!("nothing is mounted at {} any more", known.mount))
        }
        None | Some(_) => None,
    }
}

fn is_above(mount: &str, other: &str) -> bool {
    let rest = other.strip_prefix(mount.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

/// Returns what a start of a replica waits for: folders that are not what they were.
pub fn waits(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let changed = writable_in(&instance.target.document).filter_map(|path| {
        let known = world.memory.data_paths.get(path)?;
        let there = world.observed.host_paths.get(path)?;
        Some((path, change(known, there.as_ref())?))
    });
    changed
        .map(|(path, how)| {
            format!(
                "{WAIT}{path}: {how}, and held data when a container last ran on it; mount \
                 its disk, or say that it is meant: `reconciler apply --accept-data-path`"
            )
        })
        .collect()
}

/// Says when a container runs on a folder that is not what it was: somebody else started it.
pub fn note(world: &World<'_>, instance: &Instance<'_>) -> Option<Note> {
    if !instance.is_started() {
        return None;
    }
    let why = waits(world, instance).into_iter().next()?;
    Some(Note {
        reason: "DataPathChanged",
        about: super::replica::object(instance).to_string(),
        message: format!("it was started, and not by us, without {why}"),
    })
}
