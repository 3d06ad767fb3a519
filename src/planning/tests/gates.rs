//! What waits for what.

use std::time::Duration;

use crate::engine::sim::runs;
use crate::planning::testing::{Drive, Named, Software, desired};
use crate::state::ids::NetworkId;
use crate::state::value::Value;

/// An app that waits for a database in this way.
fn pair(condition: &str) -> String {
    format!(
        "
services:
  app: {{image: 'app:1', depends_on: {{db: {{condition: {condition}}}}}}}
  db: {{image: 'db:1', restart: always, healthcheck: {{test: [CMD, ready]}}}}
"
    )
}

/// A chain of three, each with a health check, at these levels.
fn chain(levels: [&str; 3]) -> String {
    let [a, b, c] = levels;
    let health = "healthcheck: {test: [CMD, ready]}";
    format!(
        "
services:
  a: {{image: 'a:1', {health}, environment: {{LEVEL: '{a}'}}}}
  b: {{image: 'b:1', {health}, environment: {{LEVEL: '{b}'}}, depends_on: {{a: {{condition: service_healthy}}}}}}
  c: {{image: 'c:1', {health}, environment: {{LEVEL: '{c}'}}, depends_on: {{b: {{condition: service_healthy}}}}}}
"
    )
}

fn position(drive: &Drive, line: &str) -> usize {
    let at = drive.history.iter().position(|it| it == line);
    at.unwrap_or_else(|| panic!("no {line}: {:#?}", drive.history))
}

#[test]
fn a_started_dependency_is_enough_where_that_is_asked_for() {
    let mut drive = Drive::new(desired(&pair("service_started")));
    drive.machine.software.insert("db".into(), Software::sick());
    drive.until("start demo-app-1");
    assert!(position(&drive, "start demo-db-1") < position(&drive, "start demo-app-1"));
}

#[test]
fn a_dependency_that_is_not_ready_holds_the_start_back() {
    let mut drive = Drive::new(desired(&pair("service_healthy")));
    drive.machine.software.insert("db".into(), Software::sick());
    drive.until("create demo-app-1").until("probe").until("probe");
    insta::assert_snapshot!("waits_for_health", drive.text());
    drive.machine.advance(Duration::from_mins(2));
    insta::assert_snapshot!("dependency_unhealthy", drive.text());
    let status = drive.status();
    let reasons: Vec<&str> =
        status.services.iter().map(|it| it.conditions[0].reason.as_str()).collect();
    assert_eq!(reasons, ["DependencyNotReady", "Unhealthy"]);
    drive.machine.software.clear();
    drive.settle();
    assert!(drive.status().ready);
}

#[test]
fn the_gate_opens_when_the_probe_passes_and_not_an_interval_later() {
    let mut drive = Drive::new(desired(&chain(["", "", ""])));
    drive.settle();
    assert!(
        drive.machine.uptime() < Duration::from_secs(3),
        "{:?}",
        drive.machine.uptime()
    );
}

#[test]
fn a_dependency_that_gets_sick_later_stops_nothing_and_blocks_what_is_to_come() {
    let unhealed = |levels| chain(levels) + "x-reconciler: {heal: false}\n";
    let mut drive = Drive::settled(&unhealed(["", "", ""]));
    drive.machine.software.insert("a".into(), Software::sick());
    drive.machine.advance(Duration::from_mins(2));
    assert!(drive.plan().steps.is_empty());
    drive.machine.end_by_hand("demo-b-1", 1);
    drive.want(&unhealed(["", "", "new"]));
    for _ in 0..50 {
        drive.one();
    }
    assert_eq!(drive.history, ["create demo-c-1.next-00000004"]);
    insta::assert_snapshot!("sick_later", drive.text());
}

#[test]
fn a_dependency_that_the_stack_does_not_have_is_no_obstacle_when_it_is_not_required() {
    let file = "
services:
  app:
    image: app:1
    depends_on: {debug: {condition: service_healthy, required: false}}
  debug: {image: 'debug:1', profiles: [debug]}
";
    let mut drive = Drive::new(desired(file));
    drive.settle();
    assert!(drive.status().ready);
}

#[test]
fn a_chain_is_disrupted_one_service_at_a_time_and_dependencies_first() {
    for levels in [["new", "new", "new"], ["new", "", "new"]] {
        let mut drive = Drive::settled(&chain(["", "", ""]));
        drive.want(&chain(levels));
        while drive.one() {
            let running = drive.machine.containers.values().filter(|it| runs(it));
            assert!(running.count() >= 2, "{:#?}", drive.history);
        }
        assert!(position(&drive, "start demo-a-1") < position(&drive, "stop demo-c-1"));
        assert!(drive.plan().is_in_sync());
    }
}

#[test]
fn services_that_do_not_depend_on_one_another_are_disrupted_together() {
    let file = |level: &str| {
        let service = |name: &str| {
            format!(
                "  {name}: {{image: '{name}:1', environment: {{LEVEL: '{level}'}}}}\n"
            )
        };
        format!("services:\n{}{}", service("a"), service("b"))
    };
    let mut drive = Drive::settled(&file("1"));
    drive.want(&file("2"));
    drive.pass();
    let plan = drive.pass();
    assert_eq!(plan.steps.len(), 2);
    assert!(plan.steps.iter().all(|(_, step)| step.verb() == "stop"));
}

#[test]
fn a_stable_address_is_stopped_before_a_reconnect_and_started_after_it() {
    let file = |alias: &str, policy: &str| {
        format!(
            "
services:
  web:
    image: web:1
    restart: '{policy}'
    networks: {{default: {{aliases: ['{alias}']}}}}
    x-reconciler: {{address: stable}}
"
        )
    };
    for policy in ["always", "no", "on-failure"] {
        let mut drive = Drive::settled(&file("one", policy));
        drive.want(&file("two", policy));
        insta::assert_snapshot!("stable_address", drive.text());
        drive.settle();
        assert_eq!(
            drive.history,
            [
                "stop demo-web-1",
                "disconnect demo-web-1 from demo_default",
                "connect demo-web-1 to demo_default",
                "start demo-web-1",
            ]
        );
    }
}

#[test]
fn replicas_with_a_stable_address_are_stopped_one_at_a_time() {
    let file = |alias: &str| {
        format!(
            "
services:
  web:
    image: web:1
    scale: 2
    networks: {{default: {{aliases: ['{alias}']}}}}
    x-reconciler: {{address: stable}}
"
        )
    };
    let mut drive = Drive::settled(&file("one"));
    drive.want(&file("two"));
    while drive.one() {
        let running = drive.machine.containers.values().filter(|it| runs(it)).count();
        assert!(running >= 1, "{:#?}", drive.history);
    }
    assert!(drive.plan().is_in_sync());
}

#[test]
fn any_other_address_moves_while_the_container_runs() {
    let file = |alias: &str| {
        format!(
            "services: {{web: {{image: 'web:1', networks: {{default: {{aliases: ['{alias}']}}}}}}}}"
        )
    };
    let mut drive = Drive::settled(&file("one"));
    drive.want(&file("two")).settle();
    assert_eq!(
        drive.history,
        ["disconnect demo-web-1 from demo_default", "connect demo-web-1 to demo_default"]
    );
}

#[test]
fn nothing_starts_on_a_network_that_is_not_there() {
    let mut drive = Drive::new(desired("services: {web: {image: 'web:1'}}"));
    drive.until("create demo-web-1");
    drive.machine.networks.clear();
    drive.history.clear();
    drive.settle();
    assert_eq!(drive.history, ["create demo_default", "start demo-web-1"]);
}

#[test]
fn a_container_that_is_attached_to_a_removed_network_waits_until_it_is_back() {
    let mut drive = Drive::settled("services: {web: {image: 'web:1'}}");
    drive.machine.named_mut("demo-web-1").attached.clear();
    let web = drive.machine.named_mut("demo-web-1");
    web.document.set("NetworkingConfig.EndpointsConfig", Value::Null);
    drive.machine.networks.clear();
    insta::assert_snapshot!("network_gone", drive.text());
    drive.settle();
    let network = &drive.machine.named("demo-web-1").attached["demo_default"];
    assert_ne!(*network, NetworkId::new("network-1"));
}

#[test]
fn as_many_steps_are_taken_as_the_file_allows() {
    let service = |number| format!("  s{number}: {{image: 'x:1'}}\n");
    let services = (1..=20).map(service).collect::<Vec<String>>().concat();
    let file = |limit: &str| format!("services:\n{services}{limit}");
    for (limit, most) in [("", 8), ("x-reconciler: {max_parallel: 3}", 3)] {
        let mut drive = Drive::new(desired(&file(limit)));
        drive.until("pull x:1").learn();
        assert_eq!(drive.pass().steps.len(), most);
        drive.settle();
        assert!(drive.status().ready);
    }
}
