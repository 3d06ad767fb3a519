//! The Docker room on the real engine: what is asked for comes about, and what is done
//! already is done.

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
use reconciler::state::document::Document;
use reconciler::state::ids::ContainerName;
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
async fn a_look_tells_ours_from_strangers() {
    let Some(stage) = Stage::new("look").await else { return };
    let ours = stage.create("ours", stage.sleeper()).await;
    let mut document = stage.sleeper();
    document.set("Config.Labels", Value::Null);
    let name = ContainerName::new(stage.corner.name("stranger"));
    let step = Step::Create { name: name.clone(), document, platform: None };
    stage.perform(step).await.unwrap();

    let observed = stage.look().await;
    assert_eq!(observed.containers.keys().collect::<Vec<_>>(), [&ours.id]);
    assert_eq!(observed.strangers.get(&name), Some(&None));
    let image = observed.image(IMAGE).expect("the image, by reference");
    assert_eq!(Some(image), observed.image(ours.image.as_str()));
    assert_eq!(ours.state.status, Status::Created);
    assert_eq!((ours.state.started, ours.state.finished), (None, None));
    assert!(ours.created <= observed.facts.time, "{ours:?}");
    assert!(observed.networks.contains_key("bridge"));
    assert!(observed.facts.cpus > 0 && !observed.facts.id.is_empty());
}

#[tokio::test]
async fn an_image_that_is_not_there_is_told_apart_from_one_that_is() {
    let Some(mut stage) = Stage::new("image").await else { return };
    stage.scope.images.insert("lab/no-such-image:1".into());
    let observed = stage.look().await;
    assert_eq!(observed.images.get("lab/no-such-image:1"), Some(&None));
    assert!(observed.image(IMAGE).is_some());
}

#[tokio::test]
async fn a_container_lives_from_create_to_remove_and_every_step_may_be_repeated() {
    let Some(stage) = Stage::new("life").await else { return };
    let container = stage.create("a", stage.sleeper()).await.id;
    let again = Step::Create {
        name: stage.corner.name("a").as_str().into(),
        document: stage.sleeper(),
        platform: None,
    };
    assert_eq!(kind(stage.perform(again).await), FailureKind::Conflict);

    stage.perform_twice(Step::Start { container: container.clone() }).await;
    let running = stage.again(&container).await;
    assert_eq!(running.state.status, Status::Running);
    assert!(running.state.started.is_some());

    client().pause_container(container.as_str()).await.unwrap();
    assert_eq!(stage.again(&container).await.state.status, Status::Paused);
    stage.perform_twice(Step::Unpause { container: container.clone() }).await;

    let to = ContainerName::new(stage.corner.name("b"));
    stage
        .perform_twice(Step::Rename { container: container.clone(), to: to.clone() })
        .await;
    assert_eq!(stage.again(&container).await.name, to);
    let other = stage.create("c", stage.sleeper()).await.id;
    let taken = Step::Rename { container: other, to };
    assert_eq!(kind(stage.perform(taken).await), FailureKind::Conflict);

    let remove = Step::Remove { container: container.clone() };
    assert_eq!(kind(stage.perform(remove.clone()).await), FailureKind::Conflict);
    let grace = Duration::from_millis(1);
    stage.perform_twice(Step::Stop { container: container.clone(), grace }).await;
    let stopped = stage.again(&container).await;
    assert_eq!((stopped.state.status, stopped.state.exit_code), (Status::Exited, 137));
    stage.perform_twice(remove).await;
    assert!(!stage.look().await.containers.contains_key(&container));
    let start = Step::Start { container };
    assert_eq!(kind(stage.perform(start).await), FailureKind::NotFound);
}

#[tokio::test]
async fn an_image_that_is_missing_fails_the_create_as_not_found() {
    let Some(stage) = Stage::new("noimage").await else { return };
    let mut document = stage.sleeper();
    document.set("Config.Image", Value::text("lab/no-such-image:1"));
    let name = stage.corner.name("a").as_str().into();
    let step = Step::Create { name, document, platform: None };
    let failure = stage.perform(step).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(failure.message.contains("lab/no-such-image:1"), "{}", failure.message);
}

#[tokio::test]
async fn limits_change_while_the_container_runs() {
    const LIMITS: [&str; 2] = ["HostConfig.Memory", "HostConfig.MemorySwap"];
    let Some(stage) = Stage::new("update").await else { return };
    let limits = |bytes| LIMITS.iter().map(move |limit| (*limit, Value::Int(bytes)));
    let mut document = stage.sleeper();
    limits(64 << 20).for_each(|(limit, value)| document.set(limit, value));
    let before = stage.create("a", document).await;
    let container = before.id.clone();
    stage.perform(Step::Start { container: container.clone() }).await.unwrap();
    let document = limits(128 << 20).collect();
    stage.perform_twice(Step::Update { container: container.clone(), document }).await;
    let after = stage.again(&container).await;
    for limit in LIMITS {
        assert_eq!(before.document.get(limit), &Value::Int(64 << 20));
        assert_eq!(after.document.get(limit), &Value::Int(128 << 20));
    }
    assert_eq!(after.state.status, Status::Running);
    let document = limits(1).collect();
    let step = Step::Update { container, document };
    assert_eq!(kind(stage.perform(step).await), FailureKind::Refused);
}

#[tokio::test]
async fn networks_are_made_attached_and_removed() {
    let Some(stage) = Stage::new("network").await else { return };
    let name = stage.corner.name("n");
    let document = Document::from_iter([
        ("Driver", Value::text("bridge")),
        ("Internal", Value::Bool(true)),
        ("Labels", Value::map([(labels::NETWORK, Value::text("n"))])),
    ]);
    let create = Step::CreateNetwork { name: name.as_str().into(), document };
    stage.perform(create.clone()).await.unwrap();
    assert_eq!(kind(stage.perform(create).await), FailureKind::Conflict);
    let network = stage.look().await.networks.remove(name.as_str()).unwrap();
    assert_eq!(network.label(labels::NETWORK), Some("n"));
    assert_eq!(network.document.get("Internal"), &Value::Bool(true));

    let container = stage.create("a", stage.sleeper()).await.id;
    stage.perform(Step::Start { container: container.clone() }).await.unwrap();
    let connect = Step::Connect {
        container: container.clone(),
        network: name.as_str().into(),
        endpoint: Value::map([("Aliases", Value::texts(["db"]))]),
    };
    stage.perform_twice(connect).await;
    let attached = stage.again(&container).await.attached;
    assert_eq!(attached.get(name.as_str()), Some(&network.id));
    let inspected = client().inspect_container(container.as_str(), None).await.unwrap();
    let networks = inspected.network_settings.unwrap().networks.unwrap();
    let aliases = networks.get(&name).and_then(|it| it.aliases.clone()).unwrap();
    assert!(aliases.contains(&"db".to_owned()), "{aliases:?}");

    let remove = Step::RemoveNetwork { id: network.id.clone() };
    assert_eq!(kind(stage.perform(remove.clone()).await), FailureKind::Conflict);
    let disconnect =
        Step::Disconnect { container: container.clone(), network: network.id };
    stage.perform_twice(disconnect).await;
    assert!(!stage.again(&container).await.attached.contains_key(name.as_str()));
    stage.perform_twice(remove).await;
}

#[tokio::test]
async fn a_network_that_was_removed_is_forgotten_by_its_id_even_if_made_again() {
    let Some(stage) = Stage::new("stale").await else { return };
    let name = stage.corner.name("n");
    let create =
        Step::CreateNetwork { name: name.as_str().into(), document: Document::default() };
    stage.perform(create.clone()).await.unwrap();
    let mut document = stage.sleeper();
    document.set("HostConfig.NetworkMode", Value::text(name.as_str()));
    let container = stage.create("a", document).await;
    let network = stage.look().await.networks.remove(name.as_str()).unwrap().id;
    // It was never started, and the engine itself does not tell the id yet.
    assert_eq!(container.attached.get(name.as_str()), Some(&network));

    let container = container.id;
    let grace = Duration::ZERO;
    stage.perform(Step::Start { container: container.clone() }).await.unwrap();
    stage.perform(Step::Stop { container: container.clone(), grace }).await.unwrap();
    stage.perform(Step::RemoveNetwork { id: network.clone() }).await.unwrap();
    stage.perform(create).await.unwrap();
    let start = Step::Start { container: container.clone() };
    assert_eq!(kind(stage.perform(start.clone()).await), FailureKind::NotFound);
    let attached = stage.again(&container).await.attached;
    assert_eq!(attached.get(name.as_str()), Some(&network));

    let disconnect = Step::Disconnect { container: container.clone(), network };
    stage.perform_twice(disconnect).await;
    assert!(stage.again(&container).await.attached.is_empty());
    let network = name.as_str().into();
    let endpoint = Value::map([("Aliases", Value::texts(["a"]))]);
    let connect = Step::Connect { container: container.clone(), network, endpoint };
    stage.perform(connect).await.unwrap();
    stage.perform(start).await.unwrap();
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
async fn a_volume_is_made_once_and_keeps_its_labels() {
    let Some(stage) = Stage::new("volume").await else { return };
    let name = stage.corner.name("v");
    let labels = Value::map([(labels::VOLUME, Value::text("v"))]);
    let create = Step::CreateVolume {
        name: name.as_str().into(),
        document: Document::from_iter([("Labels", labels)]),
    };
    stage.perform_twice(create).await;
    let observed = stage.look().await;
    let volume = observed.volumes.get(name.as_str()).expect("the volume");
    assert_eq!(volume.label(labels::VOLUME), Some("v"));
    assert_eq!(volume.document.get("Driver"), &Value::text("local"));
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
async fn a_probe_tells_the_exit_code_of_the_command_or_that_it_is_unknown() {
    let Some(stage) = Stage::new("probe").await else { return };
    let container = stage.create("a", stage.sleeper()).await.id;
    let probe = |command: &[&str], timeout| Step::Probe {
        container: container.clone(),
        command: command.iter().copied().map(Secret::new).collect(),
        timeout: Duration::from_millis(timeout),
    };
    let stopped = stage.perform(probe(&["true"], 5000)).await;
    assert_eq!(kind(stopped), FailureKind::Conflict);
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
