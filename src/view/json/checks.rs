//! The JSON contract of `check`, and of the checks in `status`.

use serde::Serialize;

use super::Stacks;
use crate::planning::check::history::{CheckState, CheckStates};
use crate::planning::check::{CheckResult, Finding, Verdict};
use crate::state::ids::ProjectName;

/// What `check -o json` says of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackChecks {
    name: String,
    /// No check fails.
    healthy: bool,
    checks: Vec<CheckJson>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckJson {
    name: String,
    kind: String,
    /// `pass`, `warn`, `fail` or `unknown`.
    result: &'static str,
    found: String,
    next: Option<String>,
    findings: Vec<FindingJson>,
    time: String,
    milliseconds: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct FindingJson {
    object: String,
    result: &'static str,
    found: String,
}

/// One check that `run` makes again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckStateJson {
    /// What is believed of it.
    state: &'static str,
    /// How often in a row it has not passed.
    failures: u32,
    /// What came of it the last time.
    last: CheckJson,
}

/// Returns what `check -o json` prints.
pub fn checks(stacks: &[(ProjectName, Vec<CheckResult>)]) -> Stacks<StackChecks> {
    let stack = |(name, made): &(ProjectName, Vec<CheckResult>)| StackChecks {
        name: name.to_string(),
        healthy: made.iter().all(|it| it.verdict != Verdict::Fail),
        checks: made.iter().map(check).collect(),
    };
    let mut stacks: Vec<StackChecks> = stacks.iter().map(stack).collect();
    stacks.sort_by(|a, b| a.name.cmp(&b.name));
    Stacks { stacks }
}

fn check(result: &CheckResult) -> CheckJson {
    let finding = |it: &Finding| FindingJson {
        object: it.object.clone(),
        result: it.verdict.as_str(),
        found: it.said.clone(),
    };
    CheckJson {
        name: result.name.to_string(),
        kind: result.kind.clone(),
        result: result.verdict.as_str(),
        found: result.found.clone(),
        next: result.next.clone(),
        findings: result.findings.iter().map(finding).collect(),
        time: result.time.to_string(),
        milliseconds: u64::try_from(result.took.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Returns the checks of `status -o json`.
pub(super) fn states(states: &CheckStates) -> Vec<CheckStateJson> {
    let state = |it: &CheckState| CheckStateJson {
        state: it.believed.as_str(),
        failures: it.row,
        last: check(&it.last),
    };
    states.values().map(state).collect()
}
