//! Why something waits, in a word and in a sentence.

use crate::planning::change::{Change, Gate};
use crate::planning::{data_path, shrink};

/// Returns why a change is not done yet.
pub(super) fn reason(gate: &Gate) -> &'static str {
    let Gate::Waiting { on, .. } = gate else { return "Changing" };
    let begins = |words: &str| on.iter().any(|it| it.starts_with(words));
    if on.iter().any(|it| is_about_service(it)) {
        "DependencyNotReady"
    } else if begins("the name ") {
        "Conflict"
    } else if waits_for_data(gate) {
        "DataPathChanged"
    } else if begins(shrink::WAIT) {
        "MemoryInUse"
    } else {
        "Waiting"
    }
}

/// Tells whether something waits for a folder that is not what it was.
pub(super) fn waits_for_data(gate: &Gate) -> bool {
    match gate {
        Gate::Open => false,
        Gate::Waiting { on, .. } => on.iter().any(|it| it.starts_with(data_path::WAIT)),
    }
}

/// Tells whether something waits for a service (`service/db healthy`), and not for one
/// replica of it (`service/db/1 stopped`): that is no dependency.
fn is_about_service(wait: &str) -> bool {
    let about = wait.split(' ').next().unwrap_or(wait);
    about.strip_prefix("service/").is_some_and(|rest| !rest.contains('/'))
}

/// Says what is to change, and what for it waits.
pub(super) fn text(change: Option<&Change>) -> String {
    match change {
        None => "it is not ready".to_owned(),
        Some(Change { reason, gate: Gate::Open, .. }) => reason.clone(),
        Some(Change { reason, gate: Gate::Waiting { on, .. }, .. }) => {
            format!("{reason}; waits for {}", on.join(", "))
        }
    }
}
