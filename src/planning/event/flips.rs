//! Which conditions changed.

use super::Happening;
use crate::planning::memory::Memory;
use crate::planning::status::{ConditionStatus, StackStatus};

/// Records the conditions of a status that are not what the memory says they were. What is
/// seen for the first time is told only if it is bad.
pub fn flipped(memory: &mut Memory, status: &StackStatus) {
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
        ("SpecValid", Some(false)) => {
            Some(Happening::warning(&about, "SpecInvalid", message))
        }
        ("SpecValid", Some(true)) if !is_first => {
            Some(Happening::normal(&about, "SpecValid", message))
        }
        _ => None,
    }
}
