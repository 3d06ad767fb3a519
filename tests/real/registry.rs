//! A registry of one's own, and an image in it that the engine does not have.

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::models::{ContainerConfig, ContainerCreateBody, HostConfig, PortBinding};
use bollard::query_parameters as query;
use futures_util::TryStreamExt;

use super::{Corner, client};

/// The registry of the lab.
pub(crate) const IMAGE: &str = "lab/registry:2.8.2";

/// Starts a registry, and moves a new image into it; returns the reference.
pub(crate) async fn publish(corner: &Corner) -> String {
    let repo = format!("{}/{}", start(corner).await, corner.name("image"));
    new_image(corner, &repo).await;
    push_away(&repo).await;
    format!("{repo}:1")
}

async fn create(name: &str, body: ContainerCreateBody) {
    let named = query::CreateContainerOptions {
        name: Some(name.to_owned()),
        ..query::CreateContainerOptions::default()
    };
    client().create_container(Some(named), body).await.expect("a container");
    let options = None::<query::StartContainerOptions>;
    client().start_container(name, options).await.expect("a start");
}

/// Starts a registry in the corner and returns its address.
async fn start(corner: &Corner) -> String {
    let loopback = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: None };
    let ports = [("5000/tcp".to_owned(), Some(vec![loopback]))].into();
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        host_config: Some(HostConfig {
            port_bindings: Some(ports),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let name = corner.name("registry");
    create(&name, body).await;
    let inspected = client().inspect_container(&name, None).await.expect("a registry");
    let ports = inspected.network_settings.and_then(|it| it.ports).expect("ports");
    let port = ports["5000/tcp"].as_ref().expect("a binding")[0].host_port.clone();
    format!("127.0.0.1:{}", port.expect("a port"))
}

/// Makes an image with a layer that nobody has: else there would be nothing to fetch.
async fn new_image(corner: &Corner, repo: &str) {
    let line = "head -c 1000000 /dev/urandom >/layer";
    let body = ContainerCreateBody {
        image: Some(super::IMAGE.to_owned()),
        cmd: Some(["sh", "-c", line].map(str::to_owned).to_vec()),
        ..ContainerCreateBody::default()
    };
    let name = corner.name("layer");
    create(&name, body).await;
    let options = None::<query::WaitContainerOptions>;
    let ended: Vec<_> =
        client().wait_container(&name, options).try_collect().await.expect("its end");
    assert_eq!(ended.first().map(|it| it.status_code), Some(0));
    let commit = query::CommitContainerOptions {
        container: Some(name),
        repo: Some(repo.to_owned()),
        tag: Some("1".to_owned()),
        ..query::CommitContainerOptions::default()
    };
    client()
        .commit_container(commit, ContainerConfig::default())
        .await
        .expect("an image");
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
    let options = None::<query::RemoveImageOptions>;
    client.remove_image(&image, options, None).await.expect("no image");
}
