//! A loop that is badly informed: events are lost, doubled and late, looks are stale or
//! fail, answers are lost. It changes how long it takes, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::chaos::config;
use crate::engine::sim::{CallFault, Faults, LookFault, Losses};
use crate::planning::testing::chaos::{
    Disturbance, disturbance, foreign, happen, must_be_untouched, outcome, stack,
};
use crate::planning::testing::follow::Follow;
use crate::planning::testing::{Drive, desired};

const VERBS: [&str; 7] =
    ["create", "start", "stop", "rename", "update", "remove", "connect"];

fn numbers() -> impl Strategy<Value = BTreeSet<u64>> {
    prop::collection::btree_set(1..200_u64, 0..40)
}

fn look() -> impl Strategy<Value = LookFault> {
    prop_oneof![Just(LookFault::Fails), (1..6_u8).prop_map(LookFault::Stale)]
}

fn call() -> impl Strategy<Value = CallFault> {
    prop_oneof![
        Just(CallFault::Before),
        Just(CallFault::After),
        (1..90_u64).prop_map(|seconds| CallFault::Hangs(Duration::from_secs(seconds))),
    ]
}

fn faults() -> impl Strategy<Value = Faults> {
    let calls = prop::collection::btree_map(
        (prop::sample::select(&VERBS), 1..6_u32),
        call(),
        0..6,
    );
    let looks = prop::collection::btree_map(1..60_u32, look(), 0..20);
    (calls, looks, numbers(), numbers(), numbers()).prop_map(
        |(calls, looks, lost, doubled, late)| Faults {
            failing: BTreeSet::new(),
            calls,
            looks,
            events: Losses { lost, doubled, late },
        },
    )
}

/// What people do while the loop runs; what drives it is not among it.
fn behind_its_back() -> impl Strategy<Value = Vec<Disturbance>> {
    let harm = disturbance().prop_filter("it is no harm", |it| {
        use Disturbance as D;
        !matches!(it, D::Passes(_) | D::Steps(_) | D::Fail(_) | D::Lose(_) | D::Forget)
    });
    prop::collection::vec(harm, 0..6)
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn bad_information_changes_only_the_time_it_takes(
        first in stack(),
        disturbances in behind_its_back(),
        faults in faults(),
        rounds in 0..12_u8,
    ) {
        let mut drive = Drive::new(desired(&first));
        let theirs = foreign(&mut drive);
        let before = drive.machine.containers[&theirs].clone();
        drive.machine.faults = faults;
        let mut follow = Follow::new(drive);
        for disturbance in &disturbances {
            for _ in 0..rounds {
                follow.round();
            }
            happen(&mut follow.drive, disturbance);
        }
        for _ in 0..rounds {
            follow.round();
        }
        // From here on nothing goes wrong any more.
        follow.drive.machine.faults = Faults::default();
        follow.settle();
        must_be_untouched(&follow.drive, &before);
        let mut fresh = Drive::new(follow.drive.desired.clone());
        fresh.machine.images = follow.drive.machine.images.clone();
        fresh.settle();
        prop_assert_eq!(outcome(&follow.drive), outcome(&fresh));
    }
}
