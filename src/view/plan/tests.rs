//! How plans read.

use std::time::Duration;

use anstream::adapter::strip_str;

use super::*;
use crate::planning::change::FieldDrift;
use crate::state::ids::{Object, Replica};
use crate::state::secret::Secret;
use crate::state::value::Value;

fn field(path: &str, observed: Value, desired: Value, cost: Action) -> FieldDrift {
    FieldDrift { path: path.to_owned(), pointer: "", desired, observed, cost }
}

fn change(name: &str, action: Action, reason: &str) -> Change {
    let replica = Replica { service: name.into(), number: 1 };
    Change {
        object: Object::Service(replica),
        action,
        reason: reason.to_owned(),
        fields: Vec::new(),
        gate: Gate::Open,
    }
}

fn waiting_on(on: &str) -> Gate {
    Gate::Waiting { on: vec![on.to_owned()], until: None }
}

fn text(plan: &Plan) -> String {
    let project = ProjectName::from("milvus");
    let generation = Generation::from("sha256:0123abcd");
    let stack = StackPlan { project: &project, generation: &generation, plan };
    strip_str(&drawn(&[stack], Moment::default())).to_string()
}

fn plan(changes: impl IntoIterator<Item = Change>) -> Plan {
    Plan { changes: changes.into_iter().collect(), ..Plan::default() }
}

#[test]
fn every_action_has_its_mark_its_reason_and_its_gate() {
    let mut network = change("", Action::Create, "it is not there");
    network.object = Object::Network("default".into());
    let mut created = change("etcd", Action::Create, "it is not there");
    created.fields =
        vec![field("image", Value::Null, Value::text("etcd:3.5"), Action::Create)];
    let mut updated = change("standalone", Action::UpdateInPlace, "2 fields differ");
    updated.gate = waiting_on("service/etcd healthy");
    updated.fields = vec![
        field("cpus", Value::Null, Value::Int(4), Action::UpdateInPlace),
        field(
            "deploy.resources.limits.memory",
            Value::Int(8 << 30),
            Value::Int(16 << 30),
            Action::UpdateInPlace,
        ),
    ];
    let mut recreated = change("nginx", Action::Recreate, "the image differs");
    recreated.fields = vec![
        field("image", Value::text("nginx:1"), Value::text("nginx:2"), Action::Recreate),
        field("restart", Value::text("no"), Value::text("always"), Action::UpdateInPlace),
        field("labels.team", Value::text(""), Value::Null, Action::Recreate),
    ];
    let mut plan = plan([
        network,
        created,
        change("minio", Action::None, "it is not ready yet: starting"),
        updated,
        change("proxy", Action::Restart, "its configuration changed"),
        recreated,
        change("old", Action::Remove, "it is no longer in the file"),
    ]);
    plan.notes = vec![Note {
        reason: "Conflict",
        about: "milvus-attu".to_owned(),
        message: "a container of this name is not ours; remove or rename it".to_owned(),
    }];
    insta::assert_snapshot!(text(&plan), @r#"
    milvus  sha256:0123abcd

      + network/default  create: it is not there

      + service/etcd/1  create: it is not there
          image  etcd:3.5

        service/minio/1  no change: it is not ready yet: starting

      ~ service/standalone/1  update in place: 2 fields differ
          waits for service/etcd healthy
          cpus                            (not set) → 4
          deploy.resources.limits.memory  8589934592 (8g) → 17179869184 (16g)

      ~ service/proxy/1  restart: its configuration changed

    -/+ service/nginx/1  recreate: the image differs
          image        nginx:1 → nginx:2  # forces recreate
          restart      no → always
          labels.team  "" → (not set)  # forces recreate

      - service/old/1  remove: it is no longer in the file

      ! milvus-attu  Conflict: a container of this name is not ours; remove or rename it

    Plan: 2 to create, 1 to change in place, 1 to restart, 1 to recreate, 1 to remove.
    "#);
}

#[test]
fn a_stack_in_sync_says_so() {
    insta::assert_snapshot!(text(&Plan::default()), @r"
    milvus  sha256:0123abcd

    In sync: nothing to change.
    ");
}

#[test]
fn a_stack_that_is_only_not_ready_is_in_sync() {
    let plan = plan([change("etcd", Action::None, "it is not ready yet")]);
    assert!(text(&plan).ends_with("\nIn sync: nothing to change.\n"));
}

#[test]
fn several_stacks_are_summed_up() {
    let (a, b) = (ProjectName::from("a"), ProjectName::from("b"));
    let generation = Generation::from("sha256:1");
    let (same, other) = (Plan::default(), plan([change("x", Action::Remove, "")]));
    let stack = |project, plan| StackPlan { project, generation: &generation, plan };
    let text = drawn(&[stack(&a, &same), stack(&b, &other)], Moment::default());
    insta::assert_snapshot!(strip_str(&text), @r"
    a  sha256:1

    In sync: nothing to change.

    b  sha256:1

      - service/x/1  remove

    Plan: 0 to create, 0 to change in place, 0 to restart, 0 to recreate, 1 to remove.

    2 stacks, 1 in sync.
    ");
}

#[test]
fn values_of_several_lines_are_unified_diffs() {
    let mut changed = change("proxy", Action::Restart, "content changed");
    let old = "events {}\nhttp {\n  server {\n    listen 80;\n  }\n}\n";
    let new = old.replace("80", "8080").replace("events {}\n", "");
    changed.fields = vec![
        field("configs.nginx", Value::text(old), Value::text(new), Action::Restart),
        field(
            "command",
            Value::texts(["milvus", "run", "standalone", "--with-a-rather-long-option"]),
            Value::texts([
                "milvus",
                "run",
                "cluster",
                "--with-a-rather-long-option",
                "x",
            ]),
            Action::Restart,
        ),
        field("healthcheck.test", Value::Null, Value::text("a\nb"), Action::Restart),
    ];
    insta::assert_snapshot!(text(&plan([changed])), @r"
    milvus  sha256:0123abcd

      ~ service/proxy/1  restart: content changed
          configs.nginx:  # forces restart
            @@ -1,6 +1,5 @@
            -events {}
             http {
               server {
            -    listen 80;
            +    listen 8080;
               }
             }
          command:  # forces restart
            @@ -1,4 +1,5 @@
             - milvus
             - run
            -- standalone
            +- cluster
             - --with-a-rather-long-option
            +- x
          healthcheck.test:  # forces restart
            @@ -0,0 +1,2 @@
            +a
            +b
            \ no line break at the end

    Plan: 0 to create, 0 to change in place, 1 to restart, 0 to recreate, 0 to remove.
    ");
}

#[test]
fn secrets_show_only_that_they_differ() {
    let secret = |text: &str| Value::Secret(Secret::new(text));
    let mut changed = change("api", Action::Recreate, "3 fields differ");
    changed.fields = vec![
        field("environment.A", secret("canary-1"), secret("canary-2"), Action::Recreate),
        field("environment.B", Value::Null, secret("canary\n3"), Action::Recreate),
        field("environment.C", Value::text("canary"), secret("x"), Action::Recreate),
        field(
            "environment",
            Value::map([("A", secret("canary"))]),
            Value::map([("A", Value::text("canary\n".repeat(20)))]),
            Action::Recreate,
        ),
    ];
    let text = text(&plan([changed]));
    assert!(!text.contains("canary"), "{text}");
    insta::assert_snapshot!(text, @r"
    milvus  sha256:0123abcd

    -/+ service/api/1  recreate: 3 fields differ
          environment.A  (sensitive) → (sensitive), differs  # forces recreate
          environment.B  (not set) → (sensitive)  # forces recreate
          environment.C  (sensitive) → (sensitive), differs  # forces recreate
          environment    (sensitive) → (sensitive), differs  # forces recreate

    Plan: 0 to create, 0 to change in place, 0 to restart, 1 to recreate, 0 to remove.
    ");
}

#[test]
fn what_time_alone_opens_says_when() {
    let mut changed = change("api", Action::Create, "it is not there");
    let until = Some(Moment(Duration::from_secs(42)));
    changed.gate = Gate::Waiting { on: vec!["backoff".to_owned()], until };
    assert!(text(&plan([changed])).contains("waits for backoff (tried again in 42s)"));
}

#[test]
fn foreign_text_stays_on_its_line() {
    let mut changed = change("api", Action::Recreate, "why\u{1b}[2J\nnot");
    let foreign = Value::text("a\u{1b}[31m\rb\n\u{1b}c");
    changed.fields = vec![field("x", foreign, Value::text("plain"), Action::Recreate)];
    let project = ProjectName::from("p");
    let generation = Generation::from("g");
    let plan = plan([changed]);
    let stack = StackPlan { project: &project, generation: &generation, plan: &plan };
    let text = drawn(&[stack], Moment::default());
    assert!(!text.contains("\u{1b}[2J") && !text.contains('\r'), "{text:?}");
    assert!(!text.contains("\u{1b}c"), "{text:?}");
}
