//! The Docker Engine, over its socket: the only room that names bollard.
//!
//! Read in this order: `address` and `wire` (how the engine is reached, and in which
//! version of its API), `look` with `convert` and `images` (what is there), `perform` with
//! `pull`, `probe` and `archive` (what is done), `events` with `reconnect` (when to look
//! again), `written` (what containers write), `error` (what went wrong, in words).

mod address;
mod archive;
mod content;
mod convert;
mod error;
mod events;
mod host_paths;
mod images;
mod log;
mod look;
mod mounts;
mod perform;
mod probe;
mod pull;
mod reconnect;
mod report;
mod usage;
mod wire;
mod written;

use std::collections::BTreeSet;

use futures_util::Stream;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::UnboundedSender;

pub use address::DEFAULT_HOST;
pub(in crate::engine) use events::ACTIONS;

use self::images::Images;
use self::look::Earlier;
use self::wire::Wire;
use super::{Engine, EngineError, PullProgress, Scope, Wakeup};
use crate::state::host::EngineReport;
use crate::state::ids::{ContainerId, ProjectName, VolumeName};
use crate::state::log::{Line, Part, Writer};
use crate::state::mount::Mount;
use crate::state::observed::{EngineFacts, Observed};
use crate::state::step::{Done, Failure, Step};

/// A Docker Engine; clones share the connection.
#[derive(Clone, Debug)]
pub struct Docker {
    wire: Wire,
    images: Images,
}

impl Docker {
    /// Connects to the engine at an address and agrees with it on a version of its API.
    ///
    /// `host` is what `--host` or `DOCKER_HOST` says; nothing and the empty text mean
    /// [`DEFAULT_HOST`].
    ///
    /// # Errors
    /// The address makes no sense or is of a kind that is not supported, nothing answers,
    /// or the engine is too old.
    pub async fn connect(host: Option<&str>) -> Result<Self, EngineError> {
        let host = host.filter(|host| !host.is_empty()).unwrap_or(DEFAULT_HOST);
        let wire = Wire::open(host)?;
        wire.negotiate().await?;
        Ok(Self { wire, images: Images::default() })
    }

    /// Deletes a volume and all data in it, for good.
    ///
    /// This is no [`Step`]: no plan can hold it. Only `reconciler delete --volumes` calls
    /// it, after a person has confirmed.
    ///
    /// # Errors
    /// The volume is in use, or the engine failed. One that is gone already is no error.
    pub async fn delete_volume(&self, name: &VolumeName) -> Result<(), Failure> {
        perform::delete_volume(&self.wire, name).await
    }

    /// Returns what the engine says of itself and of its host.
    ///
    /// # Errors
    /// The engine failed.
    pub async fn report(&self) -> Result<EngineReport, EngineError> {
        report::report(&self.wire).await
    }

    /// Returns what of the host is mounted in a container; nothing when there is no such
    /// container.
    ///
    /// # Errors
    /// The engine failed.
    pub async fn mounts_of(
        &self,
        container: &ContainerId,
    ) -> Result<Option<Vec<Mount>>, EngineError> {
        mounts::of(&self.wire, container).await
    }

    /// Returns the containers of the services of a project.
    ///
    /// # Errors
    /// The engine failed.
    pub async fn writers(
        &self,
        project: &ProjectName,
    ) -> Result<Vec<Writer>, EngineError> {
        written::writers(&self.wire, project).await
    }

    /// Reads a part of what a container has written, line by line.
    pub fn log(
        &self,
        container: &ContainerId,
        part: Part,
    ) -> BoxStream<'static, Result<Line, EngineError>> {
        written::log(&self.wire, container, part)
    }
}

impl Engine for Docker {
    async fn facts(&self) -> Result<EngineFacts, EngineError> {
        look::facts(&self.wire).await
    }

    async fn look(&self, scope: &Scope) -> Result<Observed, EngineError> {
        look::look(&self.wire, &self.images, scope, None).await
    }

    async fn look_again(
        &self,
        scope: &Scope,
        last: &Observed,
        containers: &BTreeSet<ContainerId>,
    ) -> Result<Observed, EngineError> {
        let earlier = Earlier { last, anew: containers };
        look::look(&self.wire, &self.images, scope, Some(earlier)).await
    }

    async fn perform(
        &self,
        step: &Step,
        progress: &UnboundedSender<PullProgress>,
    ) -> Result<Done, Failure> {
        perform::perform(&self.wire, step, progress).await
    }

    fn wakeups(
        &self,
        project: &ProjectName,
    ) -> impl Stream<Item = Wakeup> + Send + use<> {
        events::wakeups(self.wire.clone(), self.images.clone(), project.clone())
    }
}
