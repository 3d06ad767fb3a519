//! Probes from outside: gates, readiness and health.

use std::time::Duration;

use crate::engine::sim::{Passing, Wellness};
use crate::planning::learn::learn;
use crate::planning::outside::{absorb, due};
use crate::planning::testing::{Drive, Named, Software, desired};
use crate::state::observed::Health;
use crate::state::step::{Done, Failure, FailureKind, Outcome, Reach, Step};

const PAIR: &str = "
services:
  app: {image: 'app:1', depends_on: {db: {condition: service_healthy}}}
  db:
    image: 'db:1'
    x-reconciler: {probe: {tcp: 2379, interval: 2s, failures: 3, successes: 2}}
";

fn from(age: u64) -> Software {
    let from = Passing::After(Duration::from_secs(age));
    Software { health: Wellness { from, until: None }, ..Software::default() }
}

/// Takes the probes that are due for what is ready, as the controller does; returns how many
/// ended, and whether all changed nothing.
fn steady(drive: &mut Drive) -> (usize, bool) {
    let observed = drive.machine.observe(&drive.desired);
    let now = drive.machine.now();
    let (steps, _) = due(&drive.memory, &drive.desired, &observed, now);
    let (count, mut is_steady) = (steps.len(), true);
    for (object, step) in steps {
        let result = drive.machine.perform(&step);
        let outcome = Outcome { object, step, result };
        let now = drive.machine.now();
        if !absorb(&mut drive.memory, &drive.desired, &observed, &outcome, now) {
            is_steady = false;
            let outcomes = [outcome];
            drive.memory =
                learn(&drive.memory, &drive.desired, &observed, &outcomes, now);
        }
    }
    (count, is_steady)
}

fn reasons(drive: &mut Drive) -> Vec<String> {
    let status = drive.status();
    let services = status.services.iter();
    services.map(|it| format!("{} {}", it.name, it.conditions[0].reason)).collect()
}

#[test]
fn a_gate_opens_when_a_probe_has_passed_so_often_in_a_row() {
    let mut drive = Drive::new(desired(PAIR));
    drive.machine.software.insert("db".into(), from(3));
    drive.until("create demo-app-1").until("probe demo-db-1");
    let plan = drive.text();
    assert!(plan.contains("waits for service/db healthy"), "{plan}");
    drive.until("start demo-app-1");
    let started = drive.machine.named("demo-db-1").state.started.unwrap();
    let age = drive.machine.now().age(started);
    assert!((3..6).contains(&age.as_secs()), "{age:?}");
    drive.settle();
    assert_eq!(reasons(&mut drive), ["app Ready", "db Ready"]);
}

#[test]
fn a_container_is_asked_at_its_own_address_or_that_of_another() {
    let yaml = "
services:
  a: {image: 'a:1', x-reconciler: {probe: {http: ':80/health'}}}
  b: {image: 'b:1', network_mode: host, x-reconciler: {probe: {grpc: 50051/db}}}
  c: {image: 'c:1', network_mode: 'service:a', x-reconciler: {probe: {tcp: 81}}}
  d: {image: 'd:1', x-reconciler: {probe: {http: 'http://other:8080'}}}
";
    let mut drive = Drive::settled(yaml);
    drive.machine.named_mut("demo-a-1").address = Some("172.18.0.2".to_owned());
    drive.machine.advance(Duration::from_secs(5));
    let observed = drive.machine.observe(&drive.desired);
    let (steps, _) = due(&drive.memory, &drive.desired, &observed, drive.machine.now());
    let asked: Vec<String> = steps
        .into_iter()
        .map(|(object, step)| {
            let Step::Reach { how, .. } = step else { panic!("{step:?}") };
            match how {
                Reach::Http { host, port, path } => {
                    format!("{object} {host} {port} {path}")
                }
                Reach::Tcp { host, port } => format!("{object} {host} {port}"),
                Reach::Grpc { host, port, service } => {
                    format!("{object} {host} {port} {service}")
                }
                Reach::Exec { .. } => panic!("{how:?}"),
            }
        })
        .collect();
    assert_eq!(
        asked.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        std::collections::BTreeSet::from([
            "service/a/1 172.18.0.2 80 /health",
            "service/b/1 127.0.0.1 50051 db",
            "service/c/1 172.18.0.2 81",
            "service/d/1 other 8080 /",
        ])
    );
}

#[test]
fn so_many_failures_in_a_row_make_it_unhealthy_and_so_many_passes_well_again() {
    let mut drive = Drive::new(desired(PAIR));
    drive.settle();
    // It is asked at its interval, and what changes nothing is absorbed.
    assert_eq!(steady(&mut drive).0, 0);
    drive.machine.advance(Duration::from_secs(2));
    assert_eq!(steady(&mut drive), (1, true));
    assert_eq!(steady(&mut drive).0, 0);
    drive.machine.software.insert("db".into(), Software::sick());
    for is_steady in [true, true, false] {
        drive.machine.advance(Duration::from_secs(2));
        assert_eq!(reasons(&mut drive)[1], "db Ready");
        assert_eq!(steady(&mut drive), (1, is_steady));
    }
    let status = drive.status();
    assert_eq!(status.services[1].conditions[0].reason, "Unhealthy");
    let message = &status.services[1].conditions[0].message;
    assert_eq!(message, "its probe fails: it does not answer");
    drive.machine.software.clear();
    for is_steady in [true, false] {
        drive.machine.advance(Duration::from_secs(2));
        assert_eq!(reasons(&mut drive)[1], "db Unhealthy");
        assert_eq!(steady(&mut drive), (1, is_steady));
    }
    assert_eq!(reasons(&mut drive)[1], "db Ready");
}

#[test]
fn a_probe_that_could_not_be_made_says_nothing() {
    let mut drive = Drive::new(desired(PAIR));
    drive.settle();
    let container = drive.machine.named("demo-db-1").id.clone();
    let step = Step::Reach {
        container,
        how: Reach::Tcp { host: String::new(), port: 1 },
        timeout: Duration::from_secs(1),
    };
    for (result, is_steady) in [
        (Err(FailureKind::Failed), true),
        (Err(FailureKind::Failed), true),
        (Err(FailureKind::Unknown), true),
        (Ok(false), true),
        (Err(FailureKind::Unknown), true),
        (Ok(false), true),
        (Ok(false), false),
    ] {
        let result = result
            .map(|is_well| Done::Reached { is_well, said: "no".to_owned() })
            .map_err(|kind| Failure { kind, message: "no".to_owned() });
        let object = "service/db/1".parse().unwrap();
        let outcome = Outcome { object, step: step.clone(), result };
        let observed = drive.machine.observe(&drive.desired);
        let now = drive.machine.now();
        let is_absorbed =
            absorb(&mut drive.memory, &drive.desired, &observed, &outcome, now);
        assert_eq!(is_absorbed, is_steady, "{outcome:?}");
    }
    assert_eq!(drive.memory.retries.len(), 0);
}

#[test]
fn where_there_is_a_health_check_too_both_must_hold() {
    let yaml = "
services:
  db:
    image: 'db:1'
    healthcheck: {test: [CMD, ready]}
    x-reconciler: {probe: {exec: [ask]}}
";
    let mut drive = Drive::new(desired(yaml));
    drive.until("start demo-db-1").until("probe demo-db-1");
    assert_eq!(reasons(&mut drive), ["db Starting"]);
    // The probe has passed; its own health command has yet to.
    drive.until("probe demo-db-1");
    assert_eq!(reasons(&mut drive), ["db Ready"]);
    drive.machine.named_mut("demo-db-1").state.health = Some(Health::Unhealthy);
    assert_eq!(reasons(&mut drive), ["db Unhealthy"]);
}

#[test]
fn a_new_start_has_to_prove_itself_anew() {
    let mut drive = Drive::new(desired(PAIR));
    drive.settle();
    drive.history.clear();
    drive.machine.end_by_hand("demo-db-1", 137);
    drive.until("start demo-db-1");
    assert_eq!(reasons(&mut drive)[1], "db Starting");
    drive.settle();
    assert_eq!(drive.history.iter().filter(|it| *it == "probe demo-db-1").count(), 2);
    assert_eq!(reasons(&mut drive)[1], "db Ready");
}
