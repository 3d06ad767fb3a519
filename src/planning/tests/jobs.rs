//! One-shot services, and dependencies that are not required.

use std::time::Duration;

use crate::planning::memory::Memory;
use crate::planning::testing::{Drive, Named, Software, desired};
use crate::state::observed::Status;

/// A job at a level, and an app that waits for it.
fn migration(level: &str) -> String {
    format!(
        "
services:
  app: {{image: 'app:1', depends_on: {{job: {{condition: service_completed_successfully}}}}}}
  job: {{image: 'job:1', environment: {{LEVEL: '{level}'}}}}
"
    )
}

/// A drive on which the job has run once.
fn done() -> Drive {
    let mut drive = Drive::new(desired(&migration("1")));
    drive.machine.software.insert("job".into(), Software::ends(0));
    drive.settle();
    assert!(drive.status().ready, "{}", drive.text());
    drive.history.clear();
    drive
}

fn runs(drive: &Drive) -> usize {
    drive.history.iter().filter(|line| line.starts_with("start demo-job")).count()
}

#[test]
fn a_job_whose_container_is_gone_is_not_run_again() {
    let mut drive = done();
    drive.machine.remove_by_force("demo-job-1");
    drive.settle();
    assert_eq!(drive.history, Vec::<String>::new());
    let status = drive.status();
    assert!(status.ready && status.services.iter().all(|it| it.ready));
    assert!(drive.plan().is_in_sync());
}

#[test]
fn a_dependent_starts_on_the_record_alone() {
    let mut drive = done();
    drive.machine.remove_by_force("demo-job-1");
    drive.machine.remove_by_force("demo-app-1");
    drive.is_blind = true;
    drive.settle();
    assert_eq!(drive.history, ["create demo-app-1", "start demo-app-1"]);
}

#[test]
fn a_changed_job_runs_again_whether_its_container_is_there_or_not() {
    for is_gone in [false, true] {
        let mut drive = done();
        if is_gone {
            drive.machine.remove_by_force("demo-job-1");
            drive.settle();
        }
        drive.want(&migration("2")).settle();
        assert_eq!(runs(&drive), 1, "{:#?}", drive.history);
        // Going back is a change too.
        drive.machine.remove_by_force("demo-job-1");
        drive.want(&migration("1")).settle();
        assert_eq!(runs(&drive), 2, "{:#?}", drive.history);
    }
}

#[test]
fn another_image_under_the_same_tag_is_another_job() {
    let mut drive = done();
    drive.machine.remove_by_force("demo-job-1");
    drive.learn();
    drive.machine.images.remove("job:1");
    assert!(drive.plan().is_in_sync(), "the image is not needed any more");
    drive.machine.move_tag("job:1", 2);
    drive.settle();
    assert_eq!(runs(&drive), 1);
}

#[test]
fn one_who_remembers_nothing_reads_it_off_the_kept_container_and_else_runs_it_again() {
    let mut drive = done();
    drive.memory = Memory::default();
    drive.settle();
    assert_eq!(runs(&drive), 0);
    drive.memory = Memory::default();
    drive.machine.remove_by_force("demo-job-1");
    drive.settle();
    assert_eq!(runs(&drive), 1);
}

#[test]
fn a_job_that_failed_is_tried_again_later_and_later() {
    let mut drive = Drive::new(desired(&migration("1")));
    drive.machine.software.insert("job".into(), Software::ends(3));
    let mut starts = Vec::new();
    while starts.len() < 5 {
        let before = runs(&drive);
        assert!(drive.one());
        if runs(&drive) > before {
            starts.push(drive.machine.uptime().as_secs());
        }
    }
    let waits: Vec<u64> = starts.windows(2).map(|it| it[1] - it[0]).collect();
    assert!(waits[1] >= 8 && waits.is_sorted(), "{waits:?}");
    assert!(drive.memory.completed.is_empty());
    drive.machine.software.insert("job".into(), Software::ends(0));
    drive.settle();
    assert!(drive.status().ready);
}

#[test]
fn retry_forgets_failures_and_no_work_that_is_done() {
    let mut drive = done();
    drive.machine.remove_by_force("demo-job-1");
    drive.memory.try_again(None);
    drive.settle();
    assert_eq!(runs(&drive), 0);
}

#[test]
fn what_was_deleted_is_done_again_when_the_stack_comes_up() {
    let mut drive = done();
    drive.memory.down = Some(drive.desired.generation.clone());
    drive.settle();
    assert!(drive.machine.containers.is_empty());
    drive.memory.down = None;
    drive.settle();
    assert_eq!(runs(&drive), 1);
}

#[test]
fn a_job_whose_volumes_others_use_is_made_again() {
    let file = "
services:
  app: {image: 'app:1', volumes_from: [data]}
  data: {image: 'data:1'}
";
    let mut drive = Drive::new(desired(file));
    drive.machine.software.insert("data".into(), Software::ends(0));
    drive.settle();
    drive.machine.remove_by_force("demo-data-1");
    drive.settle();
    assert_eq!(drive.machine.named("demo-data-1").state.status, Status::Exited);
}

/// An app that would like to have a cache.
fn optional(condition: &str, job: &str) -> String {
    format!(
        "
services:
  app: {{image: 'app:1', depends_on: {{cache: {{condition: {condition}, required: false}}}}}}
  cache: {{image: 'cache:1', {job} healthcheck: {{test: [CMD, ready]}}}}
"
    )
}

#[test]
fn an_optional_dependency_is_waited_for_while_it_may_come() {
    let mut drive = Drive::new(desired(&optional("service_healthy", "")));
    drive.until("start demo-app-1");
    let cache = drive.history.iter().position(|it| it == "start demo-cache-1");
    assert!(cache.is_some(), "{:#?}", drive.history);
}

#[test]
fn an_optional_dependency_that_fails_is_no_obstacle_and_that_is_said() {
    let mut drive =
        Drive::new(desired(&optional("service_healthy", "x-reconciler: {job: false},")));
    drive.is_blind = true;
    drive.machine.software.insert("cache".into(), Software::ends(1));
    drive.until("start demo-app-1");
    insta::assert_snapshot!("goes_without", drive.text());
}

#[test]
fn an_optional_dependency_whose_image_is_missing_is_no_obstacle() {
    let file = optional("service_healthy", "").replace("cache:1", "missing:1");
    let mut drive = Drive::new(desired(&file));
    drive.is_blind = true;
    drive.until("start demo-app-1");
    assert!(drive.machine.find("demo-cache-1").is_none(), "{:#?}", drive.history);
}

#[test]
fn an_optional_job_that_fails_is_no_obstacle() {
    let mut drive = Drive::new(desired(&optional("service_completed_successfully", "")));
    drive.is_blind = true;
    drive.machine.software.insert("cache".into(), Software::ends(1));
    drive.until("start demo-app-1");
    drive.machine.advance(Duration::from_secs(5));
    assert!(drive.machine.named("demo-app-1").state.status == Status::Running);
}
