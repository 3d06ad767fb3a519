//! Which checks are believed to fail, or to pass again.

use super::Happening;
use crate::planning::check::Verdict;
use crate::planning::check::history::{CheckState, CheckStates};
use crate::planning::memory::Memory;
use crate::state::time::EngineTime;

/// Records the checks of which something else is believed than before. What passes the first
/// time is no news.
pub fn checked(memory: &mut Memory, before: &CheckStates, now: EngineTime) {
    let happenings = memory.checks.iter().filter_map(|(name, state)| {
        let known = before.get(name).map(|it| it.believed);
        happening(state, known.unwrap_or(Verdict::Unknown))
    });
    let happenings: Vec<Happening> = happenings.collect();
    for happening in happenings {
        memory.events.record(happening, now);
    }
}

fn happening(state: &CheckState, before: Verdict) -> Option<Happening> {
    let last = &state.last;
    let object = format!("check/{}", last.name);
    match (before, state.believed) {
        (Verdict::Warn | Verdict::Fail, Verdict::Pass) => {
            Some(Happening::normal(&object, "CheckPassed", "it passes again"))
        }
        (Verdict::Pass | Verdict::Unknown | Verdict::Warn, Verdict::Fail) => {
            Some(Happening::warning(&object, "CheckFailed", &last.found))
        }
        (Verdict::Pass | Verdict::Unknown | Verdict::Fail, Verdict::Warn) => {
            Some(Happening::warning(&object, "CheckWarned", &last.found))
        }
        (_, Verdict::Unknown)
        | (Verdict::Pass | Verdict::Unknown, Verdict::Pass)
        | (Verdict::Warn, Verdict::Warn)
        | (Verdict::Fail, Verdict::Fail) => None,
    }
}
