//! A world as JSON, so that processes that come and go see one engine.
//!
//! Containers and images are kept in the engine's own form, which is the form in which the
//! rest of the house reads and writes them. What a test scripted is not kept.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::defaults::{from_json, origin};
use super::event::{Event, Events, Kind};
use super::lifecycle::Life;
use super::world::World;
use crate::compose::attribute::form;
use crate::state::document::{Document, Pointer};
use crate::state::ids::{
    ContainerId, ContainerName, ImageId, NetworkId, NetworkName, ProjectName, VolumeName,
};
use crate::state::observed::{
    Container, ContainerState, Health, Image, Network, Status, Volume,
};
use crate::state::time::EngineTime;
use crate::state::value::Value;

/// What says that a file is one of ours, and of this form.
const FORMAT: &str = "simulated engine of reconciler, form 1";

/// The fields that networks and volumes have.
const FIELDS: [Pointer; 8] = [
    "Driver",
    "DriverOpts",
    "Options",
    "IPAM",
    "Internal",
    "Attachable",
    "EnableIPv6",
    "Labels",
];

const STATUSES: [Status; 7] = [
    Status::Created,
    Status::Running,
    Status::Paused,
    Status::Restarting,
    Status::Removing,
    Status::Exited,
    Status::Dead,
];

const HEALTHS: [Health; 3] = [Health::Starting, Health::Healthy, Health::Unhealthy];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredWorld {
    format: String,
    id: String,
    start: EngineTimeText,
    clock: Duration,
    boots: u64,
    made: u64,
    containers: Vec<StoredContainer>,
    networks: BTreeMap<NetworkName, StoredNetwork>,
    volumes: BTreeMap<VolumeName, Json>,
    images: BTreeMap<String, StoredImage>,
    events: u64,
    kept_events: Vec<StoredEvent>,
}

type EngineTimeText = String;

#[derive(Serialize, Deserialize)]
struct StoredContainer {
    id: ContainerId,
    name: ContainerName,
    image: ImageId,
    body: Json,
    attached: BTreeMap<NetworkName, NetworkId>,
    created: EngineTimeText,
    status: String,
    health: Option<String>,
    exit_code: i64,
    out_of_memory: bool,
    error: String,
    started: Option<EngineTimeText>,
    finished: Option<EngineTimeText>,
    restarts: u64,
    life: Life,
    #[serde(default)]
    anonymous: BTreeMap<String, VolumeName>,
}

#[derive(Serialize, Deserialize)]
struct StoredNetwork {
    id: NetworkId,
    fields: Json,
}

#[derive(Serialize, Deserialize)]
struct StoredImage {
    id: ImageId,
    body: Json,
}

#[derive(Serialize, Deserialize)]
struct StoredEvent {
    number: u64,
    time: EngineTimeText,
    kind: String,
    id: String,
    action: String,
    attributes: BTreeMap<String, String>,
    project: Option<ProjectName>,
}

/// Writes a world.
pub(super) fn write(world: &World) -> Json {
    let stored = StoredWorld {
        format: FORMAT.to_owned(),
        id: world.id.clone(),
        start: world.start.to_string(),
        clock: world.clock,
        boots: world.boots,
        made: world.made,
        containers: world.containers.values().map(|it| container(world, it)).collect(),
        networks: world
            .networks
            .iter()
            .map(|(name, it)| {
                let fields = fields(&it.document);
                (name.clone(), StoredNetwork { id: it.id.clone(), fields })
            })
            .collect(),
        volumes: world
            .volumes
            .iter()
            .map(|(name, it)| (name.clone(), fields(&it.document)))
            .collect(),
        images: world.images.iter().map(|(name, it)| (name.clone(), image(it))).collect(),
        events: world.events.count,
        kept_events: world.events.iter().map(event).collect(),
    };
    // Maps have texts for keys, so this cannot fail.
    serde_json::to_value(stored).unwrap_or_default()
}

fn container(world: &World, container: &Container) -> StoredContainer {
    let state = &container.state;
    StoredContainer {
        id: container.id.clone(),
        name: container.name.clone(),
        image: container.image.clone(),
        body: form::write(&container.document),
        attached: container.attached.clone(),
        created: container.created.to_string(),
        status: state.status.as_str().to_owned(),
        health: state.health.map(|health| health.as_str().to_owned()),
        exit_code: state.exit_code,
        out_of_memory: state.out_of_memory,
        error: state.error.clone(),
        started: state.started.map(|time| time.to_string()),
        finished: state.finished.map(|time| time.to_string()),
        restarts: state.restarts,
        life: world.lives.get(&container.id).cloned().unwrap_or_default(),
        anonymous: container.anonymous.clone(),
    }
}

fn image(image: &Image) -> StoredImage {
    StoredImage { id: image.id.clone(), body: form::write(&image.config) }
}

fn event(event: &Event) -> StoredEvent {
    StoredEvent {
        number: event.number,
        time: event.time.to_string(),
        kind: event.kind.as_str().to_owned(),
        id: event.id.clone(),
        action: event.action.clone(),
        attributes: event.attributes.clone(),
        project: event.project.clone(),
    }
}

fn fields(document: &Document) -> Json {
    document
        .iter()
        .map(|(pointer, value)| (pointer.to_owned(), value.exposed()))
        .collect()
}

/// Reads a world.
///
/// # Errors
/// It is none, or of another form: the reason.
pub(super) fn read(text: &[u8]) -> Result<World, String> {
    let stored: StoredWorld =
        serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if stored.format != FORMAT {
        return Err(format!("its form is `{}`, not `{FORMAT}`", stored.format));
    }
    let mut world = World::new(&stored.id, time(&stored.start)?);
    (world.clock, world.boots, world.made) = (stored.clock, stored.boots, stored.made);
    for stored in stored.containers {
        world.lives.insert(stored.id.clone(), stored.life.clone());
        world.containers.insert(stored.id.clone(), restored(stored)?);
    }
    for (name, stored) in stored.networks {
        let document = document(&stored.fields);
        world.networks.insert(name, Network { id: stored.id, document });
    }
    for (name, stored) in stored.volumes {
        world
            .volumes
            .insert(name, Volume { document: document(&stored), mountpoint: None });
    }
    for (reference, stored) in stored.images {
        let config = form::read_image(&json!({"Config": stored.body}));
        let image = Image { id: stored.id, created: None, config };
        world.images.insert(reference, image);
    }
    let kept = stored.kept_events.into_iter().map(event_of);
    world.events = Events::restored(stored.events, kept.collect::<Result<_, _>>()?);
    Ok(world)
}

fn restored(stored: StoredContainer) -> Result<Container, String> {
    let status = STATUSES.into_iter().find(|it| it.as_str() == stored.status);
    let health = |text: String| HEALTHS.into_iter().find(|it| it.as_str() == text);
    let document = from_json(&stored.body);
    Ok(Container {
        id: stored.id,
        name: stored.name,
        image: stored.image,
        origin: origin(&document),
        document,
        address: None,
        attached: stored.attached,
        created: time(&stored.created)?,
        state: ContainerState {
            status: status.ok_or_else(|| format!("no such state: {}", stored.status))?,
            health: stored.health.and_then(health),
            exit_code: stored.exit_code,
            out_of_memory: stored.out_of_memory,
            error: stored.error,
            started: stored.started.as_deref().map(time).transpose()?,
            finished: stored.finished.as_deref().map(time).transpose()?,
            restarts: stored.restarts,
        },
        anonymous: stored.anonymous,
    })
}

fn event_of(stored: StoredEvent) -> Result<Event, String> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == stored.kind);
    Ok(Event {
        number: stored.number,
        time: time(&stored.time)?,
        kind: kind.ok_or_else(|| format!("no such kind of event: {}", stored.kind))?,
        id: stored.id,
        action: stored.action,
        attributes: stored.attributes,
        project: stored.project,
    })
}

fn time(text: &str) -> Result<EngineTime, String> {
    text.parse().map_err(|_| format!("`{text}` is no time"))
}

fn document(fields: &Json) -> Document {
    FIELDS
        .into_iter()
        .filter_map(|pointer| Some((pointer, Value::from(fields.get(pointer)?.clone()))))
        .collect()
}
