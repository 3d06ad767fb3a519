//! A corner, the engine as the Docker room shows it, and what a look has to cover.

use std::collections::BTreeSet;

use reconciler::engine::docker::Docker;
use reconciler::engine::{Engine, PullProgress, Scope};
use reconciler::state::document::Document;
use reconciler::state::ids::{ContainerId, ContainerName};
use reconciler::state::observed::{Container, Observed, labels};
use reconciler::state::step::{Done, Failure, FailureKind, Step};
use reconciler::state::value::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Corner, IMAGE};

/// A corner, the engine, and what a look has to cover.
pub(crate) struct Stage {
    pub(crate) corner: Corner,
    pub(crate) docker: Docker,
    pub(crate) scope: Scope,
}

impl Stage {
    /// Makes a stage; nothing where there is no engine and none is required.
    pub(crate) async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        let docker = Docker::connect(None).await.expect("a connection");
        let project = corner.project().as_str().into();
        let scope = Scope {
            project,
            images: BTreeSet::from([IMAGE.into()]),
            paths: BTreeSet::new(),
        };
        Some(Self { corner, docker, scope })
    }

    /// Performs a step.
    pub(crate) async fn perform(&self, step: Step) -> Result<Done, Failure> {
        perform(&self.docker, step).await.0
    }

    /// Performs a step twice: what is done already is done.
    pub(crate) async fn perform_twice(&self, step: Step) {
        for time in ["first", "second"] {
            let done = self.perform(step.clone()).await;
            assert_eq!(done, Ok(Done::Done), "{time} {step:?}");
        }
    }

    /// Takes a look.
    pub(crate) async fn look(&self) -> Observed {
        self.docker.look(&self.scope).await.expect("a look")
    }

    /// Returns the fields of a container of the stage's project that sleeps.
    pub(crate) fn sleeper(&self) -> Document {
        let project = Value::text(self.corner.project());
        Document::from_iter([
            ("Config.Image", Value::text(IMAGE)),
            ("Config.Cmd", Value::texts(["sleep", "600"])),
            ("Config.Labels", Value::map([(labels::PROJECT, project)])),
        ])
    }

    /// Creates a container.
    pub(crate) async fn create(&self, name: &str, document: Document) -> Container {
        let name = ContainerName::new(self.corner.name(name));
        let step = Step::Create { name: name.clone(), document, platform: None };
        assert_eq!(self.perform(step).await, Ok(Done::Done));
        self.named(&name).await
    }

    /// Looks at a container by its name.
    pub(crate) async fn named(&self, name: &ContainerName) -> Container {
        let containers = self.look().await.containers.into_values();
        containers.into_iter().find(|it| it.name == *name).expect("the container")
    }

    /// Looks at a container by its id.
    pub(crate) async fn again(&self, id: &ContainerId) -> Container {
        self.look().await.containers.remove(id).expect("the container")
    }
}

/// Performs a step; the progress of a pull comes along.
pub(crate) async fn perform(
    docker: &Docker,
    step: Step,
) -> (Result<Done, Failure>, UnboundedReceiver<PullProgress>) {
    let (sender, progress) = unbounded_channel();
    (docker.perform(&step, &sender).await, progress)
}

/// Returns what kind of failure it was.
pub(crate) fn kind(result: Result<Done, Failure>) -> FailureKind {
    result.expect_err("a failure").kind
}
