//! Pauses: a person said that nothing is to be done about a stack or a service for a while.
//!
//! What differs is planned and shown all the same; only the steps wait. The engine's own
//! restarts go on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::state::ids::{Object, ServiceName};
use crate::state::step::Step;
use crate::state::time::{EngineTime, Moment, Now};

use super::change::{Action, Note};
use super::decision::{Decision, Next};
use super::restart;
use super::world::World;

/// The pauses of one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pauses {
    /// Of everything.
    pub stack: Option<Pause>,
    /// Of single services.
    pub services: BTreeMap<ServiceName, Pause>,
}

/// One pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: EngineTime,
    /// When it ends by itself; nothing when a person has to end it.
    pub until: Option<EngineTime>,
}

impl Pauses {
    /// Pauses a service, or everything; an earlier pause of the same is forgotten.
    pub fn begin(&mut self, service: Option<&ServiceName>, pause: Pause) {
        match service {
            Some(name) => drop(self.services.insert(name.clone(), pause)),
            None => self.stack = Some(pause),
        }
    }

    /// Ends the pause of a service, or all pauses.
    pub fn end(&mut self, service: Option<&ServiceName>) {
        match service {
            Some(name) => drop(self.services.remove(name)),
            None => *self = Self::default(),
        }
    }

    /// Ends the pauses whose time has come.
    pub fn expire(&mut self, now: EngineTime) {
        let is_over = |pause: &Pause| pause.until.is_some_and(|until| until <= now);
        self.stack = self.stack.filter(|pause| !is_over(pause));
        self.services.retain(|_, pause| !is_over(pause));
    }

    /// Returns the pause that a service is under: of its own and that of the stack the one
    /// that lasts longer.
    pub fn of(&self, service: &ServiceName) -> Option<&Pause> {
        let own = self.services.get(service);
        let all = [self.stack.as_ref(), own].into_iter().flatten();
        all.max_by_key(|pause| (pause.until.is_none(), pause.until))
    }

    /// Tells whether nothing is paused.
    pub fn is_empty(&self) -> bool {
        self.stack.is_none() && self.services.is_empty()
    }

    fn ends(&self) -> impl Iterator<Item = EngineTime> {
        self.stack.iter().chain(self.services.values()).filter_map(|pause| pause.until)
    }

    /// Says what is paused, and how it ends; nothing when nothing is.
    pub fn said(&self) -> Option<String> {
        let stack = self.stack.iter().map(|pause| ("the stack".to_owned(), pause));
        let services = self.services.iter();
        let services = services.map(|(name, pause)| (format!("service/{name}"), pause));
        let all: Vec<String> =
            stack.chain(services).map(|(what, it)| format!("{what} {it}")).collect();
        let all = all.join(", ");
        (!all.is_empty()).then(|| {
            format!(
                "{all}: what differs is told and left alone; `reconciler resume` goes on"
            )
        })
    }
}

impl std::fmt::Display for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.until {
            Some(until) => {
                write!(f, "is paused until {}", until.strftime("%Y-%m-%d %H:%M:%SZ"))
            }
            None => f.write_str("is paused by hand"),
        }
    }
}

impl Pause {
    /// Makes a pause that begins now, for a time or until a person ends it.
    pub fn new(now: Now, time: Option<Duration>) -> Self {
        // One that ends after the end of all time has to be ended by hand.
        let until = time.and_then(|time| now.engine.checked_add(time).ok());
        Self { since: now.engine, until }
    }

    /// Says what a step waits for.
    fn wait(&self) -> String {
        match self.until {
            Some(_) => format!("the end of the pause: it {self}"),
            None => format!("`reconciler resume`: it {self}"),
        }
    }
}

/// Holds what a decision would do back while its object is paused. Asking a container for
/// its health does nothing to it.
#[must_use]
pub fn hold(world: &World<'_>, mut decision: Decision) -> Decision {
    let Some(pause) = pause_of(world, &decision) else { return decision };
    let is_under_way = world.memory.under_way.contains_key(&decision.object);
    let acts = match &decision.next {
        Next::Step(Step::Probe { .. }) => false,
        Next::Step(_) => true,
        Next::Nothing | Next::Wait(_) | Next::Until(..) => {
            decision.action != Action::None
        }
    };
    if acts && !is_under_way {
        decision.next = Next::Wait(vec![pause.wait()]);
    }
    decision
}

/// Tells whether nothing is to be done about a service now: it is paused, or it is not what
/// this process is for.
pub fn is_left_alone(world: &World<'_>, service: &ServiceName) -> bool {
    let only = world.memory.only.as_ref();
    world.memory.pauses.of(service).is_some()
        || only.is_some_and(|only| !restart::is_taken_along(world.desired, only, service))
}

fn pause_of<'a>(world: &World<'a>, decision: &Decision) -> Option<&'a Pause> {
    let pauses = &world.memory.pauses;
    match &decision.object {
        Object::Service(replica) => pauses.of(&replica.service),
        Object::Volume(_) => pauses.stack.as_ref(),
        Object::Network(key) => {
            pauses.stack.as_ref().or_else(|| of_attached(world, decision, key.as_str()))
        }
    }
}

/// A network that has to go takes every container off for a while, also those of a service
/// that is paused.
fn of_attached<'a>(
    world: &World<'a>,
    decision: &Decision,
    key: &str,
) -> Option<&'a Pause> {
    let spec = world.desired.networks.get(key)?;
    if decision.action != Action::Recreate {
        return None;
    }
    let containers = world.observed.containers.values();
    containers
        .filter(|container| container.attached.contains_key(&spec.name))
        .filter_map(|container| container.origin.replica.as_ref())
        .find_map(|replica| world.memory.pauses.services.get(&replica.service))
}

/// Says what is paused.
pub fn note(world: &World<'_>) -> Option<Note> {
    let message = world.memory.pauses.said()?;
    Some(Note { reason: "Paused", about: world.desired.project.to_string(), message })
}

/// Returns when the next pause ends by itself.
pub fn wake(world: &World<'_>) -> Option<Moment> {
    let next = world.memory.pauses.ends().min()?;
    let ahead = next.duration_since(world.now.engine);
    Some(world.now.moment.after(ahead.try_into().unwrap_or_default()))
}
