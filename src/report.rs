//! Tells a follower what a loop does: steps, waits, readiness.

use std::collections::BTreeMap;

use crate::engine::PullProgress;
use crate::pass::Found;
use crate::planning::change::{Change, Gate};
use crate::planning::progress::{Progress, ProgressEvent, ProgressState};
use crate::state::ids::Object;
use crate::state::step::{FailureKind, Outcome};
use crate::state::time::Moment;

/// Turns what a loop does into progress.
pub struct Report {
    progress: Box<dyn Progress>,
    /// What stands before object names, where several stacks are worked on.
    prefix: String,
    ready: BTreeMap<String, bool>,
    /// Why the steps that are under way were taken.
    reasons: BTreeMap<Object, String>,
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Report {
    /// Makes a report to a follower.
    pub fn new(progress: Box<dyn Progress>, prefix: String) -> Self {
        Self { progress, prefix, ready: BTreeMap::new(), reasons: BTreeMap::new() }
    }

    /// Tells of the steps that were taken, of what waits, and of what became ready.
    pub fn found(&mut self, found: &Found, at: Moment) {
        for (object, step) in &found.plan.steps {
            if let Some(change) = found.plan.change(object) {
                self.reasons.insert(object.clone(), change.reason.clone());
            }
            self.say(at, object, ProgressState::during(step), None);
        }
        for change in &found.plan.changes {
            if let Change { gate: Gate::Waiting { on, .. }, object, .. } = change
                && !on.iter().any(|on| on.ends_with("under way"))
            {
                self.say(at, object, ProgressState::Waiting, Some(on.join(", ")));
            }
        }
        for service in &found.status.services {
            let object = format!("{}service/{}", self.prefix, service.name);
            let was_ready = self.ready.insert(object.clone(), service.ready);
            let is_touched = found.plan.changes.iter().any(|change| {
                change
                    .object
                    .to_string()
                    .starts_with(&format!("service/{}/", service.name))
            });
            if service.ready && was_ready == Some(false) && !is_touched {
                for number in 1..=service.desired {
                    let object = format!("{object}/{number}");
                    let state = ProgressState::Ready;
                    self.progress.report(&ProgressEvent {
                        at,
                        object,
                        state,
                        message: None,
                        reason: None,
                    });
                }
            }
        }
    }

    /// Tells how a step ended.
    pub fn ended(&mut self, outcome: &Outcome, at: Moment) {
        match &outcome.result {
            Ok(_) if outcome.step.is_probe() => {}
            Ok(_) => {
                self.say(at, &outcome.object, ProgressState::after(&outcome.step), None);
            }
            Err(failure) if failure.kind == FailureKind::Abandoned => {}
            Err(_) if outcome.step.is_probe() => {}
            Err(failure) => {
                let message = Some(failure.message.clone());
                self.say(at, &outcome.object, ProgressState::Failed, message);
            }
        }
    }

    /// Tells how far a pull is, for every object that waits for the image.
    pub fn pulling(&mut self, objects: &[Object], pull: &PullProgress, at: Moment) {
        for object in objects {
            let state = ProgressState::Pulling {
                image: pull.image.clone(),
                current: pull.current,
                total: pull.total,
            };
            self.say(at, object, state, None);
        }
    }

    /// Tells that nothing more will happen.
    pub fn finish(&mut self) {
        self.progress.finish();
    }

    fn say(
        &mut self,
        at: Moment,
        object: &Object,
        state: ProgressState,
        message: Option<String>,
    ) {
        let reason = self.reasons.get(object).cloned();
        let object = format!("{}{object}", self.prefix);
        self.progress.report(&ProgressEvent { at, object, state, message, reason });
    }
}
