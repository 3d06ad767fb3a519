//! Which conditions changed.

use super::Happening;
use crate::planning::doubt::{Doubt, DoubtReason};
use crate::planning::memory::Memory;
use crate::planning::status::{ConditionStatus, StackStatus};
use crate::state::time::EngineTime;

/// Records the conditions of a status that are not what the memory says they were. What is
/// seen for the first time is told only if it is bad.
pub fn flipped(memory: &mut Memory, status: &StackStatus, now: EngineTime) {
    ended(memory, status, now);
    let stack = status.conditions.iter().map(|it| ("stack".to_owned(), it));
    let services = status.services.iter().flat_map(|service| {
        let about = format!("service/{}", service.name);
        service.conditions.iter().map(move |it| (about.clone(), it))
    });
    for (about, condition) in stack.chain(services) {
        let known = memory.conditions.get(&format!("{about} {}", condition.kind));
        let before = known.map(|(status, _)| *status);
        if before == Some(condition.status) {
            continue;
        }
        if let Some(since) = condition.since
            && let Some(happening) = happening(&about, condition, before.is_none())
        {
            memory.events.record(happening, since);
        }
    }
}

/// Records the ends of what a person had asked for: such conditions are there while it holds.
fn ended(memory: &mut Memory, status: &StackStatus, now: EngineTime) {
    const SUCH: [(&str, &str, &str); 2] = [
        ("Paused", "Resumed", "nothing is paused any more"),
        ("Pinned", "Unpinned", "no revision is pinned any more"),
    ];
    for (kind, reason, message) in SUCH {
        let was = memory.conditions.contains_key(&format!("stack {kind}"));
        if was && status.conditions.iter().all(|it| it.kind != kind) {
            memory.events.record(Happening::normal(&"stack", reason, message), now);
        }
    }
}

/// Records that what is wanted is doubted for another reason than before: the condition does
/// not flip then.
pub fn doubted(memory: &mut Memory, doubt: &Doubt, now: EngineTime) {
    let reason = doubted_as(doubt.reason.as_str());
    memory.events.record(Happening::warning(&"stack", reason, &doubt.message), now);
}

/// Names the event: a reason has to tell what it is about on its own.
fn doubted_as(reason: &str) -> &str {
    if reason == DoubtReason::Invalid.as_str() { "SpecInvalid" } else { reason }
}

fn happening(
    about: &str,
    condition: &ConditionStatus,
    is_first: bool,
) -> Option<Happening> {
    let ConditionStatus { kind, status, reason, message, since: _ } = condition;
    match (*kind, *status) {
        ("Ready", Some(true)) if !is_first => {
            let parts = if about == "stack" { "service" } else { "replica" };
            let message = format!("every {parts} is ready");
            Some(Happening::normal(&about, "Ready", message))
        }
        ("Ready", Some(false)) if !is_first => {
            Some(Happening::normal(&about, "NotReady", format!("{reason}: {message}")))
        }
        // The stack's own says only which services are, and they tell more.
        ("Degraded", Some(true)) if about != "stack" => {
            Some(Happening::warning(&about, reason, message))
        }
        ("SpecValid", Some(false) | None) => {
            Some(Happening::warning(&about, doubted_as(reason), message))
        }
        ("SpecValid", Some(true)) if !is_first => {
            Some(Happening::normal(&about, "SpecValid", message))
        }
        ("Paused" | "Pinned", Some(true)) => {
            Some(Happening::normal(&about, *kind, message))
        }
        _ => None,
    }
}
