//! The real engine.

use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecOptions};
use bollard::models::{NetworkDisconnectRequest, VolumeCreateRequest};
use bollard::query_parameters as query;
use reconciler::engine::Wakeup;
use reconciler::engine::docker::Docker;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::real::{Corner, IMAGE, client, registry};
use crate::subject::{ByHand, Subject, follow, until_mark};

/// An image of the lab that is not [`IMAGE`].
const ANOTHER: &str = "lab/base:bookworm";

/// The real engine, and a corner of it.
pub(crate) struct OnDocker {
    corner: Corner,
    docker: Docker,
    wakeups: UnboundedReceiver<Wakeup>,
    marks: u32,
}

impl OnDocker {
    /// Makes a corner of the real engine; nothing where there is none.
    pub(crate) async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await || !corner.has(ANOTHER).await {
            return None;
        }
        let docker = Docker::connect(None).await.expect("a connection");
        let wakeups = follow(&docker, &corner.project()).await;
        Some(Self { corner, docker, wakeups, marks: 0 })
    }

    async fn exec(&self, name: &str, line: &str) {
        let options = CreateExecOptions {
            cmd: Some(vec!["sh", "-c", line]),
            ..CreateExecOptions::default()
        };
        let exec = client().create_exec(name, options).await.expect("an exec").id;
        let detached = StartExecOptions { detach: true, ..StartExecOptions::default() };
        client().start_exec(&exec, Some(detached)).await.expect("a command");
        while client().inspect_exec(&exec).await.expect("an exec").running == Some(true) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Subject for OnDocker {
    type Engine = Docker;

    fn engine(&self) -> &Docker {
        &self.docker
    }

    fn prefix(&self) -> String {
        self.corner.project()
    }

    fn free_port(&self) -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    }

    async fn by_hand(&self, act: &ByHand) {
        let client = client();
        match act {
            ByHand::Kill(name) => {
                client.kill_container(name, None::<query::KillContainerOptions>).await
            }
            ByHand::Pause(name) => client.pause_container(name).await,
            ByHand::Stop(name) => {
                let options = query::StopContainerOptions { signal: None, t: Some(1) };
                client.stop_container(name, Some(options)).await
            }
            ByHand::RemoveByForce(name) => {
                let options =
                    query::RemoveContainerOptions { v: false, force: true, link: false };
                client.remove_container(name, Some(options)).await
            }
            ByHand::Rename(name, to) => {
                let options = query::RenameContainerOptions { name: to.clone() };
                client.rename_container(name, options).await
            }
            ByHand::Disconnect(network, name) => {
                let container = name.clone();
                let request = NetworkDisconnectRequest { container, force: None };
                client.disconnect_network(network, request).await
            }
            ByHand::Tag(reference) => {
                let (repo, tag) = reference.split_once(':').expect("a tag");
                let options = query::TagImageOptions {
                    repo: Some(repo.to_owned()),
                    tag: Some(tag.to_owned()),
                };
                client.tag_image(ANOTHER, Some(options)).await
            }
            ByHand::Untag(reference) => {
                let options = None::<query::RemoveImageOptions>;
                client.remove_image(reference, options, None).await.map(|_| ())
            }
            ByHand::Health(name, passes) => {
                let line = if *passes { "touch /well" } else { "rm -f /well" };
                self.exec(name, line).await;
                Ok(())
            }
        }
        .unwrap_or_else(|error| panic!("{act:?}: {error}"));
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Makes a volume, and reads on until the engine tells of it.
    async fn told(&mut self) -> Vec<Wakeup> {
        self.marks += 1;
        let name = self.corner.name(&format!("mark-{}", self.marks));
        let request = VolumeCreateRequest {
            name: Some(name.clone()),
            ..VolumeCreateRequest::default()
        };
        client().create_volume(request).await.expect("a volume");
        let options = None::<query::RemoveVolumeOptions>;
        client().remove_volume(&name, options).await.expect("no volume");
        until_mark(&mut self.wakeups, &name).await
    }

    async fn publish(&mut self) -> Option<String> {
        if !self.corner.has(registry::IMAGE).await {
            return None;
        }
        Some(registry::publish(&self.corner).await)
    }
}
