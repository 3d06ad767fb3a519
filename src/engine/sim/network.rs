//! Networks, and what containers have on them: endpoints, addresses and ports.

use std::collections::BTreeMap;

use super::defaults::{self, ENDPOINTS};
use super::event::Kind;
use super::lifecycle::runs;
use super::refusal::{Refusal, conflict, missing};
use super::world::World;
use crate::state::document::Document;
use crate::state::ids::{ContainerId, NetworkId, NetworkName};
use crate::state::observed::{Container, Network};
use crate::state::value::{Map, Value};

type Attached = BTreeMap<NetworkName, NetworkId>;

impl World {
    pub(super) fn create_network(
        &mut self,
        name: &NetworkName,
        document: &Document,
    ) -> Result<(), Refusal> {
        if self.network(name).is_some() {
            return Err(conflict(&format!("network with name {name} already exists")));
        }
        let number = self.number();
        let id = NetworkId::new(format!("network-{number}"));
        let document = defaults::network(document, number);
        self.networks.insert(name.clone(), Network { id: id.clone(), document });
        self.tell_of(Kind::Network, id.as_str(), "create");
        Ok(())
    }

    pub(super) fn remove_network(&mut self, id: &NetworkId) -> Result<(), Refusal> {
        let Some((name, _)) = self.networks.iter().find(|(_, it)| it.id == *id) else {
            return Ok(());
        };
        let name = name.clone();
        let uses = |it: &Container| it.attached.values().any(|used| used == id);
        if self.containers.values().any(|it| uses(it) && runs(it)) {
            let words = "error while removing network: network";
            return Err(conflict(&format!(
                "{words} {name} id {id} has active endpoints"
            )));
        }
        self.networks.remove(&name);
        self.tell_of(Kind::Network, id.as_str(), "destroy");
        Ok(())
    }

    pub(super) fn connect(
        &mut self,
        id: &ContainerId,
        name: &NetworkName,
        endpoint: &Value,
    ) -> Result<(), Refusal> {
        let Some(network) = self.network(name) else {
            return Err(missing(&format!("network {name} not found")));
        };
        let container = self.container(id)?;
        if container.attached.get(name) == Some(&network) {
            return Ok(());
        }
        let is_running = runs(container);
        if is_running && self.is_address_taken(id, name, endpoint) {
            return Err(conflict("Address already in use"));
        }
        if let Some(container) = self.containers.get_mut(id) {
            // One that does not run knows the network by its name until it is started.
            let known = if is_running { network.clone() } else { NetworkId::default() };
            container.attached.insert(name.clone(), known);
            container.document.extend(ENDPOINTS, [(name.to_string(), endpoint.clone())]);
        }
        if is_running {
            self.tell_endpoint(id, &network, "connect");
        }
        Ok(())
    }

    /// Detaches a container from a network that has this id, or that it knows by it.
    pub(super) fn disconnect(&mut self, id: &ContainerId, network: &NetworkId) {
        let made = self.networks.iter().map(|(name, it)| (name.clone(), it.id.clone()));
        let built_in = defaults::built_in().map(|(name, it)| (name, it.id));
        let called = made.chain(built_in).find(|(_, id)| id == network);
        let called = called.map(|(name, _)| name);
        let Some(container) = self.containers.get_mut(id) else { return };
        let known = container.attached.iter().find(|(name, it)| {
            *it == network || it.as_str().is_empty() && Some(*name) == called.as_ref()
        });
        let Some(name) = known.map(|(name, _)| name.clone()) else { return };
        container.attached.remove(&name);
        let mut endpoints: Map =
            container.document.get(ENDPOINTS).as_map().cloned().unwrap_or_default();
        endpoints.remove(name.as_str());
        let is_alone = endpoints.is_empty();
        let endpoints = if is_alone { Value::Null } else { Value::Map(endpoints) };
        container.document.set(ENDPOINTS, endpoints);
        let is_running = runs(container);
        self.tell_endpoint(id, network, "disconnect");
        if is_running && called.is_some() {
            // Measured: the endpoint goes, and then the container leaves the network.
            self.tell_endpoint(id, network, "disconnect");
        }
    }

    /// Returns the networks that a container is about to be started on.
    pub(super) fn join(&mut self, id: &ContainerId) -> Result<Attached, Refusal> {
        let container = self.container(id)?;
        let mut attached = Attached::new();
        for (name, known) in &container.attached {
            match self.network(name) {
                Some(there) if known.as_str().is_empty() || *known == there => {
                    attached.insert(name.clone(), there);
                }
                Some(_) | None => {
                    let lost = if known.as_str().is_empty() {
                        name.as_str()
                    } else {
                        known.as_str()
                    };
                    return Err(missing(&format!("network {lost} not found")));
                }
            }
            let endpoint = container.document.get(ENDPOINTS).get(name.as_str());
            if self.is_address_taken(id, name, endpoint) {
                return Err(conflict("Address already in use"));
            }
        }
        if let Err(refusal) = self.ports_are_free(container) {
            // Measured: ports come last, and only the way back is told.
            for network in attached.values() {
                self.tell_endpoint(id, network, "disconnect");
            }
            return Err(refusal);
        }
        Ok(attached)
    }

    /// A static address is taken when another container that runs has it.
    fn is_address_taken(
        &self,
        id: &ContainerId,
        name: &NetworkName,
        endpoint: &Value,
    ) -> bool {
        let address = |endpoint: &Value| endpoint.at("IPAMConfig.IPv4Address").clone();
        let wanted = address(endpoint);
        let others = self.containers.values().filter(|it| it.id != *id && runs(it));
        let mut theirs =
            others.map(|it| address(it.document.get(ENDPOINTS).get(name.as_str())));
        !wanted.is_zero() && theirs.any(|address| address == wanted)
    }

    fn ports_are_free(&self, container: &Container) -> Result<(), Refusal> {
        let wanted = places(container);
        let others =
            self.containers.values().filter(|it| it.id != container.id && runs(it));
        let taken: Vec<Place<'_>> = others.flat_map(places).collect();
        let Some(place) =
            wanted.iter().find(|it| taken.iter().any(|other| clash(it, other)))
        else {
            return Ok(());
        };
        let ip = if place.ip.is_empty() { "0.0.0.0" } else { place.ip };
        // An endpoint has an id, which nobody needs to know again.
        let endpoint = container.id.as_str().replace('0', "e");
        Err(conflict(&format!(
            "driver failed programming external connectivity on endpoint {} ({endpoint}): \
             Bind for {ip}:{} failed: port is already allocated",
            container.name, place.port
        )))
    }
}

/// A port of the host.
struct Place<'a> {
    protocol: &'a str,
    ip: &'a str,
    port: &'a str,
}

fn places(container: &Container) -> Vec<Place<'_>> {
    let bindings = container.document.get("HostConfig.PortBindings");
    let places = bindings.entries().flat_map(|(port, places)| {
        let protocol = port.split_once('/').map_or("tcp", |(_, protocol)| protocol);
        places.items().iter().filter_map(Value::as_text).map(move |place| {
            let (ip, port) = place.rsplit_once(':').unwrap_or(("", place));
            Place { protocol, ip, port }
        })
    });
    // Without a number the engine chooses one that is free.
    places.filter(|place| !place.port.is_empty() && !place.port.contains('-')).collect()
}

fn clash(one: &Place<'_>, other: &Place<'_>) -> bool {
    let same_ip = one.ip == other.ip || one.ip.is_empty() || other.ip.is_empty();
    same_ip && one.port == other.port && one.protocol == other.protocol
}
