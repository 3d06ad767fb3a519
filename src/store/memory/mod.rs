//! Memory outside its process: in the state directory, and on its way to another process.
//!
//! Both have one form. What only the living process can use (steps under way, probing) is
//! sent to others, and never kept.

mod backoff;
mod by_hand;
mod check;
mod data_path;
mod form;
mod life;
mod step;
#[cfg(test)]
pub(super) mod tests;
mod trial;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use form::Stored;

use super::disk::write_atomically;
use crate::planning::memory::Memory;
use crate::planning::trial::Trial;
use crate::state::ids::{ContainerId, NoObject};
use crate::state::time::Now;

/// The version of the form; what is of another one is begun anew.
const VERSION: u32 = 2;

/// Why something is no memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It is of another version.
    #[error("it is of version {0}, and not {VERSION}")]
    Version(u64),
    /// It has no such form.
    #[error("it does not have the form of a memory: {0}")]
    Form(#[from] serde_json::Error),
    /// It names an object that cannot be.
    #[error(transparent)]
    Object(#[from] NoObject),
    /// It names a reason that is none of ours.
    #[error("it has the unknown reason `{0}`")]
    Reason(String),
}

/// Returns everything that is remembered, for another process. Deadlines are translated to
/// the engine's clock; of steps under way no document, file or command goes along.
///
/// # Errors
/// A value that JSON cannot hold: there is none in a memory.
pub fn to_json(memory: &Memory, now: Now) -> Result<serde_json::Value, MemoryError> {
    Ok(serde_json::to_value(Stored::new(VERSION, memory, now))?)
}

/// Reads what [`to_json`] of another process gave.
///
/// # Errors
/// It is not in today's form.
pub fn from_json(value: serde_json::Value, now: Now) -> Result<Memory, MemoryError> {
    let version = value.get("version").and_then(serde_json::Value::as_u64);
    match version.unwrap_or_default() {
        version if version == u64::from(VERSION) => {
            serde_json::from_value::<Stored>(value)?.memory(now)
        }
        other => Err(MemoryError::Version(other)),
    }
}

/// Reads the memory that an earlier process kept.
pub(super) fn parse(bytes: &[u8], now: Now) -> Result<Memory, MemoryError> {
    Ok(from_json(serde_json::from_slice(bytes)?, now)?.lasting())
}

pub(super) fn write(path: &Path, memory: &Memory, now: Now) -> io::Result<()> {
    let value = to_json(&memory.clone().lasting(), now).map_err(io::Error::other)?;
    write_atomically(path, &serde_json::to_vec_pretty(&value)?)
}

/// Tells whether a later process could tell two memories apart.
pub(super) fn is_same_to_others(one: &Memory, other: &Memory) -> bool {
    kept(one) == kept(other)
}

/// Trials without their clocks, which go on with every look: to the second is enough.
fn lasting_trials(trials: &BTreeMap<ContainerId, Trial>) -> impl PartialEq + '_ {
    let lasting = trials.iter().map(|(id, it)| {
        (id, it.spent.as_secs() / 10, it.exits, it.in_office, &it.verdict)
    });
    lasting.collect::<Vec<_>>()
}

/// Everything that [`Memory::lasting`] keeps, by reference: this is asked after every pass.
fn kept(memory: &Memory) -> impl PartialEq + '_ {
    let Memory {
        generation,
        proven,
        probing: _,
        retries,
        crashes,
        under_way: _,
        filled,
        stopped,
        signalled: _,
        restarts,
        wishes,
        pulled,
        quirks,
        unequal,
        conditions,
        down,
        trials,
        rejections,
        offices,
        logged,
        unwatched: _,
        events: _,
        seen: _,
        contents,
        offered,
        tested,
        refused,
        watched,
        completed,
        outages,
        attributed,
        healings,
        pauses,
        asked_to_restart,
        due_restarts,
        only: _,
        rest: _,
        adopted,
        before_prune,
        data_paths,
        made_with,
        measured: _,
        checks: _,
    } = memory;
    let watched: Vec<_> =
        watched.iter().map(|(id, it)| (id, it.started, it.is_well)).collect();
    let stopping: Vec<&ContainerId> = memory.stopping().collect();
    let of_runs = (proven, filled, stopped, stopping, restarts);
    let of_containers = (of_runs, adopted, before_prune, (data_paths, made_with));
    let of_engine = (pulled, quirks, unequal);
    let of_content = (contents, offered, tested, refused, watched);
    let of_changes = (lasting_trials(trials), rejections, offices, logged);
    let of_people = (pauses, asked_to_restart, due_restarts);
    let of_wishes = (generation, down, wishes, completed, of_people);
    let failures = (retries, crashes, outages, attributed, healings);
    (of_wishes, of_containers, of_engine, (of_changes, of_content), failures, conditions)
}
