//! The form of what is remembered about how services end and are healed.

use serde::{Deserialize, Serialize};

use crate::planning::attribution::{Attributed, Outage};
use crate::planning::completed::Completed;
use crate::planning::heal::{Healing, Healings, Remedy};
use crate::state::ids::{ContainerId, ImageId, ServiceName, SpecHash};
use crate::store::form::EngineTimeText;

#[derive(Serialize, Deserialize)]
pub(super) struct StoredHealings {
    times: Vec<EngineTimeText>,
    row: u32,
    well_since: Option<EngineTimeText>,
    current: Option<StoredHealing>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredHealing {
    remedy: Remedy,
    container: ContainerId,
    since: EngineTimeText,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredOutage {
    began: EngineTimeText,
    ended: Option<EngineTimeText>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredAttributed {
    container: ContainerId,
    finished: EngineTimeText,
    to: ServiceName,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredCompleted {
    spec: SpecHash,
    image: ImageId,
}

impl StoredOutage {
    pub(super) fn new(Outage { began, ended }: &Outage) -> Self {
        Self { began: EngineTimeText(*began), ended: ended.map(EngineTimeText) }
    }

    pub(super) fn outage(self) -> Outage {
        Outage { began: self.began.0, ended: self.ended.map(|time| time.0) }
    }
}

impl StoredAttributed {
    pub(super) fn new(
        Attributed { last: (container, finished), to }: &Attributed,
    ) -> Self {
        Self {
            container: container.clone(),
            finished: EngineTimeText(*finished),
            to: to.clone(),
        }
    }

    pub(super) fn attributed(self) -> Attributed {
        Attributed { last: (self.container, self.finished.0), to: self.to }
    }
}

impl StoredHealings {
    pub(super) fn new(healings: &Healings) -> Self {
        let Healings { times, row, well_since, current } = healings;
        Self {
            times: times.iter().copied().map(EngineTimeText).collect(),
            row: *row,
            well_since: well_since.map(EngineTimeText),
            current: current.as_ref().map(|it| {
                let Healing { remedy, container, since } = it;
                let (container, since) = (container.clone(), EngineTimeText(*since));
                StoredHealing { remedy: *remedy, container, since }
            }),
        }
    }

    pub(super) fn healings(self) -> Healings {
        Healings {
            times: self.times.into_iter().map(|time| time.0).collect(),
            row: self.row,
            well_since: self.well_since.map(|time| time.0),
            current: self.current.map(|it| {
                let StoredHealing { remedy, container, since } = it;
                Healing { remedy, container, since: since.0 }
            }),
        }
    }
}

impl StoredCompleted {
    pub(super) fn new(completed: &Completed) -> Self {
        let Completed { spec, image } = completed;
        Self { spec: spec.clone(), image: image.clone() }
    }

    pub(super) fn completed(self) -> Completed {
        Completed { spec: self.spec, image: self.image }
    }
}
