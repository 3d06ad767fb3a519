//! What is done about a container that is unhealthy, and how often.

use std::time::Duration;

use crate::engine::sim::{Software, runs};
use crate::planning::memory::Memory;
use crate::planning::testing::{Drive, Named};
use crate::state::observed::Status;

const WEB: &str = "services: {web: {image: 'web:1', restart: always, healthcheck: {test: [CMD, ready], interval: 5s}}}";

/// Lets a loop run for so long, as an operator does.
fn run(drive: &mut Drive, time: Duration) {
    let end = drive.machine.uptime() + time;
    while drive.machine.uptime() < end {
        let plan = drive.pass();
        if plan.steps.is_empty() {
            let now = drive.machine.now().moment;
            let nap = plan.wake.map_or(Duration::from_secs(20), |wake| wake.since(now));
            let nap = nap.clamp(Duration::from_millis(1), Duration::from_secs(20));
            drive.machine.advance(nap);
        }
    }
}

/// The steps that stop and make containers.
fn acts(drive: &Drive) -> Vec<&str> {
    let acts = drive.history.iter().map(String::as_str);
    acts.filter(|line| !line.starts_with("probe")).collect()
}

fn stops(drive: &Drive) -> usize {
    drive.history.iter().filter(|line| line.starts_with("stop")).count()
}

/// It is sick from now on, whatever is done about it.
fn sickens(drive: &mut Drive, service: &str) {
    drive.machine.software.insert(service.into(), Software::sick());
}

fn reasons(drive: &Drive) -> Vec<String> {
    let events = drive.memory.events.iter();
    let told = events.filter(|it| it.reason.starts_with("Heal"));
    told.map(|it| format!("{}: {}", it.reason, it.message)).collect()
}

#[test]
fn an_unhealthy_container_is_restarted_at_once() {
    let mut drive = Drive::settled(WEB);
    let id = drive.machine.named("demo-web-1").id.clone();
    drive.machine.sick.insert(id.clone());
    drive.machine.advance(Duration::from_secs(16));
    insta::assert_snapshot!("unhealthy", drive.text());
    drive.until("stop demo-web-1");
    drive.machine.sick.clear();
    drive.settle();
    assert_eq!(acts(&drive), ["stop demo-web-1", "start demo-web-1"]);
    assert_eq!(drive.machine.named("demo-web-1").id, id);
    assert_eq!(
        reasons(&drive),
        [
            "Healing: demo-web-1 is unhealthy and is restarted: healing 1 in a row, 1 \
             within an hour",
            "Healed: it is ready again"
        ]
    );
    assert!(drive.memory.crashes.is_empty() && drive.status().ready);
}

#[test]
fn what_a_restart_does_not_help_is_made_again() {
    let mut drive = Drive::settled(WEB);
    let id = drive.machine.named("demo-web-1").id.clone();
    drive.machine.sick.insert(id.clone());
    drive.machine.advance(Duration::from_secs(16));
    drive.settle();
    assert_eq!(
        acts(&drive),
        [
            "stop demo-web-1",
            "start demo-web-1",
            "create demo-web-1.next-00000002",
            "update demo-web-1 RestartPolicy.Name=no",
            "stop demo-web-1",
            "rename demo-web-1 to demo-web-1.old-00000002",
            "remove demo-web-1.old-00000002",
            "rename demo-web-1.next-00000002 to demo-web-1",
            "start demo-web-1",
        ]
    );
    assert_ne!(drive.machine.named("demo-web-1").id, id);
    assert!(drive.status().ready);
}

#[test]
fn the_ladder_goes_on_from_every_rung_after_a_crash_of_ours() {
    for forgetful in [false, true] {
        let mut drive = Drive::settled(WEB);
        drive.machine.sick.insert(drive.machine.named("demo-web-1").id.clone());
        drive.machine.advance(Duration::from_secs(16));
        let mut rest = 40;
        while drive.one() && rest > 0 {
            rest -= 1;
            if forgetful {
                drive.memory = Memory::default();
            }
        }
        drive.machine.sick.clear();
        drive.settle();
        assert!(drive.status().ready, "{:#?}", drive.history);
        assert_eq!(drive.machine.names().len(), 1);
    }
}

#[test]
fn there_are_at_most_five_healings_in_any_hour() {
    for file in [WEB.to_owned(), WEB.replace("restart: always", "restart: 'no'")] {
        let mut drive = Drive::settled(&file);
        sickens(&mut drive, "web");
        let mut times: Vec<u64> = Vec::new();
        let mut seen = 0;
        while drive.machine.uptime() < Duration::from_hours(3) {
            run(&mut drive, Duration::from_secs(20));
            let count = stops(&drive);
            times.extend((seen..count).map(|_| drive.machine.uptime().as_secs()));
            seen = count;
        }
        assert!(times.len() >= 15, "it goes on to try: {times:?}");
        for hour in times.windows(6) {
            assert!(hour[5] - hour[0] >= 3500, "{times:?}");
        }
        drive.machine.software.clear();
        run(&mut drive, Duration::from_mins(1));
        assert!(drive.status().ready);
    }
}

#[test]
fn what_sickens_again_and_again_is_within_the_same_budget() {
    let mut drive = Drive::settled(WEB);
    drive.machine.software.insert(
        "web".into(),
        Software {
            health: crate::engine::sim::Wellness {
                until: Some(Duration::from_secs(30)),
                ..Default::default()
            },
            ..Software::default()
        },
    );
    run(&mut drive, Duration::from_mins(59));
    assert_eq!(stops(&drive), 5, "{:#?}", drive.history);
}

#[test]
fn the_status_says_what_was_tried_and_when_it_is_tried_again() {
    let mut drive = Drive::settled(WEB);
    sickens(&mut drive, "web");
    run(&mut drive, Duration::from_mins(30));
    let status = drive.status();
    let service = &status.services[0];
    let degraded = &service.conditions[2];
    assert_eq!((degraded.status, degraded.reason.as_str()), (Some(true), "Unhealthy"));
    insta::assert_snapshot!(degraded.message, @"its health check fails although it was healed 5 times in a row; waits for the budget of 5 healings an hour");
    assert_eq!(service.attempts, 5);
    let next = service.next.unwrap();
    assert!(drive.machine.time().duration_since(next).as_secs() < 0);
    insta::assert_snapshot!("budget_used_up", drive.text());
}

#[test]
fn a_person_who_says_retry_is_not_kept_waiting() {
    let mut drive = Drive::settled(WEB);
    sickens(&mut drive, "web");
    run(&mut drive, Duration::from_mins(30));
    let before = stops(&drive);
    drive.memory.try_again(Some(&"web".into()));
    drive.pass();
    assert_eq!(stops(&drive), before + 1);
    run(&mut drive, Duration::from_mins(10));
    let before = stops(&drive);
    drive.memory.wait_no_longer();
    run(&mut drive, Duration::from_secs(10));
    assert!(stops(&drive) > before);
}

#[test]
fn a_long_time_of_readiness_forgives() {
    let mut drive = Drive::settled(WEB);
    for seconds in [400, 700] {
        drive.machine.sick.insert(drive.machine.named("demo-web-1").id.clone());
        drive.machine.advance(Duration::from_secs(16));
        drive.until("stop demo-web-1");
        drive.machine.sick.clear();
        drive.settle();
        drive.machine.advance(Duration::from_secs(seconds));
        drive.learn();
    }
    let object = "service/web/1".parse().unwrap();
    assert_eq!(drive.memory.healings[&object].row, 0);
    assert_eq!(drive.memory.healings[&object].times.len(), 2, "of the last hour");
    drive.machine.advance(Duration::from_hours(1));
    drive.learn();
    assert!(drive.memory.healings.is_empty());
}

#[test]
fn healing_can_be_turned_off_and_given_another_budget() {
    let mut drive = Drive::settled(&format!("{WEB}\nx-reconciler: {{heal: false}}"));
    sickens(&mut drive, "web");
    run(&mut drive, Duration::from_hours(1));
    assert_eq!(drive.history, Vec::<String>::new());
    assert!(drive.plan().is_in_sync());
    let mut drive =
        Drive::settled(&format!("{WEB}\nx-reconciler: {{heal: {{budget: 2}}}}"));
    sickens(&mut drive, "web");
    run(&mut drive, Duration::from_mins(50));
    assert_eq!(stops(&drive), 2);
}

#[test]
fn what_gets_well_before_anything_was_done_is_left_alone_and_not_counted() {
    let file = "
services:
  db: {image: 'db:1', healthcheck: {test: [CMD, ready], interval: 5s}, x-reconciler: {heal: false}}
  web:
    image: web:1
    healthcheck: {test: [CMD, ready], interval: 5s}
    depends_on: {db: {condition: service_healthy}}
";
    let mut drive = Drive::settled(file);
    for service in ["db", "web"] {
        sickens(&mut drive, service);
    }
    run(&mut drive, Duration::from_mins(10));
    assert_eq!(drive.history, Vec::<String>::new(), "its dependency is not ready");
    insta::assert_snapshot!("blocked_by_dependency", drive.text());
    drive.machine.software.clear();
    run(&mut drive, Duration::from_secs(20));
    assert_eq!(drive.history, Vec::<String>::new());
    assert!(drive.memory.healings.is_empty());
}

#[test]
fn sick_replicas_are_healed_one_at_a_time_while_one_serves() {
    let file = WEB.replace("restart: always", "restart: always, scale: 3");
    let mut drive = Drive::settled(&file);
    for name in ["demo-web-1", "demo-web-2"] {
        drive.machine.sick.insert(drive.machine.named(name).id.clone());
    }
    drive.machine.advance(Duration::from_secs(16));
    let mut healed = false;
    while drive.one() && !healed {
        let running = drive.machine.containers.values().filter(|it| runs(it)).count();
        assert!(running >= 2, "{:#?}", drive.history);
        if stops(&drive) > 0 {
            drive.machine.sick.clear();
        }
        healed = drive.status().ready;
    }
    assert!(healed);
}

#[test]
fn replicas_that_are_all_sick_do_not_wait_for_one_another() {
    let file = WEB.replace("restart: always", "restart: always, scale: 3");
    let mut drive = Drive::settled(&file);
    sickens(&mut drive, "web");
    drive.machine.advance(Duration::from_secs(16));
    let plan = drive.plan();
    assert_eq!(plan.steps.len(), 3, "{}", drive.text());
}

#[test]
fn a_change_goes_before_healing() {
    let mut drive = Drive::settled(WEB);
    sickens(&mut drive, "web");
    drive.machine.advance(Duration::from_secs(16));
    drive.want(&WEB.replace("web:1", "web:2"));
    drive.machine.software.clear();
    drive.settle();
    assert_eq!(stops(&drive), 1);
    assert_eq!(drive.machine.named("demo-web-1").state.status, Status::Running);
    assert!(drive.memory.healings.is_empty());
}

#[test]
fn what_the_engine_starts_again_is_not_fought() {
    let mut drive = Drive::settled(WEB);
    sickens(&mut drive, "web");
    drive.machine.advance(Duration::from_secs(16));
    let state = &mut drive.machine.named_mut("demo-web-1").state;
    state.status = Status::Restarting;
    assert!(drive.plan().steps.is_empty());
    assert!(drive.memory.healings.is_empty());
}

#[test]
fn a_stop_whose_end_was_never_told_is_ours_all_the_same() {
    let file = WEB.replace("restart: always", "restart: 'no'");
    let mut drive = Drive::settled(&file);
    drive.machine.sick.insert(drive.machine.named("demo-web-1").id.clone());
    drive.machine.advance(Duration::from_secs(16));
    drive.plan();
    let memory = drive.memory.clone();
    drive.until("stop demo-web-1");
    drive.memory = memory;
    drive.machine.sick.clear();
    drive.settle();
    // An exit code of 0 would else have been taken for work that is done.
    assert_eq!(drive.machine.named("demo-web-1").state.status, Status::Running);
    assert!(drive.memory.crashes.is_empty());
}
