//! How a change goes through replicas: order, how many at a time, how many may fail.

use std::time::Duration;

use crate::planning::testing::{Drive, Named, Software};
use crate::state::ids::{Replica, ServiceName};
use crate::state::observed::Status;

fn web(level: &str, update: &str) -> String {
    format!(
        "services:\n  web:\n    image: 'web:1'\n    restart: always\n    scale: 3\n    \
         environment: {{LEVEL: '{level}'}}\n    healthcheck: {{test: [CMD, ready]}}\n    \
         deploy: {{update_config: {{{update}}}}}"
    )
}

fn changing(level: &str, update: &str) -> Drive {
    let mut drive = Drive::settled(&web("a", update));
    drive.machine.levels.insert("bad".to_owned(), Software::sick());
    drive.want(&web(level, update));
    drive
}

/// Returns how many replicas have a container that runs and has the name of the office.
fn serving(drive: &Drive) -> usize {
    let running =
        drive.machine.containers.values().filter(|it| {
            it.state.status == Status::Running
                && drive.machine.passes(it)
                && it.document.get("NetworkingConfig.EndpointsConfig").entries().any(
                    |(_, endpoint)| endpoint.get("Aliases").to_string().contains("web"),
                )
        });
    let replicas: std::collections::BTreeSet<&Replica> =
        running.filter_map(|it| it.origin.replica.as_ref()).collect();
    replicas.len()
}

fn levels(drive: &Drive) -> Vec<String> {
    let all = (1..=3).map(|number| drive.machine.named(&format!("demo-web-{number}")));
    all.map(|it| it.document.get("Config.Env").get("LEVEL").to_string()).collect()
}

/// Goes on to the end, and returns the fewest replicas that served at any moment.
fn fewest(drive: &mut Drive) -> usize {
    let mut fewest = serving(drive);
    for _ in 0..3_000 {
        let plan = drive.pass();
        fewest = fewest.min(serving(drive));
        if plan.steps.is_empty() && !drive.wait(&plan) {
            return fewest;
        }
    }
    panic!("it goes on for ever: {}", drive.text());
}

#[test]
fn stop_first_takes_one_at_a_time() {
    let mut drive = changing("b", "monitor: 1s");
    assert_eq!(fewest(&mut drive), 2);
    assert_eq!(levels(&drive), ["b", "b", "b"]);
    assert_eq!(drive.machine.containers.len(), 3);
}

#[test]
fn parallelism_is_how_many_go_at_a_time() {
    let mut drive = changing("b", "parallelism: 2, monitor: 1s");
    assert_eq!(fewest(&mut drive), 1);
    let mut drive = changing("b", "parallelism: 0, monitor: 1s");
    assert_eq!(fewest(&mut drive), 0);
    assert_eq!(levels(&drive), ["b", "b", "b"]);
}

#[test]
fn start_first_leaves_no_replica_without_one_that_serves() {
    let mut drive = changing("b", "order: start-first, monitor: 1s");
    assert_eq!(fewest(&mut drive), 3);
    assert_eq!(levels(&drive), ["b", "b", "b"]);
    assert_eq!(drive.machine.containers.len(), 3);
    let first: Vec<&str> = drive
        .history
        .iter()
        .map(String::as_str)
        .filter(|it| it.contains("web-1") && !it.contains("probe"))
        .collect();
    assert_eq!(
        first,
        [
            "create demo-web-1.next-00000002",
            "start demo-web-1.next-00000002",
            "disconnect demo-web-1.next-00000002 from demo_default",
            "connect demo-web-1.next-00000002 to demo_default",
            "rename demo-web-1 to demo-web-1.old-00000002",
            "rename demo-web-1.next-00000002 to demo-web-1",
            "update demo-web-1.old-00000002 RestartPolicy.Name=no",
            "stop demo-web-1.old-00000002",
            "remove demo-web-1.old-00000002",
        ]
    );
}

#[test]
fn start_first_of_what_never_gets_ready_touches_nothing_that_serves() {
    let mut drive = changing("bad", "order: start-first");
    assert_eq!(fewest(&mut drive), 3);
    assert_eq!(levels(&drive), ["a", "a", "a"]);
    assert_eq!(drive.machine.containers.len(), 3, "{:?}", drive.machine.names());
    assert!(!drive.history.iter().any(|it| it.starts_with("rename")));
}

#[test]
fn a_new_container_takes_over_as_it_is_when_the_old_one_ends_meanwhile() {
    let mut drive = changing("b", "order: start-first, monitor: 1s");
    drive.until("start demo-web-1.next-00000002");
    drive.machine.end_by_hand("demo-web-1", 1);
    drive.settle();
    assert_eq!(levels(&drive), ["b", "b", "b"]);
    assert_eq!(drive.machine.containers.len(), 3);
    let again = drive.history.iter().filter(|it| it.starts_with("create demo-web-1"));
    assert_eq!(again.count(), 1, "{:#?}", drive.history);
}

#[test]
fn start_first_stops_first_where_two_cannot_run_and_says_why() {
    let with_data = |level: &str| {
        web(level, "order: start-first")
            + "\n    volumes: ['/srv/web:/data']\nnetworks: {default: {}}"
    };
    let mut drive = Drive::settled(&with_data("a"));
    drive.want(&with_data("b"));
    insta::assert_snapshot!("two_cannot_run", drive.text());
    assert_eq!(fewest(&mut drive), 2);
}

#[test]
fn those_that_were_changed_already_come_back_too() {
    let mut drive = changing("b", "monitor: 1s");
    // It works once, and then no more.
    drive.until("start demo-web-2");
    drive.machine.levels.insert("b".to_owned(), Software::sick());
    let sick = drive.machine.named("demo-web-1").id.clone();
    drive.machine.wells.insert(sick);
    drive.settle();
    assert_eq!(levels(&drive), ["a", "a", "a"], "{:#?}", drive.history);
    assert_eq!(drive.machine.containers.len(), 3);
}

#[test]
fn as_many_may_fail_as_the_file_bears() {
    let mut drive = changing("b", "monitor: 1s, max_failure_ratio: 0.4");
    drive.until("rename demo-web-1.next-00000002 to demo-web-1");
    let sick = drive.machine.named("demo-web-1").id.clone();
    drive.machine.sick.insert(sick);
    for _ in 0..600 {
        drive.one();
    }
    assert_eq!(drive.memory.rejections, [].into());
    assert_eq!(levels(&drive)[0], "b");
}

#[test]
fn there_is_a_delay_from_one_to_the_next() {
    let mut drive = changing("b", "delay: 40s, monitor: 1s");
    let mut stops = Vec::new();
    for _ in 0..1_000 {
        let before = drive.history.len();
        if !drive.one() {
            break;
        }
        let now = drive.machine.now().moment;
        let new = drive.history[before..].iter().filter(|it| it.starts_with("stop"));
        stops.extend(new.map(|_| now));
    }
    assert_eq!(levels(&drive), ["b", "b", "b"]);
    let gaps: Vec<Duration> = stops.windows(2).map(|it| it[1].since(it[0])).collect();
    assert_eq!(gaps.len(), 2, "{:#?}", drive.history);
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(40)), "{gaps:?}");
}

#[test]
fn a_paused_rollout_changes_no_further_replica() {
    let mut drive = changing("bad", "failure_action: pause");
    drive.settle();
    assert_eq!(levels(&drive), ["bad", "a", "a"]);
    let service = ServiceName::new("web");
    assert!(drive.memory.rejections.contains_key(&service));
    drive.want(&web("a", "failure_action: pause")).settle();
    assert_eq!(levels(&drive), ["a", "a", "a"]);
    assert_eq!(drive.machine.containers.len(), 3);
}
