//! The form of what people asked for: pauses and restarts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MemoryError;
use crate::planning::pause::{Pause, Pauses};
use crate::planning::restart::DueRestarts;
use crate::state::ids::{ContainerId, ServiceName};
use crate::store::form::EngineTimeText;

/// Pauses as JSON.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StoredPauses {
    stack: Option<StoredPause>,
    services: BTreeMap<ServiceName, StoredPause>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct StoredPause {
    since: EngineTimeText,
    until: Option<EngineTimeText>,
}

/// The start of a container that is to give way.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredStart {
    container: ContainerId,
    started: EngineTimeText,
}

impl StoredPauses {
    pub(super) fn new(pauses: &Pauses) -> Self {
        let Pauses { stack, services } = pauses;
        Self {
            stack: stack.as_ref().map(StoredPause::new),
            services: super::form::values(services, StoredPause::new),
        }
    }

    pub(super) fn pauses(self) -> Pauses {
        let services = self.services.into_iter();
        Pauses {
            stack: self.stack.map(StoredPause::pause),
            services: services.map(|(name, it)| (name, it.pause())).collect(),
        }
    }
}

impl StoredPause {
    fn new(pause: &Pause) -> Self {
        let Pause { since, until } = pause;
        Self { since: EngineTimeText(*since), until: until.map(EngineTimeText) }
    }

    fn pause(self) -> Pause {
        Pause { since: self.since.0, until: self.until.map(|it| it.0) }
    }
}

/// Returns the stored form of starts that are to give way.
pub(super) fn stored_starts(due: &DueRestarts) -> BTreeMap<String, StoredStart> {
    super::form::named(due, |(container, started)| StoredStart {
        container: container.clone(),
        started: EngineTimeText(*started),
    })
}

/// Reads what [`stored_starts`] gave.
pub(super) fn starts(
    stored: BTreeMap<String, StoredStart>,
) -> Result<DueRestarts, MemoryError> {
    super::form::objects(stored, |it| Ok((it.container, it.started.0)))
}
