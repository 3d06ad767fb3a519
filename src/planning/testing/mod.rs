//! What tests of planning need: a stack from text, and a loop around a simulated engine.
//!
//! [`drive`] looks, learns, plans and performs until nothing is left to do.

pub(crate) mod chaos;
pub(crate) mod drive;
pub(crate) mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::compose::load::{Request, load};
use crate::engine::sim::World;
use crate::planning::target::target;
use crate::state::desired::Desired;
use crate::state::digest::DigestKey;
use crate::state::document::Document;
use crate::state::ids::ServiceName;
use crate::state::observed::Container;

pub(crate) use crate::engine::sim::Software;
pub(crate) use drive::{Drive, Kill};

/// What tests do with containers of a simulated engine, by name.
pub(crate) trait Named {
    /// Returns a container.
    fn named(&self, name: &str) -> &Container;

    /// Returns a container, to be changed behind the planner's back.
    fn named_mut(&mut self, name: &str) -> &mut Container;
}

impl Named for World {
    fn named(&self, name: &str) -> &Container {
        self.find(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.names()))
    }

    fn named_mut(&mut self, name: &str) -> &mut Container {
        let id = self.named(name).id.clone();
        self.containers.get_mut(&id).unwrap()
    }
}

/// Loads a stack of the project `demo`.
pub(crate) fn desired(yaml: &str) -> Desired {
    desired_with(yaml, &[])
}

/// As [`desired`], with variables.
pub(crate) fn desired_with(yaml: &str, variables: &[(&str, &str)]) -> Desired {
    desired_by(DigestKey::new([7; 32]), yaml, variables)
}

/// As [`desired_with`], on a host with another digest key.
pub(crate) fn desired_by(
    digest_key: DigestKey,
    yaml: &str,
    variables: &[(&str, &str)],
) -> Desired {
    let place = PathBuf::from("/srv/demo/compose.yaml");
    let request = Request {
        files: vec![place.clone()],
        env_files: Vec::new(),
        project: Some("demo".to_owned()),
        profiles: BTreeSet::new(),
        environment: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        digest_key,
        checkout: None,
    };
    let files = BTreeMap::from([(place, yaml.as_bytes().to_vec())]);
    let loaded = load(&request, &files);
    let problems: Vec<String> =
        loaded.problems.iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
    loaded.desired.unwrap_or_else(|| panic!("{problems:#?}\n{yaml}"))
}

/// Returns the fields that a container of this service should have.
pub(crate) fn target_document(service: &str) -> Document {
    let yaml = format!(
        "services: {{a: {{image: x, {service}}}}}\n\
         networks: {{n: {{ipam: {{config: [{{subnet: 10.1.0.0/24}}]}}}}}}\n\
         volumes: {{data: {{}}}}"
    );
    let desired = desired(&yaml);
    let facts = World::default().observe(&desired).facts;
    let service = &desired.services[&ServiceName::new("a")];
    target(&desired, service, 1, &facts, &BTreeMap::new()).document
}
