//! Any small stack, from any state, through any disturbance: it ends as it is wanted.

use std::time::Duration;

use proptest::prelude::*;

use crate::planning::testing::chaos::{
    Disturbance, config, disturbance, foreign, happen, must_be_untouched, outcome, stack,
};
use crate::planning::testing::{Drive, desired};

/// Returns what comes of a stack on an empty machine with the same images.
fn fresh(drive: &Drive) -> Drive {
    let mut fresh = Drive::new(drive.desired.clone());
    fresh.machine.images = drive.machine.images.clone();
    fresh.settle_at_last();
    fresh
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn every_stack_ends_as_it_is_wanted_whatever_happens(
        first in stack(),
        disturbances in prop::collection::vec(disturbance(), 0..8),
    ) {
        let mut drive = Drive::new(desired(&first));
        let theirs = foreign(&mut drive);
        let before = drive.machine.containers[&theirs].clone();
        for disturbance in &disturbances {
            happen(&mut drive, disturbance);
        }
        drive.settle_at_last();
        let plan = drive.plan();
        prop_assert!(plan.is_in_sync(), "{}", drive.text());
        prop_assert_eq!(drive.text(), drive.text());
        for seconds in [1, 60, 3600] {
            drive.machine.advance(Duration::from_secs(seconds));
            prop_assert!(drive.pass().steps.is_empty(), "{:#?}", drive.history);
        }
        prop_assert!(drive.status().ready);
        must_be_untouched(&drive, &before);
        prop_assert_eq!(outcome(&drive), outcome(&fresh(&drive)));
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn the_same_happenings_make_the_same_history(
        first in stack(),
        disturbances in prop::collection::vec(disturbance(), 0..6),
    ) {
        let history = || {
            let mut drive = Drive::new(desired(&first));
            for disturbance in &disturbances {
                happen(&mut drive, disturbance);
            }
            drive.settle_at_last();
            (drive.history, drive.machine.uptime())
        };
        prop_assert_eq!(history(), history());
    }

    #[test]
    fn what_is_as_it_is_wanted_is_left_alone_for_an_hour(file in stack()) {
        let mut drive = Drive::settled(&file);
        for _ in 0..100 {
            drive.machine.advance(Duration::from_secs(36));
            prop_assert!(drive.pass().steps.is_empty(), "{:#?}", drive.history);
        }
    }

    #[test]
    fn a_stack_that_became_another_is_like_one_that_never_was_anything_else(
        a in stack(),
        b in stack(),
    ) {
        let mut drive = Drive::settled(&a);
        drive.want(&b).settle_at_last();
        prop_assert_eq!(outcome(&drive), outcome(&fresh(&drive)));
        drive.want(&a).settle_at_last();
        prop_assert_eq!(outcome(&drive), outcome(&Drive::settled(&a)));
    }

    #[test]
    fn a_new_wish_is_met_from_wherever_an_old_one_has_come_to(
        a in stack(),
        b in stack(),
        steps in 0..30_u8,
    ) {
        let mut drive = Drive::settled(&a);
        drive.want(&b);
        happen(&mut drive, &Disturbance::Steps(steps));
        drive.want(&a).settle_at_last();
        prop_assert_eq!(outcome(&drive), outcome(&Drive::settled(&a)));
    }
}
