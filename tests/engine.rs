//! The Docker room on the real engine: what the contract of every engine (`engine_contract`)
//! does not say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod proxy;
mod real;

use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::ContainerCreateBody;
use bollard::query_parameters as query;
use futures_util::StreamExt;
use proxy::{Effect, Proxy};
use real::stage::{Stage, kind, perform};
use real::{IMAGE, client};
use reconciler::engine::Engine;
use reconciler::engine::docker::Docker;
use reconciler::state::observed::{Status, labels};
use reconciler::state::secret::Secret;
use reconciler::state::step::{Done, FailureKind, InsideFile, Step};
use reconciler::state::value::Value;

#[tokio::test]
async fn every_request_names_the_api_version_and_looking_changes_nothing() {
    let Some(stage) = Stage::new("version").await else { return };
    let proxy = Proxy::start();
    let docker = Docker::connect(Some(&proxy.host())).await.unwrap();
    let (major, minor) = docker.facts().await.unwrap().api;
    docker.look(&stage.scope).await.unwrap();
    proxy.assert_nothing_written();
    let calls = proxy.calls();
    let prefix = format!("/v{major}.{minor}/");
    assert!((1, 41) <= (major, minor), "{prefix}");
    assert!(calls.len() > 4, "{calls:#?}");
    for call in calls.iter().filter(|call| call.path != "/version") {
        assert!(call.path.starts_with(&prefix), "{call:?}");
    }
}

#[tokio::test]
async fn steps_go_out_in_the_same_version_and_count_as_writes() {
    let Some(stage) = Stage::new("writes").await else { return };
    let proxy = Proxy::start();
    let docker = Docker::connect(Some(&proxy.host())).await.unwrap();
    let id = stage.create("a", stage.sleeper()).await.id;
    perform(&docker, Step::Start { container: id.clone() }).await.0.unwrap();
    let probe = Step::Probe {
        container: id.clone(),
        command: vec![Secret::new("true")],
        timeout: Duration::from_secs(5),
    };
    perform(&docker, probe).await.0.unwrap();
    let writes = proxy.calls_that(Effect::Write);
    let paths: Vec<_> = writes.iter().map(proxy::Call::bare_path).collect();
    assert_eq!(paths, [format!("/containers/{id}/start")]);
    assert!(writes.iter().all(|call| call.path.starts_with("/v1.")), "{writes:?}");
    assert_eq!(proxy.calls_that(Effect::Probe).len(), 2);
}

#[tokio::test]
async fn the_anonymous_volumes_of_a_removed_container_stay() {
    let Some(stage) = Stage::new("anonymous").await else { return };
    let name = stage.corner.name("a");
    let labels = [(labels::PROJECT.to_owned(), stage.corner.project())];
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        labels: Some(labels.into()),
        volumes: Some(vec!["/data".to_owned()]),
        ..ContainerCreateBody::default()
    };
    let named = query::CreateContainerOptions {
        name: Some(name.clone()),
        ..query::CreateContainerOptions::default()
    };
    client().create_container(Some(named), body).await.unwrap();
    let inspected = client().inspect_container(&name, None).await.unwrap();
    let volume = inspected.mounts.unwrap()[0].name.clone().unwrap();
    let container = stage.named(&name.as_str().into()).await.id;
    stage.perform(Step::Remove { container }).await.unwrap();
    let observed = stage.look().await;
    let options = None::<query::RemoveVolumeOptions>;
    client().remove_volume(&volume, options).await.expect("the volume stayed");
    assert!(observed.volumes.contains_key(volume.as_str()));
    assert!(observed.containers.is_empty());
}

#[tokio::test]
async fn files_are_copied_in_with_their_owner_and_mode_before_the_start() {
    let Some(stage) = Stage::new("copy").await else { return };
    let mut document = stage.sleeper();
    let line = "test \"$(cat /run/secrets/key)\" = hunter2 && \
                test \"$(stat -c %u:%g:%a /run/secrets/key)\" = 1000:2000:440";
    document.set("Config.Cmd", Value::texts(["sh", "-c", line]));
    let container = stage.create("a", document).await.id;
    let file = InsideFile {
        path: "/run/secrets/key".to_owned(),
        content: Secret::new("hunter2"),
        user: 1000,
        group: 2000,
        mode: 0o440,
    };
    let files = vec![file];
    stage.perform_twice(Step::CopyIn { container: container.clone(), files }).await;
    stage.perform(Step::Start { container: container.clone() }).await.unwrap();
    let ended = async {
        loop {
            let now = stage.again(&container).await.state;
            if now.status == Status::Exited {
                return now.exit_code;
            }
        }
    };
    let exit_code = tokio::time::timeout(Duration::from_secs(30), ended).await;
    assert_eq!(exit_code, Ok(0));
}

#[tokio::test]
async fn a_probe_of_a_command_that_is_missing_or_does_not_end_is_no_exit_code() {
    let Some(stage) = Stage::new("probe").await else { return };
    let container = stage.create("a", stage.sleeper()).await.id;
    let probe = |command: &[&str], timeout| Step::Probe {
        container: container.clone(),
        command: command.iter().copied().map(Secret::new).collect(),
        timeout: Duration::from_millis(timeout),
    };
    stage.perform(Step::Start { container: container.clone() }).await.unwrap();
    for (line, exit_code) in [("exit 0", 0), ("sleep 0.3; exit 7", 7)] {
        let probed = stage.perform(probe(&["sh", "-c", line], 5000)).await;
        assert_eq!(probed, Ok(Done::Probed { exit_code }), "{line}");
    }
    let missing = stage.perform(probe(&["/no/such/command"], 5000)).await;
    assert_eq!(kind(missing), FailureKind::Refused);
    let endless = stage.perform(probe(&["sleep", "600"], 100)).await.unwrap_err();
    assert_eq!(endless.kind, FailureKind::Unknown);
    assert!(endless.message.contains("did not end in 0.1 s"), "{}", endless.message);
}

#[tokio::test]
async fn the_proxy_of_these_tests_passes_streams_and_upgraded_connections_on() {
    let Some(stage) = Stage::new("proxy").await else { return };
    let container = stage.create("a", stage.sleeper()).await.id;
    stage.perform(Step::Start { container: container.clone() }).await.unwrap();
    let proxy = Proxy::start();
    let path = proxy.socket();
    let version = bollard::API_DEFAULT_VERSION;
    let path = path.to_str().unwrap();
    let client = bollard::Docker::connect_with_unix(path, 60, version).unwrap();
    let options = CreateExecOptions {
        cmd: Some(vec!["echo", "hello"]),
        attach_stdout: Some(true),
        ..CreateExecOptions::default()
    };
    let exec = client.create_exec(container.as_str(), options).await.unwrap().id;
    let started = client.start_exec(&exec, None).await.unwrap();
    let StartExecResults::Attached { mut output, .. } = started else {
        panic!("not attached")
    };
    assert_eq!(output.next().await.unwrap().unwrap().to_string(), "hello\n");
    let paths: Vec<_> = proxy.calls().into_iter().map(|call| call.path).collect();
    let start = format!("/exec/{exec}/start");
    assert_eq!(paths, [format!("/containers/{container}/exec"), start]);
    proxy.assert_nothing_written();
}
