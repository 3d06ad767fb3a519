//! What the engine makes of a request to create a container.

use std::collections::BTreeMap;

use super::defaults::{networks, origin, read_back};
use super::limits;
use super::perform::name_in_use;
use super::refusal::{Refusal, conflict, missing, senseless};
use super::software::Software;
use super::world::World;
use crate::state::document::Document;
use crate::state::ids::{ContainerId, ContainerName, VolumeName};
use crate::state::observed::{Container, ContainerState, Status, is_anonymous};
use crate::state::value::Value;

impl World {
    pub(super) fn create(
        &mut self,
        name: &ContainerName,
        asked: &Document,
    ) -> Result<(), Refusal> {
        if let Some(holder) = self.is_taken(name) {
            return Err(conflict(&name_in_use(name, holder)));
        }
        let reference = asked.get("Config.Image").as_text().unwrap_or_default();
        let Some(image) = self.image(reference).cloned() else {
            return Err(missing(&format!("No such image: {reference}")));
        };
        let facts = self.facts();
        limits::validate(asked, facts.cpus)?;
        Software::of_labels(asked).map_err(|words| senseless(&words))?;
        let container = Container {
            id: ContainerId::new(format!("{:08}{:056}", self.number(), 0)),
            name: name.clone(),
            image: image.id.clone(),
            origin: origin(asked),
            document: Document::default(),
            attached: networks(asked).into_iter().map(|name| (name, "".into())).collect(),
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
            address: None,
            anonymous: BTreeMap::new(),
        };
        let mut document = read_back(&container, asked, &image, &facts);
        for (pointer, value) in &self.reads_back {
            document.set(pointer, value.clone());
        }
        self.make_volumes(&document);
        let anonymous = self.anonymous_volumes(&document);
        let id = container.id.clone();
        self.containers
            .insert(id.clone(), Container { document, anonymous, ..container });
        self.life(&id);
        self.tell(&id, "create", &[]);
        Ok(())
    }

    /// Returns the volumes without a name of their own, by path: those that are given, and
    /// new ones where the image or the request asks for a volume and gives none.
    fn anonymous_volumes(&mut self, document: &Document) -> BTreeMap<String, VolumeName> {
        let mounts = document.get("HostConfig.Mounts").as_map().cloned();
        let mounts = mounts.unwrap_or_default();
        let mut volumes = BTreeMap::new();
        for (path, mount) in &mounts {
            let source = mount.get("Source").as_text().unwrap_or_default();
            let is_volume = mount.get("Type").as_text() == Some("volume");
            if is_volume && (source.is_empty() || is_anonymous(source)) {
                volumes.insert(path.clone(), VolumeName::new(source));
            }
        }
        // The labels were read before.
        let software = Software::of_labels(document).unwrap_or_default();
        for path in software.volumes {
            if !mounts.contains_key(&path) {
                volumes.insert(path, VolumeName::default());
            }
        }
        for name in volumes.values_mut().filter(|name| name.as_str().is_empty()) {
            *name = VolumeName::new(format!("{:064x}", self.number()));
            let local = [("Driver", Value::text("local"))].into_iter().collect();
            self.create_volume(name, local);
        }
        volumes
    }

    /// A named volume that is not there is made with the container.
    fn make_volumes(&mut self, document: &Document) {
        let mounts = document.get("HostConfig.Mounts");
        let is_volume = |mount: &&Value| mount.get("Type").as_text() == Some("volume");
        let named = mounts.entries().map(|(_, mount)| mount).filter(is_volume);
        let named = named.filter_map(|mount| mount.get("Source").as_text());
        let named: Vec<VolumeName> = named.map(VolumeName::new).collect();
        for name in named.iter().filter(|name| !name.as_str().is_empty()) {
            if !self.volumes.contains_key(name) {
                let local = [("Driver", Value::text("local"))].into_iter().collect();
                self.create_volume(name, local);
            }
        }
    }
}
