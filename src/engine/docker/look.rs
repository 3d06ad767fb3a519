//! One snapshot: all lists at once, then the inspections, a few at a time.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::convert::{self, Listed};
use super::host_paths;
use super::images::{Images, by_reference};
use super::wire::Wire;
use crate::engine::{EngineError, Scope};
use crate::state::ids::{
    ContainerId, ContainerName, ImageId, NetworkId, NetworkName, ProjectName, VolumeName,
};
use crate::state::observed::{Container, EngineFacts, Image, Network, Observed, Volume};

/// How many inspections are under way at once.
const AT_ONCE: usize = 8;

/// What is known of the project's containers from an earlier look.
#[derive(Clone, Copy)]
pub(super) struct Earlier<'a> {
    /// The earlier look.
    pub(super) last: &'a Observed,
    /// The containers that are to be inspected whatever the list says.
    pub(super) anew: &'a BTreeSet<ContainerId>,
}

impl Earlier<'_> {
    /// Returns what is known of a container, if it can still be believed.
    fn known(&self, listed: &Listed) -> Option<&Container> {
        let container = self.last.containers.get(listed.id.as_str())?;
        (!self.anew.contains(&container.id) && listed.agrees_with(container))
            .then_some(container)
    }
}

/// The containers of the engine: those of the project, and the names of all others.
struct Containers {
    ours: BTreeMap<ContainerId, Container>,
    strangers: BTreeMap<ContainerName, Option<ProjectName>>,
    /// Who of the others is attached to what.
    endpoints: Vec<(ContainerName, NetworkName, Option<NetworkId>)>,
    /// The images of ours, by id.
    images: BTreeMap<String, Option<Image>>,
}

/// Takes a snapshot; with an earlier one, only what changed is inspected.
pub(super) async fn look(
    wire: &Wire,
    images: &Images,
    scope: &Scope,
    earlier: Option<Earlier<'_>>,
) -> Result<Observed, EngineError> {
    let references = scope.images.iter().map(ToString::to_string).collect();
    let (facts, containers, networks, volumes, mut found, host_paths) = tokio::try_join!(
        facts_since(wire, earlier),
        containers(wire, images, scope, earlier),
        networks(wire),
        volumes(wire),
        look_up(wire, None, references),
        async { Ok(host_paths::look(wire, &scope.paths).await) }
    )?;
    let Containers { mut ours, strangers, endpoints, images } = containers;
    let guests = guests(endpoints, &networks);
    for container in ours.values_mut() {
        name_the_networks(container, &networks);
    }
    found.extend(images);
    Ok(Observed {
        facts,
        containers: ours,
        strangers,
        networks,
        volumes,
        images: found,
        guests,
        host_paths,
    })
}

/// What an engine is does not change from look to look, and costs it more to tell than all
/// lists together.
async fn facts_since(
    wire: &Wire,
    earlier: Option<Earlier<'_>>,
) -> Result<EngineFacts, EngineError> {
    match earlier {
        Some(earlier) => Ok(earlier.last.facts.clone()),
        None => facts(wire).await,
    }
}

/// Reads what the engine is and can do.
pub(super) async fn facts(wire: &Wire) -> Result<EngineFacts, EngineError> {
    let json = wire.get("/info").await;
    let facts = json.and_then(|json| convert::facts(&json, wire.api()));
    facts.map_err(|error| wire.error(error, "tell what it is and can do"))
}

async fn networks(wire: &Wire) -> Result<BTreeMap<NetworkName, Network>, EngineError> {
    let json = wire.get("/networks").await;
    let networks = json.and_then(|json| convert::networks(&json));
    networks.map_err(|error| wire.error(error, "list its networks"))
}

async fn volumes(wire: &Wire) -> Result<BTreeMap<VolumeName, Volume>, EngineError> {
    let json = wire.get("/volumes").await;
    let volumes = json.and_then(|json| convert::volumes(&json));
    volumes.map_err(|error| wire.error(error, "list its volumes"))
}

async fn containers(
    wire: &Wire,
    images: &Images,
    scope: &Scope,
    earlier: Option<Earlier<'_>>,
) -> Result<Containers, EngineError> {
    let json = wire.get("/containers/json?all=1").await;
    let listed = json.and_then(|json| convert::listed(&json));
    let listed = listed.map_err(|error| wire.error(error, "list its containers"))?;
    let (ours, strangers): (Vec<_>, Vec<_>) = listed
        .into_iter()
        .partition(|listed| listed.project().as_ref() == Some(&scope.project));
    let endpoints = strangers.iter().flat_map(|stranger| {
        let networks = stranger.networks();
        networks.map(|(network, id)| (stranger.name(), network, id))
    });
    let endpoints = endpoints.collect();
    let strangers = strangers.iter().map(|it| (it.name(), it.project())).collect();

    let (mut known, mut unknown) = (BTreeMap::new(), Vec::new());
    for listed in ours {
        match earlier.as_ref().and_then(|earlier| earlier.known(&listed)) {
            Some(container) => {
                known.insert(container.id.clone(), container.clone());
            }
            None => unknown.push(listed.id),
        }
    }
    known.extend(inspections(wire, unknown).await?);
    let ids: BTreeSet<_> = known.values().map(|it| it.image.to_string()).collect();
    let images = look_up(wire, Some(images), ids.into_iter().collect()).await?;
    Ok(Containers { ours: known, strangers, endpoints, images })
}

/// Inspects containers; one that is gone is left out.
async fn inspections(
    wire: &Wire,
    ids: Vec<String>,
) -> Result<Vec<(ContainerId, Container)>, EngineError> {
    let inspect = |id: String| async move {
        let json = wire.get(&format!("/containers/{id}/json")).await;
        match json.and_then(|json| convert::container(&json)) {
            Ok(container) => Ok(Some((container.id.clone(), container))),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(wire.error(error, &format!("inspect the container {id}"))),
        }
    };
    let inspections = stream::iter(ids).map(inspect).buffer_unordered(AT_ONCE);
    inspections.try_filter_map(|found| async move { Ok(found) }).try_collect().await
}

/// Looks images up; with `remembered`, the names are ids, and those that are known are
/// not asked for.
async fn look_up(
    wire: &Wire,
    remembered: Option<&Images>,
    names: Vec<String>,
) -> Result<BTreeMap<String, Option<Image>>, EngineError> {
    let look_up = |name: String| async move {
        let image = match remembered {
            Some(images) => images.by_id(wire, &ImageId::new(name.as_str())).await,
            None => by_reference(wire, &name).await,
        };
        match image {
            Ok(image) => Ok((name, image)),
            Err(error) => Err(wire.error(error, &format!("inspect the image {name}"))),
        }
    };
    stream::iter(names).map(look_up).buffer_unordered(AT_ONCE).try_collect().await
}

/// Fills in the networks of a container that was never started: the engine knows them by
/// name only, and will take those that have these names then.
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

/// Returns who of the others is attached to each network.
fn guests(
    endpoints: Vec<(ContainerName, NetworkName, Option<NetworkId>)>,
    networks: &BTreeMap<NetworkName, Network>,
) -> BTreeMap<NetworkId, BTreeSet<ContainerName>> {
    let mut guests: BTreeMap<NetworkId, BTreeSet<ContainerName>> = BTreeMap::new();
    for (container, network, id) in endpoints {
        let id = id.or_else(|| Some(networks.get(&network)?.id.clone()));
        if let Some(id) = id {
            guests.entry(id).or_default().insert(container);
        }
    }
    guests
}
