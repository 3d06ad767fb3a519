//! Nothing is started on a folder whose disk is not there.

use crate::planning::testing::{Drive, Named};
use crate::state::observed::HostPath;

const FILE: &str = "
services:
  db: {image: 'db:1', restart: always, volumes: ['/srv/disk/db:/data', '/etc/x:/x:ro']}
  web: {image: 'web:1'}
";

fn put(drive: &mut Drive, mount: &str, is_empty: bool) {
    let there = HostPath { is_empty, mount: mount.to_owned() };
    drive.machine.host_paths.insert("/srv/disk/db".to_owned(), Some(there));
}

/// A database that has run on its disk, and is stopped.
fn stopped() -> Drive {
    let mut drive = Drive::settled(FILE);
    put(&mut drive, "/srv/disk", false);
    drive.settle();
    assert!(drive.memory.data_paths["/srv/disk/db"].had_entries);
    drive.machine.end_by_hand("demo-db-1", 0);
    drive.plan();
    drive.history.clear();
    drive
}

fn reason(drive: &mut Drive) -> String {
    let conditions = &drive.status().services[0].conditions;
    let degraded = conditions.iter().find(|it| it.kind == "Degraded").unwrap();
    assert_eq!(degraded.status, Some(true));
    degraded.reason.clone()
}

#[test]
fn a_folder_that_is_empty_now_is_not_started_on_until_its_disk_is_back() {
    let mut drive = stopped();
    put(&mut drive, "/", true);
    insta::assert_snapshot!(drive.text());
    drive.settle();
    assert_eq!(drive.history, [""; 0]);
    assert_eq!(reason(&mut drive), "DataPathChanged");
    put(&mut drive, "/srv/disk", false);
    drive.settle();
    assert_eq!(drive.history, ["start demo-db-1"]);
}

#[test]
fn old_files_below_the_mount_point_do_not_pass_for_the_disk() {
    let mut drive = stopped();
    put(&mut drive, "/", false);
    let text = drive.text();
    assert!(text.contains("nothing is mounted at /srv/disk any more"), "{text}");
    drive.settle();
    assert_eq!(drive.history, [""; 0]);
}

#[test]
fn a_folder_that_is_gone_is_not_made_anew() {
    let mut drive = stopped();
    drive.machine.host_paths.insert("/srv/disk/db".to_owned(), None);
    drive.settle();
    assert_eq!(drive.history, [""; 0]);
    drive.machine.remove_by_force("demo-db-1");
    drive.settle();
    assert_eq!(drive.history, [""; 0], "no container is made for it either");
}

#[test]
fn a_container_that_runs_is_not_replaced_on_a_folder_that_changed() {
    let mut drive = Drive::settled(FILE);
    put(&mut drive, "/srv/disk", false);
    drive.settle();
    drive.machine.end_by_hand("demo-db-1", 0);
    put(&mut drive, "/", true);
    // The engine started it at boot.
    drive.machine.restart_engine();
    let id = drive.machine.named("demo-db-1").id.clone();
    let _started =
        drive.machine.perform(&crate::state::step::Step::Start { container: id });
    drive.settle();
    assert_eq!(reason(&mut drive), "DataPathChanged");
    assert!(drive.text().contains("! DataPathChanged service/db/1: it was started"));
    drive.want(&FILE.replace("db:1", "db:2"));
    drive.settle();
    assert!(drive.history.iter().all(|it| !it.starts_with("stop")));
}

#[test]
fn what_a_container_does_to_its_own_folder_while_it_runs_is_its_own_affair() {
    let mut drive = Drive::settled(FILE);
    put(&mut drive, "/srv/disk", false);
    drive.settle();
    put(&mut drive, "/srv/disk", true);
    drive.settle();
    drive.machine.end_by_hand("demo-db-1", 0);
    drive.settle();
    assert!(drive.history.contains(&"start demo-db-1".to_owned()));
    assert!(drive.status().ready);
}

#[test]
fn what_a_person_accepts_is_taken_as_it_is() {
    let mut drive = stopped();
    put(&mut drive, "/", true);
    drive.memory.data_paths.clear();
    drive.settle();
    assert_eq!(drive.history, ["start demo-db-1"]);
    assert!(drive.status().ready);
}

#[test]
fn a_disk_that_is_mounted_further_down_is_no_danger() {
    let mut drive = stopped();
    put(&mut drive, "/srv/disk/db", false);
    drive.settle();
    assert_eq!(drive.history, ["start demo-db-1"]);
}
