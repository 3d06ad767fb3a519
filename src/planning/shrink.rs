//! Memory limits that go down: never below what is in use, unless a person says so. The
//! engine refuses that, or the kernel ends a process for it.

use std::time::Duration;

use crate::state::observed::Container;

use super::change::FieldDrift;
use super::office::is_running;
use super::world::World;

/// For how long a measurement is believed.
const BELIEVED: Duration = Duration::from_secs(15);

/// How the texts of these waits begin.
pub const WAIT: &str = "less memory in use: ";

const MEMORY: [&str; 2] = ["HostConfig.Memory", "HostConfig.MemorySwap"];

/// What is to be done about a limit that goes down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shrink {
    /// Nothing: none does, or it may.
    Free,
    /// To ask how much is in use.
    Measure,
    /// To wait, and for what.
    Wait(String),
}

/// Decides about the memory limit among the fields that differ.
pub fn check(world: &World<'_>, container: &Container, fields: &[FieldDrift]) -> Shrink {
    let Some(limit) = fields.iter().find_map(lower).filter(|_| is_running(container))
    else {
        return Shrink::Free;
    };
    if world.allowed.shrink {
        return Shrink::Free;
    }
    match world.memory.measured.get(&container.id) {
        Some((_, at)) if at.after(BELIEVED) <= world.now.moment => Shrink::Measure,
        None => Shrink::Measure,
        Some((used, _)) if *used <= limit => Shrink::Free,
        Some((used, _)) => Shrink::Wait(format!(
            "{WAIT}{} MiB are, and the limit would be {} MiB; `reconciler apply \
             --allow-shrink` lowers it all the same, and so does the next replacement",
            used.div_ceil(1 << 20),
            limit >> 20
        )),
    }
}

/// Tells whether a field is about the memory limit.
pub fn is_memory(field: &FieldDrift) -> bool {
    MEMORY.contains(&field.pointer)
}

/// Returns the limit that a field asks for, if it is a lower one.
fn lower(field: &FieldDrift) -> Option<u64> {
    let wanted = field.desired.as_int().filter(|limit| *limit > 0)?;
    let there = field.observed.as_int().unwrap_or(0);
    let is_lower = there == 0 || wanted < there;
    let is_limit = field.pointer == MEMORY[0] && is_lower;
    is_limit.then(|| u64::try_from(wanted).unwrap_or_default())
}
