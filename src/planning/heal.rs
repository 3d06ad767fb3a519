//! Healing: what is done about a container that runs and is unhealthy.
//!
//! First it is restarted, at once. If that does not help, another container of the same
//! spec takes its place. From then on it is restarted with a growing delay, and never more
//! often in an hour than the budget says. A long time of readiness forgives all that.
//!
//! A healing is remembered before anything is done, so that one that a crash of ours cuts
//! short is gone on with and counted.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::state::desired::Heal;
use crate::state::ids::{ContainerId, Object};
use crate::state::observed::{Container, Observed, Status};
use crate::state::step::Step;
use crate::state::time::{EngineTime, Moment, Now};

use super::change::Action;
use super::decision::{Decision, Next};
use super::memory::{Memory, Stopper};
use super::pause;
use super::readiness::Readiness;
use super::rejection::{Course, course};
use super::replica::{decision, object};
use super::retry::CRASH;
use super::world::{Instance, Standing, World};
use super::{handover, order, outside};

/// The time that the budget is for.
const HOUR: Duration = Duration::from_hours(1);

/// For how long a container must be ready before its healings in a row are forgotten.
const FORGIVEN: Duration = Duration::from_mins(10);

/// The healings of one replica.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Healings {
    /// When each of the last hour began, the oldest first.
    pub times: Vec<EngineTime>,
    /// How many in a row, with no long time of readiness between them.
    pub row: u32,
    /// Since when it has been ready after the last.
    pub well_since: Option<EngineTime>,
    /// The last one, until its container is ready.
    pub current: Option<Healing>,
}

/// One healing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healing {
    /// What is done.
    pub remedy: Remedy,
    /// The container that was unhealthy.
    pub container: ContainerId,
    /// Since when.
    pub since: EngineTime,
}

/// What is done about an unhealthy container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// It is stopped and started.
    Restart,
    /// Another container takes its place.
    Recreate,
}

impl Remedy {
    /// Returns the remedy that comes after so many in a row. One more container would be
    /// no better than the second; and where what is wanted was rejected, another container
    /// would be one of that.
    fn after(row: u32, world: &World<'_>, instance: &Instance<'_>) -> Self {
        let is_given_up = world.memory.rejections.contains_key(&instance.service.name);
        if row == 1 && !is_given_up { Self::Recreate } else { Self::Restart }
    }

    /// Returns what happens to the container, as a participle.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Restart => "restarted",
            Self::Recreate => "replaced",
        }
    }

    const fn action(self) -> Action {
        match self {
            Self::Restart => Action::Restart,
            Self::Recreate => Action::Recreate,
        }
    }
}

impl Healing {
    /// Tells whether it was done: another container is there, or it runs anew.
    fn is_done(&self, holder: Option<&Container>) -> bool {
        holder.is_none_or(|holder| {
            holder.id != self.container
                || holder.state.started.is_some_and(|started| started > self.since)
        })
    }
}

impl Healings {
    /// Returns when the next one may begin; nothing when it may at once.
    fn due(&self, heal: &Heal, object: &Object) -> Option<(EngineTime, String)> {
        let last = *self.times.last()?;
        let later = |time: EngineTime, delay| time.checked_add(delay).unwrap_or(time);
        let budget = usize::try_from(heal.budget).unwrap_or(usize::MAX);
        if let Some(over) = self.times.len().checked_sub(budget) {
            let on = format!("the budget of {} healings an hour", heal.budget);
            return Some((later(*self.times.get(over)?, HOUR), on));
        }
        let delay = CRASH.jittered(self.row, &object.to_string());
        Some((later(last, delay), format!("backoff after {} healings", self.row)))
    }
}

/// Takes note of healings that are over, and decides which begin.
pub(super) fn healings(world: &World<'_>) -> BTreeMap<Object, Healings> {
    let mut all = BTreeMap::new();
    for instance in world.instances.values() {
        let object = object(instance);
        let mut healings =
            world.memory.healings.get(&object).cloned().unwrap_or_default();
        follow(&mut healings, instance, world.now);
        if may_begin(world, instance, &healings)
            && !is_next_to_another(world, instance, &all)
        {
            let holder = instance.office.holder;
            healings.current = holder.map(|holder| Healing {
                remedy: Remedy::after(healings.row, world, instance),
                container: holder.id.clone(),
                since: world.now.engine,
            });
            healings.times.push(world.now.engine);
            healings.row = healings.row.saturating_add(1);
        }
        if healings != Healings::default() {
            all.insert(object, healings);
        }
    }
    all
}

/// Takes note of what became of the last healing.
fn follow(healings: &mut Healings, instance: &Instance<'_>, now: Now) {
    healings.times.retain(|time| now.age(*time) < HOUR);
    if !instance.is_ready() {
        healings.well_since = None;
        return;
    }
    if let Some(current) = healings.current.take()
        && !current.is_done(instance.office.holder)
    {
        // It got well by itself before anything was done.
        healings.times.pop();
        healings.row = healings.row.saturating_sub(1);
    }
    if healings.row > 0 {
        let since = *healings.well_since.get_or_insert(now.engine);
        if now.age(since) >= FORGIVEN {
            (healings.row, healings.well_since) = (0, None);
        }
    }
}

fn may_begin(world: &World<'_>, instance: &Instance<'_>, healings: &Healings) -> bool {
    let is_under_way = healings
        .current
        .as_ref()
        .is_some_and(|current| !current.is_done(instance.office.holder));
    let due = healings.due(&instance.service.heal(), &object(instance));
    is_patient(world, instance)
        && !pause::is_left_alone(world, &instance.service.name)
        && !is_under_way
        && due.is_none_or(|(time, _)| time <= world.now.engine)
        && order::others_first(world, instance).is_empty()
}

/// Tells whether healing is what an instance needs. A container that has yet to prove itself
/// against another that is kept has a deadline for that.
fn is_patient(world: &World<'_>, instance: &Instance<'_>) -> bool {
    instance.service.heal().is_on
        && instance.standing == Standing::Running(Readiness::Unhealthy)
        && instance.office.candidate.is_none()
        && instance.office.base.is_none()
        && match course(world, instance) {
            Course::Keep => instance.drift.is_empty(),
            Course::Stay { .. } | Course::Hold => true,
            Course::Replace | Course::GoBack { .. } => false,
        }
}

/// Tells whether another replica is being healed while a third still serves: then one after
/// the other.
fn is_next_to_another(
    world: &World<'_>,
    instance: &Instance<'_>,
    begun: &BTreeMap<Object, Healings>,
) -> bool {
    let is_busy = |other: &Instance<'_>| {
        let object = object(other);
        let healings = begun.get(&object).or_else(|| world.memory.healings.get(&object));
        let current = healings.and_then(|it| it.current.as_ref());
        current.is_some_and(|it| {
            let is_done = it.is_done(other.office.holder);
            !is_done || other.standing != Standing::Running(Readiness::Unhealthy)
        })
    };
    let siblings = || {
        let all = world.replicas_of(&instance.service.name);
        all.filter(|other| other.replica.number != instance.replica.number)
    };
    siblings().any(is_busy) && siblings().any(Instance::is_ready)
}

/// Takes note that a container which was to be stopped for a healing was stopped by us,
/// although the end of that step was never told.
pub(super) fn own(memory: &mut Memory, observed: &Observed) {
    let current = memory.healings.values().filter_map(|it| it.current.as_ref());
    for healing in current {
        let Some(container) = observed.containers.get(&healing.container) else {
            continue;
        };
        let state = &container.state;
        let is_down = matches!(state.status, Status::Exited | Status::Dead)
            && state.finished.is_some_and(|finished| finished >= healing.since);
        if is_down && !healing.is_done(Some(container)) {
            memory.stopped.entry(container.id.clone()).or_insert(Stopper::Us);
        }
    }
}

/// Returns the healing of an instance that is under way.
pub fn under_way<'a>(
    world: &'a World<'_>,
    instance: &Instance<'_>,
) -> Option<&'a Healing> {
    let current = world.memory.healings.get(&object(instance))?.current.as_ref()?;
    (!current.is_done(instance.office.holder)).then_some(current)
}

/// Decides what comes next for an unhealthy container.
pub fn decide(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Decision {
    let sick = outside::complaint(world.memory, &holder.id);
    let sick = sick.unwrap_or_else(|| "its health check fails".to_owned());
    if let Some(healing) = under_way(world, instance) {
        return match healing.remedy {
            Remedy::Restart => {
                let next = stop(world, instance, holder);
                decision(instance, Action::Restart, sick, next)
            }
            Remedy::Recreate => recreate(world, instance, holder),
        };
    }
    if !is_patient(world, instance) {
        return decision(instance, Action::None, sick, Next::Nothing);
    }
    let healings = world.memory.healings.get(&object(instance));
    let row = healings.map_or(0, |it| it.row);
    let action = Remedy::after(row, world, instance).action();
    let waits = order::others_first(world, instance);
    let reason = match row {
        0 => sick,
        1 => format!("{sick} although it was healed"),
        row => format!("{sick} although it was healed {row} times in a row"),
    };
    let next = match wake(world, instance) {
        _ if !waits.is_empty() => Next::Wait(waits),
        Some((moment, on)) => Next::Until(moment, on),
        None => Next::Wait(vec!["another replica to be healed".to_owned()]),
    };
    decision(instance, action, reason, next)
}

/// Goes on with a healing in which another container takes the place.
pub fn recreate(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Decision {
    let reason = "its health check fails although it was restarted";
    Decision { reason: reason.to_owned(), ..handover::decide(world, instance, holder) }
}

/// Tells whether another container is taking the place of an unhealthy one.
pub fn is_recreating(world: &World<'_>, instance: &Instance<'_>) -> bool {
    under_way(world, instance).is_some_and(|it| it.remedy == Remedy::Recreate)
}

fn stop(world: &World<'_>, instance: &Instance<'_>, holder: &Container) -> Next {
    let waits = order::before_disruption(world, instance);
    if !waits.is_empty() {
        return Next::Wait(waits);
    }
    Next::Step(Step::Stop {
        container: holder.id.clone(),
        grace: instance.service.stop_grace,
    })
}

/// Returns the sick container that another of the same spec has taken over from, if it is
/// still there and the new one is not ready: nobody wants to go back to it.
pub fn needless<'a>(
    world: &World<'_>,
    instance: &Instance<'a>,
    holder: &Container,
) -> Option<&'a Container> {
    let current = world.memory.healings.get(&object(instance))?.current.as_ref()?;
    let base = instance.office.base.filter(|it| it.id == current.container)?;
    let is_same = base.origin.spec.is_some() && base.origin.spec == holder.origin.spec;
    (is_same && !instance.is_ready()).then_some(base)
}

/// Returns when an unhealthy container may be healed again, and what is waited for.
pub fn wake(world: &World<'_>, instance: &Instance<'_>) -> Option<(Moment, String)> {
    let object = object(instance);
    let healings =
        world.memory.healings.get(&object).filter(|_| is_patient(world, instance))?;
    let (time, on) = healings.due(&instance.service.heal(), &object)?;
    let ahead = Duration::try_from(time.duration_since(world.now.engine)).ok()?;
    (!ahead.is_zero()).then(|| (world.now.moment.after(ahead), on))
}
