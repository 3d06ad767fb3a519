//! How containers live: what starts, ends, freezes and restarts them.
//!
//! The restart manager and the order of events are those of dockerd 20.10, as measured.

use std::time::Duration;

use super::refusal::{Refusal, conflict, missing};
use super::software::{End, Reaction, Software};
use super::world::World;
use crate::state::ids::ContainerId;
use crate::state::observed::{Container, Health, Status};

/// How soon the restart manager starts a container again; doubled each time.
const FIRST_RESTART: Duration = Duration::from_millis(100);
/// How slow it becomes.
const SLOWEST_RESTART: Duration = Duration::from_mins(1);
/// How long a run must be for the restart manager to begin anew.
const LONG_RUN: Duration = Duration::from_secs(10);
/// What takes no time takes this: nothing ends at the very time at which it began.
const MOMENT: Duration = Duration::from_millis(1);
/// The exit code of what was killed.
const KILLED: i64 = 137;

/// What only the engine knows of a container. Times are uptimes of the world.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Life {
    /// Somebody stopped or killed it: its policy leaves it alone until it is started, or
    /// the engine is.
    pub(super) by_hand: bool,
    /// When the process ends, and how.
    pub(super) end: Option<Ending>,
    /// When its health is checked next.
    pub(super) check: Option<Duration>,
    /// How many checks in a row have failed.
    pub(super) failures: u32,
    /// When the restart manager starts it again.
    pub(super) again: Option<Duration>,
    /// How long the restart manager waited last; zero after a long run.
    pub(super) delay: Duration,
    /// How often the restart manager has started it.
    pub(super) restarts: u64,
    /// Since when it is frozen.
    pub(super) frozen: Option<Duration>,
}

/// An end that will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Ending {
    pub(super) at: Duration,
    pub(super) code: i64,
    /// The engine has lost its patience, and kills it.
    pub(super) killed: bool,
}

/// What happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The process ends.
    End,
    /// The health command runs.
    Check,
    /// The restart manager starts it.
    Again,
}

/// Tells whether the engine counts a container among those that run.
pub const fn runs(container: &Container) -> bool {
    matches!(
        container.state.status,
        Status::Running | Status::Paused | Status::Restarting
    )
}

impl World {
    /// Returns what happens next by itself, when, and to whom.
    pub(super) fn next_due(&self) -> Option<(Duration, ContainerId, Due)> {
        let dues = self.lives.iter().flat_map(|(id, life)| {
            let container = self.containers.get(id);
            let status = container.map(|container| container.state.status);
            let is_running = status == Some(Status::Running);
            let end = life.end.filter(|_| is_running).map(|end| (end.at, Due::End));
            let check = life.check.filter(|_| is_running).map(|at| (at, Due::Check));
            let is_restarting = status == Some(Status::Restarting);
            let again = life.again.filter(|_| is_restarting).map(|at| (at, Due::Again));
            [end, check, again].into_iter().flatten().map(move |(at, due)| (at, id, due))
        });
        let (at, id, due) = dues.min()?;
        Some((at, id.clone(), due))
    }

    /// Lets happen what is due.
    pub(super) fn happen(&mut self, id: &ContainerId, due: Due) {
        match due {
            Due::End => self.ends(id),
            Due::Check => self.check(id),
            Due::Again => {
                self.life(id).again = None;
                if self.run(id).is_err()
                    && let Some(container) = self.containers.get_mut(id)
                {
                    // dockerd gives up where the start itself fails.
                    container.state.status = Status::Exited;
                }
            }
        }
    }

    /// Returns what the software of a container does.
    pub(super) fn software_of(&self, container: &Container) -> Software {
        let service = container.origin.replica.as_ref().map(|replica| &replica.service);
        let level = container.document.get("Config.Env").get("LEVEL").exposed_text();
        let scripted = service.and_then(|service| self.software.get(service));
        let scripted = scripted.or_else(|| self.levels.get(level?)).cloned();
        // Labels that make no sense were refused when it was created.
        scripted.unwrap_or_else(|| {
            Software::of_labels(&container.document).unwrap_or_default()
        })
    }

    /// As `docker start`.
    pub(super) fn start(&mut self, id: &ContainerId) -> Result<(), Refusal> {
        let container = self.container(id)?;
        match container.state.status {
            Status::Running | Status::Restarting => return Ok(()),
            Status::Paused => {
                return Err(conflict(
                    "cannot start a paused container, try unpause instead",
                ));
            }
            Status::Removing | Status::Dead => {
                let words = "container is marked for removal and cannot be started";
                return Err(conflict(words));
            }
            Status::Created | Status::Exited => {}
        }
        let life = self.life(id);
        (life.by_hand, life.delay, life.restarts) = (false, Duration::ZERO, 0);
        if let Some(container) = self.containers.get_mut(id) {
            container.state.restarts = 0;
        }
        let started = self.run(id);
        if let (Err(refusal), Some(container)) = (&started, self.containers.get_mut(id)) {
            container.state.error.clone_from(&refusal.message);
            if container.state.exit_code == 0 {
                container.state.exit_code = 128;
            }
        }
        started
    }

    /// Starts the process of a container that does not run.
    fn run(&mut self, id: &ContainerId) -> Result<(), Refusal> {
        let attached = self.join(id)?;
        let now = self.clock;
        let time = self.time();
        let Some(container) = self.containers.get_mut(id) else { return Ok(()) };
        container.attached.clone_from(&attached);
        container.state.status = Status::Running;
        container.state.started = Some(time);
        container.state.error = String::new();
        (container.state.exit_code, container.state.out_of_memory) = (0, false);
        let interval = super::health::interval(container);
        container.state.health = interval.map(|_| Health::Starting);
        let container = container.clone();
        let software = self.software_of(&container);
        let end =
            |end: End| Ending { at: now + end.after, code: end.code, killed: false };
        let life = self.life(id);
        life.end = software.ends.map(end);
        life.check = interval.map(|interval| now + interval);
        (life.failures, life.again, life.frozen) = (0, None, None);
        for network in attached.values() {
            self.tell_endpoint(id, network, "connect");
        }
        self.tell(id, "start", &[]);
        Ok(())
    }

    /// Sends the signal by which a container is asked to stop; returns when it will have
    /// ended.
    pub(super) fn ask_to_stop(
        &mut self,
        id: &ContainerId,
        grace: Duration,
    ) -> Option<Duration> {
        let container = self.containers.get(id).filter(|it| runs(it))?.clone();
        self.life(id).by_hand = true;
        if container.state.status == Status::Restarting {
            return Some(self.clock);
        }
        self.tell(id, "kill", &[("signal", "15".to_owned())]);
        if container.state.status == Status::Paused {
            self.thaw(id);
        }
        let killed =
            Ending { at: self.clock + grace.max(MOMENT), code: KILLED, killed: true };
        let end = match self.software_of(&container).stops {
            Reaction::Ends(End { after, code }) if after <= grace => {
                Ending { at: self.clock + after.max(MOMENT), code, killed: false }
            }
            Reaction::Ends(_) | Reaction::Ignores => killed,
        };
        let life = self.life(id);
        let earlier = life.end.filter(|earlier| earlier.at <= end.at);
        life.end = earlier.or(Some(end));
        life.end.map(|end| end.at)
    }

    /// The second half of a stop: what was asked to has ended.
    pub(super) fn stopped(&mut self, id: &ContainerId) {
        let time = self.time();
        if let Some(container) = self.containers.get_mut(id)
            && container.state.status == Status::Restarting
        {
            container.state.status = Status::Exited;
            // Measured: it has ended now, not when its process did.
            container.state.finished = Some(time);
            self.life(id).again = None;
        }
        self.tell(id, "stop", &[]);
    }

    /// The process of a container ends as it was to.
    fn ends(&mut self, id: &ContainerId) {
        let Some(end) = self.life(id).end.take() else { return };
        if end.killed {
            self.tell(id, "kill", &[("signal", "9".to_owned())]);
        }
        self.die(id, end.code);
    }

    /// The process of a container has ended; its policy says whether it is started again.
    pub(super) fn die(&mut self, id: &ContainerId, code: i64) {
        let again = self.restart_delay(id, code);
        let (now, time) = (self.clock, self.time());
        let life = self.life(id);
        (life.end, life.check, life.frozen) = (None, None, None);
        life.again = again.map(|delay| now + delay);
        let Some(container) = self.containers.get_mut(id) else { return };
        let state = &mut container.state;
        state.status = if again.is_some() { Status::Restarting } else { Status::Exited };
        // Measured: whatever it was before.
        state.health = state.health.map(|_| Health::Unhealthy);
        (state.exit_code, state.finished) = (code, Some(time));
        state.restarts += u64::from(again.is_some());
        let networks: Vec<_> = container.attached.values().cloned().collect();
        self.tell(id, "die", &[("exitCode", code.to_string())]);
        for network in networks {
            self.tell_endpoint(id, &network, "disconnect");
        }
    }

    /// Returns after how long the restart manager starts a container that has just ended;
    /// nothing when it does not.
    fn restart_delay(&mut self, id: &ContainerId, code: i64) -> Option<Duration> {
        let container = self.containers.get(id)?;
        let ran = container.state.started.map(|started| self.now().age(started));
        let policy = Policy::of(container);
        let life = self.life(id);
        if life.by_hand {
            return None;
        }
        if ran.is_some_and(|ran| ran >= LONG_RUN) {
            life.delay = Duration::ZERO;
        }
        let restarts = match policy {
            Policy::No => false,
            Policy::Always | Policy::UnlessStopped => true,
            Policy::OnFailure { most } => {
                code != 0 && most.is_none_or(|most| life.restarts < most)
            }
        };
        if !restarts {
            return None;
        }
        life.delay = (life.delay * 2).clamp(FIRST_RESTART, SLOWEST_RESTART);
        life.restarts += 1;
        Some(life.delay)
    }

    pub(super) fn container(&self, id: &ContainerId) -> Result<&Container, Refusal> {
        let found = self.containers.get(id);
        found.ok_or_else(|| missing(&format!("No such container: {id}")))
    }

    /// As `docker pause`.
    pub(super) fn freeze(&mut self, id: &ContainerId) {
        let now = self.clock;
        let Some(container) = self.containers.get_mut(id) else { return };
        if container.state.status != Status::Running {
            return;
        }
        container.state.status = Status::Paused;
        // Measured: the check is given up, and what is not checked is not healthy.
        container.state.health = container.state.health.map(|_| Health::Unhealthy);
        self.life(id).frozen = Some(now);
        self.tell(id, "pause", &[]);
    }

    /// As `docker unpause`; the time that it was frozen has not passed for its process.
    pub(super) fn thaw(&mut self, id: &ContainerId) {
        let now = self.clock;
        let Some(container) = self.containers.get_mut(id) else { return };
        if container.state.status != Status::Paused {
            return;
        }
        container.state.status = Status::Running;
        let interval = super::health::interval(container);
        let life = self.life(id);
        let slept = now.saturating_sub(life.frozen.take().unwrap_or(now));
        if let Some(end) = &mut life.end {
            end.at += slept;
        }
        life.check = interval.map(|interval| now + interval);
        self.tell(id, "unpause", &[]);
    }

    /// The engine ends and starts again, as by `systemctl restart docker`: every container
    /// is stopped, those that their policy wants are started, and its events are
    /// forgotten.
    pub fn restart_engine(&mut self) {
        let ids: Vec<ContainerId> = self.containers.keys().cloned().collect();
        for id in &ids {
            let Some(container) = self.containers.get(id).filter(|it| runs(it)) else {
                continue;
            };
            let by_hand = self.lives.get(id).is_some_and(|life| life.by_hand);
            let is_restarting = container.state.status == Status::Restarting;
            let end = match self.software_of(container).stops {
                Reaction::Ends(end) => end.code,
                Reaction::Ignores => KILLED,
            };
            self.thaw(id);
            self.life(id).by_hand = true;
            if is_restarting {
                self.stopped(id);
            } else {
                self.die(id, end);
            }
            self.life(id).by_hand = by_hand;
        }
        self.events.forget();
        self.boots += 1;
        for id in &ids {
            let Some(container) = self.containers.get(id) else { continue };
            let by_hand = self.lives.get(id).is_some_and(|life| life.by_hand);
            // Measured: what was never started stays so, whatever its policy.
            let has_ended = container.state.status == Status::Exited;
            let comes_back = match Policy::of(container) {
                Policy::No => false,
                Policy::Always => true,
                Policy::UnlessStopped => !by_hand,
                Policy::OnFailure { most } => {
                    container.state.exit_code != 0
                        && most.is_none_or(|most| container.state.restarts < most)
                }
            };
            if has_ended && comes_back {
                // What cannot be started stays down, as on the real engine.
                let _started = self.start(id);
            }
        }
    }
}

/// The restart policy of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    No,
    Always,
    UnlessStopped,
    OnFailure { most: Option<u64> },
}

impl Policy {
    fn of(container: &Container) -> Self {
        let policy = container.document.get("HostConfig.RestartPolicy.Name");
        let most = container.document.get("HostConfig.RestartPolicy.MaximumRetryCount");
        match policy.as_text() {
            Some("always") => Self::Always,
            Some("unless-stopped") => Self::UnlessStopped,
            Some("on-failure") => {
                let most = most.as_int().and_then(|most| u64::try_from(most).ok());
                Self::OnFailure { most: most.filter(|most| *most > 0) }
            }
            Some(_) | None => Self::No,
        }
    }
}
