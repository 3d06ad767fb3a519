//! What is planned for one state of the world.

use std::time::Duration;

use crate::engine::sim::image;
use crate::planning::testing::{Drive, Named, Software, desired};
use crate::state::ids::NetworkId;
use crate::state::observed::{Network, Status};
use crate::state::value::Value;

const CHAIN: &str = "
services:
  web:
    image: web:1
    ports: ['80:80']
    depends_on: {app: {condition: service_healthy}}
  app:
    image: app:1
    environment: {LEVEL: info}
    healthcheck: {test: [CMD, ready]}
    depends_on: {db: {condition: service_healthy}}
  db:
    image: db:1
    healthcheck: {test: [CMD, ready]}
    volumes: ['data:/data']
volumes: {data: {}}
";

/// One service, with more under it.
fn one(more: &str) -> String {
    format!("services:\n  web:\n    image: web:1\n    {}\n", more.replace('\n', "\n    "))
}

/// Services of these names, and more at the top.
fn many(names: &[&str], more: &str) -> String {
    let service = |name| format!("  {name}: {{image: '{name}:1'}}\n");
    let services = names.iter().map(service).collect::<Vec<String>>().concat();
    format!("services:\n{services}{more}")
}

/// From one file to another.
fn changed(before: &str, after: &str) -> Drive {
    let mut drive = Drive::settled(before);
    drive.want(after);
    drive
}

#[test]
fn a_chain_is_made_from_nothing() {
    let mut drive = Drive::new(desired(CHAIN));
    insta::assert_snapshot!("chain", drive.text());
    drive.settle();
    assert!(drive.plan().is_in_sync());
    insta::assert_snapshot!("chain_history", drive.history.join("\n"));
}

#[test]
fn a_dependency_and_its_dependent_are_recreated_together() {
    let after = CHAIN.replace("db:1", "db:2").replace("info", "debug");
    let mut drive = changed(CHAIN, &after);
    insta::assert_snapshot!("recreate_together", drive.text());
    drive.settle();
    insta::assert_snapshot!("recreate_together_history", drive.history.join("\n"));
}

#[test]
fn limits_change_in_place_and_their_removal_needs_another_container() {
    let before = one("mem_limit: 1g\ncpus: 2\nrestart: always");
    let mut drive = changed(&before, &one("mem_limit: 2g\ncpus: 2\nrestart: 'no'"));
    insta::assert_snapshot!("in_place", drive.text());
    drive.settle();
    drive.want(&one("cpus: 2\nrestart: 'no'"));
    insta::assert_snapshot!("limit_removed", drive.text());
}

#[test]
fn the_attempts_of_a_restart_policy_change_in_place() {
    let mut drive = changed(&one("restart: on-failure:3"), &one("restart: always"));
    insta::assert_snapshot!("attempts", drive.text());
    for policy in ["on-failure:3", "on-failure", "on-failure:2", "'no'"] {
        drive.settle();
        drive.want(&one(&format!("restart: {policy}")));
    }
    drive.settle();
    assert!(drive.history.iter().all(|line| line.starts_with("update ")));
    assert_eq!(drive.history.len(), 5, "{:?}", drive.history);
}

#[test]
fn fields_that_left_the_file_are_drift() {
    let before =
        one("environment: {A: a, B: b}\nlabels: {team: x}\ncap_add: [NET_ADMIN]");
    let mut drive = changed(&before, &one("environment: {A: a}"));
    insta::assert_snapshot!("fields_left", drive.text());
}

#[test]
fn replicas_come_and_go() {
    let mut drive = changed(&one("scale: 2"), &one("scale: 4"));
    insta::assert_snapshot!("scale_up", drive.text());
    drive.settle();
    drive.want(&one("scale: 1"));
    insta::assert_snapshot!("scale_down", drive.text());
    drive.settle();
    assert_eq!(drive.machine.names().len(), 1);
    drive.want(&one("scale: 0"));
    drive.settle();
    assert!(drive.machine.names().is_empty());
}

#[test]
fn an_orphan_is_stopped_before_what_it_depends_on_and_removed() {
    let before = "
services:
  a: {image: 'a:1'}
  b: {image: 'b:1'}
  c: {image: 'c:1'}
  job: {image: 'job:1', depends_on: [store]}
  store: {image: 'store:1'}
";
    let mut drive = changed(before, &many(&["a", "b", "c"], ""));
    insta::assert_snapshot!("orphans", drive.text());
    drive.settle();
    assert_eq!(
        drive.history,
        [
            "stop demo-job-1",
            "stop demo-store-1",
            "remove demo-job-1",
            "remove demo-store-1"
        ]
    );
}

#[test]
fn the_removal_of_more_than_half_of_a_stack_waits_for_a_person() {
    let before = many(&["a", "b", "c"], "");
    let mut drive = changed(&before, &many(&["a"], ""));
    insta::assert_snapshot!("prune_guarded", drive.text());
    drive.settle();
    assert_eq!(drive.machine.names().len(), 3, "{:?}", drive.history);
    drive.allowed.prune = true;
    drive.settle();
    assert_eq!(drive.machine.names().len(), 1);
}

#[test]
fn half_of_a_stack_may_be_removed() {
    let mut drive = changed(&many(&["a", "b"], ""), &many(&["a"], ""));
    drive.settle();
    assert_eq!(drive.machine.names().len(), 1);
}

#[test]
fn the_file_says_whether_orphans_are_removed() {
    let before = many(&["a", "b", "c"], "");
    let mut drive = changed(&before, &many(&["a", "b"], "x-reconciler: {prune: never}"));
    insta::assert_snapshot!("prune_never", drive.text());
    drive.settle();
    assert_eq!(drive.machine.names().len(), 3);
    drive.want(&many(&["a"], "x-reconciler: {prune: always}"));
    insta::assert_snapshot!("prune_always", drive.text());
    drive.settle();
    assert_eq!(drive.machine.names().len(), 1);
}

#[test]
fn what_others_made_in_the_project_is_reported_and_left_alone() {
    let mut drive = Drive::settled(&many(&["a", "b"], ""));
    let foreign = drive.machine.named_mut("demo-b-1");
    foreign.origin.source = Some("/elsewhere/compose.yaml".into());
    drive.want(&many(&["a"], "x-reconciler: {prune: always}"));
    insta::assert_snapshot!("foreign", drive.text());
    let foreign = drive.machine.named_mut("demo-b-1");
    foreign.origin.source = None;
    insta::assert_snapshot!("foreign_nobody", drive.text());
    drive.settle();
    assert!(drive.history.is_empty(), "{:?}", drive.history);
}

#[test]
fn the_services_of_inactive_profiles_are_neither_wanted_nor_orphans() {
    let mut drive = Drive::settled(&many(&["a", "b"], ""));
    drive.want("services:\n  a: {image: 'a:1'}\n  b: {image: 'b:1', profiles: [debug]}");
    insta::assert_snapshot!(drive.text(), @"");
}

#[test]
fn a_name_that_somebody_else_has_is_a_conflict_and_not_taken() {
    let mut drive = Drive::new(desired(&one("container_name: proxy")));
    drive.machine.stranger("proxy", None);
    drive.settle();
    insta::assert_snapshot!("name_conflict", drive.text());
    let status = drive.status();
    assert_eq!(status.services[0].conditions[0].reason, "Conflict");
    drive.machine.remove_by_force("proxy");
    drive.machine.stranger("proxy", Some("other"));
    insta::assert_snapshot!("name_conflict_project", drive.text());
    drive.machine.remove_by_force("proxy");
    drive.settle();
    assert_eq!(drive.machine.names(), [("proxy".to_owned(), "running")].into());
}

#[test]
fn a_name_passes_from_a_service_that_left_to_one_that_came() {
    let two = "\n  keep: {image: 'k:1'}\n  also: {image: 'k:1'}";
    let file = |name: &str| {
        format!("services:\n  {name}: {{image: 'db:1', container_name: store}}{two}")
    };
    let mut drive = changed(&file("old"), &file("new"));
    insta::assert_snapshot!("name_passes", drive.text());
    drive.settle();
    assert_eq!(drive.machine.names().len(), 3);
    assert!(drive.memory.retries.is_empty());
}

#[test]
fn an_external_network_or_volume_that_is_missing_is_waited_for() {
    let file = "
services:
  web: {image: 'web:1', networks: [shared], volumes: ['store:/data']}
networks: {shared: {external: true, name: shared}}
volumes: {store: {external: true, name: store}}
";
    let mut drive = Drive::new(desired(file));
    drive.settle();
    insta::assert_snapshot!("external_missing", drive.text());
    let id = NetworkId::new("theirs");
    let network = Network { id, document: crate::state::document::Document::default() };
    drive.machine.networks.insert("shared".into(), network);
    let volume = crate::state::observed::Volume {
        document: crate::state::document::Document::default(),
        mountpoint: None,
    };
    drive.machine.volumes.insert("store".into(), volume);
    drive.settle();
    assert_eq!(drive.machine.names().len(), 1);
}

#[test]
fn a_network_is_made_again_when_its_options_change() {
    let file =
        |more: &str| many(&["a", "b"], &format!("networks: {{default: {{{more}}}}}"));
    let mut drive = changed(&file("internal: false"), &file("internal: true"));
    insta::assert_snapshot!("network_changed", drive.text());
    drive.settle();
    insta::assert_snapshot!("network_changed_history", drive.history.join("\n"));
    assert!(drive.plan().is_in_sync());
}

#[test]
fn a_network_that_left_the_file_is_removed_when_nothing_is_on_it() {
    let before = "
services: {web: {image: 'web:1', networks: [one, two]}}
networks: {one: {}, two: {}}
";
    let after = "
services: {web: {image: 'web:1', networks: [one]}}
networks: {one: {}}
";
    let mut drive = changed(before, after);
    insta::assert_snapshot!("network_left", drive.text());
    drive.settle();
    assert_eq!(drive.machine.networks.len(), 1);
    assert_eq!(drive.history, ["disconnect demo-web-1 from demo_two", "remove demo_two"]);
}

#[test]
fn a_volume_with_other_options_is_a_conflict_and_left_alone() {
    let file = |options: &str| {
        let volume = format!("volumes: {{data: {{driver_opts: {{{options}}}}}}}");
        format!(
            "services: {{web: {{image: 'web:1', volumes: ['data:/data']}}}}\n{volume}"
        )
    };
    let mut drive = changed(&file("type: tmpfs"), &file("type: nfs"));
    insta::assert_snapshot!("volume_changed", drive.text());
    drive.settle();
    assert!(drive.history.is_empty());
}

#[test]
fn a_job_runs_once_per_spec_and_gates_by_its_exit_code() {
    let file = |level: &str| {
        format!(
            "
services:
  app: {{image: 'app:1', depends_on: {{job: {{condition: service_completed_successfully}}}}}}
  job: {{image: 'job:1', environment: {{LEVEL: '{level}'}}}}
"
        )
    };
    let mut drive = Drive::new(desired(&file("1")));
    drive.machine.software.insert("job".into(), Software::ends(0));
    drive.settle();
    let starts = |drive: &Drive| {
        drive.history.iter().filter(|line| line.contains("start demo-job-1")).count()
    };
    assert_eq!(starts(&drive), 1);
    assert!(drive.status().ready);
    drive.machine.advance(Duration::from_hours(1));
    drive.settle();
    assert_eq!(starts(&drive), 1);
    drive.want(&file("2"));
    drive.settle();
    assert_eq!(starts(&drive), 2);
    drive.machine.software.insert("job".into(), Software::ends(3));
    drive.want(&file("3"));
    drive.until("start demo-job-1");
    insta::assert_snapshot!("job_failed", drive.text());
}

#[test]
fn a_container_that_does_not_run_is_brought_back_by_what_it_is() {
    let mut drive = Drive::settled(&one("restart: always"));
    drive.machine.named_mut("demo-web-1").state.status = Status::Paused;
    insta::assert_snapshot!("paused", drive.text());
    drive.machine.end_by_hand("demo-web-1", 137);
    drive.machine.named_mut("demo-web-1").state.out_of_memory = true;
    insta::assert_snapshot!("exited", drive.text());
    drive.machine.named_mut("demo-web-1").state.status = Status::Dead;
    insta::assert_snapshot!("dead", drive.text());
    drive.machine.named_mut("demo-web-1").state.status = Status::Restarting;
    insta::assert_snapshot!("restarting", drive.text());
    drive.machine.end_by_hand("demo-web-1", 0);
    drive.settle();
    assert_eq!(drive.machine.named("demo-web-1").state.status, Status::Running);
}

#[test]
fn a_container_that_was_renamed_gets_its_name_back() {
    let mut drive = Drive::settled(&one("scale: 1"));
    drive.machine.named_mut("demo-web-1").name = "somebody".into();
    insta::assert_snapshot!("renamed", drive.text());
    drive.settle();
    assert_eq!(drive.history, ["rename somebody to demo-web-1"]);
}

#[test]
fn a_container_on_a_network_that_was_made_again_is_moved_over() {
    let mut drive = Drive::settled(&one("scale: 1"));
    let network = drive.machine.networks.get_mut("demo_default").unwrap();
    network.id = NetworkId::new("another");
    insta::assert_snapshot!("stale_network", drive.text());
    drive.settle();
    let attached = &drive.machine.named("demo-web-1").attached;
    assert_eq!(attached["demo_default"], "another".into());
    assert_eq!(drive.history.len(), 2, "{:?}", drive.history);
}

#[test]
fn a_stopped_container_on_a_network_that_was_made_again_is_moved_over_and_started() {
    let mut drive = Drive::settled(&one("restart: always"));
    drive.machine.end_by_hand("demo-web-1", 1);
    let network = drive.machine.networks.get_mut("demo_default").unwrap();
    network.id = NetworkId::new("another");
    drive.settle();
    assert_eq!(drive.machine.named("demo-web-1").state.status, Status::Running);
    assert!(drive.plan().is_in_sync());
}

#[test]
fn a_tag_that_moved_is_drift_and_an_image_that_is_gone_is_not() {
    let mut drive = Drive::settled(&one("scale: 1"));
    drive.machine.images.insert("web:1".to_owned(), image("web:1", 2));
    insta::assert_snapshot!("tag_moved", drive.text());
    drive.machine.images.clear();
    insta::assert_snapshot!(drive.text(), @"");
}

#[test]
fn a_missing_image_is_pulled_unless_the_policy_says_never() {
    let mut drive = Drive::new(desired(&one("pull_policy: never")));
    drive.settle();
    insta::assert_snapshot!("pull_never", drive.text());
    drive.want(&one("pull_policy: missing"));
    insta::assert_snapshot!("pull_missing", drive.text());
}

#[test]
fn always_pulls_once_per_generation() {
    let mut drive = Drive::new(desired(&one("pull_policy: always")));
    drive.settle();
    drive.machine.registry.insert("web:1".to_owned(), image("web:1", 2).into());
    drive.history.clear();
    drive.settle();
    assert!(drive.history.is_empty());
    drive.want(&one("pull_policy: always\nlabels: {a: b}"));
    drive.settle();
    assert_eq!(drive.history[0], "pull web:1");
    assert_eq!(drive.history.iter().filter(|line| line.contains("pull")).count(), 1);
    assert_eq!(drive.machine.named("demo-web-1").image, image("web:1", 2).id);
}

#[test]
fn an_image_that_several_services_share_is_pulled_once() {
    let file = "services: {a: {image: 'x:1'}, b: {image: 'x:1', scale: 3}}";
    let mut drive = Drive::new(desired(file));
    drive.settle();
    assert_eq!(drive.history.iter().filter(|line| *line == "pull x:1").count(), 1);
}

#[test]
fn what_the_service_lets_others_change_is_no_drift() {
    let mut drive = Drive::settled(&one(
        "mem_limit: 1g\nx-reconciler: {drift: {ignore: [mem_limit]}}",
    ));
    let web = drive.machine.named_mut("demo-web-1");
    web.document.set("HostConfig.Memory", Value::Int(7));
    insta::assert_snapshot!(drive.text(), @"");
}
