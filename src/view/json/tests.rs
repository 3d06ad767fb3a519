//! The contract, word by word.

use std::time::Duration;

use super::*;
use crate::planning::change::{Action, Plan};
use crate::state::ids::{Generation, Object, ProjectName, Replica};
use crate::state::secret::Secret;
use crate::state::time::Moment;
use crate::state::value::Value;

fn now() -> Now {
    Now {
        moment: Moment(Duration::from_secs(100)),
        engine: "2026-11-22T10:00:00Z".parse().unwrap(),
    }
}

fn change(object: Object, fields: Vec<FieldDrift>, gate: Gate) -> Change {
    Change {
        object,
        action: Action::UpdateInPlace,
        reason: "a limit differs".to_owned(),
        fields,
        gate,
    }
}

fn service(name: &str, number: u32) -> Object {
    Object::Service(Replica { service: name.into(), number })
}

fn field(path: &str, observed: Value, desired: Value) -> FieldDrift {
    FieldDrift {
        path: path.to_owned(),
        pointer: "",
        desired,
        observed,
        cost: Action::UpdateInPlace,
    }
}

fn text(stacks: &[StackPlan<'_>]) -> String {
    pretty(&diff(stacks, now())).unwrap()
}

#[test]
fn a_diff_has_the_form_of_the_contract() {
    let waiting = |on: &str, until| Gate::Waiting { on: vec![on.to_owned()], until };
    let fields = vec![
        field("restart", Value::Null, Value::text("always")),
        field(
            "deploy.resources.limits.memory",
            Value::Int(8_589_934_592),
            Value::Int(17_179_869_184),
        ),
    ];
    let until = Some(Moment(Duration::from_secs(130)));
    let plan = Plan {
        changes: vec![
            change(
                service("standalone", 1),
                fields,
                waiting("service/etcd healthy", None),
            ),
            change(service("etcd", 1), vec![], waiting("backoff", until)),
            change(Object::Network("default".into()), vec![], Gate::Open),
        ],
        ..Plan::default()
    };
    let project = ProjectName::from("milvus");
    let generation = Generation::from("sha256:01");
    let stack = StackPlan { project: &project, generation: &generation, plan: &plan };
    insta::assert_snapshot!("diff", text(&[stack]));
}

#[test]
fn stacks_objects_and_fields_are_sorted() {
    let unsorted = Plan {
        changes: vec![
            change(service("web", 10), vec![], Gate::Open),
            change(service("web", 2), vec![], Gate::Open),
            change(Object::Volume("data".into()), vec![], Gate::Open),
        ],
        ..Plan::default()
    };
    let (a, b) = (ProjectName::from("a"), ProjectName::from("b"));
    let generation = Generation::from("sha256:01");
    let stack = |project| StackPlan { project, generation: &generation, plan: &unsorted };
    let diff = diff(&[stack(&b), stack(&a)], now());
    let names: Vec<&str> = diff.stacks.iter().map(|stack| stack.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let objects: Vec<&str> =
        diff.stacks[0].changes.iter().map(|change| change.object.as_str()).collect();
    assert_eq!(objects, ["volume/data", "service/web/2", "service/web/10"]);
}

#[test]
fn secrets_are_concealed_on_both_sides() {
    let secret = Value::Secret(Secret::new("canary-1"));
    let fields = vec![
        field("environment.A", Value::text("canary-2"), secret.clone()),
        field("environment.B", secret, Value::Null),
    ];
    let plan = Plan {
        changes: vec![change(service("api", 1), fields, Gate::Open)],
        ..Plan::default()
    };
    let project = ProjectName::from("p");
    let generation = Generation::from("sha256:01");
    let stack = StackPlan { project: &project, generation: &generation, plan: &plan };
    let text = text(&[stack]);
    assert!(!text.contains("canary"), "{text}");
    assert!(text.contains(r#""desired": null"#), "{text}");
}

#[test]
fn a_status_has_the_form_of_the_contract() {
    let ready = ConditionStatus {
        kind: "Ready",
        status: Some(true),
        reason: "AllReady".to_owned(),
        message: "all services are ready".to_owned(),
        since: Some(now().engine),
    };
    let unknown =
        ConditionStatus { kind: "Synced", status: None, since: None, ..ready.clone() };
    let etcd = ServiceStatus {
        name: "etcd".into(),
        ready: true,
        desired: 1,
        ready_replicas: 1,
        containers: vec![ContainerStatus {
            name: "milvus-etcd".into(),
            id: "0123456789abcdef".into(),
            state: "running",
            health: Some("healthy"),
            restarts: 0,
        }],
        conditions: vec![ready.clone()],
        attempts: 0,
        next: None,
    };
    let api = ServiceStatus {
        name: "api".into(),
        ready: false,
        ready_replicas: 0,
        containers: vec![],
        conditions: vec![],
        attempts: 3,
        next: Some(now().engine),
        ..etcd.clone()
    };
    let stack = StackStatus {
        name: "milvus".into(),
        generation: "sha256:02".into(),
        observed_generation: None,
        commit: None,
        ready: false,
        conditions: vec![ready, unknown],
        checks: std::collections::BTreeMap::new(),
        services: vec![etcd, api],
    };
    insta::assert_snapshot!("status", pretty(&status(&[stack])).unwrap());
}
