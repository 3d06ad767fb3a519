//! The engine in memory: what it has, and how time passes on it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::defaults::built_in;
use super::event::{self, Event, Events, Kind};
use super::faults::Faults;
use super::lifecycle::Life;
use super::software::Software;
use crate::engine::{EngineError, Scope};
use crate::state::desired::Desired;
use crate::state::document::Pointer;
use crate::state::ids::{
    ContainerId, ContainerName, NetworkId, NetworkName, ServiceName, VolumeName,
};
use crate::state::observed::{
    Container, EngineFacts, HostPath, Image, Network, Observed, Volume, labels,
};
use crate::state::time::{EngineTime, Moment, Now};
use crate::state::value::Value;

/// The version that a simulated engine gives itself: that of the engine whose behaviour
/// was measured, and that it is none.
const VERSION: &str = "20.10.24-simulated";

/// An engine in memory. It does nothing by itself: time passes when it is told so.
///
/// The same calls at the same times give the same world.
#[derive(Clone, Debug)]
pub struct World {
    /// The containers, of every project.
    pub containers: BTreeMap<ContainerId, Container>,
    /// The networks that were made, by name.
    pub networks: BTreeMap<NetworkName, Network>,
    /// The volumes, by name.
    pub volumes: BTreeMap<VolumeName, Volume>,
    /// The local images, by reference.
    pub images: BTreeMap<String, Image>,
    /// What a pull of a reference brings; see [`Supply`] for all others.
    pub registry: BTreeMap<String, Supply>,
    /// What the software of each service does, in place of what its labels say.
    pub software: BTreeMap<ServiceName, Software>,
    /// What software does by the variable `LEVEL` of its container, in place of what its
    /// labels say: one version works and another does not.
    pub levels: BTreeMap<String, Software>,
    /// Containers whose health command fails although that of others passes.
    pub sick: BTreeSet<ContainerId>,
    /// Containers whose health command passes although that of others fails.
    pub wells: BTreeSet<ContainerId>,
    /// What the engine makes of a field: it reads back as this, whatever was asked for.
    pub reads_back: BTreeMap<Pointer, Value>,
    /// What its host has at the paths that stacks mount.
    pub host_paths: BTreeMap<String, Option<HostPath>>,
    /// What goes wrong with calls and looks.
    pub faults: Faults,
    /// What only the engine knows of its containers.
    pub(super) lives: BTreeMap<ContainerId, Life>,
    pub(super) events: Events,
    /// How often the engine was started again.
    pub(super) boots: u64,
    /// How many things were made.
    pub(super) made: u64,
    /// Earlier looks, for those that are stale.
    pub(super) looks: VecDeque<Observed>,
    pub(super) id: String,
    pub(super) start: EngineTime,
    /// How much time has passed since its start.
    pub(super) clock: Duration,
}

/// What a registry has under a reference. Unless told, it has the first version of every
/// image, but for those whose name contains `missing`, and a pull takes no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply {
    /// The image; nothing when the registry lacks it.
    pub image: Option<Image>,
    /// How long the pull takes.
    pub takes: Duration,
}

impl From<Image> for Supply {
    fn from(image: Image) -> Self {
        Self { image: Some(image), takes: Duration::ZERO }
    }
}

impl Default for World {
    /// Returns an empty engine that was started at a fixed time.
    fn default() -> Self {
        Self::new(
            "simulated",
            EngineTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600),
        )
    }
}

impl World {
    /// Returns an empty engine with an identity, started at this time.
    pub fn new(id: &str, start: EngineTime) -> Self {
        Self {
            containers: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            images: BTreeMap::new(),
            registry: BTreeMap::new(),
            software: BTreeMap::new(),
            levels: BTreeMap::new(),
            sick: BTreeSet::new(),
            wells: BTreeSet::new(),
            reads_back: BTreeMap::new(),
            host_paths: BTreeMap::new(),
            faults: Faults::default(),
            lives: BTreeMap::new(),
            events: Events::default(),
            boots: 0,
            made: 0,
            looks: VecDeque::new(),
            id: id.to_owned(),
            start,
            clock: Duration::ZERO,
        }
    }

    /// Returns how much time has passed since it was made.
    pub const fn uptime(&self) -> Duration {
        self.clock
    }

    /// Returns its time by both clocks; ours begins with it.
    pub fn now(&self) -> Now {
        Now { moment: Moment(self.clock), engine: self.time() }
    }

    /// Returns what its clock says.
    pub fn time(&self) -> EngineTime {
        self.start.checked_add(self.clock).unwrap_or(EngineTime::MAX)
    }

    /// Lets time pass, and everything happen that is due.
    pub fn advance(&mut self, time: Duration) {
        self.advance_to(self.clock.saturating_add(time));
    }

    /// Lets time pass until so much has passed since it was made.
    pub fn advance_to(&mut self, uptime: Duration) {
        while let Some((at, id, due)) = self.next_due().filter(|(at, ..)| *at <= uptime) {
            self.clock = self.clock.max(at);
            self.happen(&id, due);
        }
        self.clock = self.clock.max(uptime);
    }

    /// Returns the uptime at which something will happen by itself; nothing when nothing
    /// will.
    pub fn due(&self) -> Option<Duration> {
        self.next_due().map(|(at, ..)| at)
    }

    /// Returns what the engine says of itself.
    pub fn facts(&self) -> EngineFacts {
        EngineFacts {
            id: self.id.clone(),
            version: VERSION.to_owned(),
            api: (1, 41),
            cpus: 4,
            cgroup_version: 2,
            log_driver: "json-file".to_owned(),
            runtime: "runc".to_owned(),
            time: self.time(),
        }
    }

    /// Looks at everything that concerns a stack.
    ///
    /// # Panics
    /// Never; a look that a fault lets fail is tried again.
    pub fn observe(&self, desired: &Desired) -> Observed {
        self.snapshot(&Scope::of(desired))
    }

    /// As [`crate::engine::Engine::look`].
    ///
    /// # Errors
    /// A fault lets it fail.
    pub fn look(&mut self, scope: &Scope) -> Result<Observed, EngineError> {
        let fresh = self.snapshot(scope);
        self.faulty_look(fresh)
    }

    /// As [`crate::engine::Engine::look_again`]: an inspection is made anew where the list
    /// shows another name or state, or where it was asked for.
    ///
    /// # Errors
    /// A fault lets it fail.
    pub fn look_again(
        &mut self,
        scope: &Scope,
        last: &Observed,
        anew: &BTreeSet<ContainerId>,
    ) -> Result<Observed, EngineError> {
        let mut observed = self.look(scope)?;
        observed.facts = last.facts.clone();
        for (id, container) in &mut observed.containers {
            let known = last.containers.get(id).filter(|_| !anew.contains(id));
            let agrees = |known: &&Container| {
                known.name == container.name
                    && known.state.status == container.state.status
            };
            if let Some(known) = known.filter(agrees) {
                *container = known.clone();
            }
        }
        Ok(observed)
    }

    fn snapshot(&self, scope: &Scope) -> Observed {
        let is_ours =
            |container: &Container| project(container) == Some(scope.project.as_str());
        let mut networks = self.networks.clone();
        networks.extend(built_in());
        let mut containers = BTreeMap::new();
        let mut strangers = BTreeMap::new();
        let mut guests: BTreeMap<NetworkId, BTreeSet<ContainerName>> = BTreeMap::new();
        for container in self.containers.values() {
            if is_ours(container) {
                let mut container = container.clone();
                name_the_networks(&mut container, &networks);
                containers.insert(container.id.clone(), container);
            } else {
                let mut container = container.clone();
                name_the_networks(&mut container, &networks);
                for network in container.attached.values() {
                    let guests = guests.entry(network.clone()).or_default();
                    guests.insert(container.name.clone());
                }
                let project = project(&container).map(Into::into);
                strangers.insert(container.name.clone(), project);
            }
        }
        let asked = scope.images.iter().map(ToString::to_string);
        let used: Vec<String> =
            containers.values().map(|it| it.image.to_string()).collect();
        let images = asked.chain(used);
        Observed {
            facts: self.facts(),
            images: images
                .map(|name| (name.clone(), self.image(&name).cloned()))
                .collect(),
            containers,
            strangers,
            networks,
            volumes: self.volumes.clone(),
            guests,
            host_paths: self.host_paths.clone(),
        }
    }

    /// Returns a local image by reference or id.
    pub(super) fn image(&self, name: &str) -> Option<&Image> {
        let by_id = || self.images.values().find(|it| it.id.as_str() == name);
        self.images.get(name).or_else(by_id)
    }

    /// Returns the events that are kept, the oldest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }

    /// Returns a network by name, those among them that every engine has.
    pub(super) fn network(&self, name: &NetworkName) -> Option<NetworkId> {
        let made = self.networks.get(name).map(|it| it.id.clone());
        made.or_else(|| built_in().find(|(it, _)| it == name).map(|(_, it)| it.id))
    }

    pub(super) fn is_taken(&self, name: &ContainerName) -> Option<&ContainerId> {
        self.containers.values().find(|it| it.name == *name).map(|it| &it.id)
    }

    pub(super) const fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    pub(super) fn life(&mut self, id: &ContainerId) -> &mut Life {
        self.lives.entry(id.clone()).or_default()
    }

    /// Tells of something that happened to a container.
    pub(super) fn tell(
        &mut self,
        id: &ContainerId,
        action: &str,
        more: &[(&str, String)],
    ) {
        let Some(container) = self.containers.get(id) else { return };
        let mut event = event::of_container(self.time(), container, action);
        event
            .attributes
            .extend(more.iter().map(|(key, it)| ((*key).to_owned(), it.clone())));
        self.events.add(event);
    }

    /// Tells of something that happened to anything else.
    pub(super) fn tell_of(&mut self, kind: Kind, id: &str, action: &str) {
        self.events.add(event::of(self.time(), kind, id, action));
    }

    /// Tells that a container was attached to a network or detached from it.
    pub(super) fn tell_endpoint(
        &mut self,
        id: &ContainerId,
        network: &NetworkId,
        action: &str,
    ) {
        let mut event = event::of(self.time(), Kind::Network, network.as_str(), action);
        event.attributes.insert("container".to_owned(), id.to_string());
        self.events.add(event);
    }
}

/// Returns the Compose project that the labels of a container name.
pub(super) fn project(container: &Container) -> Option<&str> {
    container.document.get("Config.Labels").get(labels::PROJECT).as_text()
}

/// Fills in the networks that a container knows by name only: it will take those that have
/// these names when it is started.
fn name_the_networks(
    container: &mut Container,
    networks: &BTreeMap<NetworkName, Network>,
) {
    for (name, id) in &mut container.attached {
        if id.as_str().is_empty()
            && let Some(network) = networks.get(name)
        {
            *id = network.id.clone();
        }
    }
}
