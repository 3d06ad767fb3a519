//! What the loop needs of an engine, and the engines that can do it.

mod any;
pub mod docker;
pub mod sim;

pub use any::Any;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;

use futures_util::Stream;
use tokio::sync::mpsc::UnboundedSender;

use crate::state::desired::Desired;
use crate::state::ids::{ContainerId, ImageReference, ProjectName};
use crate::state::observed::{EngineFacts, Observed};
use crate::state::step::{Done, Failure, Step};

/// A container engine.
pub trait Engine: Send + Sync {
    /// Returns what the engine is and can do.
    fn facts(&self) -> impl Future<Output = Result<EngineFacts, EngineError>> + Send;

    /// Takes one snapshot: lists, then inspects in parallel.
    ///
    /// # Errors
    /// A list or an inspection that failed fails the look; a container that went away
    /// between the two is left out.
    fn look(
        &self,
        scope: &Scope,
    ) -> impl Future<Output = Result<Observed, EngineError>> + Send;

    /// Takes a snapshot again, in which only `containers` (and lists, which are cheap) are
    /// read anew; the inspections of all others and the facts, the time among them, are
    /// taken from `last`.
    fn look_again(
        &self,
        scope: &Scope,
        last: &Observed,
        containers: &BTreeSet<ContainerId>,
    ) -> impl Future<Output = Result<Observed, EngineError>> + Send;

    /// Makes one call. What is done already is done: starting what runs, removing what is
    /// gone and the like succeed.
    fn perform(
        &self,
        step: &Step,
        progress: &UnboundedSender<PullProgress>,
    ) -> impl Future<Output = Result<Done, Failure>> + Send;

    /// Yields whenever something happened to the project's objects, for ever: it reconnects
    /// by itself. A lost connection is a [`Wakeup::Lost`] at once, and being connected, also
    /// for the first time, is a [`Wakeup::Relist`].
    fn wakeups(
        &self,
        project: &ProjectName,
    ) -> impl Stream<Item = Wakeup> + Send + use<Self>;
}

/// What a look has to cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The project whose containers are inspected.
    pub project: ProjectName,
    /// The images to look up besides those of the containers.
    pub images: BTreeSet<ImageReference>,
    /// The folders of the host that containers may write to.
    pub paths: BTreeSet<String>,
}

impl Scope {
    /// Returns what concerns a stack.
    pub fn of(desired: &Desired) -> Self {
        let images = desired.services.values().map(|service| service.image.clone());
        let mounts = desired.services.values();
        let mounts = mounts.flat_map(|service| service.canonical.get("volumes").items());
        let binds = mounts.filter(|mount| {
            mount.get("type").as_text() == Some("bind")
                && mount.get("read_only").as_bool() != Some(true)
        });
        let paths = binds.filter_map(|mount| mount.get("source").as_text());
        Self {
            project: desired.project.clone(),
            images: images.collect(),
            paths: paths.map(str::to_owned).collect(),
        }
    }
}

/// A reason to look again. What it says happened spares looks and tells whose doing an end
/// was; correctness comes from the look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// Something happened to a container.
    Container {
        /// The container.
        id: ContainerId,
        /// The engine's word for it.
        action: String,
    },
    /// A container, not necessarily of the project, was attached to a network or detached.
    Endpoint {
        /// The container.
        container: ContainerId,
        /// The engine's word for it.
        action: String,
    },
    /// Something happened to a network, a volume or an image.
    Other {
        /// The engine's words for it.
        action: String,
        /// The name of the network or volume; nothing for an image, or when it is not told.
        name: Option<String>,
    },
    /// Events are being missed from now on, until a [`Wakeup::Relist`].
    Lost {
        /// Why.
        reason: String,
    },
    /// Events may have been missed: everything must be read anew.
    Relist {
        /// Why.
        reason: String,
    },
}

/// How far a pull has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullProgress {
    /// The image.
    pub image: ImageReference,
    /// Bytes fetched.
    pub current: u64,
    /// Bytes in all, as far as it is known.
    pub total: u64,
}

/// Why an engine could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing answers there.
    #[error("cannot reach the Docker Engine at {host}")]
    Unreachable {
        /// Where it was looked for.
        host: String,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The address makes no sense.
    #[error("`{host}` is not an engine address: {reason}")]
    Address {
        /// What was given.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It speaks no version of the API that we speak.
    #[error("{reason}")]
    Unsupported {
        /// Which versions meet here, and what to do.
        reason: String,
    },
    /// The file of a simulated engine is of no use.
    #[error("the simulated engine in {} cannot be used", .file.display())]
    Simulated {
        /// The file.
        file: PathBuf,
        /// The reason, with what to do.
        #[source]
        source: sim::FileError,
    },
    /// It answered with something else than what was asked for.
    #[error("the Docker Engine failed to {what}")]
    Failed {
        /// What was asked.
        what: String,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
