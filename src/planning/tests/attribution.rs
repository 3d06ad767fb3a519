//! Whose fault an end is.

use std::time::Duration;

use crate::planning::event::Event;
use crate::planning::memory::Memory;
use crate::planning::testing::{Drive, Named};
use crate::state::ids::Object;
use crate::state::observed::Status;

/// An app that needs a database, both left to us when they end.
fn pair(condition: &str) -> String {
    format!(
        "
services:
  app:
    image: app:1
    x-reconciler: {{job: false}}
    depends_on: {{db: {{condition: {condition}}}}}
  db: {{image: 'db:1', x-reconciler: {{job: false}}, healthcheck: {{test: [CMD, ready]}}}}
"
    )
}

fn settled(condition: &str) -> Drive {
    let mut drive = Drive::settled(&pair(condition));
    drive.machine.advance(Duration::from_mins(5));
    drive.learn();
    drive
}

fn count(drive: &mut Drive) -> u32 {
    drive.learn();
    let app: Object = "service/app/1".parse().unwrap();
    drive.memory.crashes.get(&app).map_or(0, |it| it.count)
}

#[test]
fn what_ends_after_its_dependency_has_not_crashed_and_waits_for_it() {
    let mut drive = settled("service_healthy");
    drive.machine.end_by_hand("demo-db-1", 1);
    drive.machine.advance(Duration::from_secs(20));
    drive.machine.end_by_hand("demo-app-1", 1);
    assert_eq!(count(&mut drive), 0);
    insta::assert_snapshot!("ended_with_dependency", drive.text());
    let events = drive.memory.events.iter().map(|it: &Event| it.message.clone());
    let events: Vec<String> = events.filter(|it| it.contains("because")).collect();
    assert_eq!(
        events,
        ["demo-app-1 ended with exit code 1 because db, which it depends on, was not \
          ready: that is no crash of its own"]
    );
    let status = drive.status();
    assert_eq!(status.services[0].conditions[0].reason, "DependencyNotReady");
    drive.settle();
    let starts: Vec<&String> =
        drive.history.iter().filter(|it| it.starts_with("start")).collect();
    assert_eq!(starts, ["start demo-db-1", "start demo-app-1"]);
}

#[test]
fn what_ends_a_while_after_its_dependency_was_started_again_has_not_crashed_either() {
    let mut drive = settled("service_healthy");
    drive.machine.end_by_hand("demo-db-1", 1);
    drive.settle();
    drive.machine.advance(Duration::from_secs(30));
    // It has lost its lease.
    drive.machine.end_by_hand("demo-app-1", 1);
    assert_eq!(count(&mut drive), 0);
    drive.settle();
    drive.machine.advance(Duration::from_secs(10));
    // Its new run has nothing to do with that.
    drive.machine.end_by_hand("demo-app-1", 1);
    assert_eq!(count(&mut drive), 1);
}

#[test]
fn an_outage_between_two_looks_is_read_off_the_engine() {
    let mut drive = settled("service_healthy");
    drive.machine.end_by_hand("demo-db-1", 1);
    drive.machine.advance(Duration::from_secs(1));
    let id = drive.machine.named("demo-db-1").id.clone();
    let start = crate::state::step::Step::Start { container: id };
    drive.machine.perform(&start).unwrap();
    drive.machine.advance(Duration::from_secs(40));
    drive.machine.end_by_hand("demo-app-1", 1);
    drive.memory = Memory::default();
    assert_eq!(count(&mut drive), 0);
}

#[test]
fn what_ends_long_after_or_before_an_outage_has_crashed() {
    let mut drive = settled("service_healthy");
    drive.machine.end_by_hand("demo-db-1", 1);
    drive.settle();
    drive.machine.advance(Duration::from_mins(3));
    drive.machine.end_by_hand("demo-app-1", 1);
    assert_eq!(count(&mut drive), 1);

    let mut drive = settled("service_healthy");
    drive.machine.end_by_hand("demo-app-1", 1);
    drive.machine.advance(Duration::from_secs(10));
    drive.machine.end_by_hand("demo-db-1", 1);
    assert_eq!(count(&mut drive), 1);
}

#[test]
fn one_that_is_started_into_an_outage_is_not_started_over_and_over() {
    let mut drive = settled("service_started");
    drive.machine.sick.insert(drive.machine.named("demo-db-1").id.clone());
    drive.machine.advance(Duration::from_mins(2));
    drive.learn();
    for crashes in [0, 1, 2] {
        drive.machine.end_by_hand("demo-app-1", 1);
        assert_eq!(count(&mut drive), crashes, "{:#?}", drive.memory.outages);
        drive.until("start demo-app-1");
        drive.machine.advance(Duration::from_secs(1));
    }
}

#[test]
fn restarts_by_the_engine_while_a_dependency_is_out_are_no_crashes() {
    let file = pair("service_healthy")
        .replace("image: app:1", "image: app:1\n    restart: always");
    let mut drive = Drive::settled(&file);
    drive.machine.end_by_hand("demo-db-1", 1);
    for _ in 0..4 {
        drive.machine.end_by_hand("demo-app-1", 1);
        let state = &mut drive.machine.named_mut("demo-app-1").state;
        (state.status, state.restarts) = (Status::Restarting, state.restarts + 1);
        assert_eq!(count(&mut drive), 0);
    }
    let status = drive.status();
    let app = &status.services[0].conditions[0];
    insta::assert_snapshot!(app.message, @"it ended with code 1, because db was not ready; the engine's restart policy starts it again after a delay of its own (db: CrashLoopBackOff)");
    let time = drive.machine.time();
    let state = &mut drive.machine.named_mut("demo-app-1").state;
    (state.status, state.started) = (Status::Running, Some(time));
    drive.settle();
    drive.machine.advance(Duration::from_mins(10));
    drive.learn();
    let time = drive.machine.time();
    let state = &mut drive.machine.named_mut("demo-app-1").state;
    (state.restarts, state.finished) = (state.restarts + 1, Some(time));
    state.started = Some(time);
    assert_eq!(count(&mut drive), 1);
}

#[test]
fn what_was_made_while_its_dependency_came_up_crashes_by_itself() {
    let yaml = pair("service_started")
        .replace("image: app:1", "image: app:1\n    restart: always");
    let mut drive = Drive::new(crate::planning::testing::desired(&yaml));
    drive
        .machine
        .software
        .insert("app".into(), crate::planning::testing::Software::ends(1));
    for _ in 0..40 {
        drive.one();
    }
    let status = drive.status();
    let app = &status.services[0].conditions[0];
    assert_eq!(app.reason, "CrashLoopBackOff", "{}", app.message);
}
