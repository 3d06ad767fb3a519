//! What leaves the file, under another name or for good, and who else is on our networks.

use crate::planning::testing::{Drive, Named};
use crate::state::ids::NetworkId;

fn stack(db: &str, more: &str) -> String {
    format!(
        "
services:
  {db}: {{image: 'db:1', volumes: ['data:/data'], ports: ['5432:5432']}}
  web: {{image: 'web:1', depends_on: [{db}]}}
volumes: {{data: {{}}}}
{more}"
    )
}

#[test]
fn a_renamed_service_is_shown_as_such_and_the_old_one_goes_before_the_new_one_starts() {
    let mut drive = Drive::settled(&stack("db", ""));
    drive.want(&stack("database", ""));
    insta::assert_snapshot!(drive.text());
    drive.settle();
    assert!(drive.status().ready, "{}", drive.text());
    let place = |line: &str| drive.history.iter().position(|it| it == line);
    let stop = place("stop demo-db-1").expect("it is stopped");
    let start = place("start demo-database-1").expect("it is started");
    assert!(stop < start, "{:#?}", drive.history);
}

#[test]
fn a_service_that_is_renamed_alone_is_no_removal_of_a_whole_stack() {
    let file = |name: &str| format!("services: {{{name}: {{image: 'a:1'}}}}");
    let mut drive = Drive::settled(&file("one"));
    drive.want(&file("two")).settle();
    assert_eq!(drive.machine.names().len(), 1, "{}", drive.text());
    // With another image it is another service.
    drive.want("services: {three: {image: 'b:1'}}");
    assert!(drive.text().contains("--allow-prune"), "{}", drive.text());
}

#[test]
fn what_replaces_another_service_waits_for_its_port_and_its_data() {
    let mut drive = Drive::settled(&stack("db", ""));
    let other = stack("database", "").replace("db:1", "other:1");
    drive.want(&other);
    drive.until("create demo-database-1");
    let text = drive.text();
    assert!(
        text.contains("service/db/1 removed: both publish port 5432 of the host"),
        "{text}"
    );
    drive.settle();
    assert!(drive.status().ready);
}

#[test]
fn removals_go_in_reverse_order() {
    let chain = "
services:
  a: {image: 'a:1'}
  b: {image: 'b:1', depends_on: [a]}
  c: {image: 'c:1', depends_on: [b]}
  keep: {image: 'k:1'}
  keep2: {image: 'k:1'}
  keep3: {image: 'k:1'}
";
    let mut drive = Drive::settled(chain);
    drive.want(
        "services: {keep: {image: 'k:1'}, keep2: {image: 'k:1'}, keep3: {image: 'k:1'}}",
    );
    drive.settle();
    let stops = drive.history.iter().filter(|it| it.starts_with("stop"));
    assert_eq!(
        stops.cloned().collect::<Vec<_>>(),
        ["stop demo-c-1", "stop demo-b-1", "stop demo-a-1"]
    );
}

/// A container of another project on the network of ours.
fn with_guest(more: &str) -> Drive {
    let mut drive = Drive::settled(&stack("db", more));
    drive.machine.stranger("theirs-app-1", Some("theirs"));
    let network: NetworkId = drive.machine.networks["demo_default"].id.clone();
    let guest = drive.machine.named_mut("theirs-app-1");
    guest.attached.insert("demo_default".into(), network);
    drive
}

#[test]
fn a_network_with_containers_of_others_is_not_taken_from_them() {
    let mut drive = with_guest("");
    drive.want(&stack("db", "networks: {default: {driver_opts: {o: a}}}\n"));
    insta::assert_snapshot!(drive.text());
    drive.settle();
    assert_eq!(drive.history, [""; 0], "ours stay on it too");
    // Ours can be started on it meanwhile.
    drive.machine.end_by_hand("demo-web-1", 1);
    drive.settle();
    assert!(drive.history.contains(&"start demo-web-1".to_owned()));
    drive.machine.remove_by_force("theirs-app-1");
    drive.settle();
    assert!(drive.status().ready);
    assert!(drive.plan().is_in_sync());
}

#[test]
fn a_deleted_stack_leaves_a_network_to_those_who_use_it() {
    let mut drive = with_guest("");
    drive.memory.down = Some(drive.desired.generation.clone());
    let plan = drive.settle();
    assert!(plan.changes.is_empty());
    let note = plan.notes.iter().find(|it| it.reason == "NetworkInUse").unwrap();
    assert_eq!(
        note.message,
        "it is not removed while others are attached to it: theirs-app-1 of project theirs"
    );
    assert_eq!(drive.machine.names().len(), 1);
    assert!(drive.machine.networks.contains_key("demo_default"));
}

#[test]
fn services_that_come_do_not_make_it_less_that_go() {
    let stack = |names: &[&str]| {
        let services =
            names.iter().map(|it| format!("{it}: {{image: '{it}:1', restart: always}}"));
        format!("services: {{{}}}", services.collect::<Vec<_>>().join(", "))
    };
    let mut drive = Drive::settled(&stack(&["a", "b", "c"]));
    drive.want(&stack(&["c", "d", "e", "f"])).settle();
    let names: Vec<String> = drive.machine.names().into_keys().collect();
    assert_eq!(names.len(), 6, "two of three would go: {names:?}");
    drive.allowed.prune = true;
    drive.settle();
    assert_eq!(drive.machine.names().len(), 4);
}
