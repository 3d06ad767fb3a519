//! Whether a host is fit for what it is to run: what is found, why it matters, and the fix.
//!
//! Facts in, findings out: [`engine`] (what it can do), [`host`] (kernel, clock, firewall),
//! [`demand`] (what the stacks ask for against what is there).

mod demand;
mod engine;
mod host;

use crate::state::desired::{Desired, Service};
use crate::state::host::{EngineReport, Host};
use crate::state::observed::Observed;

pub use demand::paths;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// It will not work.
    Fail,
    /// It works, and will be regretted.
    Warning,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// The check, such as `port-in-use`.
    pub check: &'static str,
    /// What it is about: `host`, `engine`, or a service such as `milvus/etcd`.
    pub about: String,
    /// What was found, and why it matters.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// Everything that can be known before anything is done.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the engine says of itself.
    pub engine: &'a EngineReport,
    /// This host; nothing when the engine is another one's.
    pub host: Option<&'a Host>,
    /// Every stack, and what the engine has for it.
    pub stacks: &'a [(Desired, Observed)],
    /// Why the state directory cannot be written, if it cannot.
    pub state: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// Iterates over every service, with what it is called.
    fn services(&self) -> impl Iterator<Item = (String, &'a Service)> {
        self.stacks.iter().flat_map(|(desired, _)| {
            let services = desired.services.values();
            services.map(|it| (format!("{}/{}", desired.project, it.name), it))
        })
    }

    /// Tells whether a service runs a program, by the repository of its image.
    fn runs(&self, programs: &[&str]) -> bool {
        self.services().any(|(_, service)| {
            let image = service.image.as_str().split('@').next().unwrap_or_default();
            let last = image.rsplit('/').next().unwrap_or_default();
            programs.contains(&last.split(':').next().unwrap_or_default())
        })
    }
}

/// Returns what is not as it should be, the worst first.
pub fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    engine::check(facts, &mut found);
    if let Some(host) = facts.host {
        host::check(facts, host, &mut found);
    }
    demand::check(facts, &mut found);
    if let Some(why) = facts.state {
        found.push(fail(
            "state-directory",
            "host",
            format!("what is remembered cannot be kept: {why}"),
            "run as root, or name a folder of your own with --state-dir",
        ));
    }
    found.sort_by_key(|finding| finding.grade);
    found
}

fn fail(
    check: &'static str,
    about: impl Into<String>,
    message: impl Into<String>,
    fix: impl Into<String>,
) -> Finding {
    let (about, message, fix) = (about.into(), message.into(), fix.into());
    Finding { grade: Grade::Fail, check, about, message, fix }
}

fn warning(
    check: &'static str,
    about: impl Into<String>,
    message: impl Into<String>,
    fix: impl Into<String>,
) -> Finding {
    Finding { grade: Grade::Warning, ..fail(check, about, message, fix) }
}
