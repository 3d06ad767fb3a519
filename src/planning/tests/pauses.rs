//! What a pause holds back, what it does not, and how it ends.

use std::time::Duration;

use crate::planning::pause::Pause;
use crate::planning::testing::Drive;
use crate::state::observed::Status;

const TWO: &str = "
services:
  db: {image: 'db:1', mem_limit: 1g}
  web: {image: 'web:1', restart: always, depends_on: [db]}
";

fn pause(drive: &mut Drive, service: Option<&str>, time: Option<Duration>) {
    let pause = Pause::new(drive.machine.now(), time);
    drive.memory.pauses.begin(service.map(Into::into).as_ref(), pause);
}

#[test]
fn a_paused_stack_is_compared_and_left_alone_until_it_is_resumed() {
    let mut drive = Drive::settled(TWO);
    pause(&mut drive, None, None);
    assert!(drive.status().ready, "a pause alone is no fault");
    drive.want(&TWO.replace("1g", "2g").replace("web:1", "web:2"));
    insta::assert_snapshot!(drive.text());
    let plan = drive.settle();
    assert!(!plan.is_in_sync() && !plan.is_moving, "nobody waits for it");
    assert_eq!(drive.history, [""; 0]);
    drive.memory.pauses.end(None);
    drive.settle();
    assert!(drive.status().ready);
}

#[test]
fn what_is_paused_is_neither_made_nor_healed_nor_removed() {
    let mut drive = Drive::settled(TWO);
    pause(&mut drive, None, None);
    drive.machine.end_by_hand("demo-db-1", 1);
    drive.machine.remove_by_force("demo-web-1");
    drive.settle();
    assert_eq!(drive.history, [""; 0]);
    let status = drive.status();
    let reasons = status.services.iter().map(|it| it.conditions[0].reason.as_str());
    assert_eq!(reasons.collect::<Vec<_>>(), ["Paused", "Paused"]);
    drive.want("services: {db: {image: 'db:1', mem_limit: 1g}}");
    drive.settle();
    assert_eq!(drive.history, [""; 0]);
}

#[test]
fn a_paused_service_is_left_alone_while_the_others_go_on() {
    let mut drive = Drive::settled(TWO);
    pause(&mut drive, Some("db"), None);
    let after = TWO.replace("1g", "2g").replace("restart: always", "restart: 'no'");
    drive.want(&after);
    drive.settle();
    assert_eq!(drive.history, ["update demo-web-1 RestartPolicy.Name=no"]);
    insta::assert_snapshot!(drive.text());
}

#[test]
fn the_engine_starts_what_ends_during_a_pause_by_its_own_policy() {
    let mut drive = Drive::settled(TWO);
    pause(&mut drive, None, None);
    drive.machine.crash("demo-web-1", 1);
    drive.machine.advance(Duration::from_secs(30));
    drive.settle();
    assert_eq!(drive.history, [""; 0]);
    let web = drive.machine.find("demo-web-1").unwrap();
    assert_eq!(web.state.status, Status::Running);
}

#[test]
fn a_pause_with_an_end_ends_by_itself_and_wakes_the_loop_for_it() {
    let mut drive = Drive::settled(TWO);
    pause(&mut drive, None, Some(Duration::from_hours(2)));
    pause(&mut drive, Some("web"), Some(Duration::from_hours(3)));
    drive.want(&TWO.replace("1g", "2g"));
    let plan = drive.plan();
    let now = drive.machine.now().moment;
    assert_eq!(plan.wake.map(|it| it.since(now)), Some(Duration::from_hours(2)));
    assert!(!plan.is_moving);
    assert!(drive.text().contains("the end of the pause: it is paused until"));
    drive.machine.advance(Duration::from_hours(2));
    assert_eq!(drive.pass().steps.len(), 1);
    assert!(drive.memory.pauses.of(&"web".into()).is_some());
    drive.machine.advance(Duration::from_hours(1));
    drive.settle();
    assert!(drive.memory.pauses.is_empty());
}

#[test]
fn a_network_is_not_made_again_under_a_service_that_is_paused() {
    let file = |driver: &str| {
        format!("{TWO}networks: {{default: {{driver_opts: {{o: '{driver}'}}}}}}\n")
    };
    let mut drive = Drive::settled(&file("a"));
    pause(&mut drive, Some("web"), None);
    drive.want(&file("b"));
    drive.settle();
    assert_eq!(drive.history, [""; 0], "no container is taken off it");
    drive.memory.pauses.end(Some(&"web".into()));
    drive.settle();
    assert!(drive.status().ready);
}

#[test]
fn what_is_unhealthy_during_a_pause_is_healed_after_it() {
    let file = "services: {web: {image: 'web:1', healthcheck: {test: [CMD, ready], interval: 1s}}}";
    let mut drive = Drive::settled(file);
    pause(&mut drive, Some("web"), None);
    drive
        .machine
        .software
        .insert("web".into(), crate::planning::testing::Software::sick());
    for _ in 0..30 {
        drive.pass();
        drive.machine.advance(Duration::from_secs(1));
    }
    assert_eq!(drive.history, [""; 0]);
    drive.memory.pauses.end(None);
    drive.machine.software.clear();
    drive.until("start demo-web-1");
}
