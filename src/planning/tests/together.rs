//! `depends_on` with `restart: true`: who is stopped before and started after a dependency.

use std::time::Duration;

use crate::engine::sim::{Software, runs};
use crate::planning::memory::Memory;
use crate::planning::testing::{Drive, Kill, Named, desired};
use crate::state::observed::Status;

/// A database, an app that is restarted with it, and a proxy that is restarted with the app.
fn chain(levels: [&str; 3], proxy: bool) -> String {
    let [db, app, web] = levels;
    let health = "restart: always, healthcheck: {test: [CMD, ready]}";
    format!(
        "
services:
  db: {{image: 'db:1', {health}, environment: {{LEVEL: '{db}'}}, volumes: ['data:/data']}}
  app:
    image: app:1
    restart: always
    healthcheck: {{test: [CMD, ready]}}
    environment: {{LEVEL: '{app}'}}
    depends_on: {{db: {{condition: service_healthy, restart: true}}}}
  web:
    image: web:1
    restart: always
    environment: {{LEVEL: '{web}'}}
    depends_on: {{app: {{condition: service_healthy, restart: {proxy}}}}}
  other: {{image: 'other:1', depends_on: {{db: {{condition: service_healthy}}}}}}
volumes: {{data: {{}}}}
"
    )
}

const OLD: [&str; 3] = ["1", "1", "1"];

fn settled(proxy: bool) -> Drive {
    Drive::settled(&chain(OLD, proxy))
}

/// The stops and starts of containers in office.
fn life(drive: &Drive) -> Vec<&str> {
    let history = drive.history.iter().map(String::as_str);
    history.filter(|it| it.starts_with("stop") || it.starts_with("start")).collect()
}

/// Nothing that is restarted with a dependency runs while that is down for a change.
fn must_be_down_together(drive: &Drive) {
    let is_up = |name: &str| drive.machine.find(name).is_some_and(runs);
    let is_going = drive.history.last().is_some_and(|it| it == "stop demo-db-1");
    assert!(!is_going || !is_up("demo-app-1"), "{:#?}", drive.history);
}

/// A whole chain goes down in reverse and comes up in order.
const THERE_AND_BACK: [&str; 6] = [
    "stop demo-web-1",
    "stop demo-app-1",
    "stop demo-db-1",
    "start demo-db-1",
    "start demo-app-1",
    "start demo-web-1",
];

#[test]
fn a_dependent_is_stopped_before_its_dependency_and_started_after_it_is_ready() {
    let mut drive = settled(false);
    drive.want(&chain(["2", "1", "1"], false));
    drive.settle();
    insta::assert_snapshot!(drive.history.join("\n"), @r"
    create demo-db-1.next-00000002
    stop demo-app-1
    update demo-db-1 RestartPolicy.Name=no
    stop demo-db-1
    rename demo-db-1 to demo-db-1.old-00000002
    rename demo-db-1.next-00000002 to demo-db-1
    start demo-db-1
    probe demo-db-1
    start demo-app-1
    probe demo-app-1
    remove demo-db-1.old-00000002
    ");
    assert!(drive.status().ready);
}

#[test]
fn the_plan_says_who_waits_for_whom() {
    let mut drive = settled(true);
    drive.want(&chain(["2", "1", "1"], true)).until("create demo-db-1.next");
    insta::assert_snapshot!("about_to_stop", drive.text());
    drive.until("stop demo-app-1");
    insta::assert_snapshot!("dependents_are_down", drive.text());
}

#[test]
fn a_whole_chain_goes_down_in_reverse_and_comes_up_in_order() {
    let mut drive = settled(true);
    drive.want(&chain(["2", "1", "1"], true)).settle();
    assert_eq!(life(&drive), THERE_AND_BACK);
}

#[test]
fn dependents_that_change_too_go_down_once() {
    let mut drive = settled(true);
    drive.want(&chain(["2", "2", "2"], true)).settle();
    assert_eq!(life(&drive), THERE_AND_BACK);
    let create = drive.history.iter().rposition(|it| it.starts_with("create")).unwrap();
    let stop = drive.history.iter().position(|it| it.starts_with("stop")).unwrap();
    assert!(create < stop, "{:#?}", drive.history);
}

#[test]
fn it_goes_on_from_everywhere_after_everything_was_forgotten() {
    let count = {
        let mut drive = settled(true);
        drive.want(&chain(["2", "1", "2"], true)).settle();
        drive.history.len()
    };
    for steps in 0..count {
        let mut drive = settled(true);
        drive.want(&chain(["2", "1", "2"], true));
        for _ in 0..steps {
            drive.one();
            must_be_down_together(&drive);
        }
        drive.memory = Memory::default();
        while drive.one() && !drive.plan().is_in_sync() {
            must_be_down_together(&drive);
        }
        drive.settle();
        assert!(drive.status().ready, "after {steps}: {:#?}", drive.history);
    }
}

#[test]
fn what_is_stopped_when_we_are_killed_is_no_work_that_is_done() {
    // A stop ends it with 0, as an end of its work would.
    let file = |level: &str| {
        chain([level, "1", "1"], true).replace("restart: always", "restart: 'no'")
    };
    let count = {
        let mut drive = Drive::settled(&file("1"));
        drive.calls = 0;
        drive.want(&file("2")).settle();
        drive.calls
    };
    for at in 0..count {
        for has_its_effect in [false, true] {
            let mut drive = Drive::settled(&file("1"));
            drive.calls = 0;
            let (forgets, restarts_engine) = (false, false);
            drive.kill = Some(Kill { at, has_its_effect, forgets, restarts_engine });
            drive.want(&file("2")).settle();
            let states = drive.machine.names();
            assert!(states.values().all(|state| *state == "running"), "{at} {states:?}");
        }
    }
}

#[test]
fn from_everywhere_there_is_a_way_back() {
    for steps in 0..14 {
        let mut drive = settled(true);
        drive.want(&chain(["2", "1", "1"], true));
        for _ in 0..steps {
            drive.one();
        }
        drive.want(&chain(OLD, true)).settle();
        assert!(drive.status().ready, "after {steps}: {:#?}", drive.history);
        let states = drive.machine.names();
        assert!(states.values().all(|state| *state == "running"), "{states:?}");
    }
}

#[test]
fn the_repair_of_a_dependency_that_died_by_itself_takes_nobody_along() {
    let mut drive = settled(true);
    drive.machine.end_by_hand("demo-db-1", 1);
    drive.settle();
    assert_eq!(life(&drive), ["start demo-db-1"]);
    drive.history.clear();
    drive.machine.remove_by_force("demo-db-1");
    drive.settle();
    assert_eq!(life(&drive), ["start demo-db-1"]);
}

#[test]
fn a_healing_takes_dependents_along() {
    let mut drive = settled(true);
    drive.machine.sick.insert(drive.machine.named("demo-db-1").id.clone());
    drive.machine.advance(Duration::from_mins(2));
    drive.until("stop demo-db-1");
    drive.machine.sick.clear();
    drive.settle();
    assert_eq!(life(&drive), THERE_AND_BACK);
}

#[test]
fn what_shares_a_network_namespace_is_replaced_as_one_unit() {
    let file = |level: &str| {
        format!(
            "
services:
  vpn: {{image: 'vpn:1', restart: always, environment: {{LEVEL: '{level}'}}}}
  app: {{image: 'app:1', restart: always, network_mode: 'service:vpn'}}
"
        )
    };
    let mut drive = Drive::settled(&file("1"));
    drive.want(&file("2")).settle();
    assert_eq!(
        life(&drive),
        ["stop demo-app-1", "stop demo-vpn-1", "start demo-vpn-1", "start demo-app-1"]
    );
    let vpn = drive.machine.named("demo-vpn-1").id.clone();
    let mode = drive.machine.named("demo-app-1").document.get("HostConfig.NetworkMode");
    assert_eq!(mode.to_string(), format!("container:{vpn}"));
    assert!(drive.plan().is_in_sync());
}

#[test]
fn links_go_along_and_volumes_from_do_not() {
    let file = |level: &str| {
        format!(
            "
services:
  db: {{image: 'db:1', restart: always, environment: {{LEVEL: '{level}'}}}}
  linked: {{image: 'x:1', restart: always, links: [db]}}
"
        )
    };
    let mut drive = Drive::settled(&file("1"));
    drive.want(&file("2")).settle();
    assert_eq!(
        life(&drive),
        [
            "stop demo-linked-1",
            "stop demo-db-1",
            "start demo-db-1",
            "start demo-linked-1"
        ]
    );
}

#[test]
fn replicas_of_a_dependency_are_one_disruption_for_its_dependents() {
    let file = |level: &str| {
        format!(
            "
services:
  db: {{image: 'db:1', scale: 2, restart: always, environment: {{LEVEL: '{level}'}}}}
  app: {{image: 'app:1', restart: always, depends_on: {{db: {{condition: service_started, restart: true}}}}}}
"
        )
    };
    let mut drive = Drive::settled(&file("1"));
    drive.want(&file("2")).settle();
    assert_eq!(
        life(&drive),
        [
            "stop demo-app-1",
            "stop demo-db-1",
            "start demo-db-1",
            "stop demo-db-2",
            "start demo-db-2",
            "start demo-app-1",
        ]
    );
}

#[test]
fn a_dependent_whose_own_change_cannot_be_prepared_holds_nothing_up() {
    let mut drive = settled(true);
    let file = chain(["2", "2", "1"], true).replace("app:1", "missing:1");
    drive.want(&file);
    drive.until("start demo-db-1");
    assert_eq!(drive.machine.named("demo-app-1").state.status, Status::Exited);
    for _ in 0..200 {
        drive.one();
    }
    // The old one serves on.
    assert_eq!(drive.machine.named("demo-app-1").state.status, Status::Running);
}

#[test]
fn a_dependency_is_not_taken_away_from_a_dependent_that_is_rolling() {
    let mut drive = settled(false);
    drive.machine.software.insert(
        "app".into(),
        Software {
            health: crate::engine::sim::Wellness {
                from: crate::engine::sim::Passing::After(Duration::from_secs(20)),
                until: None,
            },
            ..Software::default()
        },
    );
    drive.want(&chain(["1", "2", "1"], false)).until("start demo-app-1");
    drive.want(&chain(["2", "2", "1"], false));
    drive.until("create demo-db-1.next");
    insta::assert_snapshot!("dependent_is_rolling", drive.text());
    drive.settle();
    assert!(drive.status().ready);
}

#[test]
fn an_address_that_moves_takes_dependents_along() {
    let file = |alias: &str| {
        format!(
            "
services:
  db: {{image: 'db:1', restart: always, networks: {{default: {{aliases: ['{alias}']}}}}, x-reconciler: {{address: stable}}}}
  app: {{image: 'app:1', restart: always, depends_on: {{db: {{condition: service_started, restart: true}}}}}}
"
        )
    };
    let mut drive = Drive::settled(&file("one"));
    drive.want(&file("two")).settle();
    assert_eq!(
        life(&drive),
        ["stop demo-app-1", "stop demo-db-1", "start demo-db-1", "start demo-app-1"]
    );
}

#[test]
fn a_dependent_that_is_not_restarted_with_it_runs_on() {
    let mut drive = settled(true);
    drive.want(&chain(["2", "1", "1"], true)).settle();
    assert!(drive.history.iter().all(|it| !it.contains("other")), "{:#?}", drive.history);
    assert!(desired(&chain(OLD, true)).services.len() == 4);
}

fn restart(drive: &mut Drive, service: &str) {
    drive.memory.asked_to_restart.insert(service.into());
}

#[test]
fn a_restart_by_hand_takes_dependents_along_also_where_nothing_else_may_be_touched() {
    for only in [None, Some("db".into())] {
        let mut drive = settled(true);
        if only.is_some() {
            // This is for another time.
            drive.want(&chain(["1", "2", "1"], true).replace("other:1", "other:2"));
        }
        drive.memory.only = only;
        restart(&mut drive, "db");
        drive
            .until("start demo-db-1")
            .until("start demo-app-1")
            .until("start demo-web-1");
        let stops = life(&drive).into_iter().take(3).collect::<Vec<_>>();
        assert_eq!(stops, ["stop demo-web-1", "stop demo-app-1", "stop demo-db-1"]);
        assert!(
            drive.history.iter().all(|it| !it.contains("other")),
            "{:#?}",
            drive.history
        );
    }
}

#[test]
fn nobody_is_stopped_for_a_dependency_that_is_paused() {
    use crate::planning::pause::Pause;
    let mut drive = settled(true);
    let pause = Pause::new(drive.machine.now(), None);
    drive.memory.pauses.begin(Some(&"db".into()), pause);
    drive.want(&chain(["2", "1", "1"], true));
    for _ in 0..20 {
        drive.one();
    }
    assert_eq!(life(&drive), Vec::<&str>::new());
    drive.memory.pauses.end(None);
    drive.settle();
    assert_eq!(life(&drive).len(), 6);
}
