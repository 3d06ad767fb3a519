//! Pulls on the real engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod real;

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::models::{ContainerConfig, ContainerCreateBody, HostConfig, PortBinding};
use bollard::query_parameters as query;
use futures_util::TryStreamExt;
use real::client;
use real::stage::{Stage, kind, perform};
use reconciler::state::secret::Secret;
use reconciler::state::step::{Done, FailureKind, InsideFile, Step};

/// A registry of the lab.
const REGISTRY: &str = "lab/registry:2.8.2";

#[tokio::test]
async fn a_registry_that_cannot_be_reached_fails_the_pull_in_its_own_words() {
    let Some(stage) = Stage::new("pull").await else { return };
    let image = "127.0.0.1:1/no/such:1".into();
    let failure = stage.perform(Step::Pull { image, platform: None }).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.message.contains("connection refused"), "{}", failure.message);
    let image = "Not/A/Reference".into();
    let refused = stage.perform(Step::Pull { image, platform: None }).await;
    assert_eq!(kind(refused), FailureKind::Refused);
}

/// Starts a registry in the corner and returns its address.
async fn registry(stage: &Stage) -> String {
    let client = client();
    let loopback = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: None };
    let ports = [("5000/tcp".to_owned(), Some(vec![loopback]))].into();
    let body = ContainerCreateBody {
        image: Some(REGISTRY.to_owned()),
        host_config: Some(HostConfig {
            port_bindings: Some(ports),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let name = stage.corner.name("registry");
    let named = query::CreateContainerOptions {
        name: Some(name.clone()),
        ..query::CreateContainerOptions::default()
    };
    client.create_container(Some(named), body).await.unwrap();
    client.start_container(&name, None::<query::StartContainerOptions>).await.unwrap();
    let inspected = client.inspect_container(&name, None).await.unwrap();
    let ports = inspected.network_settings.unwrap().ports.unwrap();
    let port = ports["5000/tcp"].as_ref().unwrap()[0].host_port.clone().unwrap();
    format!("127.0.0.1:{port}")
}

/// Makes an image with a layer that nobody has: else there would be nothing to fetch.
async fn new_image(stage: &Stage, repo: &str) {
    let container = stage.create("layer", stage.sleeper()).await.id;
    let file = InsideFile {
        path: "/layer".to_owned(),
        content: Secret::new(stage.corner.name(&"layer".repeat(1 << 14))),
        user: 0,
        group: 0,
        mode: 0o644,
    };
    let step = Step::CopyIn { container: container.clone(), files: vec![file] };
    stage.perform(step).await.unwrap();
    let commit = query::CommitContainerOptions {
        container: Some(container.to_string()),
        repo: Some(repo.to_owned()),
        tag: Some("1".to_owned()),
        ..query::CommitContainerOptions::default()
    };
    client().commit_container(commit, ContainerConfig::default()).await.unwrap();
}

/// Moves an image from the engine to its registry.
async fn push_away(repo: &str) {
    let client = client();
    let pushed = async {
        loop {
            let options = query::PushImageOptions {
                tag: Some("1".to_owned()),
                ..query::PushImageOptions::default()
            };
            let anybody = Some(DockerCredentials::default());
            let lines = client.push_image(repo, Some(options), anybody);
            // The registry takes a moment to start.
            if lines.try_collect::<Vec<_>>().await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), pushed).await.expect("a push");
    let image = format!("{repo}:1");
    client.remove_image(&image, None::<query::RemoveImageOptions>, None).await.unwrap();
}

#[tokio::test]
async fn an_image_is_pulled_with_progress_and_a_tag_that_is_not_there_is_not_found() {
    let Some(mut stage) = Stage::new("registry").await else { return };
    if !stage.corner.has(REGISTRY).await {
        return;
    }
    let repo = format!("{}/{}", registry(&stage).await, stage.corner.name("image"));
    new_image(&stage, &repo).await;
    push_away(&repo).await;
    let image = format!("{repo}:1");
    stage.scope.images.insert(image.as_str().into());
    assert!(stage.look().await.image(&image).is_none());

    let step = Step::Pull { image: image.as_str().into(), platform: None };
    let (pulled, mut progress) = perform(&stage.docker, step.clone()).await;
    assert_eq!(pulled, Ok(Done::Done));
    assert!(stage.look().await.image(&image).is_some());
    let mut last = None;
    while let Some(progress) = progress.recv().await {
        assert!(progress.current <= progress.total, "{progress:?}");
        assert_eq!(progress.image, image.as_str().into());
        last = Some(progress);
    }
    let last = last.expect("progress");
    assert_eq!((last.current, last.total > 0), (last.total, true));
    stage.perform_twice(step).await;

    let missing = format!("{repo}:no-such-tag");
    let step = Step::Pull { image: missing.as_str().into(), platform: None };
    let failure = stage.perform(step).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound, "{}", failure.message);
    assert!(failure.message.contains("manifest"), "{}", failure.message);
}
