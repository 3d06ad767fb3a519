//! Both sides at one instant, and what follows from them for every replica.

use std::collections::BTreeMap;

use crate::state::desired::{Condition, Desired, PullPolicy, RestartPolicy, Service};
use crate::state::ids::{ContainerId, Object, Replica, ServiceName};
use crate::state::observed::{Container, Observed, Status};
use crate::state::time::Now;

use super::change::{Action, FieldDrift};
use super::completed;
use super::content;
use super::immutable;
use super::in_place::attached;
use super::memory::{Memory, Refused};
use super::office::{Office, is_running, office};
use super::optional;
use super::readiness::{Readiness, readiness};
use super::restart;
use super::target::{Target, container_name, target};
use super::trial::is_open;

/// What a person allowed for this plan.
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// `--allow-prune`: more than half of a stack may be removed.
    pub prune: bool,
    /// `--accept-data-path`: folders that hold data are taken as they are now.
    pub data_paths: bool,
    /// `--allow-shrink`: a memory limit may go below what is in use.
    pub shrink: bool,
    /// `run --dry-run`: nothing may be done at all.
    pub only_looks: bool,
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
#[derive(Clone, Debug)]
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
    /// The files that the holder read otherwise than they are now.
    pub content: Vec<FieldDrift>,
    /// Why they are not taken up: their own test refuses them.
    pub refused: Option<&'a Refused>,
    /// A person asked for a new start of the holder.
    pub is_to_restart: bool,
    /// The changes that are refused because they must not be made under data.
    pub immutable: Vec<FieldDrift>,
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
    /// It ran to its end, as it should; its container may be gone.
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
                let standing = match office.holder {
                    Some(holder) => standing(desired, service, holder, memory, now),
                    None if completed::is_remembered(
                        (desired, observed, memory),
                        service,
                        &replica,
                        &target,
                    ) =>
                    {
                        Standing::Completed
                    }
                    None => Standing::Absent,
                };
                let mut instance = Instance {
                    replica: replica.clone(),
                    service,
                    target,
                    office,
                    drift: Vec::new(),
                    standing,
                    content: Vec::new(),
                    refused: None,
                    is_to_restart: false,
                    immutable: Vec::new(),
                };
                if let Some(holder) = instance.office.holder {
                    instance.drift = instance.drift_of(holder, desired, observed, memory);
                    instance.content = content::drift(desired, service, holder, memory);
                    instance.refused = content::refused(&instance, desired, memory);
                    let object = Object::Service(replica.clone());
                    instance.is_to_restart = restart::is_due(memory, &object, holder);
                }
                instance.immutable =
                    immutable::refused(&instance, desired, observed, memory);
                (replica, instance)
            })
            .collect();
        Self { desired, observed, memory, now, allowed, instances }
    }

    /// Tells whether a person took down what is wanted.
    pub fn is_down(&self) -> bool {
        self.memory.down.as_ref() == Some(&self.desired.generation)
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
        self.replicas_of(service).all(|instance| {
            instance.is_up() && !instance.must_go_down() && !is_open(self, instance)
        })
    }

    /// Returns what a service still waits for before it may be started.
    pub fn unmet(&self, service: &Service) -> Vec<String> {
        self.unmet_dependencies(service)
            .map(|(name, condition)| format!("service/{name} {}", condition.as_str()))
            .collect()
    }

    /// Iterates over the services that a service still waits for before it may be started.
    pub fn unmet_services<'s>(
        &'s self,
        service: &'s Service,
    ) -> impl Iterator<Item = &'s ServiceName> {
        self.unmet_dependencies(service).map(|(name, _)| name)
    }

    fn unmet_dependencies<'s>(
        &'s self,
        service: &'s Service,
    ) -> impl Iterator<Item = (&'s ServiceName, Condition)> {
        service
            .depends_on
            .iter()
            .filter(|(name, _)| self.desired.services.contains_key(*name))
            .filter(|(name, dependency)| !self.holds(name, dependency.condition))
            .filter(|(name, it)| !optional::is_no_obstacle(self, name, it))
            .map(|(name, dependency)| (name, dependency.condition))
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
            if runs_to_completion(desired, service)
                && holder.state.exit_code == 0
                && !memory.is_stopped(&holder.id)
            {
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
        let policy = match service.restart {
            RestartPolicy::No | RestartPolicy::OnFailure { .. } => true,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => false,
        };
        is_awaited(desired, service) || policy
    })
}

/// Tells whether another service waits for the completion of this one.
pub fn is_awaited(desired: &Desired, service: &Service) -> bool {
    desired.services.values().any(|other| {
        let dependency = other.depends_on.get(&service.name);
        dependency.is_some_and(|it| it.condition == Condition::Completed)
    })
}

impl Instance<'_> {
    /// Returns the verdict on the fields alone: what it takes to bring them in line.
    pub fn verdict(&self) -> Action {
        let fields = self.drift.iter().chain(&self.content);
        fields.map(|field| field.cost).max().unwrap_or(Action::None)
    }

    /// Returns everything that differs.
    pub fn fields(&self) -> Vec<FieldDrift> {
        self.drift.iter().chain(&self.content).cloned().collect()
    }

    /// Tells whether it is to be taken down for a while: by its fields or its content, or
    /// because a person asked for it.
    pub fn must_go_down(&self) -> bool {
        // What is refused is not taken up.
        let mut content = self.content.iter().filter(|_| self.refused.is_none());
        self.is_to_restart
            || self.must_stop_for_fields()
            || content.any(|field| field.cost >= Action::Restart)
    }

    /// As [`Instance::must_go_down`], for its fields alone.
    pub fn must_stop_for_fields(&self) -> bool {
        // What is refused is not done, and nobody waits for it.
        if !self.immutable.is_empty() {
            return false;
        }
        self.drift.iter().any(|field| field.cost >= Action::Restart)
            || self.service.settings.stable_address
                && self.drift.iter().any(|field| attached(&field.path).is_some())
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

    /// Returns the replica as it is before others may find it: without names on its
    /// networks.
    #[must_use]
    pub fn without_names(&self) -> Self {
        Self { target: self.target.without_names(), ..self.clone() }
    }

    /// Tells whether the holder runs or will again.
    pub fn holder_runs(&self) -> bool {
        self.office.holder.is_some_and(is_running)
    }
}
