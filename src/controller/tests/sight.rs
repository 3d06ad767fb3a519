//! A loop that is badly informed: events are lost, doubled and late, looks are stale or
//! fail, answers are lost. It changes how long it takes, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::follow::{Follow, Turn};
use crate::engine::sim::{CallFault, Faults, LookFault, Losses};
use crate::planning::testing::chaos::{
    Disturbance, config, disturbance, foreign, happen, must_be_untouched, outcome, stack,
};
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
fn behind_its_back() -> impl Strategy<Value = Disturbance> {
    disturbance().prop_filter("it is no harm", |it| {
        use Disturbance as D;
        !matches!(it, D::Passes(_) | D::Steps(_) | D::Fail(_) | D::Lose(_) | D::Forget)
    })
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        4 => Just(Turn::Hear),
        3 => Just(Turn::SeeThen),
        4 => Just(Turn::SeeNow),
        5 => Just(Turn::Oldest),
        3 => Just(Turn::Newest),
        3 => Just(Turn::Wait),
        1 => Just(Turn::Kill),
    ]
}

/// Something that people do, after so many turns of the controller.
fn story() -> impl Strategy<Value = Vec<(Vec<Turn>, Disturbance)>> {
    let turns = prop::collection::vec(turn(), 0..25);
    prop::collection::vec((turns, behind_its_back()), 0..6)
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn bad_information_and_any_order_of_things_change_only_the_time_it_takes(
        first in stack(),
        story in story(),
        last in prop::collection::vec(turn(), 0..25),
        faults in faults(),
    ) {
        let mut drive = Drive::new(desired(&first));
        let theirs = foreign(&mut drive);
        let before = drive.machine.containers[&theirs].clone();
        drive.machine.faults = faults;
        let mut follow = Follow::new(drive);
        for (turns, disturbance) in &story {
            for turn in turns {
                follow.turn(*turn);
            }
            happen(&mut follow.drive, disturbance);
            follow.want();
        }
        for turn in &last {
            follow.turn(*turn);
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

    #[test]
    fn a_stack_that_is_as_wanted_costs_a_look_a_minute_and_no_step(file in stack()) {
        let mut follow = Follow::new(Drive::new(desired(&file)));
        follow.settle();
        // Its health is told once more, half a minute after the start.
        follow.drive.machine.advance(Duration::from_secs(120));
        follow.settle();
        let (steps, deeds) = (follow.drive.history.len(), follow.deeds);
        let start = follow.drive.machine.now().moment;
        for _ in 0..100 {
            follow.turn(Turn::Wait);
            follow.turn(Turn::Hear);
            follow.turn(Turn::SeeNow);
        }
        prop_assert_eq!(follow.drive.history.len(), steps, "{:#?}", follow.drive.history);
        let minutes = follow.drive.machine.now().moment.since(start).as_secs() / 60;
        let looks = (follow.deeds - deeds) as u64;
        prop_assert!(looks <= minutes + 1, "{looks} looks in {minutes} minutes");
    }
}
