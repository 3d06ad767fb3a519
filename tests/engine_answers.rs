//! What the Docker room makes of answers, good and bad; no engine is needed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod fake;

use std::collections::BTreeSet;

use fake::{Answer, Fake};
use futures_util::StreamExt;
use reconciler::engine::docker::Docker;
use reconciler::engine::{Engine, EngineError, Scope, Wakeup};

const VERSION: &str =
    r#"{"Version": "99.1", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}"#;
const INFO: &str = r#"{"ID": "fake", "SystemTime": "2026-11-22T20:00:00Z"}"#;

fn ok(body: impl Into<String>) -> Answer {
    Answer::Body(200, body.into())
}

/// Answers as a quiet engine would, with two containers of the project `p`.
fn quiet(request: &str) -> Answer {
    match request {
        "GET /version" => ok(VERSION),
        "GET /v1.41/info" => ok(INFO),
        "GET /v1.41/containers/json" => ok(listed(&["aaa", "bbb"])),
        "GET /v1.41/containers/aaa/json" => ok(inspected("aaa")),
        "GET /v1.41/containers/bbb/json" => ok(inspected("bbb")),
        "GET /v1.41/networks" => ok("[]"),
        "GET /v1.41/volumes" => ok(r#"{"Volumes": null, "Warnings": null}"#),
        "GET /v1.41/images/sha256:1/json" => ok(r#"{"Id": "sha256:1"}"#),
        _ => Answer::Body(404, r#"{"message": "no such thing"}"#.to_owned()),
    }
}

fn listed(ids: &[&str]) -> String {
    let line = |id| {
        format!(
            r#"{{"Id": "{id}", "Names": ["/{id}"], "State": "running",
                "Labels": {{"com.docker.compose.project": "p"}}}}"#
        )
    };
    format!("[{}]", ids.iter().map(line).collect::<Vec<_>>().join(","))
}

/// A container with words that no client of today knows.
fn inspected(id: &str) -> String {
    format!(
        r#"{{"Id": "{id}", "Name": "/{id}", "Image": "sha256:1",
            "Created": "2026-11-22T20:00:00Z",
            "State": {{"Status": "running", "StartedAt": "2026-11-22T20:00:00Z"}},
            "Config": {{"Labels": null}}, "HostConfig": {{"CgroupnsMode": "novel"}},
            "Mounts": [{{"Type": "novel"}}], "Novel": {{}}}}"#
    )
}

fn scope() -> Scope {
    Scope { project: "p".into(), images: BTreeSet::new(), paths: BTreeSet::new() }
}

async fn connected(fake: &Fake) -> Docker {
    Docker::connect(Some(&fake.host())).await.expect("a connection")
}

#[tokio::test]
async fn words_that_are_not_known_do_not_fail_a_look() {
    let fake = Fake::start(quiet);
    let observed = connected(&fake).await.look(&scope()).await.unwrap();
    assert_eq!(observed.containers.len(), 2);
    assert!(observed.image("sha256:1").is_some());
}

#[tokio::test]
async fn an_engine_is_looked_at_through_a_port_as_through_a_socket() {
    let fake = Fake::start(quiet);
    let docker = Docker::connect(Some(&fake.port())).await.expect("a connection");
    assert_eq!(docker.look(&scope()).await.unwrap().containers.len(), 2);
}

#[tokio::test]
async fn a_container_that_went_away_after_the_list_is_left_out() {
    let fake = Fake::start(|request| match request {
        "GET /v1.41/containers/aaa/json" => {
            Answer::Body(404, r#"{"message": "No such container: aaa"}"#.to_owned())
        }
        _ => quiet(request),
    });
    let observed = connected(&fake).await.look(&scope()).await.unwrap();
    let left: Vec<_> = observed.containers.keys().map(ToString::to_string).collect();
    assert_eq!(left, ["bbb"]);
}

#[tokio::test]
async fn any_other_failure_fails_the_look_and_says_what_failed() {
    for (broken, words) in [
        ("GET /v1.41/info", "tell what it is"),
        ("GET /v1.41/containers/json", "list its containers"),
        ("GET /v1.41/networks", "list its networks"),
        ("GET /v1.41/volumes", "list its volumes"),
        ("GET /v1.41/containers/bbb/json", "inspect the container bbb"),
        ("GET /v1.41/images/sha256:1/json", "inspect the image sha256:1"),
    ] {
        let fake = Fake::start(move |request| {
            if request == broken {
                Answer::Body(500, r#"{"message": "boom"}"#.to_owned())
            } else {
                quiet(request)
            }
        });
        let error = connected(&fake).await.look(&scope()).await.unwrap_err();
        assert!(
            matches!(&error, EngineError::Failed { what, .. } if what.contains(words))
        );
    }
}

#[tokio::test]
async fn an_engine_that_goes_away_in_the_middle_is_unreachable() {
    let fake = Fake::start(|request| match request {
        "GET /v1.41/networks" => Answer::HangUp,
        _ => quiet(request),
    });
    let error = connected(&fake).await.look(&scope()).await.unwrap_err();
    assert!(matches!(error, EngineError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_look_again_inspects_only_what_it_is_told_or_what_the_list_shows_to_differ() {
    let fake = Fake::start(quiet);
    let docker = connected(&fake).await;
    let first = docker.look(&scope()).await.unwrap();
    let before = fake.asked().len();
    docker.look_again(&scope(), &first, &["aaa".into()].into()).await.unwrap();
    let asked = fake.asked().split_off(before);
    assert!(asked.contains(&"GET /v1.41/containers/aaa/json".to_owned()), "{asked:?}");
    assert!(!asked.contains(&"GET /v1.41/containers/bbb/json".to_owned()), "{asked:?}");
    assert!(!asked.iter().any(|it| it.contains("/images/")), "{asked:?}");

    let mut stale = first;
    let status = reconciler::state::observed::Status::Created;
    stale.containers.get_mut("bbb").unwrap().state.status = status;
    let before = fake.asked().len();
    let again = docker.look_again(&scope(), &stale, &BTreeSet::new()).await.unwrap();
    let asked = fake.asked().split_off(before);
    assert!(asked.contains(&"GET /v1.41/containers/bbb/json".to_owned()), "{asked:?}");
    assert_ne!(again.containers.get("bbb").unwrap().state.status, status);
}

#[tokio::test]
async fn an_engine_that_is_too_old_is_refused() {
    let fake = Fake::start(|_| ok(r#"{"Version": "19.03", "ApiVersion": "1.40"}"#));
    let error = Docker::connect(Some(&fake.host())).await.unwrap_err();
    assert!(error.to_string().contains("19.03"), "{error}");
}

#[tokio::test]
async fn where_nothing_listens_the_error_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.sock");
    let deaf = folder.path().join("deaf.sock");
    drop(std::os::unix::net::UnixListener::bind(&deaf).unwrap());
    for (socket, advice) in
        [(missing, "installed and running"), (deaf, "nothing listens")]
    {
        let host = format!("unix://{}", socket.display());
        let error = Docker::connect(Some(&host)).await.unwrap_err();
        let EngineError::Unreachable { source, .. } = &error else { panic!("{error:?}") };
        assert!(source.to_string().contains(advice), "{source}");
    }
}

fn event(kind: &str, action: &str, project: &str) -> String {
    format!(
        r#"{{"Type": "{kind}", "Action": "{action}", "time": 1, "timeNano": 1,
            "Actor": {{"ID": "{action}-id",
                       "Attributes": {{"com.docker.compose.project": "{project}"}}}}}}"#
    )
    .replace('\n', " ")
}

#[tokio::test]
async fn events_wake_and_an_end_of_the_stream_or_an_unknown_event_is_a_loss() {
    let fake = Fake::start(|request| match request {
        "GET /v1.41/events" => Answer::Lines(vec![
            event("container", "start", "p"),
            event("container", "die", "other"),
            event("network", "connect", "other"),
            event("novel", "novel", "p"),
        ]),
        _ => quiet(request),
    });
    let docker = connected(&fake).await;
    let project = "p".into();
    let mut wakeups = Box::pin(docker.wakeups(&project));
    for _ in 0..2 {
        let relist = wakeups.next().await.unwrap();
        assert!(matches!(relist, Wakeup::Relist { .. }), "{relist:?}");
        let start =
            Wakeup::Container { id: "start-id".into(), action: "start".to_owned() };
        assert_eq!(wakeups.next().await.unwrap(), start);
        let action = "network connect connect-id".to_owned();
        let connect = Wakeup::Other { action, name: None };
        assert_eq!(wakeups.next().await.unwrap(), connect);
        let lost = wakeups.next().await.unwrap();
        assert!(matches!(lost, Wakeup::Lost { .. }), "{lost:?}");
    }
    let events = fake.asked().into_iter().find(|it| it.contains("/events")).unwrap();
    assert!(events.contains("since=1795377600.000000000"), "{events}");
    assert!(!events.contains("exec_"), "{events}");
}
