//! What is measured of stacks and their services.
//!
//! Labels are the names of stacks, of services that a stack wants, and words of ours: how
//! many series there are follows from the files.

use super::StackMeasures;
use super::exposition::{Kind, Page};
use crate::planning::change::Action;
use crate::planning::status::{ConditionStatus, ServiceStatus, StackStatus};

/// One after the other: all samples of a family stand together.
pub(super) const FAMILIES: [fn(&mut Page, &[StackMeasures<'_>]); 6] =
    [passes, states, commits, conditions, services, changes];

/// The words of a condition.
const WORDS: [&str; 3] = ["True", "False", "Unknown"];

pub(super) fn statuses<'a>(
    stacks: &'a [StackMeasures<'_>],
) -> impl Iterator<Item = (&'a str, &'a StackStatus)> {
    let status = |it: &'a StackMeasures<'_>| Some((it.name.as_str(), it.last?.1));
    stacks.iter().filter_map(status)
}

fn passes(page: &mut Page, stacks: &[StackMeasures<'_>]) {
    let family = "reconciler_engine_up";
    page.family(family, Kind::Gauge, "Whether the last look at the stack succeeded.");
    for stack in stacks {
        page.sample(&[("stack", stack.name.as_str())], stack.is_seen);
    }
    let about = "Looks at the stack that failed.";
    page.family("reconciler_looks_failed_total", Kind::Counter, about);
    for stack in stacks {
        page.sample(&[("stack", stack.name.as_str())], stack.tally.failed_looks);
    }
    let about = "How long passes took, from the start of the look to the plan.";
    page.family("reconciler_pass_duration_seconds", Kind::Histogram, about);
    for stack in stacks {
        page.histogram(&[("stack", stack.name.as_str())], &stack.tally.passes);
    }
    let about = "When the last pass was made: what else is told here is as of then.";
    page.family("reconciler_last_pass_timestamp_seconds", Kind::Gauge, about);
    for stack in stacks {
        if let Some((_, _, time)) = stack.last {
            page.sample(&[("stack", stack.name.as_str())], time);
        }
    }
}

fn states(page: &mut Page, stacks: &[StackMeasures<'_>]) {
    let about = "Whether every service is ready, and nothing is to change.";
    page.family("reconciler_stack_ready", Kind::Gauge, about);
    for (stack, status) in statuses(stacks) {
        page.sample(&[("stack", stack)], status.ready);
    }
    let about = "Objects that are not as they are wanted.";
    page.family("reconciler_drift_objects", Kind::Gauge, about);
    for stack in stacks {
        if let Some((plan, _, _)) = stack.last {
            let drift = plan.changes.iter().filter(|it| it.action != Action::None);
            page.sample(&[("stack", stack.name.as_str())], drift.count() as u64);
        }
    }
    let about = "What is wanted: the digest of the desired state.";
    page.family("reconciler_generation_info", Kind::Gauge, about);
    for (stack, status) in statuses(stacks) {
        let generation = status.generation.as_str();
        page.sample(&[("stack", stack), ("generation", generation)], 1);
    }
    let about = "Whether what is wanted is what was last acted on.";
    page.family("reconciler_generation_observed", Kind::Gauge, about);
    for (stack, status) in statuses(stacks) {
        let is_observed = status.observed_generation.as_ref() == Some(&status.generation);
        page.sample(&[("stack", stack)], is_observed);
    }
}

fn commits(page: &mut Page, stacks: &[StackMeasures<'_>]) {
    let about = "The commit that asks for what is wanted.";
    page.family("reconciler_commit_info", Kind::Gauge, about);
    for (stack, status) in statuses(stacks) {
        if let Some(commit) = &status.commit {
            page.sample(&[("stack", stack), ("commit", commit.id.as_str())], 1);
        }
    }
}

fn conditions(page: &mut Page, stacks: &[StackMeasures<'_>]) {
    let about = "Whether a condition of the stack has this status.";
    page.family("reconciler_condition", Kind::Gauge, about);
    for (stack, status) in statuses(stacks) {
        condition(page, &[("stack", stack)], &status.conditions);
    }
    let about = "Whether a condition of the service has this status.";
    page.family("reconciler_service_condition", Kind::Gauge, about);
    for (stack, status) in statuses(stacks) {
        for it in &status.services {
            let labels = [("stack", stack), ("service", it.name.as_str())];
            condition(page, &labels, &it.conditions);
        }
    }
}

fn condition(page: &mut Page, about: &[(&'static str, &str)], all: &[ConditionStatus]) {
    for condition in all {
        for word in WORDS {
            let own = [("type", condition.kind), ("status", word)];
            page.sample(&[about, &own].concat(), condition.status_word() == word);
        }
    }
}

fn services(page: &mut Page, stacks: &[StackMeasures<'_>]) {
    type Tell = fn(&mut Page, &[(&'static str, &str)], &ServiceStatus);
    let families: [(&'static str, Kind, &str, Tell); 6] = [
        (
            "reconciler_service_ready",
            Kind::Gauge,
            "Whether as many replicas as wanted are ready.",
            |page, labels, it| page.sample(labels, it.ready),
        ),
        (
            "reconciler_service_replicas_desired",
            Kind::Gauge,
            "Replicas that are wanted.",
            |page, labels, it| page.sample(labels, it.desired),
        ),
        (
            "reconciler_service_replicas_ready",
            Kind::Gauge,
            "Replicas that are ready.",
            |page, labels, it| page.sample(labels, it.ready_replicas),
        ),
        (
            "reconciler_service_restarts_total",
            Kind::Counter,
            "Restarts by the engine of the containers that are there now.",
            |page, labels, it| {
                let restarts = it.containers.iter().map(|it| it.restarts).sum::<u64>();
                page.sample(labels, restarts);
            },
        ),
        (
            "reconciler_backoff_attempts",
            Kind::Gauge,
            "Failed attempts in a row.",
            |page, labels, it| page.sample(labels, it.attempts),
        ),
        (
            "reconciler_backoff_until_timestamp_seconds",
            Kind::Gauge,
            "When the service is tried again, while it waits for that.",
            |page, labels, it| {
                if let Some(next) = it.next {
                    page.sample(labels, next);
                }
            },
        ),
    ];
    for (name, kind, about, tell) in families {
        page.family(name, kind, about);
        for (stack, status) in statuses(stacks) {
            for it in &status.services {
                tell(page, &[("stack", stack), ("service", it.name.as_str())], it);
            }
        }
    }
}

fn changes(page: &mut Page, stacks: &[StackMeasures<'_>]) {
    let about = "Changes that were made, and steps of them that failed.";
    page.family("reconciler_changes_total", Kind::Counter, about);
    for stack in stacks {
        for ((action, result), count) in &stack.tally.changes {
            let name = ("stack", stack.name.as_str());
            let (action, result) = (action.as_str(), result.as_str());
            page.sample(&[name, ("action", action), ("result", result)], *count);
        }
    }
}
