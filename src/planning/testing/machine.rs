//! An engine in memory: what a step does to the world, as far as planning can see it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use crate::compose::attribute;
use crate::compose::attribute::field::{Asked, Default as Unless};
use crate::compose::attribute::form;
use crate::state::desired::Desired;
use crate::state::document::Document;
use crate::state::ids::{
    ContainerId, ContainerName, ImageId, NetworkId, NetworkName, ProjectName, Replica,
    ServiceName, VolumeName,
};
use crate::state::observed::{
    Container, ContainerState, EngineFacts, Health, Image, Network, Observed, Origin,
    Status, Volume, labels,
};
use crate::state::step::{Done, Failure, FailureKind, Step};
use crate::state::time::{EngineTime, Moment, Now};
use crate::state::value::{Map, Value};

/// The engine, and how the software on it behaves.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) containers: BTreeMap<ContainerId, Container>,
    pub(crate) strangers: BTreeMap<ContainerName, Option<ProjectName>>,
    pub(crate) networks: BTreeMap<NetworkName, Network>,
    pub(crate) volumes: BTreeMap<VolumeName, Volume>,
    /// The local images.
    pub(crate) images: BTreeMap<String, Image>,
    /// What a pull of a reference brings; any other is version 1.
    pub(crate) registry: BTreeMap<String, Image>,
    /// What each service's software does; it runs and is well unless told.
    pub(crate) software: BTreeMap<ServiceName, Software>,
    /// Containers whose health command fails although that of others passes.
    pub(crate) sick: BTreeSet<ContainerId>,
    /// A verb that fails until it is taken out again.
    pub(crate) failing: BTreeSet<&'static str>,
    /// What the engine makes of a field: it reads back as this, whatever was asked for.
    pub(crate) reads_back: BTreeMap<&'static str, Value>,
    /// Starts whose health command has passed.
    pub(crate) passed: BTreeSet<(ContainerId, EngineTime)>,
    /// How long it has been running.
    pub(crate) clock: Duration,
    made: u64,
}

/// What the software of a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    /// It runs, and its health command fails.
    Sick,
    /// It ends at once with this code.
    Ends(i64),
}

/// Makes an image; a version makes another id.
pub(crate) fn image(reference: &str, version: u32) -> Image {
    let digits = crate::state::digest::hexadecimal(
        format!("{version:02}{reference:x<30}").as_bytes(),
    );
    let environment = Value::map([("PATH", Value::text("/bin"))]);
    Image {
        id: ImageId::new(format!("sha256:{digits:.64}")),
        config: [("Config.Cmd", Value::texts(["serve"])), ("Config.Env", environment)]
            .into_iter()
            .collect(),
    }
}

fn fails(kind: FailureKind, message: &str) -> Result<Done, Failure> {
    Err(Failure { kind, message: message.to_owned() })
}

impl Machine {
    pub(crate) fn now(&self) -> Now {
        Now { moment: Moment(self.clock), engine: self.time() }
    }

    pub(crate) fn time(&self) -> EngineTime {
        let start: EngineTime = "2026-01-01T00:00:00Z".parse().unwrap();
        start.checked_add(self.clock).unwrap()
    }

    /// Lets time pass; health checks have their say half a minute after a start.
    pub(crate) fn advance(&mut self, time: Duration) {
        self.clock += time;
        let now = self.now();
        for container in self.containers.values_mut() {
            let running = container.state.status == Status::Running;
            let age = container.state.started.map_or(Duration::ZERO, |it| now.age(it));
            if running && container.state.health.is_some() && age.as_secs() >= 30 {
                let software = software_of(&self.software, container);
                let sick =
                    software == Some(Software::Sick) || self.sick.contains(&container.id);
                container.state.health =
                    Some(if sick { Health::Unhealthy } else { Health::Healthy });
            }
        }
    }

    pub(crate) fn facts(&self) -> EngineFacts {
        EngineFacts {
            id: "engine".to_owned(),
            version: "20.10.24".to_owned(),
            api: (1, 41),
            cpus: 4,
            cgroup_version: 2,
            log_driver: "json-file".to_owned(),
            runtime: "runc".to_owned(),
            time: self.time(),
        }
    }

    /// Looks at everything.
    pub(crate) fn observe(&self, desired: &Desired) -> Observed {
        let asked = desired.services.values().map(|it| it.image.to_string());
        let used = self.containers.values().map(|it| it.image.to_string());
        let find = |name: &str| {
            let by_id = || self.images.values().find(|it| it.id.as_str() == name);
            self.images.get(name).or_else(by_id).cloned()
        };
        Observed {
            facts: self.facts(),
            containers: self.containers.clone(),
            strangers: self.strangers.clone(),
            networks: self.networks.clone(),
            volumes: self.volumes.clone(),
            images: asked.chain(used).map(|name| (name.clone(), find(&name))).collect(),
        }
    }

    /// Returns a container by name.
    pub(crate) fn named(&self, name: &str) -> &Container {
        let found = self.containers.values().find(|it| it.name.as_str() == name);
        found.unwrap_or_else(|| panic!("no {name} in {:?}", self.names()))
    }

    /// As [`Machine::named`], to be changed behind the planner's back.
    pub(crate) fn named_mut(&mut self, name: &str) -> &mut Container {
        let id = self.named(name).id.clone();
        self.containers.get_mut(&id).unwrap()
    }

    /// Returns every container with its state, by name.
    pub(crate) fn names(&self) -> BTreeMap<String, &'static str> {
        let names = self.containers.values();
        names.map(|it| (it.name.to_string(), it.state.status.as_str())).collect()
    }

    /// Ends a container with a code, as if it had died.
    pub(crate) fn end(&mut self, name: &str, code: i64) {
        let time = self.time();
        let container = self.named_mut(name);
        finish(container, code, time);
    }

    /// Performs a step.
    #[expect(clippy::too_many_lines, reason = "one arm per kind of step")]
    pub(crate) fn perform(&mut self, step: &Step) -> Result<Done, Failure> {
        self.clock += Duration::from_millis(1);
        if self.failing.contains(step.verb()) {
            return fails(FailureKind::Failed, "the engine is out of sorts");
        }
        match step {
            Step::Pull { image: reference, .. } => {
                let name = reference.to_string();
                let pulled = self.registry.get(&name).cloned();
                self.images
                    .insert(name.clone(), pulled.unwrap_or_else(|| image(&name, 1)));
            }
            Step::CreateNetwork { name, document } => {
                let id = NetworkId::new(format!("network-{}", self.number()));
                let document = document.clone();
                self.networks.insert(name.clone(), Network { id, document });
            }
            Step::RemoveNetwork { id } => {
                let used = |it: &Container| it.attached.values().any(|used| used == id);
                if self.containers.values().any(|it| used(it) && runs(it)) {
                    return fails(FailureKind::Refused, "network has active endpoints");
                }
                self.networks.retain(|_, network| network.id != *id);
            }
            Step::CreateVolume { name, document } => {
                let volume = Volume { document: document.clone() };
                self.volumes.entry(name.clone()).or_insert(volume);
            }
            Step::Create { name, document, .. } => return self.create(name, document),
            Step::CopyIn { container, .. } => return self.with(container, |_| {}),
            Step::Connect { container, network, endpoint } => {
                return self.connect(container, network, endpoint);
            }
            Step::Disconnect { container, network } => {
                return self.with(container, |it| disconnect(it, network));
            }
            Step::Update { container, document } => {
                let fixed = self.reads_back.clone();
                return self.with(container, |it| update(it, document, &fixed));
            }
            Step::Rename { container, to } => {
                if self.is_taken(to) {
                    return fails(FailureKind::Conflict, "the name is in use");
                }
                return self.with(container, |it| it.name = to.clone());
            }
            Step::Start { container } => return self.start(container),
            Step::Unpause { container } => {
                return self.with(container, |it| it.state.status = Status::Running);
            }
            Step::Stop { container, .. } => {
                let time = self.time();
                return self.with(container, |it| finish(it, 0, time));
            }
            Step::Remove { container } => {
                if self.containers.get(container).is_some_and(runs) {
                    return fails(FailureKind::Conflict, "the container runs");
                }
                self.containers.remove(container);
            }
            Step::Probe { container, .. } => return self.probe(container),
        }
        Ok(Done::Done)
    }

    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn is_taken(&self, name: &ContainerName) -> bool {
        self.strangers.contains_key(name)
            || self.containers.values().any(|it| it.name == *name)
    }

    fn with(
        &mut self,
        id: &ContainerId,
        change: impl FnOnce(&mut Container),
    ) -> Result<Done, Failure> {
        let Some(container) = self.containers.get_mut(id) else {
            return fails(FailureKind::NotFound, "no such container");
        };
        change(container);
        Ok(Done::Done)
    }

    fn create(
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
                | Unless::EngineEntries(_)
                | Unless::Any
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

    fn connect(
        &mut self,
        id: &ContainerId,
        network: &NetworkName,
        endpoint: &Value,
    ) -> Result<Done, Failure> {
        let Some(there) = self.networks.get(network).map(|it| it.id.clone()) else {
            return fails(FailureKind::NotFound, "no such network");
        };
        self.with(id, |it| {
            it.attached.insert(network.clone(), there);
            let entry = [(network.to_string(), endpoint.clone())];
            it.document.extend("NetworkingConfig.EndpointsConfig", entry);
        })
    }

    fn start(&mut self, id: &ContainerId) -> Result<Done, Failure> {
        let Some(container) = self.containers.get(id) else {
            return fails(FailureKind::NotFound, "no such container");
        };
        if runs(container) {
            return Ok(Done::Done);
        }
        let ports = |it: &Container| it.document.get("HostConfig.PortBindings").clone();
        let wanted: Vec<Value> = places(&ports(container));
        let taken =
            |it: &Container| places(&ports(it)).iter().any(|it| wanted.contains(it));
        if self.containers.values().any(|it| runs(it) && taken(it)) {
            return fails(FailureKind::Failed, "port is already allocated");
        }
        let mut attached = BTreeMap::new();
        for (name, known) in &container.attached {
            match self.networks.get(name) {
                Some(network) if known.as_str().is_empty() || *known == network.id => {
                    attached.insert(name.clone(), network.id.clone());
                }
                Some(_) | None => {
                    return fails(FailureKind::NotFound, "network not found");
                }
            }
        }
        let (time, software) = (self.time(), software_of(&self.software, container));
        self.with(id, |it| {
            it.attached = attached;
            it.state.status = Status::Running;
            it.state.started = Some(time);
            let test = it.document.get("Config.Healthcheck.Test");
            let checked = !matches!(test.items(), [] | [Value::Text(_)]);
            it.state.health = checked.then_some(Health::Starting);
            if let Some(Software::Ends(code)) = software {
                finish(it, code, time);
            }
        })
    }

    fn probe(&mut self, id: &ContainerId) -> Result<Done, Failure> {
        let Some(container) = self.containers.get(id).filter(|it| runs(it)) else {
            return fails(FailureKind::Conflict, "the container does not run");
        };
        let sick = software_of(&self.software, container) == Some(Software::Sick)
            || self.sick.contains(id);
        if !sick && let Some(started) = container.state.started {
            self.passed.insert((id.clone(), started));
        }
        Ok(Done::Probed { exit_code: i64::from(sick) })
    }
}

/// Tells whether a container runs.
pub(crate) fn runs(container: &Container) -> bool {
    super::super::office::is_running(container)
}

fn software_of(
    all: &BTreeMap<ServiceName, Software>,
    container: &Container,
) -> Option<Software> {
    all.get(&container.origin.replica.as_ref()?.service).copied()
}

fn places(bindings: &Value) -> Vec<Value> {
    bindings.entries().flat_map(|(_, places)| places.items().to_vec()).collect()
}

fn finish(container: &mut Container, code: i64, time: EngineTime) {
    container.state.status = Status::Exited;
    container.state.health = None;
    container.state.exit_code = code;
    container.state.finished = Some(time);
}

fn disconnect(container: &mut Container, network: &NetworkId) {
    let left = |id: &NetworkId| id == network;
    let names: Vec<NetworkName> = container
        .attached
        .iter()
        .filter(|(_, id)| left(id))
        .map(|(name, _)| name.clone())
        .collect();
    for name in names {
        container.attached.remove(&name);
        let endpoints = container.document.get("NetworkingConfig.EndpointsConfig");
        let mut endpoints: Map = endpoints.as_map().cloned().unwrap_or_default();
        endpoints.remove(name.as_str());
        let endpoints = Value::Map(endpoints);
        container.document.set("NetworkingConfig.EndpointsConfig", endpoints);
    }
}

fn update(
    container: &mut Container,
    document: &Document,
    fixed: &BTreeMap<&'static str, Value>,
) {
    let policy = "HostConfig.RestartPolicy.Name";
    if !document.get(policy).is_null() {
        container.document.set("HostConfig.RestartPolicy.MaximumRetryCount", Value::Null);
    }
    for (pointer, value) in document.iter() {
        let value = fixed.get(pointer).unwrap_or(value);
        container.document.set(pointer, value.clone());
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
