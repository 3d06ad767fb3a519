//! What the simulated engine does, beside what was measured on the real one.

mod life;
mod refusals;
mod time;

use std::time::Duration;

use super::World;
use crate::state::document::{Document, Pointer};
use crate::state::ids::ContainerId;
use crate::state::observed::Container;
use crate::state::step::{Done, Failure, Step};
use crate::state::value::Value;

/// An engine with a network and an image.
fn engine() -> World {
    let mut world = World::default();
    let document = Document::default();
    for step in [
        Step::CreateNetwork { name: "net".into(), document },
        Step::Pull { image: "x:1".into(), platform: None },
    ] {
        world.perform(&step).unwrap();
    }
    world
}

type Field = (Pointer, Value);

fn document(fields: &[Field]) -> Document {
    let own = [
        ("Config.Image", Value::text("x:1")),
        (
            "NetworkingConfig.EndpointsConfig",
            Value::map([("net", Value::map([("", Value::Null); 0]))]),
        ),
    ];
    own.into_iter().chain(fields.iter().cloned()).collect()
}

fn create(world: &mut World, name: &str, fields: &[Field]) -> Result<Done, Failure> {
    let document = document(fields);
    world.perform(&Step::Create { name: name.into(), document, platform: None })
}

/// Makes a container and starts it.
fn run(world: &mut World, name: &str, fields: &[Field]) -> ContainerId {
    create(world, name, fields).unwrap();
    let id = id(world, name);
    start(world, &id).unwrap();
    id
}

fn start(world: &mut World, id: &ContainerId) -> Result<Done, Failure> {
    world.perform(&Step::Start { container: id.clone() })
}

fn stop(world: &mut World, id: &ContainerId, grace: u64) {
    let grace = Duration::from_secs(grace);
    world.perform(&Step::Stop { container: id.clone(), grace }).unwrap();
}

fn id(world: &World, name: &str) -> ContainerId {
    world.find(name).unwrap().id.clone()
}

fn at<'a>(world: &'a World, id: &ContainerId) -> &'a Container {
    &world.containers[id]
}

fn policy(name: &str) -> Field {
    ("HostConfig.RestartPolicy.Name", Value::text(name))
}

fn labels(labels: &[(&str, &str)]) -> Field {
    let labels = labels.iter().map(|(name, value)| (*name, Value::text(*value)));
    ("Config.Labels", Value::map(labels))
}

fn checked() -> Field {
    ("Config.Healthcheck.Test", Value::texts(["CMD", "ready"]))
}

/// Returns what was told since the last time, as `action` or `network action`.
fn told(world: &World, since: &mut u64) -> Vec<String> {
    let new: Vec<_> = world.events().filter(|event| event.number > *since).collect();
    *since = new.last().map_or(*since, |event| event.number);
    let text = |event: &&super::Event| match event.kind {
        super::Kind::Container => event.action.clone(),
        super::Kind::Network | super::Kind::Volume | super::Kind::Image => {
            format!("{} {}", event.kind.as_str(), event.action)
        }
    };
    new.iter().map(text).collect()
}
