//! Whichever engine `--host` names.

use std::collections::BTreeSet;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc::UnboundedSender;

use super::docker::Docker;
use super::sim::Sim;
use super::{Engine, EngineError, PullProgress, Scope, Wakeup};
use crate::state::host::EngineReport;
use crate::state::ids::{ContainerId, ProjectName, VolumeName};
use crate::state::log::{Line, Part, Writer};
use crate::state::mount::Mount;
use crate::state::observed::{EngineFacts, Observed};
use crate::state::step::{Done, Failure, FailureKind, Step};

/// An engine of any kind.
#[derive(Clone, Debug)]
pub struct Any {
    kind: Kind,
    /// Whether it is never asked to do anything.
    only_looks: bool,
}

#[derive(Clone, Debug)]
enum Kind {
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
        let kind = match host.and_then(|host| host.strip_prefix("sim:")) {
            Some(file) => Kind::Sim(Sim::connect(file)?),
            None => Kind::Docker(Docker::connect(host).await?),
        };
        Ok(Self { kind, only_looks: false })
    }

    /// Returns the same engine for those who only look: it refuses every step.
    #[must_use]
    pub fn only_looking(self) -> Self {
        Self { only_looks: true, ..self }
    }

    /// Deletes a volume and all data in it, for good; see [`Docker::delete_volume`].
    ///
    /// # Errors
    /// The volume is in use, or the engine failed. One that is gone already is no error.
    pub async fn delete_volume(&self, name: &VolumeName) -> Result<(), Failure> {
        match &self.kind {
            Kind::Docker(docker) => docker.delete_volume(name).await,
            Kind::Sim(sim) => sim.delete_volume(name),
        }
    }

    /// Returns what the engine says of itself and of its host; nothing for a simulated one,
    /// which has no host.
    ///
    /// # Errors
    /// The engine failed.
    pub async fn report(&self) -> Result<Option<EngineReport>, EngineError> {
        match &self.kind {
            Kind::Docker(docker) => docker.report().await.map(Some),
            Kind::Sim(_) => Ok(None),
        }
    }

    /// Returns what of the host is mounted in a container; see [`Docker::mounts_of`].
    ///
    /// # Errors
    /// The engine failed.
    pub async fn mounts_of(
        &self,
        container: &ContainerId,
    ) -> Result<Option<Vec<Mount>>, EngineError> {
        match &self.kind {
            Kind::Docker(docker) => docker.mounts_of(container).await,
            Kind::Sim(_) => Ok(None),
        }
    }
}

/// What containers write; a simulated engine keeps no logs, and says so.
impl Any {
    /// Returns the containers of the services of a project; see [`Docker::writers`].
    ///
    /// # Errors
    /// The engine failed, or keeps no logs.
    pub async fn writers(
        &self,
        project: &ProjectName,
    ) -> Result<Vec<Writer>, EngineError> {
        match &self.kind {
            Kind::Docker(docker) => docker.writers(project).await,
            Kind::Sim(_) => Err(without_logs()),
        }
    }

    /// Reads a part of what a container has written; see [`Docker::log`].
    pub fn log(
        &self,
        container: &ContainerId,
        part: Part,
    ) -> BoxStream<'static, Result<Line, EngineError>> {
        match &self.kind {
            Kind::Docker(docker) => docker.log(container, part),
            Kind::Sim(_) => stream::iter([Err(without_logs())]).boxed(),
        }
    }
}

fn without_logs() -> EngineError {
    let reason = "a simulated engine runs no programs, so there are no logs".to_owned();
    EngineError::Unsupported { reason }
}

impl Engine for Any {
    async fn facts(&self) -> Result<EngineFacts, EngineError> {
        match &self.kind {
            Kind::Docker(docker) => docker.facts().await,
            Kind::Sim(sim) => sim.facts().await,
        }
    }

    async fn look(&self, scope: &Scope) -> Result<Observed, EngineError> {
        match &self.kind {
            Kind::Docker(docker) => docker.look(scope).await,
            Kind::Sim(sim) => sim.look(scope).await,
        }
    }

    async fn look_again(
        &self,
        scope: &Scope,
        last: &Observed,
        containers: &BTreeSet<ContainerId>,
    ) -> Result<Observed, EngineError> {
        match &self.kind {
            Kind::Docker(docker) => docker.look_again(scope, last, containers).await,
            Kind::Sim(sim) => sim.look_again(scope, last, containers).await,
        }
    }

    async fn perform(
        &self,
        step: &Step,
        progress: &UnboundedSender<PullProgress>,
    ) -> Result<Done, Failure> {
        if self.only_looks {
            let message = format!("a dry run must not {}", step.verb());
            return Err(Failure { kind: FailureKind::Refused, message });
        }
        match &self.kind {
            Kind::Docker(docker) => docker.perform(step, progress).await,
            Kind::Sim(sim) => sim.perform(step, progress).await,
        }
    }

    fn wakeups(
        &self,
        project: &ProjectName,
    ) -> impl Stream<Item = Wakeup> + Send + use<> {
        match &self.kind {
            Kind::Docker(docker) => docker.wakeups(project).left_stream(),
            Kind::Sim(sim) => sim.wakeups(project).right_stream(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::value::Value;

    #[tokio::test]
    async fn an_engine_that_is_only_looked_at_refuses_every_step() {
        let engine = Any::connect(Some("sim:")).await.unwrap();
        let (progress, _) = tokio::sync::mpsc::unbounded_channel();
        let document = [("Driver", Value::text("local"))].into_iter().collect();
        let step = Step::CreateVolume { name: "data".into(), document };
        let looking = engine.clone().only_looking();
        let refused = looking.perform(&step, &progress).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::Refused);
        let scope = Scope {
            project: "demo".into(),
            images: BTreeSet::new(),
            paths: BTreeSet::new(),
        };
        assert!(looking.look(&scope).await.unwrap().volumes.is_empty());
        assert_eq!(engine.perform(&step, &progress).await, Ok(Done::Done));
        assert_eq!(looking.look(&scope).await.unwrap().volumes.len(), 1);
    }
}
