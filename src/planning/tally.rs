//! Counts of what was done about a stack, for those who measure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::change::{Action, Plan};
use crate::state::ids::Object;
use crate::state::step::{FailureKind, Outcome, Step};
use crate::state::time::EngineTime;

/// The upper bounds of the buckets of a histogram, in milliseconds: from an inspection to
/// the pull of an image.
pub const BOUNDS: [u64; 14] =
    [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];

/// How long something took, each time that it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How often it took so long, by the place of the bound; what took longer than the last
    /// bound stands only in `count`.
    buckets: [u64; BOUNDS.len()],
    /// How often it happened.
    pub count: u64,
    /// How long it took in all.
    pub sum: Duration,
}

impl Histogram {
    /// Takes note of one more time.
    pub fn took(&mut self, time: Duration) {
        let mut places = BOUNDS.iter().zip(&mut self.buckets);
        let place = places.find(|(bound, _)| time <= Duration::from_millis(**bound));
        if let Some((_, bucket)) = place {
            *bucket += 1;
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(time);
    }

    /// Iterates over the bounds, in milliseconds, each with how often it took no longer.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        BOUNDS.iter().zip(&self.buckets).scan(0, |before, (bound, bucket)| {
            *before += bucket;
            Some((*bound, *before))
        })
    }
}

/// What the engine was asked of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// How long the answers took.
    pub took: Histogram,
    /// How many were errors.
    pub errors: u64,
}

/// What is known of a repository that is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GitSync {
    /// When its newest commit was last known to be in force.
    pub last_success: Option<EngineTime>,
    /// Whether that is so by the last answer.
    pub is_current: bool,
}

/// What became of notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// How many were sent.
    pub sent: u64,
    /// How many attempts failed.
    pub failed: u64,
}

/// What came of work on a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeResult {
    /// It is made.
    Done,
    /// A step of it has failed; it may be tried again.
    Failed,
}

impl ChangeResult {
    /// Returns the word of the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// What was counted of one stack since its operator began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How long passes took, each from the start of its look.
    pub passes: Histogram,
    /// How many looks failed.
    pub failed_looks: u64,
    /// How many changes came to which result.
    pub changes: BTreeMap<(Action, ChangeResult), u64>,
    /// The changes of the last plan, and whether a step of each was taken.
    open: BTreeMap<Object, (Action, bool)>,
}

impl Tally {
    /// Takes note of a pass and of what it planned: what is no longer to be done, and was
    /// worked on, is done.
    pub fn passed(&mut self, plan: &Plan, took: Duration) {
        self.passes.took(took);
        let changes = plan.changes.iter().filter(|it| it.action != Action::None);
        let before = std::mem::take(&mut self.open);
        self.open = changes
            .map(|it| {
                let known = before.get(&it.object);
                (it.object.clone(), known.copied().unwrap_or((it.action, false)))
            })
            .collect();
        for (object, (action, is_worked_on)) in before {
            if is_worked_on && !self.open.contains_key(&object) {
                self.count(action, ChangeResult::Done);
            }
        }
    }

    /// Takes note of a look that failed.
    pub const fn blind(&mut self) {
        self.failed_looks += 1;
    }

    /// Takes note of the end of a step.
    pub fn ended(&mut self, outcome: &Outcome) {
        let only_asks = outcome.step.is_probe()
            || matches!(outcome.step, Step::ReadLog { .. } | Step::Measure { .. });
        let Some((action, is_worked_on)) = self.open.get_mut(&outcome.object) else {
            return;
        };
        match &outcome.result {
            _ if only_asks => {}
            Ok(_) => *is_worked_on = true,
            Err(failure) if failure.kind == FailureKind::Abandoned => {}
            Err(_) => {
                let action = *action;
                self.count(action, ChangeResult::Failed);
            }
        }
    }

    fn count(&mut self, action: Action, result: ChangeResult) {
        *self.changes.entry((action, result)).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::change::{Change, Gate};
    use crate::state::ids::Replica;
    use crate::state::step::{Done, Failure};

    fn object(service: &str) -> Object {
        Object::Service(Replica { service: service.into(), number: 1 })
    }

    fn plan(changes: &[(&str, Action)]) -> Plan {
        let changes = changes.iter().map(|(service, action)| Change {
            object: object(service),
            action: *action,
            reason: String::new(),
            fields: Vec::new(),
            gate: Gate::Open,
        });
        Plan { changes: changes.collect(), ..Plan::default() }
    }

    fn ended(service: &str, result: Result<Done, FailureKind>) -> Outcome {
        let failure = |kind| Failure { kind, message: String::new() };
        Outcome {
            object: object(service),
            step: Step::Start { container: "a".into() },
            result: result.map_err(failure),
        }
    }

    #[test]
    fn a_time_stands_in_its_bucket_and_in_all_larger_ones() {
        let mut histogram = Histogram::default();
        for milliseconds in [5, 6, 1_000_000] {
            histogram.took(Duration::from_millis(milliseconds));
        }
        let counts: Vec<u64> = histogram.cumulative().map(|(_, count)| count).collect();
        assert_eq!(counts[..3], [1, 2, 2]);
        assert_eq!((counts[BOUNDS.len() - 1], histogram.count), (2, 3));
        assert_eq!(histogram.sum, Duration::from_millis(1_000_011));
    }

    #[test]
    fn a_change_is_done_once_it_is_gone_from_the_plan_and_was_worked_on() {
        let mut tally = Tally::default();
        let one = Duration::from_millis(1);
        let wanted = [("web", Action::Recreate), ("db", Action::Create)];
        tally.passed(&plan(&wanted), one);
        tally.ended(&ended("web", Err(FailureKind::Failed)));
        tally.ended(&ended("web", Err(FailureKind::Abandoned)));
        tally.ended(&ended("web", Ok(Done::Done)));
        tally.ended(&ended("other", Ok(Done::Done)));
        // On its way one change may become another: it counts as what it began as.
        tally.passed(&plan(&[("web", Action::Restart), ("db", Action::Create)]), one);
        tally.passed(&plan(&[("web", Action::None)]), one);
        let counted: Vec<_> = tally.changes.into_iter().collect();
        let expected = [
            ((Action::Recreate, ChangeResult::Done), 1),
            ((Action::Recreate, ChangeResult::Failed), 1),
        ];
        assert_eq!(counted, expected, "nobody worked on db: its file was taken back");
        assert_eq!(tally.passes.count, 3);
    }
}
