//! How the checks of the stacks do.

use super::StackMeasures;
use super::exposition::{Kind, Page};
use super::stack::statuses;
use crate::planning::check::Verdict;
use crate::planning::check::history::CheckState;

pub(super) fn tell(page: &mut Page, stacks: &[StackMeasures<'_>]) {
    type Tell = fn(&mut Page, &[(&'static str, &str)], &CheckState);
    let families: [(&'static str, &str, Tell); 3] = [
        (
            "reconciler_check",
            "Whether this is what is believed of the check: fail after so many in a row.",
            |page, labels, it| {
                for verdict in Verdict::ALL {
                    let own = [("result", verdict.as_str())];
                    page.sample(&[labels, &own].concat(), it.believed == verdict);
                }
            },
        ),
        (
            "reconciler_check_duration_seconds",
            "How long the check took the last time.",
            |page, labels, it| page.sample(labels, it.last.took),
        ),
        (
            "reconciler_check_last_timestamp_seconds",
            "When the check was last made.",
            |page, labels, it| page.sample(labels, it.last.time),
        ),
    ];
    for (name, about, tell) in families {
        page.family(name, Kind::Gauge, about);
        for (stack, status) in statuses(stacks) {
            for (check, state) in &status.checks {
                tell(page, &[("stack", stack), ("check", check.as_str())], state);
            }
        }
    }
}
