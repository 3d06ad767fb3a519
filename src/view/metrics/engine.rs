//! What the engine was asked.

use std::collections::BTreeMap;

use super::exposition::{Kind, Page};
use crate::planning::tally::Calls;

pub(super) fn tell(page: &mut Page, calls: &BTreeMap<&'static str, Calls>) {
    page.family(
        "reconciler_engine_call_duration_seconds",
        Kind::Histogram,
        "How long calls to the engine took, by kind.",
    );
    for (kind, calls) in calls {
        page.histogram(&[("call", &kind.replace(' ', "_"))], &calls.took);
    }
    page.family(
        "reconciler_engine_call_errors_total",
        Kind::Counter,
        "Calls to the engine that failed, by kind.",
    );
    for (kind, calls) in calls {
        page.sample(&[("call", &kind.replace(' ', "_"))], calls.errors);
    }
}
