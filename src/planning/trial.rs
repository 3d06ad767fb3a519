//! Trials: a container that is to replace another proves itself, or is judged.
//!
//! It proves itself when it is ready and stays so for a while. It fails when it is not
//! ready by its deadline, or ends three times. The clock stands still while what it depends
//! on is not ready.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::state::ids::ContainerId;
use crate::state::observed::{Container, Status};
use crate::state::step::{FailureKind, Outcome, Step};
use crate::state::time::{EngineTime, Moment, Now};

use super::office::is_running;
use super::readiness::{Readiness, readiness};
use super::world::{Instance, World};

/// How long a container may take to become ready, unless it needs or asks for more.
const DEADLINE: Duration = Duration::from_mins(5);

/// How often it may end.
const EXITS: u32 = 3;

/// The longest time between two looks that counts: nobody watched for longer.
const LONGEST: Duration = Duration::from_mins(1);

/// How far a container has come in proving itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// For how long it could have become ready.
    pub spent: Duration,
    /// When that was last counted.
    pub counted: Moment,
    /// Since when it has been ready in office.
    pub ready_since: Option<Moment>,
    /// It has the office.
    pub in_office: bool,
    /// How often it has ended, or could not be started.
    pub exits: u32,
    /// The end that was counted last.
    pub ended: Option<EngineTime>,
    /// How often the engine had started it again when that was last counted.
    pub restarts: u64,
    /// What came of it.
    pub verdict: Verdict,
    /// When it was judged.
    pub over: Option<Moment>,
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "verdict", content = "why", rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing yet.
    Open,
    /// It was ready for long enough.
    Passed,
    /// It was not; why.
    Failed(String),
}

/// Returns the container of a replica that has yet to prove itself, if any: a holder that
/// took over from another that is still there, or a candidate that was started.
pub fn on_trial<'a>(instance: &Instance<'a>) -> Option<&'a Container> {
    let office = &instance.office;
    let candidate = office.candidate.filter(|it| it.state.started.is_some());
    candidate.or_else(|| office.base.and(office.holder))
}

/// Tells whether a replica has a container that has yet to prove itself.
pub fn is_open(world: &World<'_>, instance: &Instance<'_>) -> bool {
    on_trial(instance).is_some_and(|it| {
        let trial = world.memory.trials.get(&it.id);
        trial.is_none_or(|trial| trial.verdict == Verdict::Open)
    })
}

/// Tells whether the holder has proved itself, or need not.
pub fn has_passed(world: &World<'_>, instance: &Instance<'_>) -> bool {
    let Some(holder) = instance.office.holder else { return false };
    let trial = world.memory.trials.get(&holder.id);
    instance.office.base.is_none()
        || trial.is_some_and(|trial| trial.verdict == Verdict::Passed)
}

/// Returns when a trial is to be judged although nothing has happened.
pub fn wake(world: &World<'_>) -> Option<Moment> {
    let due = world.instances.values().filter_map(|instance| {
        let container = on_trial(instance)?;
        let trial = world.memory.trials.get(&container.id)?;
        let left = deadline(instance, container).saturating_sub(trial.spent);
        let deadline = trial.counted.after(left.min(LONGEST));
        let monitor = instance.service.update.monitor;
        let proof = trial.ready_since.map(|since| since.after(monitor));
        match trial.verdict {
            Verdict::Open => Some(proof.map_or(deadline, |proof| proof.min(deadline))),
            Verdict::Failed(_) => proof,
            Verdict::Passed => None,
        }
    });
    due.min()
}

/// Returns how long a container may take to become ready: what the file says, or the
/// longer of five minutes and what its health check may need.
pub fn deadline(instance: &Instance<'_>, container: &Container) -> Duration {
    let of_check = |field: &'static str, or: u64| {
        let text = container.document.get(field).as_text();
        let duration = text.and_then(|it| crate::compose::units::parse_duration(it).ok());
        duration.filter(|it| !it.is_zero()).unwrap_or(Duration::from_secs(or))
    };
    let period = of_check("Config.Healthcheck.StartPeriod", 0);
    let interval = of_check("Config.Healthcheck.Interval", 30);
    let timeout = of_check("Config.Healthcheck.Timeout", 30);
    let retries = container.document.get("Config.Healthcheck.Retries").as_int();
    let retries = retries.and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0);
    let needed = period + (interval + timeout).saturating_mul(retries.unwrap_or(3));
    instance.service.settings.ready_deadline.unwrap_or_else(|| needed.max(DEADLINE))
}

/// Takes note of what a look shows of every container on trial. What is over is forgotten.
pub(super) fn trials(
    world: &World<'_>,
    outcomes: &[Outcome],
) -> BTreeMap<ContainerId, Trial> {
    let instances = world.instances.values();
    instances
        .filter_map(|instance| {
            let container = on_trial(instance)?;
            let known = world.memory.trials.get(&container.id);
            let mut trial =
                known.cloned().unwrap_or_else(|| begun(instance, container, world.now));
            count(&mut trial, world, instance, container, outcomes);
            let verdict = judge(&trial, world, instance, container);
            let is_new = match (&trial.verdict, &verdict) {
                (Verdict::Passed, _)
                | (_, Verdict::Open)
                | (Verdict::Failed(_), Verdict::Failed(_)) => false,
                // What failed may get well after all, if it is left where it is.
                (Verdict::Open | Verdict::Failed(_), Verdict::Passed)
                | (Verdict::Open, Verdict::Failed(_)) => true,
            };
            if is_new {
                trial.verdict = verdict;
                trial.over = Some(world.now.moment);
            }
            Some((container.id.clone(), trial))
        })
        .collect()
}

/// What is not known of a container is read off it. One that runs already may have been
/// ready before, so it is given the half of its time to show it.
fn begun(instance: &Instance<'_>, container: &Container, now: Now) -> Trial {
    let half = deadline(instance, container) / 2;
    let started = container.state.started.filter(|_| is_running(container));
    Trial {
        spent: started.map(|it| now.age(it).min(half)).unwrap_or_default(),
        counted: now.moment,
        ready_since: None,
        in_office: false,
        exits: 0,
        ended: None,
        restarts: 0,
        verdict: Verdict::Open,
        over: None,
    }
}

fn count(
    trial: &mut Trial,
    world: &World<'_>,
    instance: &Instance<'_>,
    container: &Container,
    outcomes: &[Outcome],
) {
    let now = world.now.moment;
    let is_free = world.unmet(instance.service).is_empty();
    let passed = now.since(trial.counted).min(LONGEST);
    trial.counted = now;
    if is_free {
        trial.spent = trial.spent.saturating_add(passed);
        trial.exits = trial.exits.saturating_add(exits(trial, world, container));
        let failed = outcomes.iter().filter(|it| could_not_start(it, &container.id));
        let failed = u32::try_from(failed.count()).unwrap_or(u32::MAX);
        trial.exits = trial.exits.saturating_add(failed);
    }
    trial.ended = container.state.finished;
    trial.restarts = container.state.restarts;
    let has_office = instance.office.holder.is_some_and(|it| it.id == container.id);
    if has_office && !std::mem::replace(&mut trial.in_office, true) {
        trial.ready_since = None;
    }
    let is_ready = readiness(container, world.memory, world.now) == Readiness::Ready;
    trial.ready_since = is_ready.then(|| trial.ready_since.unwrap_or(now));
}

/// Counts the ends since the last look: those that the engine's policy answered, and one
/// that nobody did.
fn exits(trial: &Trial, world: &World<'_>, container: &Container) -> u32 {
    let state = &container.state;
    let by_engine = state.restarts.saturating_sub(trial.restarts);
    let has_ended = matches!(state.status, Status::Exited | Status::Dead)
        && state.finished.is_some()
        && state.finished != trial.ended
        && !world.memory.stopped.contains_key(&container.id);
    u32::try_from(by_engine).unwrap_or(u32::MAX).saturating_add(u32::from(has_ended))
}

/// Tells whether the engine would not start it: that counts as an end.
fn could_not_start(outcome: &Outcome, id: &ContainerId) -> bool {
    let Err(failure) = &outcome.result else { return false };
    let is_start = matches!(&outcome.step, Step::Start { container } if container == id);
    is_start
        && match failure.kind {
            FailureKind::Conflict | FailureKind::Refused | FailureKind::Failed => true,
            FailureKind::NotFound | FailureKind::Unknown | FailureKind::Abandoned => {
                false
            }
        }
}

fn judge(
    trial: &Trial,
    world: &World<'_>,
    instance: &Instance<'_>,
    container: &Container,
) -> Verdict {
    let has_office = trial.in_office;
    let is_proved = trial.ready_since.is_some_and(|since| {
        has_office && since.after(instance.service.update.monitor) <= world.now.moment
    });
    if is_proved || has_office && instance.is_ready() && !is_running(container) {
        return Verdict::Passed;
    }
    let limit = deadline(instance, container);
    if trial.exits >= EXITS {
        return Verdict::Failed(ended(trial, container));
    }
    if trial.spent >= limit && trial.ready_since.is_none() {
        let why = if is_running(container) {
            format!("it was not ready within {} s", limit.as_secs())
        } else {
            format!("it was not started within {} s", limit.as_secs())
        };
        return Verdict::Failed(why);
    }
    Verdict::Open
}

fn ended(trial: &Trial, container: &Container) -> String {
    let state = &container.state;
    let times = trial.exits;
    match state.error.as_str() {
        "" => format!("it ended {times} times, the last with code {}", state.exit_code),
        error => format!("it could not be started, {times} times: {error}"),
    }
}
