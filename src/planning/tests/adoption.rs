//! What others made is taken over as it is; what images keep without a name is carried over.

use crate::planning::testing::{Drive, Named, desired};
use crate::state::document::Document;
use crate::state::observed::labels;
use crate::state::value::{Map, Value};

const FILE: &str = "
services:
  db: {image: 'db:1', mem_limit: 1g, volumes: ['data:/data']}
  web: {image: 'web:1', depends_on: [db], networks: {default: {aliases: [front]}}}
volumes: {data: {}}
";

/// As `docker compose` leaves it: no label of ours. v1 has names with `_`, and no alias of
/// the container's own name.
fn compose_made(is_v1: bool) -> Drive {
    let mut drive = Drive::settled(FILE);
    for container in drive.machine.containers.values_mut() {
        let labels = container.document.get("Config.Labels").as_map().cloned().unwrap();
        let theirs = labels.into_iter().filter(|(name, _)| {
            !name.starts_with("reconciler.") && name != labels::IMAGE
        });
        container.document.set("Config.Labels", Value::Map(theirs.collect()));
        container.origin.source = None;
        container.origin.spec = None;
        if is_v1 {
            let own = container.name.to_string();
            container.name = own.replace('-', "_").as_str().into();
            forget_alias(&mut container.document, &own);
        }
    }
    if is_v1 {
        for network in drive.machine.networks.values_mut() {
            network.document.set("Attachable", Value::Bool(true));
        }
    }
    drive.memory = crate::planning::memory::Memory::default();
    drive
}

fn forget_alias(document: &mut Document, alias: &str) {
    let endpoints = document.get("NetworkingConfig.EndpointsConfig").clone();
    let kept = endpoints.entries().map(|(name, endpoint)| {
        let mut endpoint = endpoint.as_map().cloned().unwrap_or_default();
        let aliases = endpoint.get("Aliases").cloned().unwrap_or_default();
        let others = aliases.items().iter().filter(|it| it.as_text() != Some(alias));
        endpoint.insert("Aliases".to_owned(), Value::List(others.cloned().collect()));
        (name.to_owned(), Value::Map(endpoint))
    });
    let kept: Map = kept.collect();
    document.set("NetworkingConfig.EndpointsConfig", Value::Map(kept));
}

fn starts(drive: &Drive) -> Vec<(String, String)> {
    let all = drive.machine.containers.values();
    all.map(|it| (it.id.to_string(), format!("{:?}", it.state.started))).collect()
}

#[test]
fn a_stack_of_compose_v2_is_taken_over_and_nothing_is_done_to_it() {
    let mut drive = compose_made(false);
    let before = starts(&drive);
    assert!(drive.settle().is_in_sync());
    assert_eq!(drive.history, [""; 0]);
    assert_eq!(starts(&drive), before);
    assert_eq!(drive.memory.adopted.len(), 2);
    let told = drive.memory.events.iter().filter(|it| it.reason == "Adopted").count();
    assert_eq!(told, 2);
}

#[test]
fn a_stack_of_compose_v1_gets_other_names_and_nothing_else() {
    let mut drive = compose_made(true);
    let before = starts(&drive);
    drive.settle();
    assert_eq!(
        drive.history,
        ["rename demo_db_1 to demo-db-1", "rename demo_web_1 to demo-web-1"]
    );
    assert_eq!(starts(&drive), before);
}

#[test]
fn a_difference_of_what_is_taken_over_is_shown_and_mended_like_any_other() {
    let mut drive = compose_made(true);
    drive.want(&FILE.replace("1g", "2g").replace("front", "edge"));
    insta::assert_snapshot!(drive.text());
    drive.settle();
    assert!(drive.status().ready);
}

#[test]
fn what_was_taken_over_is_removed_when_it_leaves_the_file_and_what_was_not_is_told() {
    let without = FILE.replace("  web: {image: 'web:1', depends_on: [db], networks: {default: {aliases: [front]}}}\n", "  one: {image: 'a:1'}\n  two: {image: 'b:1'}\n");
    let mut drive = compose_made(false);
    drive.settle();
    drive.want(&without).settle();
    assert!(drive.machine.find("demo-web-1").is_none(), "{:#?}", drive.history);

    let mut drive = compose_made(false);
    drive.want(&without);
    drive.settle();
    assert!(drive.machine.find("demo-web-1").is_some());
    assert!(drive.text().contains("! Orphan demo-web-1: "));
}

#[test]
fn an_alias_that_somebody_took_away_is_missed_all_the_same() {
    let mut drive = Drive::settled(FILE);
    forget_alias(&mut drive.machine.named_mut("demo-web-1").document, "front");
    drive.settle();
    assert!(drive.history.iter().any(|it| it.starts_with("connect")));
}

const VOLUMES: &str = "
services:
  db:
    image: db:1
    labels: {sim.volumes: '/data,/log,/tmp/x'}
    volumes: ['/extra', 'log:/log']
    tmpfs: ['/tmp/x']
volumes: {log: {}}
";

#[test]
fn a_replacement_keeps_the_volumes_that_have_no_name() {
    let mut drive = Drive::settled(VOLUMES);
    let before = drive.machine.named("demo-db-1").anonymous.clone();
    assert!(before.contains_key("/data") && before.contains_key("/extra"));
    assert!(!before.contains_key("/log"));
    for tag in ["db:2", "db:3"] {
        drive.want(&VOLUMES.replace("db:1", tag));
        drive.settle();
        let after = &drive.machine.named("demo-db-1").anonymous;
        for path in ["/data", "/extra"] {
            assert_eq!(after.get(path), before.get(path), "{path}");
        }
        assert!(drive.plan().is_in_sync(), "{}", drive.text());
    }
    // A volume with a name in its place is what the file says.
    drive.want(&VOLUMES.replace("'/extra'", "'log:/data'")).settle();
    let after = drive.machine.named("demo-db-1");
    assert!(!after.anonymous.contains_key("/data"));
    assert!(drive.plan().is_in_sync(), "{}", drive.text());
}

#[test]
fn a_first_container_has_nothing_to_carry_over() {
    let mut drive = Drive::new(desired(VOLUMES));
    drive.settle();
    assert!(drive.plan().is_in_sync());
}
