//! How checks have done, on the way to another process.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::MemoryError;
use crate::planning::check::history::{CheckState, CheckStates};
use crate::planning::check::{CheckResult, Finding, Verdict};
use crate::state::ids::CheckName;
use crate::store::form::EngineTimeText;

#[derive(Serialize, Deserialize)]
pub(super) struct StoredCheck {
    name: CheckName,
    kind: String,
    verdict: String,
    believed: String,
    row: u32,
    found: String,
    next: Option<String>,
    findings: Vec<StoredFinding>,
    time: EngineTimeText,
    took: Duration,
}

#[derive(Serialize, Deserialize)]
struct StoredFinding {
    object: String,
    verdict: String,
    said: String,
}

pub(super) fn stored_checks(states: &CheckStates) -> Vec<StoredCheck> {
    states.values().map(StoredCheck::new).collect()
}

pub(super) fn checks(stored: Vec<StoredCheck>) -> Result<CheckStates, MemoryError> {
    let states = stored.into_iter().map(|it| Ok((it.name.clone(), it.state()?)));
    states.collect()
}

impl StoredCheck {
    fn new(state: &CheckState) -> Self {
        let CheckState { last, believed, row } = state;
        let finding = |it: &Finding| StoredFinding {
            object: it.object.clone(),
            verdict: it.verdict.as_str().to_owned(),
            said: it.said.clone(),
        };
        Self {
            name: last.name.clone(),
            kind: last.kind.clone(),
            verdict: last.verdict.as_str().to_owned(),
            believed: believed.as_str().to_owned(),
            row: *row,
            found: last.found.clone(),
            next: last.next.clone(),
            findings: last.findings.iter().map(finding).collect(),
            time: EngineTimeText(last.time),
            took: last.took,
        }
    }

    fn state(self) -> Result<CheckState, MemoryError> {
        let finding = |it: StoredFinding| {
            let verdict = verdict(&it.verdict)?;
            Ok(Finding { object: it.object, verdict, said: it.said })
        };
        let findings = self.findings.into_iter().map(finding);
        let last = CheckResult {
            name: self.name,
            kind: self.kind,
            verdict: verdict(&self.verdict)?,
            found: self.found,
            next: self.next,
            findings: findings.collect::<Result<_, MemoryError>>()?,
            time: self.time.0,
            took: self.took,
        };
        Ok(CheckState { last, believed: verdict(&self.believed)?, row: self.row })
    }
}

fn verdict(word: &str) -> Result<Verdict, MemoryError> {
    Verdict::from_word(word).ok_or_else(|| MemoryError::Reason(word.to_owned()))
}
