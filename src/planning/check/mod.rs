//! The checks of a stack: what is asked of whom, and what the answers mean.
//!
//! Read in this order: [`question`] (what is asked), [`judge`] (what an answer means) with
//! `containers`, `measure` and `advice` (what to do next), [`history`] (when `run` believes
//! it). Who asks is above this floor: [`Round`]s are made here and their answers come back.

mod advice;
mod containers;
pub mod history;
pub mod judge;
mod measure;
pub mod question;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use super::world::World;
use crate::state::ask::Answer;
use crate::state::check::Check;
use crate::state::concealer::Concealer;
use crate::state::ids::CheckName;
use crate::state::time::EngineTime;
use question::Question;

/// The checks of a stack that are to be made, each with its questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// They are side by side.
    pub checks: Vec<Prepared>,
    /// Takes the secrets of the stack out of what is answered.
    concealer: Concealer,
}

/// A check that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Its name.
    pub name: CheckName,
    /// What the file says.
    pub check: Check,
    /// What is asked.
    pub questions: Vec<Question>,
}

impl Round {
    /// Prepares checks of a stack: those of these names, or all if none is named.
    pub fn new(world: &World<'_>, names: &BTreeSet<CheckName>) -> Self {
        let all = world.desired.settings.checks.named.iter();
        let meant = all.filter(|(name, _)| names.is_empty() || names.contains(*name));
        let prepared = |(name, check): (&CheckName, &Check)| Prepared {
            name: name.clone(),
            check: check.clone(),
            questions: question::questions(world, &check.kind),
        };
        let concealer = Concealer::of(world.desired, []);
        Self { checks: meant.map(prepared).collect(), concealer }
    }

    /// Says what the answers to the questions of a check mean.
    pub fn judged(
        &self,
        prepared: &Prepared,
        answers: Vec<Option<Answer>>,
        (time, took): (EngineTime, Duration),
    ) -> CheckResult {
        let mut result = judge::result(prepared, answers, (time, took));
        let findings = result.findings.iter_mut();
        let said = findings.flat_map(|it| [&mut it.object, &mut it.said]);
        for text in said.chain([&mut result.found]).chain(result.next.as_mut()) {
            *text = self.concealer.conceal(text);
        }
        result
    }
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// The check.
    pub name: CheckName,
    /// The key that it is asked for by: `http`, `disk`, ….
    pub kind: String,
    /// The worst of what was found.
    pub verdict: Verdict,
    /// What was found, in one line.
    pub found: String,
    /// What to do about it; nothing when it passes.
    pub next: Option<String>,
    /// What was found about each object, sorted.
    pub findings: Vec<Finding>,
    /// When it was made.
    pub time: EngineTime,
    /// How long it took.
    pub took: Duration,
}

/// What was found about one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// It: `service/etcd/1`, `127.0.0.1:19530`, a folder.
    pub object: String,
    /// How it is.
    pub verdict: Verdict,
    /// Why, in a few words.
    pub said: String,
}

/// Whether something passes; the worse is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It does.
    Pass,
    /// It could not be found out.
    Unknown,
    /// It does not, and somebody should know.
    Warn,
    /// It does not, and something is wrong.
    Fail,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Unknown, Self::Warn, Self::Fail];

    /// Returns the word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// Returns the verdict that has this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}
