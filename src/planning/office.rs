//! Who holds the office of a replica: which of its containers is the one in charge.

use crate::state::ids::{ContainerId, ContainerName, Replica};
use crate::state::observed::{Container, Observed, Status};

/// The containers of one replica, by the part that each plays.
///
/// All of this is read off the engine (names and the label `reconciler.replaces`), so that
/// a crash at any point of a replacement loses nothing.
#[derive(Clone, Debug, Default)]
pub struct Office<'a> {
    /// The container in charge.
    pub holder: Option<&'a Container>,
    /// The container that is to take over from the holder.
    pub candidate: Option<&'a Container>,
    /// The container that comes back if the holder does not prove itself: the last one of
    /// those that the holder, and those before it, took over from.
    pub base: Option<&'a Container>,
    /// Containers that gave the office up, or never came to it; the base is not among them.
    pub retired: Vec<&'a Container>,
}

impl<'a> Office<'a> {
    /// Returns a container that was only ever on trial, and that nobody needs to find the
    /// base: the holder itself names that.
    pub fn spare(&self) -> Option<&'a Container> {
        let (holder, base) = (self.holder?, self.base?);
        let is_named = holder.origin.base.as_ref() == Some(&base.id);
        let mut retired = self.retired.iter().copied();
        retired.find(|container| is_named && !is_running(container))
    }
}

/// Why a container of a replica does not have the final name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// It is to take over.
    Next,
    /// It gave the office up.
    Old,
    /// It did not prove itself.
    Failed,
}

impl Aside {
    const fn word(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Old => "old",
            Self::Failed => "failed",
        }
    }

    /// Returns a name beside the final one; `of` keeps it apart from all others.
    pub fn name(self, name: &ContainerName, of: &ContainerId) -> ContainerName {
        let short: String = of.as_str().chars().take(8).collect();
        ContainerName::new(format!("{name}.{}-{short}", self.word()))
    }

    /// Tells whether a container has such a name.
    pub fn is_name_of(self, container: &Container) -> bool {
        let (_, last) = container.name.as_str().rsplit_once('.').unwrap_or_default();
        last.strip_prefix(self.word()).is_some_and(|rest| rest.starts_with('-'))
    }
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
    let candidate = all.iter().copied().find(|container| {
        replaces(container, holder)
            && container.id != holder.id
            && !Aside::Failed.is_name_of(container)
    });
    let base = base(&all, holder);
    let has_part = |container: &Container| {
        [Some(holder), candidate, base].iter().flatten().any(|it| it.id == container.id)
    };
    let retired = all.iter().copied().filter(|container| !has_part(container)).collect();
    Office { holder: Some(holder), candidate, base, retired }
}

/// The container with the name of the office; else, while the office changes hands, the
/// successor of a stopped one; else one that still runs; else the first of those that gave
/// the office up, which is the last that was ready there; else the newest. What did not
/// prove itself comes last.
fn holder<'a>(all: &[&'a Container], name: &ContainerName) -> Option<&'a Container> {
    let named = all.iter().find(|container| container.name == *name);
    let is_fit = |it: &&&Container| !Aside::Failed.is_name_of(it);
    let is_old = |it: &&&Container| Aside::Old.is_name_of(it);
    let succeeds = |it: &&&Container| {
        all.iter().any(|other| replaces(it, other) && !is_running(other))
    };
    let successor = || {
        let mut fit = all.iter().filter(is_fit).filter(|it| !is_old(it));
        fit.find(succeeds)
    };
    let running = || all.iter().filter(is_fit).find(|container| is_running(container));
    let first = || all.iter().rev().find(is_old);
    let any_running = || all.iter().find(|container| is_running(container));
    named
        .or_else(successor)
        .or_else(running)
        .or_else(first)
        .or_else(|| all.iter().find(is_fit))
        .or_else(any_running)
        .or_else(|| all.first())
        .copied()
}

/// Returns what the holder names as its base, if that is there; else follows the line of
/// predecessors as far as they are.
fn base<'a>(all: &[&'a Container], holder: &'a Container) -> Option<&'a Container> {
    let is_named = |it: &&&Container| holder.origin.base.as_ref() == Some(&it.id);
    let is_fit = |it: &&&Container| !Aside::Failed.is_name_of(it) && it.id != holder.id;
    if let Some(named) = all.iter().filter(is_fit).find(is_named) {
        return Some(named);
    }
    let before = |container: &Container| {
        let id = container.origin.replaces.clone()?;
        all.iter().copied().find(|it| it.id == id && !Aside::Failed.is_name_of(it))
    };
    let mut last = holder;
    // Ids that name one another in a circle cannot be made, but must not hang us.
    for _ in 0..all.len() {
        match before(last) {
            Some(other) if other.id != holder.id => last = other,
            Some(_) | None => break,
        }
    }
    (last.id != holder.id).then_some(last)
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
