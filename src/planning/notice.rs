//! What is worth a message to somebody: each edge once, told from one status to the next.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Action, Change, Plan};
use super::check::Verdict;
use super::check::history::CONDITION;
use super::memory::Memory;
use super::status::{ConditionStatus, ServiceStatus, StackStatus};
use crate::state::ids::{CheckName, Generation, ServiceName};
use crate::state::notice::NoticeKind;

/// How many failed looks in a row are worth a message: the engine is gone for several
/// seconds then.
const BLIND: u32 = 3;

/// How many drifted objects are named.
const NAMED: usize = 5;

/// Something that is worth a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The kind of it.
    pub kind: NoticeKind,
    /// What it is about: `service/etcd`, `stack`, `engine`.
    pub object: String,
    /// What tells it from others of its kind about the same object: the reason of a
    /// condition, or the message where there is none.
    pub cause: String,
    /// One sentence.
    pub message: String,
}

impl Notice {
    fn new(kind: NoticeKind, object: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, object: object.to_owned(), cause: message.clone(), message }
    }
}

/// What was told about a stack so far.
#[allow(clippy::struct_excessive_bools, reason = "each is about something else")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    generation: Option<Generation>,
    /// The generation has been in place and ready.
    has_converged: bool,
    /// Something failed since everything was well.
    is_ill: bool,
    is_drifting: bool,
    /// Services that fail, and why.
    troubles: BTreeMap<ServiceName, Why>,
    /// Why what is wanted is doubted, if it is.
    doubt: Option<Why>,
    /// Checks that fail.
    checks: BTreeSet<CheckName>,
    /// An earlier process told of checks that failed: which ones is not known.
    has_told_of_checks: bool,
}

/// Why something is bad.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// An earlier process told it.
    ToldBefore,
    /// This was told.
    Said(String),
}

impl Why {
    /// Tells whether it has to be told, after this was.
    fn is_news(&self, before: Option<&Self>) -> bool {
        match before {
            Some(Self::ToldBefore) => false,
            before => before != Some(self),
        }
    }
}

impl Told {
    /// Begins with what an earlier process remembered: what was bad then was told then.
    pub fn of(memory: &Memory) -> Self {
        let bad = |kind: &'static str, bad: fn(Option<bool>) -> bool| {
            let conditions = memory.conditions.iter();
            conditions.filter_map(move |(key, (status, _))| {
                let about = key.strip_suffix(kind)?.trim_end();
                bad(*status).then_some(about)
            })
        };
        let services = bad("Degraded", |it| it == Some(true));
        let services = services.filter_map(|it| it.strip_prefix("service/"));
        let troubles: BTreeMap<_, _> =
            services.map(|name| (ServiceName::new(name), Why::ToldBefore)).collect();
        let mut doubts = bad("SpecValid", |it| it != Some(true));
        Self {
            is_ill: !troubles.is_empty(),
            troubles,
            doubt: doubts.next().map(|_| Why::ToldBefore),
            has_told_of_checks: bad(CONDITION, |it| it == Some(false)).next().is_some(),
            ..Self::default()
        }
    }

    /// Returns what is new.
    pub fn news(&mut self, plan: &Plan, status: &StackStatus) -> Vec<Notice> {
        let is_other = self.generation.as_ref() != Some(&status.generation);
        if is_other {
            // What was in place before this process began is no news.
            self.has_converged = self.generation.is_none() && status.ready;
            self.generation = Some(status.generation.clone());
            self.is_drifting = false;
        }
        let mut news: Vec<Notice> = self.doubted(status, is_other).into_iter().collect();
        news.extend(self.troubled(status));
        news.extend(self.checked(status));
        news.extend(self.drifted(plan, status));
        news.extend(self.well(status));
        news
    }

    /// Returns that the engine cannot be looked at, when that goes on.
    pub fn blind(&mut self, failures: u32, why: &str) -> Option<Notice> {
        if failures != BLIND {
            return None;
        }
        self.is_ill = true;
        Some(Notice::new(NoticeKind::Unavailable, "engine", why))
    }

    fn doubted(&mut self, status: &StackStatus, is_other: bool) -> Option<Notice> {
        let valid = status.conditions.iter().find(|it| it.kind == "SpecValid")?;
        let kind = match valid.status {
            Some(true) => {
                let was_doubted = self.doubt.take().is_some() && !is_other;
                let notice = || {
                    let message = "what is wanted is known and valid again";
                    Notice::new(NoticeKind::Recovered, "stack", message)
                };
                return was_doubted.then(notice);
            }
            Some(false) => NoticeKind::Refused,
            None => NoticeKind::Unavailable,
        };
        let message = said(valid);
        let why = Why::Said(message.clone());
        let is_news = why.is_news(self.doubt.as_ref());
        self.doubt = Some(why);
        is_news.then(|| Notice::new(kind, "stack", message))
    }

    fn troubled(&mut self, status: &StackStatus) -> Vec<Notice> {
        self.troubles.retain(|name, _| status.services.iter().any(|it| it.name == *name));
        status.services.iter().filter_map(|service| self.trouble(service)).collect()
    }

    fn trouble(&mut self, service: &ServiceStatus) -> Option<Notice> {
        let degraded = service.conditions.iter().find(|it| it.kind == "Degraded");
        let Some(why) = degraded.filter(|it| it.status == Some(true)) else {
            self.troubles.remove(&service.name);
            return None;
        };
        self.is_ill = true;
        let reason = why.reason.clone();
        let said_why = Why::Said(reason.clone());
        let is_news = said_why.is_news(self.troubles.get(&service.name));
        self.troubles.insert(service.name.clone(), said_why);
        if !is_news {
            return None;
        }
        let kind = match reason.as_str() {
            "RolledBack" => NoticeKind::RolledBack,
            "UpdatePaused" => NoticeKind::Failed,
            _ if self.has_converged => NoticeKind::Degraded,
            _ => NoticeKind::Failed,
        };
        let notice = Notice::new(kind, &format!("service/{}", service.name), said(why));
        Some(Notice { cause: reason, ..notice })
    }

    /// Checks that fail, or pass again. What the conditions of services tell anyway is not
    /// told twice.
    fn checked(&mut self, status: &StackStatus) -> Vec<Notice> {
        const TOLD_ANYWAY: &str = "containers";
        let failing = status.checks.iter().filter(|(_, it)| {
            it.believed == Verdict::Fail && it.last.kind != TOLD_ANYWAY
        });
        let failing: BTreeSet<CheckName> =
            failing.map(|(name, _)| name.clone()).collect();
        if !failing.is_empty() && std::mem::take(&mut self.has_told_of_checks) {
            self.checks.clone_from(&failing);
        }
        let before = std::mem::replace(&mut self.checks, failing);
        let object = |name: &CheckName| format!("check/{name}");
        let failed = self.checks.difference(&before).filter_map(|name| {
            let last = &status.checks.get(name)?.last;
            let next = last.next.as_ref().map(|next| format!(". Next: {next}"));
            let message = format!("{}{}", last.found, next.unwrap_or_default());
            let notice = Notice::new(NoticeKind::CheckFailed, &object(name), message);
            Some(Notice { cause: "CheckFailed".to_owned(), ..notice })
        });
        let passed = before.difference(&self.checks).map(|name| {
            let notice = Notice::new(
                NoticeKind::Recovered,
                &object(name),
                "the check passes again",
            );
            Notice { cause: "CheckPassed".to_owned(), ..notice }
        });
        failed.chain(passed).collect()
    }

    /// What changed behind our back; not what a new desired state changes, nor what crashed.
    fn drifted(&mut self, plan: &Plan, status: &StackStatus) -> Option<Notice> {
        let is = |kind: &str, reason: &str| {
            status.conditions.iter().any(|it| it.kind == kind && it.reason == reason)
        };
        let is_watched = self.has_converged || is("Progressing", "DryRun");
        let drifted: Vec<&Change> = plan
            .changes
            .iter()
            .filter(|it| match it.action {
                Action::None => false,
                Action::Create | Action::Remove => true,
                Action::UpdateInPlace
                | Action::Reload
                | Action::Restart
                | Action::Recreate => !it.fields.is_empty(),
            })
            .collect();
        let is_drifting = is_watched && !drifted.is_empty() && !is("Ready", "Down");
        let was_drifting = std::mem::replace(&mut self.is_drifting, is_drifting);
        if !is_drifting || was_drifting {
            return None;
        }
        self.is_ill = true;
        Some(Notice::new(NoticeKind::Drift, "stack", names_of(&drifted)))
    }

    fn well(&mut self, status: &StackStatus) -> Option<Notice> {
        if !status.ready {
            return None;
        }
        let was_ill = std::mem::take(&mut self.is_ill);
        if !std::mem::replace(&mut self.has_converged, true) {
            let message = "the desired state is in place, and every service is ready";
            return Some(Notice::new(NoticeKind::Converged, "stack", message));
        }
        let message = "everything is as it is wanted again, and ready";
        was_ill.then(|| Notice::new(NoticeKind::Recovered, "stack", message))
    }
}

fn said(condition: &ConditionStatus) -> String {
    format!("{}: {}", condition.reason, condition.message)
}

fn names_of(drifted: &[&Change]) -> String {
    let name = |it: &&Change| {
        let fields: Vec<&str> = it.fields.iter().map(|it| it.path.as_str()).collect();
        let fields = if fields.is_empty() {
            String::new()
        } else {
            format!(" ({})", fields.join(", "))
        };
        format!("{} to {}{fields}", it.object, it.action.as_str())
    };
    let names: Vec<String> = drifted.iter().take(NAMED).map(name).collect();
    let more = match drifted.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("not as it is wanted: {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests;
