//! Taking a stack down.

use crate::planning::teardown::teardown;
use crate::planning::testing::{Drive, Named, text};

const FILE: &str = "
services:
  web: {image: 'web:1', depends_on: [app]}
  app: {image: 'app:1', depends_on: [db]}
  db: {image: 'db:1', volumes: ['data:/data']}
volumes: {data: {}}
";

/// Takes down as much as can be, and returns what was done.
fn down(drive: &mut Drive) -> Vec<String> {
    let mut done = Vec::new();
    for _ in 0..50 {
        let observed = drive.learn();
        for (_, step) in teardown(&drive.world(&observed)).steps {
            done.push(text::step(&step, &drive.machine));
            drive.machine.perform(&step).unwrap();
        }
    }
    done
}

#[test]
fn dependents_stop_first_and_the_data_stays() {
    let mut drive = Drive::settled(FILE);
    let done = down(&mut drive);
    let stops: Vec<&String> = done.iter().filter(|it| it.starts_with("stop")).collect();
    assert_eq!(stops, ["stop demo-web-1", "stop demo-app-1", "stop demo-db-1"]);
    assert_eq!(done.last().unwrap(), "remove demo_default");
    assert!(drive.machine.names().is_empty());
    assert!(drive.machine.networks.is_empty());
    assert_eq!(drive.machine.volumes.len(), 1);
}

#[test]
fn a_service_that_left_the_file_goes_when_we_made_it_and_stays_when_we_did_not() {
    let smaller = "services: {app: {image: 'app:1'}}\nx-reconciler: {prune: never}";
    let mut drive = Drive::settled(FILE);
    drive.machine.named_mut("demo-db-1").origin.source = None;
    drive.want(smaller);
    let done = down(&mut drive);
    assert!(done.iter().all(|line| !line.contains("demo-db-1")), "{done:?}");
    assert_eq!(drive.machine.names(), [("demo-db-1".to_owned(), "running")].into());
    assert!(drive.machine.networks.contains_key("demo_default"), "it is in use");
}

#[test]
fn a_replacement_that_is_under_way_is_taken_down_too() {
    let mut drive = Drive::settled(FILE);
    drive.want(&FILE.replace("db:1", "db:2")).until("rename demo-db-1 to");
    down(&mut drive);
    assert!(drive.machine.names().is_empty());
}
