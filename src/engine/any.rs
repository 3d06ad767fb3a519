//! Whichever engine `--host` names.

use std::collections::BTreeSet;

use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc::UnboundedSender;

use super::docker::Docker;
use super::sim::Sim;
use super::{Engine, EngineError, PullProgress, Scope, Wakeup};
use crate::state::ids::{ContainerId, ProjectName, VolumeName};
use crate::state::observed::{EngineFacts, Observed};
use crate::state::step::{Done, Failure, Step};

/// An engine of any kind.
#[derive(Clone, Debug)]
pub enum Any {
    /// The Docker Engine.
    Docker(Docker),
    /// A simulated one.
    Sim(Sim),
}

impl Any {
    /// Connects to the engine at an address: `sim:` and `sim:FILE` are simulated, all
    /// others are Docker's.
    ///
    /// # Errors
    /// As [`Docker::connect`] and [`Sim::connect`].
    pub async fn connect(host: Option<&str>) -> Result<Self, EngineError> {
        match host.and_then(|host| host.strip_prefix("sim:")) {
            Some(file) => Ok(Self::Sim(Sim::connect(file)?)),
            None => Ok(Self::Docker(Docker::connect(host).await?)),
        }
    }

    /// Deletes a volume and all data in it, for good; see [`Docker::delete_volume`].
    ///
    /// # Errors
    /// The volume is in use, or the engine failed. One that is gone already is no error.
    pub async fn delete_volume(&self, name: &VolumeName) -> Result<(), Failure> {
        match self {
            Self::Docker(docker) => docker.delete_volume(name).await,
            Self::Sim(sim) => sim.delete_volume(name),
        }
    }
}

impl Engine for Any {
    async fn facts(&self) -> Result<EngineFacts, EngineError> {
        match self {
            Self::Docker(docker) => docker.facts().await,
            Self::Sim(sim) => sim.facts().await,
        }
    }

    async fn look(&self, scope: &Scope) -> Result<Observed, EngineError> {
        match self {
            Self::Docker(docker) => docker.look(scope).await,
            Self::Sim(sim) => sim.look(scope).await,
        }
    }

    async fn look_again(
        &self,
        scope: &Scope,
        last: &Observed,
        containers: &BTreeSet<ContainerId>,
    ) -> Result<Observed, EngineError> {
        match self {
            Self::Docker(docker) => docker.look_again(scope, last, containers).await,
            Self::Sim(sim) => sim.look_again(scope, last, containers).await,
        }
    }

    async fn perform(
        &self,
        step: &Step,
        progress: &UnboundedSender<PullProgress>,
    ) -> Result<Done, Failure> {
        match self {
            Self::Docker(docker) => docker.perform(step, progress).await,
            Self::Sim(sim) => sim.perform(step, progress).await,
        }
    }

    fn wakeups(
        &self,
        project: &ProjectName,
    ) -> impl Stream<Item = Wakeup> + Send + use<> {
        match self {
            Self::Docker(docker) => docker.wakeups(project).left_stream(),
            Self::Sim(sim) => sim.wakeups(project).right_stream(),
        }
    }
}
