//! A restart by hand: a new start for every replica, one at a time.

use std::time::Duration;

use crate::planning::testing::{Drive, Named};
use crate::state::ids::ContainerId;
use crate::state::time::EngineTime;

const REPLICAS: &str = "
services:
  web:
    image: web:1
    scale: 3
    healthcheck: {test: [CMD, ready]}
    labels: {sim.health: 2s}
  db: {image: 'db:1'}
";

fn starts(drive: &Drive) -> Vec<(ContainerId, Option<EngineTime>)> {
    let names = ["demo-web-1", "demo-web-2", "demo-web-3"];
    let all = names.iter().map(|name| drive.machine.named(name));
    all.map(|it| (it.id.clone(), it.state.started)).collect()
}

fn restart(drive: &mut Drive, service: &str) {
    drive.memory.asked_to_restart.insert(service.into());
}

#[test]
fn every_replica_is_started_anew_and_the_next_waits_until_the_last_is_ready() {
    let mut drive = Drive::settled(REPLICAS);
    let before = starts(&drive);
    restart(&mut drive, "web");
    insta::assert_snapshot!(drive.text());
    drive.settle();
    for ((id, then), (same, now)) in before.iter().zip(starts(&drive)) {
        assert!(*id == same && now > *then);
    }
    let changes = drive.history.iter().filter(|it| !it.starts_with("probe"));
    let wanted = (1..=3).flat_map(|number| {
        ["stop", "start"].map(|verb| format!("{verb} demo-web-{number}"))
    });
    assert_eq!(changes.cloned().collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
    assert!(drive.memory.due_restarts.is_empty());
    assert!(drive.status().ready);
}

#[test]
fn a_restart_outlives_a_crash_of_ours_at_any_step_and_is_done_once() {
    let mut steps = 0;
    loop {
        let mut drive = Drive::settled(REPLICAS);
        let before = starts(&drive);
        restart(&mut drive, "web");
        let goes_on = (0..steps).all(|_| drive.one() && !drive.plan().is_in_sync());
        // What is stored comes back; the rest is lost.
        let (asked, due) =
            (drive.memory.asked_to_restart.clone(), drive.memory.due_restarts.clone());
        drive.memory = crate::planning::memory::Memory {
            asked_to_restart: asked,
            due_restarts: due,
            ..Default::default()
        };
        drive.settle();
        for ((id, then), (same, now)) in before.iter().zip(starts(&drive)) {
            assert!(*id == same && now > *then, "after {steps} steps");
        }
        let ended = drive.history.iter().filter(|it| it.starts_with("stop")).count();
        assert_eq!(ended, 3, "after {steps} steps: {:#?}", drive.history);
        if !goes_on {
            break;
        }
        steps += 1;
    }
    assert!(steps > 6);
}

#[test]
fn a_replica_that_does_not_become_ready_again_holds_the_others_up() {
    let mut drive = Drive::settled(REPLICAS);
    drive
        .machine
        .software
        .insert("web".into(), crate::planning::testing::Software::sick());
    restart(&mut drive, "web");
    // As long as the others do not know yet that they are sick.
    let end = drive.machine.uptime() + Duration::from_secs(20);
    while drive.machine.uptime() < end {
        drive.one();
    }
    let ended = drive.history.iter().filter(|it| it.starts_with("stop")).count();
    assert_eq!(ended, 1, "{:#?}", drive.history);
    assert!(!drive.memory.due_restarts.is_empty());
}

#[test]
fn a_replacement_that_comes_anyway_is_a_restart_too() {
    let mut drive = Drive::settled(REPLICAS);
    restart(&mut drive, "web");
    drive.plan();
    drive.want(&REPLICAS.replace("web:1", "web:2"));
    drive.settle();
    assert!(drive.memory.due_restarts.is_empty());
    let starts = drive.history.iter().filter(|it| it.starts_with("start"));
    assert_eq!(starts.count(), 3, "{:#?}", drive.history);
}

#[test]
fn a_job_that_has_run_to_its_end_runs_again() {
    let mut drive = Drive::settled(
        "services: {job: {image: 'job:1', restart: 'no', labels: {sim.exits: '0'}}}",
    );
    let then = drive.machine.named("demo-job-1").state.started;
    restart(&mut drive, "job");
    drive.settle();
    assert!(drive.machine.named("demo-job-1").state.started > then);
    assert_eq!(drive.history, ["start demo-job-1"]);
}

#[test]
fn only_the_service_that_a_process_may_touch_is_touched() {
    let mut drive = Drive::settled(REPLICAS);
    drive.want(&REPLICAS.replace("db:1", "db:2"));
    restart(&mut drive, "web");
    drive.memory.only = Some("web".into());
    drive.settle();
    assert!(drive.history.iter().all(|it| it.contains("web")), "{:#?}", drive.history);
}

const TOGETHER: &str = "
services:
  db: {image: 'db:1'}
  web: {image: 'web:1', depends_on: {db: {condition: service_healthy, restart: true}}}
  other: {image: 'other:1', depends_on: [db]}
";

#[test]
fn what_goes_down_with_it_goes_down_and_comes_up_again_also_alone() {
    for only in [None, Some("db".into())] {
        let mut drive = Drive::settled(TOGETHER);
        drive.memory.only = only;
        restart(&mut drive, "db");
        drive.settle();
        assert_eq!(
            drive.history,
            ["stop demo-web-1", "stop demo-db-1", "start demo-db-1", "start demo-web-1"]
        );
        assert!(drive.status().ready);
    }
}

#[test]
fn nobody_goes_down_for_a_restart_that_is_paused() {
    let mut drive = Drive::settled(TOGETHER);
    let pause = crate::planning::pause::Pause::new(drive.machine.now(), None);
    drive.memory.pauses.begin(Some(&"db".into()), pause);
    restart(&mut drive, "db");
    drive.settle();
    assert_eq!(drive.history, [""; 0]);
}
