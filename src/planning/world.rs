//! Both sides at one instant, and what follows from them for every replica.

use std::collections::BTreeMap;

use crate::compose::attribute::field::Asked;
use crate::state::desired::{Condition, Desired, PullPolicy, RestartPolicy, Service};
use crate::state::ids::{ContainerId, ImageId, Replica, ServiceName};
use crate::state::observed::{Container, Observed, Status, labels};
use crate::state::time::Now;
use crate::state::value::Value;

use super::change::{Action, FieldDrift};
use super::drift;
use super::memory::Memory;
use super::office::{Office, is_running, office};
use super::readiness::{Readiness, readiness};
use super::target::{Target, concealed, container_name, target};

/// What a person allowed for this plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// `--allow-prune`: more than half of a stack may be removed.
    pub prune: bool,
}

/// Everything that a decision may look at.
#[derive(Debug)]
pub struct World<'a> {
    /// What is wanted.
    pub desired: &'a Desired,
    /// What is there.
    pub observed: &'a Observed,
    /// What is remembered.
    pub memory: &'a Memory,
    /// When it is.
    pub now: Now,
    /// What a person allowed.
    pub allowed: Allowed,
    /// Every wanted replica.
    pub instances: BTreeMap<Replica, Instance<'a>>,
}

/// One wanted replica in the light of both sides.
#[derive(Debug)]
pub struct Instance<'a> {
    /// The replica.
    pub replica: Replica,
    /// Its service.
    pub service: &'a Service,
    /// What its container should be.
    pub target: Target,
    /// Its containers.
    pub office: Office<'a>,
    /// How the holder differs from the target.
    pub drift: Vec<FieldDrift>,
    /// What the holder is doing.
    pub standing: Standing,
}

/// What the holder of an office is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is none.
    Absent,
    /// It was never started.
    Created,
    /// It runs.
    Running(Readiness),
    /// It is frozen.
    Paused,
    /// The engine is about to start it again.
    Restarting,
    /// It ran to its end, as it should.
    Completed,
    /// It ended, and should not have.
    Ended,
    /// It ended, and the engine could not clean up.
    Dead,
}

impl<'a> World<'a> {
    /// Takes everything together.
    pub fn new(
        desired: &'a Desired,
        observed: &'a Observed,
        memory: &'a Memory,
        now: Now,
        allowed: Allowed,
    ) -> Self {
        let offices = offices(desired, observed);
        let peers = peers(&offices);
        let instances = offices
            .into_iter()
            .map(|(replica, (service, office))| {
                let target =
                    target(desired, service, replica.number, &observed.facts, &peers);
                let standing = office.holder.map_or(Standing::Absent, |holder| {
                    standing(desired, service, holder, memory, now)
                });
                let mut instance = Instance {
                    replica: replica.clone(),
                    service,
                    target,
                    office,
                    drift: Vec::new(),
                    standing,
                };
                if let Some(holder) = instance.office.holder {
                    instance.drift = instance.drift_of(holder, desired, observed, memory);
                }
                (replica, instance)
            })
            .collect();
        Self { desired, observed, memory, now, allowed, instances }
    }

    /// Iterates over the replicas of a service.
    pub fn replicas_of(
        &self,
        service: &ServiceName,
    ) -> impl Iterator<Item = &Instance<'a>> {
        self.instances.values().filter(move |instance| instance.service.name == *service)
    }

    /// Tells whether a condition holds of a service now.
    pub fn holds(&self, service: &ServiceName, condition: Condition) -> bool {
        self.replicas_of(service).all(|instance| match condition {
            Condition::Started => instance.is_started(),
            Condition::Healthy => instance.is_ready(),
            Condition::Completed => instance.standing == Standing::Completed,
        })
    }

    /// Tells whether no disruption of a service is under way or yet to come.
    pub fn is_settled(&self, service: &ServiceName) -> bool {
        self.replicas_of(service)
            .all(|instance| instance.is_up() && instance.verdict() < Action::Restart)
    }

    /// Returns what a service still waits for before it may be started.
    pub fn unmet(&self, service: &Service) -> Vec<String> {
        service
            .depends_on
            .iter()
            .filter(|(name, _)| self.desired.services.contains_key(*name))
            .filter(|(name, dependency)| !self.holds(name, dependency.condition))
            .map(|(name, dependency)| {
                format!("service/{name} {}", dependency.condition.as_str())
            })
            .collect()
    }
}

type Offices<'a> = BTreeMap<Replica, (&'a Service, Office<'a>)>;

fn offices<'a>(desired: &'a Desired, observed: &'a Observed) -> Offices<'a> {
    desired
        .services
        .values()
        .flat_map(|service| (1..=service.replicas).map(move |number| (service, number)))
        .map(|(service, number)| {
            let replica = Replica { service: service.name.clone(), number };
            let name = container_name(desired, service, number);
            let office = office(observed, &replica, &name);
            (replica, (service, office))
        })
        .collect()
}

/// The containers whose namespaces or volumes others may share: the first of each service.
fn peers(offices: &Offices<'_>) -> BTreeMap<ServiceName, ContainerId> {
    let first = offices.iter().filter(|(replica, _)| replica.number == 1);
    first
        .filter_map(|(replica, (_, office))| {
            Some((replica.service.clone(), office.holder?.id.clone()))
        })
        .collect()
}

fn standing(
    desired: &Desired,
    service: &Service,
    holder: &Container,
    memory: &Memory,
    now: Now,
) -> Standing {
    match holder.state.status {
        Status::Created => Standing::Created,
        Status::Running => Standing::Running(readiness(holder, memory, now)),
        Status::Paused => Standing::Paused,
        Status::Restarting => Standing::Restarting,
        Status::Dead => Standing::Dead,
        Status::Exited | Status::Removing => {
            if runs_to_completion(desired, service) && holder.state.exit_code == 0 {
                Standing::Completed
            } else {
                Standing::Ended
            }
        }
    }
}

/// Tells whether a service that exits with 0 has done its work: `x-reconciler.job` says so,
/// somebody waits for its completion, or its restart policy would leave it so.
pub fn runs_to_completion(desired: &Desired, service: &Service) -> bool {
    service.settings.job.unwrap_or_else(|| {
        let awaited = desired.services.values().any(|other| {
            other
                .depends_on
                .get(&service.name)
                .is_some_and(|dependency| dependency.condition == Condition::Completed)
        });
        let policy = match service.restart {
            RestartPolicy::No | RestartPolicy::OnFailure { .. } => true,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => false,
        };
        awaited || policy
    })
}

impl Instance<'_> {
    /// Returns the verdict on the fields alone: what it takes to bring them in line.
    pub fn verdict(&self) -> Action {
        self.drift.iter().map(|field| field.cost).max().unwrap_or(Action::None)
    }

    /// Tells whether it does what it is for, or has done it.
    pub fn is_ready(&self) -> bool {
        matches!(self.standing, Standing::Running(Readiness::Ready) | Standing::Completed)
    }

    /// Tells whether it runs, or has done its work.
    pub const fn is_started(&self) -> bool {
        matches!(self.standing, Standing::Running(_) | Standing::Completed)
    }

    /// Tells whether it is ready and nobody waits to be removed after a replacement.
    fn is_up(&self) -> bool {
        self.is_ready() && self.office.candidate.is_none()
    }

    /// Returns how one of its containers differs from the target: fields, image, name,
    /// content, networks that were made again. What the service lets others change, and
    /// what the engine is known to make of the spec, is left out.
    pub fn drift_of(
        &self,
        container: &Container,
        desired: &Desired,
        observed: &Observed,
        memory: &Memory,
    ) -> Vec<FieldDrift> {
        let mut fields = self.raw_drift(container, desired, observed);
        let quirks = container.origin.spec.as_ref().and_then(|spec| {
            memory.quirks.get(&(self.replica.service.clone(), spec.clone()))
        });
        fields.retain(|field| {
            let ignored = &self.service.settings.ignored_drift;
            let is_quirk =
                quirks.and_then(|quirks| quirks.get(&field.path)).is_some_and(|digest| {
                    *digest == desired.digest_key.digest(&field.observed)
                });
            !is_quirk && !ignored.iter().any(|path| covers(path, &field.path))
        });
        fields
    }

    /// As [`Instance::drift_of`], with nothing left out.
    pub fn raw_drift(
        &self,
        container: &Container,
        desired: &Desired,
        observed: &Observed,
    ) -> Vec<FieldDrift> {
        let shown = concealed(container, Some(self.service));
        let image = observed.image(container.image.as_str());
        let asked = Asked {
            document: &self.target.document,
            container: &shown,
            image: image.map(|image| &image.config),
            facts: &observed.facts,
        };
        let mut fields: Vec<FieldDrift> =
            self.image_drift(container, observed).into_iter().collect();
        fields.extend(drift::drift(&self.service.canonical, &asked));
        fields.extend(self.content_drift(container));
        let known: Vec<String> = fields.iter().map(|field| field.path.clone()).collect();
        let stale = stale_networks(container, observed, &self.target);
        fields.extend(stale.into_iter().filter(|field| !known.contains(&field.path)));
        fields.extend(self.name_drift(container));
        fields
    }

    /// The image differs when the reference means another one now; while its image is not
    /// there, only when the container was made from another reference.
    fn image_drift(
        &self,
        container: &Container,
        observed: &Observed,
    ) -> Option<FieldDrift> {
        let wanted = &self.service.image;
        let there = container.document.get("Config.Image").clone();
        let (desired, seen) = match observed.image(wanted.as_str()) {
            Some(image) if image.id == container.image => return None,
            None if there.as_text() == Some(wanted.as_str()) => return None,
            Some(image) if there.as_text() == Some(wanted.as_str()) => (
                with_id(wanted.as_str(), &image.id),
                with_id(wanted.as_str(), &container.image),
            ),
            Some(_) | None => (Value::text(wanted.as_str()), there),
        };
        Some(FieldDrift {
            path: "image".to_owned(),
            pointer: "",
            desired,
            observed: seen,
            cost: Action::Recreate,
        })
    }

    /// Content that was copied in is compared by the digests that the container carries;
    /// one without digests was not made by us: then today's content is the base.
    fn content_drift(&self, container: &Container) -> Vec<FieldDrift> {
        let carried = container.document.get("Config.Labels").get(labels::CONTENT);
        let carried: BTreeMap<String, String> = carried
            .as_text()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        if carried.is_empty() && container.origin.spec.is_none() {
            return Vec::new();
        }
        let wanted = &self.target.content;
        let paths: std::collections::BTreeSet<&String> =
            wanted.keys().chain(carried.keys()).collect();
        let show = |digest: Option<&String>| {
            digest.map_or(Value::Null, |digest| Value::Text(short_digest(digest)))
        };
        paths
            .into_iter()
            .filter(|path| wanted.get(*path) != carried.get(*path))
            .map(|path| FieldDrift {
                path: path.clone(),
                pointer: "",
                desired: show(wanted.get(path)),
                observed: show(carried.get(path)),
                cost: Action::Recreate,
            })
            .collect()
    }

    fn name_drift(&self, container: &Container) -> Option<FieldDrift> {
        let is_candidate =
            self.office.candidate.is_some_and(|other| other.id == container.id);
        (container.name != self.target.name && !is_candidate).then(|| FieldDrift {
            path: "container_name".to_owned(),
            pointer: "",
            desired: Value::text(self.target.name.as_str()),
            observed: Value::text(container.name.as_str()),
            cost: Action::UpdateInPlace,
        })
    }

    /// Tells whether the image must be fetched before a container can be made.
    pub fn wants_pull(&self, observed: &Observed, memory: &Memory) -> bool {
        let is_there = observed.image(self.service.image.as_str()).is_some();
        match self.service.pull_policy {
            PullPolicy::Never => false,
            PullPolicy::Missing => !is_there,
            PullPolicy::Always => {
                !is_there || !memory.pulled.contains(&self.service.image)
            }
        }
    }

    /// Tells whether the holder runs or will again.
    pub fn holder_runs(&self) -> bool {
        self.office.holder.is_some_and(is_running)
    }
}

/// Tells whether a path that was given covers a field: it, or what lies below it.
fn covers(given: &str, path: &str) -> bool {
    path.strip_prefix(given).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn short_digest(digest: &str) -> String {
    digest.chars().take(12).collect()
}

fn with_id(reference: &str, id: &ImageId) -> Value {
    let digits = id.as_str().trim_start_matches("sha256:");
    Value::Text(format!("{reference} ({})", short_digest(digits)))
}

/// A container that is attached to a network which was removed and made again under the
/// same name cannot be reached there.
fn stale_networks(
    container: &Container,
    observed: &Observed,
    target: &Target,
) -> Vec<FieldDrift> {
    let wanted = target.document.get("NetworkingConfig.EndpointsConfig");
    container
        .attached
        .iter()
        .filter(|(name, _)| !wanted.get(name.as_str()).is_null())
        .filter(|(name, id)| {
            observed.networks.get(*name).is_some_and(|network| network.id != **id)
        })
        .filter(|(_, id)| !id.as_str().is_empty())
        .map(|(name, _)| FieldDrift {
            path: format!("networks.{name}"),
            pointer: "NetworkingConfig.EndpointsConfig",
            desired: wanted.get(name.as_str()).clone(),
            observed: Value::text("an earlier network of that name"),
            cost: Action::UpdateInPlace,
        })
        .collect()
}
