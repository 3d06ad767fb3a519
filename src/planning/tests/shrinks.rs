//! A memory limit does not go below what is in use.

use std::time::Duration;

use crate::planning::testing::Drive;

fn file(limit: &str, more: &str) -> String {
    format!(
        "services: {{web: {{image: 'web:1', mem_limit: {limit}, labels: {{sim.uses: 600m}}{more}}}}}"
    )
}

#[test]
fn a_limit_below_what_is_in_use_waits_and_other_fields_do_not() {
    let mut drive = Drive::settled(&file("1g", ", cpus: 1"));
    drive.want(&file("512m", ", cpus: 2"));
    let plan = drive.settle();
    assert!(!plan.is_moving, "nobody waits for it");
    assert_eq!(drive.history, ["measure demo-web-1", "update demo-web-1 NanoCpus=2"]);
    insta::assert_snapshot!(drive.text());
    let status = drive.status();
    assert!(status.services[0].ready);
    assert_eq!(status.services[0].conditions[1].reason, "MemoryInUse");
}

#[test]
fn it_is_asked_for_again_and_lowered_when_there_is_room() {
    let mut drive = Drive::settled(&file("1g", ""));
    drive.want(&file("512m", "")).settle();
    let uses = |bytes| crate::engine::sim::Software { uses: bytes, ..Default::default() };
    drive.machine.software.insert("web".into(), uses(100 << 20));
    drive.machine.advance(Duration::from_secs(60));
    drive.history.clear();
    drive.settle();
    assert_eq!(
        drive.history,
        [
            "measure demo-web-1",
            "update demo-web-1 Memory=536870912 MemorySwap=1073741824"
        ]
    );
    assert!(drive.plan().is_in_sync());
}

#[test]
fn a_person_may_lower_it_all_the_same_and_so_does_a_replacement() {
    let mut drive = Drive::settled(&file("1g", ""));
    drive.want(&file("512m", "")).settle();
    drive.allowed.shrink = true;
    drive.settle();
    assert!(drive.plan().is_in_sync());

    let mut drive = Drive::settled(&file("1g", ""));
    drive.want(&file("512m", "")).settle();
    drive.want(&file("512m", ", environment: {A: b}")).settle();
    assert!(drive.plan().is_in_sync(), "{}", drive.text());
}

#[test]
fn a_limit_with_room_is_lowered_and_a_higher_one_is_not_asked_about() {
    let mut drive = Drive::settled(&file("2g", ""));
    drive.want(&file("1g", "")).settle();
    assert_eq!(drive.history.len(), 2, "{:?}", drive.history);
    drive.history.clear();
    drive.want(&file("3g", "")).settle();
    assert_eq!(drive.history.len(), 1, "{:?}", drive.history);
}
