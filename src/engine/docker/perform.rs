//! One step, one engine call; what is done already is done.

use std::time::Duration;

use bollard::models::NetworkDisconnectRequest;
use bollard::query_parameters::{
    RemoveContainerOptions, RenameContainerOptions, StartContainerOptions,
    StopContainerOptions,
};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::UnboundedSender;

use super::error::CallError;
use super::wire::{Wire, encoded};
use super::{archive, content, log, probe, pull, usage};
use crate::compose::attribute::form;
use crate::engine::PullProgress;
use crate::state::document::Document;
use crate::state::ids::{ContainerId, ContainerName, NetworkId, NetworkName, VolumeName};
use crate::state::step::{Done, Failure, Step};
use crate::state::value::Value;

/// Performs a step; see [`crate::engine::Engine::perform`].
pub(super) async fn perform(
    wire: &Wire,
    step: &Step,
    progress: &UnboundedSender<PullProgress>,
) -> Result<Done, Failure> {
    match step {
        Step::Pull { image, platform } => {
            return pull::pull(wire, image, platform.as_deref(), progress).await;
        }
        Step::Probe { container, command, timeout } => {
            return probe::probe(wire, container, command, *timeout).await;
        }
        Step::ReadLog { container } => return log::read(wire, container).await,
        Step::Measure { container } => return usage::measure(wire, container).await,
        Step::CopyIn { container, files } => {
            return archive::copy_in(wire, container, files).await;
        }
        Step::Test { container, command, timeout, content: _ } => {
            return content::test(wire, container, command, *timeout).await;
        }
        Step::Rehearse(it) => return content::rehearse(wire, it).await,
        Step::Reach { container, how, timeout } => {
            return probe::reach(wire, container, how, *timeout).await;
        }
        Step::Signal { container, signal, content: _ } => {
            content::signal(wire, container, signal).await
        }
        Step::CreateNetwork { name, document } => {
            create_network(wire, name, document).await
        }
        Step::RemoveNetwork { id } => remove_network(wire, id).await,
        Step::CreateVolume { name, document } => {
            create_volume(wire, name, document).await
        }
        Step::Create { name, document, platform } => {
            create(wire, name, document, platform.as_deref()).await
        }
        Step::Connect { container, network, endpoint } => {
            connect(wire, container, network, endpoint).await
        }
        Step::Disconnect { container, network } => {
            disconnect(wire, container, network).await
        }
        Step::Update { container, document } => update(wire, container, document).await,
        Step::Rename { container, to } => rename(wire, container, to).await,
        Step::Start { container } => start(wire, container).await,
        Step::Unpause { container } => unpause(wire, container).await,
        Step::Stop { container, grace } => stop(wire, container, *grace).await,
        Step::Remove { container } => remove(wire, container).await,
    }
    .map(|()| Done::Done)
}

async fn create_network(
    wire: &Wire,
    name: &NetworkName,
    document: &Document,
) -> Result<(), Failure> {
    let mut body = members(document);
    body["Name"] = name.as_str().into();
    // Engines before API 1.44 make a second network of the same name without this.
    body["CheckDuplicate"] = true.into();
    let created = wire.post("/networks/create", &body).await;
    created.map_err(|error| error.failing(&format!("create the network {name}")))
}

async fn create_volume(
    wire: &Wire,
    name: &VolumeName,
    document: &Document,
) -> Result<(), Failure> {
    let mut body = members(document);
    body["Name"] = name.as_str().into();
    let created = wire.post("/volumes/create", &body).await;
    created.map_err(|error| error.failing(&format!("create the volume {name}")))
}

pub(super) async fn delete_volume(wire: &Wire, name: &VolumeName) -> Result<(), Failure> {
    let no_options = None::<bollard::query_parameters::RemoveVolumeOptions>;
    match wire.client().remove_volume(name.as_str(), no_options).await.map_err(Into::into)
    {
        Ok(()) => Ok(()),
        Err(error) if CallError::is_missing(&error) => Ok(()),
        Err(error) => Err(error.failing(&format!("delete the volume {name}"))),
    }
}

/// Returns a document without nested pointers as the members of a JSON object.
fn members(document: &Document) -> Json {
    let members = document.iter();
    members.map(|(name, value)| (name.to_owned(), value.exposed())).collect()
}

async fn remove_network(wire: &Wire, id: &NetworkId) -> Result<(), Failure> {
    match wire.client().remove_network(id.as_str()).await.map_err(Into::into) {
        Ok(()) => Ok(()),
        Err(error) if CallError::is_missing(&error) => Ok(()),
        Err(error) => Err(error.failing(&format!("remove the network {id}"))),
    }
}

pub(super) async fn create(
    wire: &Wire,
    name: &ContainerName,
    document: &Document,
    platform: Option<&str>,
) -> Result<(), Failure> {
    let mut path = format!("/containers/create?name={}", encoded(name.as_str()));
    if let Some(platform) = platform {
        path.push_str("&platform=");
        path.push_str(&encoded(platform));
    }
    let created = wire.post(&path, &form::write(document)).await;
    created.map_err(|error| error.failing(&format!("create the container {name}")))
}

pub(super) async fn connect(
    wire: &Wire,
    container: &ContainerId,
    network: &NetworkName,
    endpoint: &Value,
) -> Result<(), Failure> {
    let path = format!("/networks/{}/connect", encoded(network.as_str()));
    let body =
        json!({"Container": container.as_str(), "EndpointConfig": endpoint.exposed()});
    let Err(error) = wire.post(&path, &body).await else { return Ok(()) };
    // The name may be that of another container's endpoint.
    if error.says("already exists in network")
        && attachments(wire, container).await.any(|(name, _)| name == network.as_str())
    {
        return Ok(());
    }
    Err(error.failing(&format!("connect {} to {network}", container.short())))
}

async fn disconnect(
    wire: &Wire,
    container: &ContainerId,
    network: &NetworkId,
) -> Result<(), Failure> {
    let Err(error) = disconnect_from(wire, container, network.as_str()).await else {
        return Ok(());
    };
    if !error.is_missing() && !error.says("is not connected to") {
        return Err(error.failing(&format!("disconnect {}", container.short())));
    }
    // A stopped container remembers a network that is gone; it is forgotten by name.
    let remembered = attachments(wire, container).await;
    let mut stale = remembered.filter(|(_, id)| id == network.as_str());
    match stale.next() {
        None => Ok(()),
        Some((name, _)) => disconnect_from(wire, container, &name)
            .await
            .map_err(|error| error.failing(&format!("disconnect {}", container.short()))),
    }
}

async fn disconnect_from(
    wire: &Wire,
    container: &ContainerId,
    network: &str,
) -> Result<(), CallError> {
    let request = NetworkDisconnectRequest {
        container: container.as_str().to_owned(),
        force: Some(false),
    };
    Ok(wire.client().disconnect_network(&encoded(network), request).await?)
}

/// Returns the names and ids of the networks that a container is attached to; none when
/// it cannot be inspected.
async fn attachments(
    wire: &Wire,
    container: &ContainerId,
) -> impl Iterator<Item = (String, String)> {
    let path = format!("/containers/{}/json", container.as_str());
    let mut json = wire.get(&path).await.unwrap_or_default();
    let networks = json.pointer_mut("/NetworkSettings/Networks").map(Json::take);
    let networks = match networks {
        Some(Json::Object(networks)) => networks,
        Some(_) | None => serde_json::Map::new(),
    };
    networks.into_iter().map(|(name, endpoint)| {
        let id = endpoint.get("NetworkID").and_then(Json::as_str).unwrap_or_default();
        (name, id.to_owned())
    })
}

async fn update(
    wire: &Wire,
    container: &ContainerId,
    document: &Document,
) -> Result<(), Failure> {
    let path = format!("/containers/{}/update", container.as_str());
    // The body of an update is what a create has under HostConfig.
    let mut body = form::write(document);
    let body = body.get_mut("HostConfig").map_or_else(|| json!({}), Json::take);
    let updated = wire.post(&path, &body).await;
    updated.map_err(|error| error.failing(&format!("update {}", container.short())))
}

async fn rename(
    wire: &Wire,
    container: &ContainerId,
    to: &ContainerName,
) -> Result<(), Failure> {
    let options = RenameContainerOptions { name: to.to_string() };
    let renamed = wire.client().rename_container(container.as_str(), options);
    let Err(error) = renamed.await.map_err(CallError::from) else { return Ok(()) };
    if error.says("same name as its current name") {
        return Ok(());
    }
    Err(error.failing(&format!("rename {} to {to}", container.short())))
}

pub(super) async fn start(wire: &Wire, container: &ContainerId) -> Result<(), Failure> {
    let options = None::<StartContainerOptions>;
    let started = wire.client().start_container(container.as_str(), options);
    let started = started.await.map_err(CallError::from);
    started.map_err(|error| error.failing(&format!("start {}", container.short())))
}

async fn unpause(wire: &Wire, container: &ContainerId) -> Result<(), Failure> {
    let unpaused = wire.client().unpause_container(container.as_str());
    match unpaused.await.map_err(CallError::from) {
        Err(error) if !error.says("is not paused") => {
            Err(error.failing(&format!("unpause {}", container.short())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) async fn stop(
    wire: &Wire,
    container: &ContainerId,
    grace: Duration,
) -> Result<(), Failure> {
    let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
    let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
    let options = StopContainerOptions { signal: None, t: Some(seconds) };
    let client = wire.patient_client(grace);
    let stopped = client.stop_container(container.as_str(), Some(options));
    let stopped = stopped.await.map_err(CallError::from);
    stopped.map_err(|error| error.failing(&format!("stop {}", container.short())))
}

pub(super) async fn remove(wire: &Wire, container: &ContainerId) -> Result<(), Failure> {
    // `v` would delete anonymous volumes, `force` would kill.
    let options = RemoveContainerOptions { v: false, force: false, link: false };
    let removed = wire.client().remove_container(container.as_str(), Some(options));
    let Err(error) = removed.await.map_err(CallError::from) else { return Ok(()) };
    if error.is_missing() || error.says("is already in progress") {
        return Ok(());
    }
    Err(error.failing(&format!("remove {}", container.short())))
}
