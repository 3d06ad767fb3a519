//! When `run` believes a check: not at the first failure, which may be a moment's, but at
//! once when it passes again.

use std::collections::BTreeMap;

use super::{CheckResult, Verdict};
use crate::planning::status::ConditionStatus;
use crate::state::check::Checks;
use crate::state::ids::CheckName;

/// The condition of a stack about its checks.
pub const CONDITION: &str = "Healthy";

/// How a check has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckState {
    /// What came of it the last time.
    pub last: CheckResult,
    /// What is believed of it: unknown until it has passed, or failed often enough.
    pub believed: Verdict,
    /// How often in a row it has not passed.
    pub row: u32,
}

/// How the checks of a stack have done, by name.
pub type CheckStates = BTreeMap<CheckName, CheckState>;

/// Takes up the results of a round; what the file no longer names is forgotten.
pub fn taken_up(
    before: &CheckStates,
    checks: &Checks,
    results: Vec<CheckResult>,
) -> CheckStates {
    let known = before.iter().filter(|(name, _)| checks.named.contains_key(*name));
    let mut after: CheckStates =
        known.map(|(name, state)| (name.clone(), state.clone())).collect();
    for result in results {
        let Some(check) = checks.named.get(&result.name) else { continue };
        let state = next(before.get(&result.name), result, check.failures);
        after.insert(state.last.name.clone(), state);
    }
    after
}

fn next(before: Option<&CheckState>, last: CheckResult, failures: u32) -> CheckState {
    let believed = before.map_or(Verdict::Unknown, |it| it.believed);
    let row = before.map_or(0, |it| it.row);
    match last.verdict {
        Verdict::Pass => CheckState { last, believed: Verdict::Pass, row: 0 },
        Verdict::Unknown => CheckState { last, believed, row },
        verdict @ (Verdict::Warn | Verdict::Fail) => {
            let row = row.saturating_add(1);
            let believed = if row >= failures { verdict } else { believed };
            CheckState { last, believed, row }
        }
    }
}

/// Returns the condition of a stack about its checks; nothing until there are results.
pub fn condition(states: &CheckStates) -> Option<ConditionStatus> {
    let told = |verdict: Verdict| {
        let of = states.values().filter(move |it| it.believed == verdict);
        of.map(|it| format!("{} ({})", it.last.name, it.last.found)).collect::<Vec<_>>()
    };
    if states.is_empty() {
        return None;
    }
    // What fails and is not believed yet: whether it holds is not known.
    let doubted = |it: &CheckState| {
        it.believed == Verdict::Unknown && it.last.verdict == Verdict::Fail
    };
    let (failed, odd) = (told(Verdict::Fail), told(Verdict::Warn));
    let (holds, reason, message) = if !failed.is_empty() {
        (Some(false), "ChecksFailed", failed.join(", "))
    } else if states.values().any(doubted) {
        let doubted = states.values().filter(|it| doubted(it));
        let doubted: Vec<&str> = doubted.map(|it| it.last.name.as_str()).collect();
        (None, "ChecksPending", format!("not passed yet: {}", doubted.join(", ")))
    } else if odd.is_empty() {
        (Some(true), "ChecksPassed", "no check fails".to_owned())
    } else {
        (Some(true), "ChecksWarn", odd.join(", "))
    };
    Some(ConditionStatus {
        kind: CONDITION,
        status: holds,
        reason: reason.to_owned(),
        message,
        since: None,
    })
}
