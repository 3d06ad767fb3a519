//! What a dry run plans: everything that would be done, and no step.

use std::time::Duration;

use proptest::prelude::*;

use crate::planning::change::{Action, FieldDrift, Gate, Plan};
use crate::planning::dry_run::WAIT;
use crate::planning::plan::plan_world;
use crate::planning::testing::chaos::{config, disturbance, happen, stack};
use crate::planning::testing::{Drive, desired};
use crate::planning::world::Allowed;

const TWO: &str = "
services:
  db: {image: 'db:1', mem_limit: 1g, healthcheck: {test: [CMD, ready]}}
  web: {image: 'web:1', depends_on: {db: {condition: service_healthy}}}
";

fn dry(drive: &mut Drive) -> &mut Drive {
    drive.allowed = Allowed { only_looks: true, ..Allowed::default() };
    drive
}

/// Returns what a plan would change, whatever it waits for.
fn would(plan: &Plan) -> Vec<(String, Action, String, Vec<FieldDrift>)> {
    let changes = plan.changes.iter().cloned();
    changes.map(|it| (it.object.to_string(), it.action, it.reason, it.fields)).collect()
}

#[test]
fn what_differs_is_told_with_what_it_waits_for_and_nothing_is_done() {
    let mut drive = Drive::new(desired(TWO));
    let plan = dry(&mut drive).plan();
    assert!(plan.steps.is_empty());
    assert!(!plan.is_in_sync());
    let waits = |object: &str| {
        let changes = plan.changes.iter();
        let mut of_object = changes.filter(|it| it.object.to_string() == object);
        match of_object.next().map(|it| it.gate.clone()) {
            Some(Gate::Waiting { on, .. }) => on,
            Some(Gate::Open) | None => Vec::new(),
        }
    };
    assert_eq!(waits("network/default"), [WAIT]);
    assert_eq!(waits("service/web/1"), [WAIT], "its image could be pulled already");
    let status = drive.status();
    let progressing = status.conditions.iter().find(|it| it.kind == "Progressing");
    let progressing = progressing.map(|it| (it.status, it.reason.as_str()));
    assert_eq!(progressing, Some((Some(false), "DryRun")));
    let synced = status.conditions.iter().find(|it| it.kind == "Synced").unwrap();
    assert_eq!((synced.status, synced.reason.as_str()), (Some(false), "Drift"));
    assert_eq!(drive.history, [""; 0]);
}

#[test]
fn a_container_that_is_starting_is_not_even_asked_for_its_health() {
    let mut drive = Drive::new(desired(TWO));
    drive.until("start demo-db-1");
    drive.history.clear();
    let probes = |drive: &mut Drive| {
        drive.plan().steps.iter().filter(|(_, step)| step.is_probe()).count()
    };
    assert_eq!(probes(&mut drive), 1);
    assert_eq!(probes(dry(&mut drive)), 0);
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn a_dry_run_takes_no_step_and_tells_what_would_be_done_whatever_happens(
        first in stack(),
        disturbances in prop::collection::vec(disturbance(), 0..8),
        is_down in any::<bool>(),
    ) {
        let mut drive = Drive::new(desired(&first));
        for disturbance in &disturbances {
            drive.allowed = Allowed::default();
            happen(&mut drive, disturbance);
            drive.history.clear();
            dry(&mut drive);
            for seconds in [0, 1, 60] {
                drive.machine.advance(Duration::from_secs(seconds));
                drive.memory.down = is_down.then(|| drive.desired.generation.clone());
                let told = drive.pass();
                prop_assert!(told.steps.is_empty(), "{:#?}", told.steps);
                let observed = drive.learn();
                let mut world = drive.world(&observed);
                let told = plan_world(&world);
                world.allowed = Allowed::default();
                prop_assert_eq!(would(&told), would(&plan_world(&world)));
            }
            prop_assert_eq!(&drive.history, &[""; 0]);
            drive.memory.down = None;
        }
    }
}
