//! Who holds the office of a replica: which of its containers is the one in charge.

use crate::state::ids::{ContainerName, Replica};
use crate::state::observed::{Container, Observed, Status};

/// The containers of one replica, by the part that each plays.
///
/// All of this is read off the engine (names and the label `reconciler.replaces`), so that
/// a crash at any point of a replacement loses nothing.
#[derive(Clone, Debug, Default)]
pub struct Office<'a> {
    /// The container in charge.
    pub holder: Option<&'a Container>,
    /// The container that is to take over from the holder, never started.
    pub candidate: Option<&'a Container>,
    /// Containers that gave the office up, or never came to it.
    pub retired: Vec<&'a Container>,
}

/// Sorts the containers of a replica by the part that each plays.
pub fn office<'a>(
    observed: &'a Observed,
    replica: &Replica,
    name: &ContainerName,
) -> Office<'a> {
    let mut all: Vec<&Container> = observed
        .containers
        .values()
        .filter(|container| container.origin.replica.as_ref() == Some(replica))
        .filter(|container| !container.origin.one_off)
        .filter(|container| container.state.status != Status::Removing)
        .collect();
    all.sort_by_key(|container| {
        (std::cmp::Reverse(container.created), container.id.clone())
    });
    let Some(holder) = holder(&all, name) else { return Office::default() };
    let candidate = all
        .iter()
        .copied()
        .find(|container| replaces(container, holder) && container.id != holder.id);
    let retired = all
        .iter()
        .copied()
        .filter(|container| container.id != holder.id)
        .filter(|container| {
            candidate.is_none_or(|candidate| candidate.id != container.id)
        })
        .collect();
    Office { holder: Some(holder), candidate, retired }
}

/// The container with the name of the office; else, while the office changes hands, the
/// successor of a stopped one; else one that still runs; else the newest.
fn holder<'a>(all: &[&'a Container], name: &ContainerName) -> Option<&'a Container> {
    let named = all.iter().find(|container| container.name == *name);
    let successor = || {
        all.iter().find(|container| {
            all.iter().any(|other| replaces(container, other) && !is_running(other))
        })
    };
    let running = || all.iter().find(|container| is_running(container));
    named.or_else(successor).or_else(running).or_else(|| all.first()).copied()
}

fn replaces(container: &Container, other: &Container) -> bool {
    container.origin.replaces.as_ref() == Some(&other.id)
}

/// Tells whether the engine runs it, or will again.
pub const fn is_running(container: &Container) -> bool {
    matches!(
        container.state.status,
        Status::Running | Status::Paused | Status::Restarting
    )
}
