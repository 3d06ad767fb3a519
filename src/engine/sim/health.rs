//! Health checks: the first one an interval after the start, as dockerd 20.10 does.

use std::time::Duration;

use super::software::duration_of;
use super::world::World;
use crate::state::ids::ContainerId;
use crate::state::observed::{Container, Health, Status};

const INTERVAL: Duration = Duration::from_secs(30);
const RETRIES: i64 = 3;

/// Returns how far apart the checks of a container are; nothing when it has none.
pub(super) fn interval(container: &Container) -> Option<Duration> {
    let test = container.document.get("Config.Healthcheck.Test");
    let is_checked = match test.items() {
        [] => false,
        [first, ..] => first.exposed_text() != Some("NONE"),
    };
    let interval = duration_of(container.document.get("Config.Healthcheck.Interval"));
    is_checked.then(|| interval.unwrap_or(INTERVAL))
}

impl World {
    /// Tells whether the health command of a container passes now.
    pub(super) fn is_well(&self, container: &Container) -> bool {
        let age = container.state.started.map(|started| self.now().age(started));
        let is_well = self.wells.contains(&container.id);
        is_well
            || !self.sick.contains(&container.id)
                && self.software_of(container).is_well_at(age.unwrap_or_default())
    }

    /// Tells whether a health command from outside would pass, or there is none.
    pub fn passes(&self, container: &Container) -> bool {
        interval(container).is_none() || self.is_well(container)
    }

    /// Runs the health command of a container, and counts.
    pub(super) fn check(&mut self, id: &ContainerId) {
        let now = self.clock;
        let Some(container) = self.containers.get(id) else { return };
        let Some(interval) = interval(container) else { return };
        let is_well = self.is_well(container);
        let before = container.state.health;
        let retries = container.document.get("Config.Healthcheck.Retries").as_int();
        let retries = retries.filter(|retries| *retries > 0).unwrap_or(RETRIES);
        let is_young =
            before == Some(Health::Starting) && self.is_in_start_period(container);
        let life = self.life(id);
        life.check = Some(now + interval);
        life.failures = match (is_well, is_young) {
            (true, _) => 0,
            (false, true) => life.failures,
            (false, false) => life.failures.saturating_add(1),
        };
        let health = if is_well {
            Some(Health::Healthy)
        } else if i64::from(life.failures) >= retries {
            Some(Health::Unhealthy)
        } else {
            before
        };
        if let Some(container) = self.containers.get_mut(id) {
            container.state.health = health;
        }
        if let Some(health) = health.filter(|_| health != before) {
            self.tell(id, &format!("health_status: {}", health.as_str()), &[]);
        }
    }

    /// Failures do not count yet.
    fn is_in_start_period(&self, container: &Container) -> bool {
        let period =
            duration_of(container.document.get("Config.Healthcheck.StartPeriod"));
        let age = container.state.started.map(|started| self.now().age(started));
        age.zip(period).is_some_and(|(age, period)| age < period)
    }

    /// As an exec of the health command from outside; returns its exit code.
    pub(super) fn probe(&self, id: &ContainerId) -> Result<i64, super::refusal::Refusal> {
        let container = self.container(id)?;
        let refused = |words: &str| {
            let id = &container.id;
            Err(super::refusal::conflict(&format!("Container {id} {words}")))
        };
        match container.state.status {
            Status::Running => Ok(i64::from(!self.is_well(container))),
            Status::Paused => refused("is paused, unpause the container before exec"),
            Status::Restarting => {
                refused("is restarting, wait until the container is running")
            }
            Status::Created | Status::Removing | Status::Exited | Status::Dead => {
                refused("is not running")
            }
        }
    }
}
