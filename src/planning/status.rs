//! What people and machines are told about a stack.

use super::check::history::CheckStates;
use crate::state::commit::Commit;
use crate::state::ids::{
    ContainerId, ContainerName, Generation, ProjectName, ServiceName,
};
use crate::state::time::EngineTime;

/// The status of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackStatus {
    /// The project.
    pub name: ProjectName,
    /// What is wanted.
    pub generation: Generation,
    /// What was last acted on; nothing when nothing is known of it.
    pub observed_generation: Option<Generation>,
    /// The commit that asks for it, if it comes from git.
    pub commit: Option<Commit>,
    /// Every service is ready, and nothing is to change.
    pub ready: bool,
    /// `SpecValid`, `Synced`, `Progressing`, `Ready`, `Degraded`, `Healthy`.
    pub conditions: Vec<ConditionStatus>,
    /// How the checks have done that `run` makes, by name; none where no `run` is.
    pub checks: CheckStates,
    /// The services, by name.
    pub services: Vec<ServiceStatus>,
}

/// The status of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceStatus {
    /// The service.
    pub name: ServiceName,
    /// As many replicas as wanted are ready.
    pub ready: bool,
    /// How many containers are wanted.
    pub desired: u32,
    /// How many are ready.
    pub ready_replicas: u32,
    /// Its containers, by number.
    pub containers: Vec<ContainerStatus>,
    /// `Ready`, `Progressing`, `Degraded`.
    pub conditions: Vec<ConditionStatus>,
    /// Failed attempts in a row.
    pub attempts: u32,
    /// When it is tried again.
    pub next: Option<EngineTime>,
}

/// The status of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    /// The name.
    pub name: ContainerName,
    /// The engine's id.
    pub id: ContainerId,
    /// The engine's word for its state.
    pub state: &'static str,
    /// The engine's word for its health; nothing without a health check.
    pub health: Option<&'static str>,
    /// How often the engine's restart policy started it again.
    pub restarts: u64,
}

/// One condition in the sense of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionStatus {
    /// `Ready`, `Progressing`, ….
    pub kind: &'static str,
    /// Whether it holds; nothing when that is not known.
    pub status: Option<bool>,
    /// A reason in `CamelCase`, such as `DependencyNotReady`.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// When `status` last flipped.
    pub since: Option<EngineTime>,
}

impl ConditionStatus {
    /// Returns the word for the status: `True`, `False` or `Unknown`.
    pub const fn status_word(&self) -> &'static str {
        match self.status {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        }
    }
}
