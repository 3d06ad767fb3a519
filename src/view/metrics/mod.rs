//! What `/metrics` tells: values in, text out.
//!
//! All of it follows from the last pass of each stack and a few counts, so there is no
//! registry that could hold on to a stack or a service that is gone. What more is to be
//! told of a stack becomes a field of [`StackMeasures`] and a function in `stack`, or in a file
//! beside it.

mod checks;
mod engine;
mod exposition;
mod process;
mod stack;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use self::exposition::Form;
use self::exposition::{Kind, Page};
use crate::planning::change::Plan;
use crate::planning::status::StackStatus;
use crate::planning::tally::{Calls, Deliveries, GitSync, Tally};
use crate::state::ids::ProjectName;
use crate::state::time::EngineTime;

/// Everything that is measured.
#[derive(Debug)]
pub struct Measures<'a> {
    /// The version of this program.
    pub version: &'a str,
    /// The stacks that are there, by name.
    pub stacks: Vec<StackMeasures<'a>>,
    /// What the engine was asked, by kind.
    pub calls: &'a BTreeMap<&'static str, Calls>,
    /// The repository, if one is followed.
    pub git: Option<GitSync>,
    /// Notifications.
    pub deliveries: Deliveries,
    /// This process; nothing where the system does not tell.
    pub process: Option<Process>,
}

/// What is measured of one stack.
#[derive(Debug)]
pub struct StackMeasures<'a> {
    /// The stack.
    pub name: &'a ProjectName,
    /// What the last pass found, and when; nothing before the first.
    pub last: Option<(&'a Plan, &'a StackStatus, EngineTime)>,
    /// What was counted.
    pub tally: &'a Tally,
    /// Whether the last look succeeded.
    pub is_seen: bool,
}

/// What the system tells of this process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// When it started, in seconds since 1970.
    pub start: f64,
    /// How long it had a processor, in seconds.
    pub cpu: f64,
    /// How many bytes of memory it has.
    pub resident: u64,
    /// How many of its addresses are in use.
    pub virtual_size: u64,
    /// How many files it has open.
    pub open_files: u64,
    /// How many it may have open.
    pub most_files: Option<u64>,
}

/// Returns the metrics as text.
pub fn drawn(measures: &Measures<'_>, form: Form) -> String {
    let mut page = Page::new(form);
    let about = "Version of the reconciler that answers.";
    page.family("reconciler_build_info", Kind::Gauge, about);
    page.sample(&[("version", measures.version)], 1);
    for tell in stack::FAMILIES {
        tell(&mut page, &measures.stacks);
    }
    checks::tell(&mut page, &measures.stacks);
    engine::tell(&mut page, measures.calls);
    if let Some(git) = measures.git {
        tell_git(&mut page, git);
    }
    page.family(
        "reconciler_notifications_total",
        Kind::Counter,
        "Notifications that were sent, and attempts that failed.",
    );
    let Deliveries { sent, failed } = measures.deliveries;
    for (result, count) in [("sent", sent), ("failed", failed)] {
        page.sample(&[("result", result)], count);
    }
    if let Some(process) = &measures.process {
        process::tell(&mut page, process);
    }
    page.ended()
}

fn tell_git(page: &mut Page, git: GitSync) {
    page.family(
        "reconciler_git_current",
        Kind::Gauge,
        "Whether the newest commit is in force, by the last answer of the repository.",
    );
    page.sample(&[], git.is_current);
    page.family(
        "reconciler_git_last_success_timestamp_seconds",
        Kind::Gauge,
        "When the newest commit was last known to be in force.",
    );
    if let Some(time) = git.last_success {
        page.sample(&[], time);
    }
}
