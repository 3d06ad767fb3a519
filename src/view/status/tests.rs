//! How a status reads.

use std::time::Duration;

use anstream::adapter::strip_str;

use super::*;
use crate::state::commit::CommitId;
use crate::state::ids::Generation;
use crate::state::time::Moment;

fn now() -> Now {
    Now {
        moment: Moment(Duration::from_secs(100)),
        engine: "2026-11-22T10:00:00Z".parse().unwrap(),
    }
}

fn ready(status: bool, reason: &str, message: &str) -> ConditionStatus {
    ConditionStatus {
        kind: "Ready",
        status: Some(status),
        reason: reason.to_owned(),
        message: message.to_owned(),
        since: Some("2026-11-22T09:55:00Z".parse().unwrap()),
    }
}

fn container(name: &str, state: &'static str) -> ContainerStatus {
    ContainerStatus {
        name: name.into(),
        id: "0123".into(),
        state,
        health: Some("healthy"),
        restarts: 1,
    }
}

fn etcd() -> ServiceStatus {
    ServiceStatus {
        name: "etcd".into(),
        ready: true,
        desired: 1,
        ready_replicas: 1,
        containers: vec![container("milvus-etcd", "running")],
        conditions: vec![ready(true, "AllReady", "everything is ready")],
        attempts: 0,
        next: None,
    }
}

fn stack(services: Vec<ServiceStatus>) -> StackStatus {
    let generation = Generation::from("sha256:01");
    StackStatus {
        name: "milvus".into(),
        generation: generation.clone(),
        observed_generation: Some(generation),
        commit: None,
        ready: services.iter().all(|service| service.ready),
        conditions: vec![ready(true, "AllReady", "everything is ready")],
        checks: std::collections::BTreeMap::new(),
        services,
    }
}

fn text(stacks: &[StackStatus]) -> String {
    strip_str(&drawn(stacks, now(), None)).to_string()
}

#[test]
fn a_ready_stack_is_one_short_table() {
    insta::assert_snapshot!(text(&[stack(vec![etcd()])]), @r"
    milvus  ready  1 of 1 service ready  sha256:01

    SERVICE  READY  STATE    HEALTH   RESTARTS  SINCE  MESSAGE
    etcd     1/1    running  healthy  1         5m
    ");
}

#[test]
fn what_waits_says_for_what_and_when_it_is_tried_again() {
    let waiting = ServiceStatus {
        name: "standalone".into(),
        ready: false,
        ready_replicas: 0,
        containers: vec![],
        conditions: vec![ready(
            false,
            "DependencyNotReady",
            "waits for service/etcd healthy",
        )],
        ..etcd()
    };
    let crashing = ServiceStatus {
        name: "minio".into(),
        ready: false,
        ready_replicas: 0,
        conditions: vec![
            ready(false, "CrashLoopBackOff", "exited with 1"),
            ConditionStatus {
                kind: "Degraded",
                ..ready(true, "CrashLoopBackOff", "3 crashes in a row")
            },
        ],
        attempts: 3,
        next: Some("2026-11-22T10:00:40Z".parse().unwrap()),
        containers: vec![ContainerStatus { health: None, ..container("m", "exited") }],
        ..etcd()
    };
    let mut stack = stack(vec![waiting, etcd(), crashing]);
    stack.observed_generation = None;
    stack.conditions.push(ConditionStatus {
        kind: "SpecValid",
        ..ready(false, "Invalid", "milvus.yaml:3:5: unknown key `imgae`")
    });
    insta::assert_snapshot!(text(&[stack]), @r"
    milvus  not ready  1 of 3 services ready  sha256:01 (not acted on yet)

    SERVICE     READY  STATE    HEALTH   RESTARTS  SINCE  MESSAGE
    etcd        1/1    running  healthy  1         5m
    minio       0/1    exited   -        1         5m     CrashLoopBackOff: exited with 1; next try in 40s after 3 failures
    standalone  0/1    -        -        -         5m     DependencyNotReady: waits for service/etcd healthy

    ABOUT  CONDITION        SINCE  REASON            MESSAGE
    stack  SpecValid=False  5m     Invalid           milvus.yaml:3:5: unknown key `imgae`
    minio  Degraded=True    5m     CrashLoopBackOff  3 crashes in a row
    ");
}

#[test]
fn replicas_have_a_line_each() {
    let web = ServiceStatus {
        name: "web".into(),
        ready: false,
        desired: 2,
        containers: vec![
            container("shop-web-1", "running"),
            container("shop-web-2", "exited"),
        ],
        ..etcd()
    };
    insta::assert_snapshot!(text(&[stack(vec![web])]), @r"
    milvus  not ready  0 of 1 service ready  sha256:01

    SERVICE       READY  STATE    HEALTH   RESTARTS  SINCE  MESSAGE
    web           1/2                      2         5m     AllReady: everything is ready
      shop-web-1         running  healthy  1
      shop-web-2         exited   healthy  1
    ");
}

#[test]
fn the_commit_in_force_stands_below_the_name() {
    let commit = Commit {
        id: CommitId::parse(&"0123456789".repeat(4)).unwrap(),
        author: "Ada <ada@example.org>".to_owned(),
        subject: "More memory\u{1b}[2J\nfor etcd".to_owned(),
        committed: now().engine,
    };
    let of_commit = StackStatus { commit: Some(commit), ..stack(vec![etcd()]) };
    insta::assert_snapshot!(text(&[of_commit]), @r"
    milvus  ready  1 of 1 service ready  sha256:01
    commit 012345678901 by Ada <ada@example.org>: More memory\u{1b}[2J\nfor etcd

    SERVICE  READY  STATE    HEALTH   RESTARTS  SINCE  MESSAGE
    etcd     1/1    running  healthy  1         5m
    ");
}

#[test]
fn nothing_to_show_says_so() {
    assert_eq!(text(&[]), "No stacks.\n");
    assert!(text(&[stack(vec![])]).contains("0 of 0 services ready"));
}

#[test]
fn a_frame_begins_with_the_time_and_fits_the_terminal() {
    let long = ServiceStatus {
        ready: false,
        conditions: vec![ready(false, "Unhealthy", &"a long story ".repeat(20))],
        ..etcd()
    };
    let frame = frame(&[stack(vec![long])], now(), Some(80));
    let plain = strip_str(&frame).to_string();
    assert!(plain.starts_with("2026-11-22 10:00:00Z\n\nmilvus"), "{plain}");
    assert!(plain.lines().all(|line| line.chars().count() <= 80), "{plain}");
}

#[test]
fn messages_cannot_steer_the_terminal() {
    let hostile = ServiceStatus {
        ready: false,
        conditions: vec![ready(false, "Unhealthy", "\u{1b}[2J\nfake  1/1")],
        ..etcd()
    };
    let text = drawn(&[stack(vec![hostile])], now(), None);
    assert!(!text.contains("\u{1b}[2J") && text.contains("\\nfake"), "{text:?}");
}
