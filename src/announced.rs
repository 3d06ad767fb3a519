//! What the log has been told about a stack: each thing once, until it changes.

mod drift;

use std::collections::{BTreeMap, BTreeSet};

use crate::pass::Found;
use crate::planning::change::Note;
use crate::planning::check::Verdict;
use crate::planning::status::{ConditionStatus, ServiceStatus, StackStatus};
use crate::planning::world::Allowed;
use crate::state::ids::{CheckName, ProjectName, ServiceName};
use drift::Drifts;

/// What has been told so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    ready: Option<bool>,
    services: BTreeMap<ServiceName, Said>,
    notes: BTreeSet<(String, String)>,
    /// What was said to be believed of checks.
    checks: BTreeMap<CheckName, Verdict>,
    /// What differs, where nothing is done about it that would be told.
    drifts: Option<Drifts>,
}

/// What was last said about a service.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    ready: bool,
    /// The reason and message of a service that fails; while it is on its way, its steps
    /// tell more.
    trouble: Option<(String, String)>,
}

impl Announced {
    /// Begins with nothing told.
    pub fn of(allowed: Allowed) -> Self {
        let drifts = allowed.only_looks.then(Drifts::default);
        Self { drifts, ..Self::default() }
    }

    /// Tells the log what is new.
    pub fn tell(&mut self, found: &Found) {
        let status = &found.status;
        for service in &status.services {
            self.tell_service(&status.name, service);
        }
        self.tell_notes(&status.name, &found.plan.notes);
        if let Some(drifts) = &mut self.drifts {
            drifts.tell(found);
        }
        self.tell_checks(status);
        self.tell_stack(status);
    }

    fn tell_checks(&mut self, status: &StackStatus) {
        let stack = &status.name;
        for (name, state) in &status.checks {
            let before = self.checks.insert(name.clone(), state.believed);
            if before == Some(state.believed) {
                continue;
            }
            let found = &state.last.found;
            let next = state.last.next.as_deref();
            match (state.believed, before) {
                (Verdict::Fail, _) => {
                    tracing::error!(%stack, check = %name, next, "the check fails: {found}");
                }
                (Verdict::Warn, _) => {
                    tracing::warn!(%stack, check = %name, next, "the check warns: {found}");
                }
                (Verdict::Pass, Some(Verdict::Fail | Verdict::Warn)) => {
                    tracing::info!(%stack, check = %name, "the check passes again");
                }
                (Verdict::Pass | Verdict::Unknown, _) => {
                    tracing::debug!(%stack, check = %name, "{found}");
                }
            }
        }
    }

    fn tell_service(&mut self, stack: &ProjectName, service: &ServiceStatus) {
        let degraded = condition(service, "Degraded");
        let trouble = degraded.filter(|it| it.status == Some(true));
        let said = Said {
            ready: service.ready,
            trouble: trouble.map(|it| (it.reason.clone(), it.message.clone())),
        };
        let before = self.services.insert(service.name.clone(), said.clone());
        if before.as_ref() == Some(&said) {
            return;
        }
        let name = &service.name;
        if let Some((reason, message)) = &said.trouble {
            tracing::warn!(%stack, service = %name, reason, "degraded: {message}");
        } else if said.ready {
            tracing::info!(%stack, service = %name, "the service is ready");
        } else if let Some(why) = condition(service, "Ready") {
            let reason = &why.reason;
            tracing::info!(%stack, service = %name, reason, "the service is not ready: {}", why.message);
        }
    }

    fn tell_notes(&mut self, stack: &ProjectName, notes: &[Note]) {
        let keys = notes.iter().map(|note| (note.about.clone(), note.message.clone()));
        let before = std::mem::replace(&mut self.notes, keys.collect());
        for note in notes {
            if !before.contains(&(note.about.clone(), note.message.clone())) {
                let (reason, about) = (note.reason, &note.about);
                tracing::warn!(%stack, reason, about, "{}", note.message);
            }
        }
    }

    fn tell_stack(&mut self, status: &StackStatus) {
        if self.ready.replace(status.ready) == Some(status.ready) {
            return;
        }
        let (stack, generation) = (&status.name, &status.generation);
        if status.ready {
            tracing::info!(%stack, %generation, "the stack is ready");
        } else {
            tracing::debug!(%stack, %generation, "the stack is not as it is wanted");
        }
    }
}

fn condition<'a>(service: &'a ServiceStatus, kind: &str) -> Option<&'a ConditionStatus> {
    service.conditions.iter().find(|condition| condition.kind == kind)
}
