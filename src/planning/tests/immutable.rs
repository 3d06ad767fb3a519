//! What must not change under data is not changed, whatever happened to the container.

use crate::planning::immutable::accept;
use crate::planning::memory::Memory;
use crate::planning::testing::{Drive, Named, desired};
use crate::state::observed::labels;

fn file(mq: &str, more: &str) -> String {
    format!(
        "services:
  db: {{image: 'db:1', depends_on: [etcd], environment: {{MQ_TYPE: {mq}, A: b{more}}}, \
         x-reconciler: {{immutable: [environment.MQ_TYPE]}}}}
  etcd: {{image: 'etcd:1'}}
  web: {{image: 'web:1', depends_on: [db], environment: {{A: b{more}}}}}
"
    )
}

/// A database that has run with one log, and a file that asks for another one.
fn changed() -> Drive {
    let mut drive = Drive::settled(&file("woodpecker", ""));
    drive.want(&file("rocksmq", ", C: d"));
    drive
}

fn condition(drive: &mut Drive) -> (String, String) {
    let status = drive.status();
    let db = status.services.iter().find(|it| it.name.as_str() == "db").unwrap();
    let degraded = db.conditions.iter().find(|it| it.kind == "Degraded").unwrap();
    (degraded.reason.clone(), degraded.message.clone())
}

#[test]
fn a_guarded_change_is_refused_and_the_rest_of_the_stack_goes_on() {
    let mut drive = changed();
    let id = drive.machine.named("demo-db-1").id.clone();
    let plan = drive.settle();
    assert!(!plan.is_moving, "nobody waits for it");
    assert_eq!(drive.machine.named("demo-db-1").id, id, "it runs on");
    assert!(drive.history.iter().all(|it| !it.contains("demo-db-1")));
    assert!(drive.history.iter().any(|it| it.contains("create demo-web-1")));
    insta::assert_snapshot!("refused", drive.text());
    let (reason, message) = condition(&mut drive);
    assert_eq!(reason, "ImmutableField");
    insta::assert_snapshot!("refused_condition", message);
}

#[test]
fn it_goes_on_by_itself_once_the_value_is_put_back() {
    let mut drive = changed();
    drive.settle();
    drive.want(&file("woodpecker", ", C: d")).settle();
    assert!(drive.plan().is_in_sync(), "{}", drive.text());
    assert!(drive.status().ready);
}

#[test]
fn another_container_in_the_place_of_one_that_is_gone_is_refused_too() {
    let mut drive = changed();
    drive.machine.remove_by_force("demo-db-1");
    drive.settle();
    assert!(drive.machine.find("demo-db-1").is_none());
    insta::assert_snapshot!("refused_creation", drive.text());
    assert_eq!(condition(&mut drive).0, "ImmutableField");
    drive.want(&file("woodpecker", "")).settle();
    assert!(drive.status().ready, "with the value before it is made");
}

#[test]
fn a_service_that_left_the_file_comes_back_to_its_data() {
    let mut drive = Drive::settled(&file("woodpecker", ""));
    drive.want("services: {etcd: {image: 'etcd:1'}, web: {image: 'web:1'}}").settle();
    assert!(drive.machine.find("demo-db-1").is_none());
    drive.want(&file("rocksmq", "")).settle();
    assert!(drive.machine.find("demo-db-1").is_none(), "{}", drive.text());
}

#[test]
fn what_a_person_accepts_is_done_and_is_what_counts_from_then_on() {
    let mut drive = changed();
    drive.settle();
    let wanted = desired(&file("rocksmq", ", C: d"));
    accept(&mut drive.memory, &wanted, &"db".into());
    drive.settle();
    assert!(drive.plan().is_in_sync(), "{}", drive.text());
    drive.want(&file("woodpecker", ", C: d")).settle();
    assert_eq!(condition(&mut drive).0, "ImmutableField", "the way back is a change too");
}

#[test]
fn the_first_creation_is_free_and_so_is_a_wish_that_never_started() {
    let mut drive = Drive::new(desired(&file("woodpecker", "")));
    drive.until("create demo-db-1");
    drive.want(&file("rocksmq", "")).settle();
    assert!(drive.plan().is_in_sync(), "{}", drive.text());
}

#[test]
fn with_no_memory_the_container_that_is_there_tells_what_it_was() {
    let mut drive = changed();
    drive.memory = Memory::default();
    drive.settle();
    assert_eq!(condition(&mut drive).0, "ImmutableField");
    // What it told is remembered, also when it is gone.
    drive.machine.remove_by_force("demo-db-1");
    drive.settle();
    assert!(drive.machine.find("demo-db-1").is_none(), "{}", drive.text());
}

#[test]
fn a_container_that_is_taken_over_is_guarded_like_any_other() {
    let mut drive = Drive::settled(&file("woodpecker", ""));
    drive.memory = Memory::default();
    for name in ["demo-db-1", "demo-etcd-1", "demo-web-1"] {
        let container = drive.machine.named_mut(name);
        let own = container.document.get("Config.Labels").entries();
        let own = own.filter(|(label, _)| !label.starts_with("reconciler."));
        let own = own.map(|(label, value)| (label.to_owned(), value.clone()));
        let own = crate::state::value::Value::Map(own.collect());
        container.document.set("Config.Labels", own);
        container.origin.spec = None;
        container.origin.source = None;
    }
    drive.want(&file("rocksmq", "")).settle();
    assert_eq!(condition(&mut drive).0, "ImmutableField", "{}", drive.text());
    assert!(labels::SPEC.starts_with("reconciler."));
}

#[test]
fn a_path_that_is_guarded_later_takes_the_value_of_that_day() {
    let guarded = file("woodpecker", "");
    let free = guarded.replace("immutable: [environment.MQ_TYPE]", "immutable: []");
    let mut drive = Drive::settled(&free);
    drive.want(&free.replace("woodpecker", "kafka")).settle();
    assert!(drive.plan().is_in_sync());
    drive.want(&guarded.replace("woodpecker", "kafka")).settle();
    assert!(drive.plan().is_in_sync(), "{}", drive.text());
    drive.want(&guarded).settle();
    assert_eq!(condition(&mut drive).0, "ImmutableField");
    drive.want(&free).settle();
    assert!(drive.plan().is_in_sync(), "guarded no more: {}", drive.text());
}

#[test]
fn what_is_secret_is_guarded_and_not_shown() {
    let with = |secret: &str| {
        format!(
            "services: {{db: {{image: 'db:1', environment: {{DB_PASSWORD: {secret}}}, \
             x-reconciler: {{immutable: [environment.DB_PASSWORD]}}}}}}"
        )
    };
    let mut drive = Drive::settled(&with("cuckoo-one"));
    drive.want(&with("cuckoo-two")).settle();
    let (reason, message) = condition(&mut drive);
    assert_eq!(reason, "ImmutableField");
    assert!(!format!("{message}{}", drive.text()).contains("cuckoo"), "{message}");
    assert!(!format!("{:?}", drive.memory.made_with).contains("cuckoo"));
}

#[test]
fn mounts_and_images_can_be_guarded_and_what_ends_is_started_again_as_it_is() {
    let with = |place: &str, image: &str| {
        format!(
            "services: {{db: {{image: '{image}', volumes: ['{place}:/data'], \
             healthcheck: {{test: x, start_period: 1s}}, restart: always, \
             x-reconciler: {{immutable: [volumes, image]}}}}}}"
        )
    };
    let mut drive = Drive::settled(&with("/srv/a", "db:1"));
    drive.want(&with("/srv/b", "db:1")).settle();
    assert_eq!(condition(&mut drive).0, "ImmutableField");
    drive.want(&with("/srv/a", "db:2")).settle();
    assert_eq!(condition(&mut drive).0, "ImmutableField");
    drive.machine.end_by_hand("demo-db-1", 0);
    drive.history.clear();
    drive.settle();
    assert_eq!(drive.history[0], "start demo-db-1", "as it is");
    assert!(drive.history.iter().all(|it| !it.starts_with("create")));
}
