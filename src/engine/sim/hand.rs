//! What people do to an engine by hand, behind the reconciler's back.

use std::collections::BTreeMap;

use super::defaults::image;
use super::event::Kind;
use super::lifecycle::runs;
use super::world::World;
use crate::state::document::Document;
use crate::state::ids::{ContainerId, NetworkId, NetworkName};
use crate::state::observed::{Container, labels};
use crate::state::step::Step;
use crate::state::value::Value;

impl World {
    /// Returns a container by name.
    pub fn find(&self, name: &str) -> Option<&Container> {
        self.containers.values().find(|it| it.name.as_str() == name)
    }

    /// Returns every container with its state, by name.
    pub fn names(&self) -> BTreeMap<String, &'static str> {
        let names = self.containers.values();
        names.map(|it| (it.name.to_string(), it.state.status.as_str())).collect()
    }

    fn id(&self, name: &str) -> Option<ContainerId> {
        self.find(name).map(|it| it.id.clone())
    }

    /// Lets the process of a container end, as `docker kill` does: its restart policy
    /// leaves it alone.
    pub fn end_by_hand(&mut self, name: &str, code: i64) {
        let Some(id) = self.id(name) else { return };
        self.life(&id).by_hand = true;
        self.tell(&id, "kill", &[("signal", "9".to_owned())]);
        self.die(&id, code);
    }

    /// Lets the process of a container end by itself: its restart policy counts.
    pub fn crash(&mut self, name: &str, code: i64) {
        if let Some(id) = self.id(name)
            && self.containers.get(&id).is_some_and(runs)
        {
            self.die(&id, code);
        }
    }

    /// As `docker pause`.
    pub fn pause(&mut self, name: &str) {
        if let Some(id) = self.id(name) {
            self.freeze(&id);
        }
    }

    /// As `docker rm --force`, which leaves volumes alone.
    pub fn remove_by_force(&mut self, name: &str) {
        let Some(id) = self.id(name) else { return };
        if self.containers.get(&id).is_some_and(runs) {
            self.end_by_hand(name, 137);
        }
        self.forget(&id);
    }

    /// As `docker network disconnect`, for every network of a container.
    pub fn detach(&mut self, name: &str) {
        let Some(container) = self.find(name) else { return };
        let (id, attached) = (container.id.clone(), container.attached.clone());
        for (name, network) in attached {
            let by_name = || self.network(&name);
            let network =
                Some(network).filter(|it| !it.as_str().is_empty()).or_else(by_name);
            if let Some(network) = network {
                self.disconnect(&id, &network);
            }
        }
    }

    /// A network is removed and made again, as by `docker compose down` and `up`.
    pub fn make_network_again(&mut self, name: &str) {
        let number = self.number();
        let Some(network) = self.networks.get_mut(&NetworkName::new(name)) else {
            return;
        };
        let old = network.id.clone();
        network.id = NetworkId::new(format!("network-{number}"));
        let new = network.id.clone();
        self.tell_of(Kind::Network, old.as_str(), "destroy");
        self.tell_of(Kind::Network, new.as_str(), "create");
    }

    /// Another version of an image gets a tag, as by `docker build` or `docker pull`.
    pub fn move_tag(&mut self, reference: &str, version: u32) {
        self.images.insert(reference.to_owned(), image(reference, version));
        self.tell_of(Kind::Image, reference, "tag");
    }

    /// A container that has nothing to do with us, as by `docker run`; of a project, or of
    /// none.
    pub fn stranger(&mut self, name: &str, project: Option<&str>) {
        let reference = "stranger:1";
        self.images.entry(reference.to_owned()).or_insert_with(|| image(reference, 1));
        let mut document = Document::default();
        document.set("Config.Image", Value::text(reference));
        if let Some(project) = project {
            let label = (labels::PROJECT.to_owned(), Value::text(project));
            document.extend("Config.Labels", [label]);
        }
        // Only a name that is taken is refused, and then there is somebody by that name.
        let _created = self.create(&name.into(), &document);
        if let Some(container) = self.id(name) {
            let _started = self.perform(&Step::Start { container });
        }
    }
}
