//! What the engine in memory makes of a request to create a container.

use serde_json::json;

use super::machine::{Machine, fails};
use crate::compose::attribute;
use crate::compose::attribute::field::{Asked, Default as Unless};
use crate::compose::attribute::form;
use crate::state::document::Document;
use crate::state::ids::{ContainerId, ContainerName, Replica, ServiceName};
use crate::state::observed::{Container, ContainerState, Image, Origin, Status, labels};
use crate::state::step::{Done, Failure, FailureKind};
use crate::state::value::Value;

impl Machine {
    pub(super) fn create(
        &mut self,
        name: &ContainerName,
        document: &Document,
    ) -> Result<Done, Failure> {
        if self.is_taken(name) {
            return fails(FailureKind::Conflict, "the name is in use");
        }
        let reference = document.get("Config.Image").as_text().unwrap_or_default();
        let Some(image) = self.images.get(reference).cloned() else {
            return fails(FailureKind::NotFound, "no such image");
        };
        let networks = document.get("NetworkingConfig.EndpointsConfig");
        let attached = networks.entries().map(|(name, _)| (name.into(), "".into()));
        let container = Container {
            id: ContainerId::new(format!("{:08}{:056}", self.number(), 0)),
            name: name.clone(),
            image: image.id.clone(),
            origin: origin(document),
            document: Document::default(),
            attached: attached.collect(),
            created: self.time(),
            state: ContainerState {
                status: Status::Created,
                health: None,
                exit_code: 0,
                out_of_memory: false,
                error: String::new(),
                started: None,
                finished: None,
                restarts: 0,
            },
        };
        let document = self.read_back(&container, document, &image);
        let container = Container { document, ..container };
        self.containers.insert(container.id.clone(), container);
        Ok(Done::Done)
    }

    /// Sends a document through the engine's own form, and adds what nobody asked for.
    fn read_back(&self, new: &Container, asked: &Document, image: &Image) -> Document {
        let body = form::write(asked);
        let inspected = json!({
            "Config": body,
            "HostConfig": body["HostConfig"],
            "NetworkSettings": {"Networks": body["NetworkingConfig"]["EndpointsConfig"]},
        });
        let mut document = form::read(&inspected);
        let facts = self.facts();
        for (_, field) in attribute::fields() {
            let there = document.get(field.pointer);
            let of_image = image.config.get(field.pointer);
            let value = match field.default {
                Unless::ImageEntries => {
                    let mut entries = of_image.as_map().cloned().unwrap_or_default();
                    entries.extend(there.as_map().cloned().unwrap_or_default());
                    Value::Map(entries)
                }
                Unless::Image if there.is_zero() => of_image.clone(),
                Unless::Text(text) if there.is_zero() => Value::text(text),
                Unless::Computed(compute) if there.is_zero() => {
                    let image = Some(&image.config);
                    let asked =
                        Asked { document: asked, container: new, image, facts: &facts };
                    compute(&asked).unwrap_or_default()
                }
                Unless::Zero
                | Unless::Any
                | Unless::EngineEntries(_)
                | Unless::Image
                | Unless::Text(_)
                | Unless::Computed(_) => there.clone(),
            };
            if !value.is_zero() {
                document.set(field.pointer, value);
            }
        }
        for (pointer, value) in &self.reads_back {
            document.set(pointer, value.clone());
        }
        document
    }
}

fn origin(document: &Document) -> Origin {
    let label =
        |name: &str| document.get("Config.Labels").get(name).as_text().map(str::to_owned);
    let number = label(labels::NUMBER).and_then(|number| number.parse().ok());
    let replica = label(labels::SERVICE)
        .zip(number)
        .map(|(service, number)| Replica { service: ServiceName::new(service), number });
    Origin {
        replica,
        one_off: false,
        source: label(labels::SOURCE).map(|it| it.as_str().into()),
        spec: label(labels::SPEC).map(|it| it.as_str().into()),
        replaces: label(labels::REPLACES).map(|it| it.as_str().into()),
    }
}
