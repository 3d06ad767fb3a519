//! How a container is replaced: every stage, from every stage.

use crate::engine::sim::runs;
use crate::planning::testing::{Drive, Named, Software, desired, desired_by};
use crate::state::digest::DigestKey;
use crate::state::observed::Status;
use crate::state::step::Step;
use crate::state::value::Value;

/// A web server at a level.
fn web(level: &str) -> String {
    web_with(level, "restart: always, healthcheck: {test: [CMD, ready]}")
}

fn web_with(level: &str, more: &str) -> String {
    format!(
        "services: {{web: {{image: 'web:1', environment: {{LEVEL: '{level}'}}, {more}}}}}"
    )
}

/// A drive that is about to go from level a to level b.
fn a_to_b() -> Drive {
    let mut drive = Drive::settled(&web("a"));
    drive.want(&web("b"));
    drive
}

const STAGES: [&str; 8] = [
    "create demo-web-1.next-00000002",
    "update demo-web-1 RestartPolicy.Name=no",
    "stop demo-web-1",
    "rename demo-web-1 to demo-web-1.old-00000002",
    "rename demo-web-1.next-00000002 to demo-web-1",
    "start demo-web-1",
    "probe demo-web-1",
    "remove demo-web-1.old-00000002",
];

/// Returns the level of the one container that there is, which runs.
fn level(drive: &Drive) -> String {
    assert_eq!(drive.machine.names(), [("demo-web-1".to_owned(), "running")].into());
    let web = drive.machine.named("demo-web-1");
    let policy = web.document.get("HostConfig.RestartPolicy.Name");
    assert_eq!(policy, &Value::text("always"), "{:?}", drive.history);
    web.document.get("Config.Env").get("LEVEL").to_string()
}

#[test]
fn a_candidate_is_made_before_the_old_one_is_touched_and_proves_itself_before_it_goes() {
    let mut drive = a_to_b();
    drive.settle();
    assert_eq!(drive.history, STAGES);
    assert_eq!(level(&drive), "b");
}

#[test]
fn a_replacement_goes_on_from_every_stage_after_everything_was_forgotten() {
    let mut drive = a_to_b();
    drive.forgetful = true;
    drive.settle();
    let mut history = drive.history.clone();
    history.dedup();
    assert_eq!(history, STAGES);
    assert_eq!(level(&drive), "b");
}

#[test]
fn an_old_container_is_not_removed_while_the_new_one_is_not_ready() {
    let mut drive = a_to_b();
    drive.machine.software.insert("web".into(), Software::sick());
    drive.until("start demo-web-1");
    let started = drive.machine.now().moment;
    while drive.machine.now().moment.since(started).as_secs() < 200 {
        drive.one();
    }
    let names = drive.machine.names();
    assert_eq!(names["demo-web-1"], "running");
    assert_eq!(names["demo-web-1.old-00000002"], "exited");
    drive.machine.software.clear();
    drive.settle();
    assert_eq!(level(&drive), "b");
}

#[test]
fn from_every_stage_there_is_a_way_back() {
    for stage in STAGES {
        for forgetful in [false, true] {
            let mut drive = a_to_b();
            drive.until(stage);
            drive.history.clear();
            drive.forgetful = forgetful;
            drive.want(&web("a")).settle();
            assert_eq!(level(&drive), "a", "after {stage}: {:?}", drive.history);
        }
    }
}

#[test]
fn from_every_stage_there_is_a_way_to_a_third_spec() {
    for stage in STAGES {
        let mut drive = a_to_b();
        drive.until(stage);
        drive.want(&web("c")).settle();
        assert_eq!(level(&drive), "c", "after {stage}: {:?}", drive.history);
    }
}

#[test]
fn a_wish_that_is_taken_back_before_the_stop_touches_nothing() {
    for stage in &STAGES[..2] {
        let mut drive = a_to_b();
        let before = drive.machine.named("demo-web-1").clone();
        drive.until(stage);
        drive.history.clear();
        drive.want(&web("a")).settle();
        let after = drive.machine.named("demo-web-1");
        assert_eq!((&after.id, &after.state), (&before.id, &before.state));
        assert_eq!(drive.history[0], "remove demo-web-1.next-00000002");
        assert!(drive.history.len() <= 2, "{:?}", drive.history);
    }
}

#[test]
fn a_service_that_we_stopped_is_no_job_that_has_ended() {
    let more = "restart: 'no', healthcheck: {test: [CMD, ready]}";
    let mut drive = Drive::settled(&web_with("a", more));
    drive.want(&web_with("b", more)).until("stop demo-web-1");
    drive.want(&web_with("a", more)).settle();
    assert_eq!(drive.machine.named("demo-web-1").state.status, Status::Running);
}

#[test]
fn a_candidate_that_became_stale_is_removed_and_made_anew() {
    let mut drive = a_to_b();
    drive.until(STAGES[0]);
    drive.history.clear();
    drive.want(&web("c")).settle();
    assert_eq!(drive.history[0], "remove demo-web-1.next-00000002");
    assert_eq!(drive.history[1..], STAGES);
    assert_eq!(level(&drive), "c");
}

#[test]
fn a_candidate_is_brought_in_line_in_place_where_that_is_enough() {
    let file = |level: &str, cpus: u32| {
        let more = format!("restart: always, cpus: {cpus}");
        web_with(level, &more)
    };
    let mut drive = Drive::settled(&file("a", 1));
    drive.want(&file("b", 1)).until("create demo-web-1.next");
    drive.history.clear();
    drive.want(&file("b", 2)).settle();
    assert_eq!(drive.history[0], "update demo-web-1.next-00000002 NanoCpus=2");
    assert!(drive.history.iter().all(|line| !line.starts_with("create")));
    assert_eq!(level(&drive), "b");
}

#[test]
fn a_candidate_is_attached_to_every_network_before_the_old_one_is_stopped() {
    let file = |level: &str| {
        let service = web_with(level, "networks: [one, two]");
        format!("{service}\nnetworks: {{one: {{}}, two: {{}}}}")
    };
    let mut drive = Drive::settled(&file("a"));
    drive.want(&file("b")).settle();
    let at = |text: &str| drive.history.iter().position(|line| line.contains(text));
    assert!(at("connect demo-web-1.next").unwrap() < at("stop demo-web-1").unwrap());
}

#[test]
fn an_old_container_that_somebody_starts_again_is_stopped_before_the_new_one_starts() {
    let mut drive = a_to_b();
    drive.until(STAGES[4]);
    let old = drive.machine.named("demo-web-1.old-00000002").id.clone();
    drive.machine.perform(&Step::Start { container: old }).unwrap();
    drive.settle();
    assert_eq!(level(&drive), "b");
}

#[test]
fn replicas_are_replaced_one_at_a_time() {
    let more = "scale: 3, healthcheck: {test: [CMD, ready]}";
    let mut drive = Drive::settled(&web_with("a", more));
    drive.want(&web_with("b", more));
    while drive.one() {
        let running = drive.machine.containers.values().filter(|it| runs(it)).count();
        assert!(running >= 2, "{:#?}", drive.history);
    }
    let stops = drive.history.iter().filter(|line| line.starts_with("stop"));
    let stops: Vec<&String> = stops.collect();
    assert_eq!(stops, ["stop demo-web-1", "stop demo-web-2", "stop demo-web-3"]);
}

#[test]
fn a_replica_that_is_sick_is_replaced_before_those_that_are_well() {
    let more = "scale: 2, healthcheck: {test: [CMD, ready]}";
    let mut drive = Drive::settled(&web_with("a", more));
    let second = drive.machine.named("demo-web-2").id.clone();
    drive.machine.sick.insert(second);
    drive.machine.advance(std::time::Duration::from_mins(2));
    drive.want(&web_with("b", more)).settle();
    let stops = drive.history.iter().filter(|line| line.starts_with("stop"));
    let stops: Vec<&String> = stops.collect();
    assert_eq!(stops, ["stop demo-web-2", "stop demo-web-1"]);
}

#[test]
fn a_dead_container_is_made_again() {
    let mut drive = Drive::settled(&web("a"));
    drive.machine.end_by_hand("demo-web-1", 1);
    drive.machine.named_mut("demo-web-1").state.status = Status::Dead;
    drive.settle();
    assert_eq!(level(&drive), "a");
}

#[test]
fn a_field_that_the_engine_writes_in_its_own_way_causes_no_second_replacement() {
    let user = |name: &str| web_with("a", &format!("user: {name}"));
    let mut drive = Drive::new(desired(&user("Ada")));
    drive.machine.reads_back.insert("Config.User", Value::text("ada"));
    let creations = |drive: &Drive| {
        drive.history.iter().filter(|line| line.starts_with("create demo-web")).count()
    };
    drive.settle();
    assert_eq!(creations(&drive), 1);
    assert!(drive.plan().is_in_sync());
    drive.want(&user("ADA")).settle();
    assert_eq!(
        creations(&drive),
        2,
        "another value is another wish: {:?}",
        drive.history
    );
    assert!(drive.plan().is_in_sync());
}

#[test]
fn what_the_engine_makes_of_a_spec_is_found_out_again_without_a_disruption() {
    let file = web_with("a", "user: Ada");
    let mut drive = Drive::new(desired(&file));
    drive.machine.reads_back.insert("Config.User", Value::text("ada"));
    drive.settle();
    let before = drive.machine.named("demo-web-1").clone();
    drive.memory = crate::planning::memory::Memory::default();
    drive.settle();
    let after = drive.machine.named("demo-web-1");
    assert_eq!((&after.id, &after.state), (&before.id, &before.state));
    assert_eq!(drive.machine.names().len(), 1);
}

#[test]
fn an_update_that_reads_back_otherwise_is_not_repeated_for_ever() {
    let file = |cpus: &str| web_with("a", &format!("cpus: {cpus}"));
    let mut drive = Drive::settled(&file("1"));
    drive.machine.reads_back.insert("HostConfig.NanoCpus", Value::text("1.5"));
    drive.want(&file("2")).settle();
    assert_eq!(drive.history, ["update demo-web-1 NanoCpus=2"; 3]);
    insta::assert_snapshot!("not_converging", drive.text());
    drive.machine.reads_back.clear();
    drive.want(&file("3")).settle();
    assert_eq!(drive.history[3..], ["update demo-web-1 NanoCpus=3"]);
    assert!(drive.text().is_empty());
}

fn with_config(content: &str) -> String {
    format!(
        "configs: {{c: {{content: '{content}'}}}}\n\
         services: {{web: {{image: 'web:1', configs: [c]}}}}"
    )
}

#[test]
fn changed_content_replaces_the_container() {
    let mut drive = Drive::settled(&with_config("one"));
    drive.want(&with_config("two"));
    assert!(!drive.plan().is_in_sync());
    drive.settle();
    assert!(drive.plan().is_in_sync());
}

#[test]
fn when_the_key_of_digests_was_lost_todays_content_is_the_base() {
    let mut drive = Drive::settled(&with_config("one"));
    drive.desired = desired_by(DigestKey::new([8; 32]), &with_config("one"), &[]);
    assert!(drive.plan().is_in_sync());
}

#[test]
fn a_new_container_waits_until_the_engine_has_removed_the_old_one() {
    let mut drive = Drive::settled(&web("a"));
    drive.machine.named_mut("demo-web-1").state.status = Status::Removing;
    let waits = drive
        .plan()
        .changes
        .iter()
        .map(|it| format!("{:?}", it.gate))
        .collect::<String>();
    assert!(waits.contains("finish removing demo-web-1"), "{waits}");
}
