//! What an operator does about what happens: an event in, a response out.
//!
//! Files, engine events, timers, signals and people only say "look again": an event is a
//! reason to look, and every decision is made on what the look shows. One look is under
//! way at a time; what happens meanwhile leads to one more.

mod ask;
mod attention;
mod resting;

pub use ask::Ask;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Scope, Wakeup};
use crate::pass::{Found, Wanted, pass};
use crate::planning::check::CheckResult;
use crate::planning::check::history::taken_up;
use crate::planning::event;
use crate::planning::immutable;
use crate::planning::memory::Memory;
use crate::planning::pause::Pause;
use crate::planning::quoted;
use crate::planning::retry::ERROR;
use crate::planning::world::{Allowed, World};
use crate::state::ids::{ContainerId, ContainerName, Object};
use crate::state::observed::Observed;
use crate::state::step::{Outcome, Step};
use crate::state::time::{EngineTime, Moment, Now};

/// How often everything is looked at with no reason, unless the file says otherwise.
const RESYNC_READY: Duration = Duration::from_mins(1);

/// As [`RESYNC_READY`], while something is not ready.
const RESYNC_UNREADY: Duration = Duration::from_secs(30);

/// After how many failed looks in a row the wait for the next one is the longest: half a
/// minute.
const LONGEST_BLIND: u32 = 6;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// This is wanted from now on; being told the same again means to look again.
    Wanted(Box<Wanted>),
    /// The engine says that something happened.
    Woken(Wakeup),
    /// A step has ended.
    Ended(Outcome),
    /// Whoever acts on the stack, while this one only looks, remembers this.
    Told(Box<Memory>),
    /// The look has ended.
    Seen(Observed),
    /// The look has failed.
    Blind,
    /// A person asks for something.
    Asked(Ask),
    /// Checks were made.
    Checked(Vec<CheckResult>),
}

/// What is to be done about what happened.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The look that is to be taken now.
    pub look: Option<Look>,
    /// The steps that are to be taken now.
    pub steps: Vec<(Object, Step)>,
    /// Steps that only wait are to be given up: something else is wanted now.
    pub abandon_waits: bool,
    /// What the last look showed, when it has just ended.
    pub found: Option<Found>,
}

/// A look at the engine.
#[derive(Clone, Debug)]
pub struct Look {
    /// What it has to cover.
    pub scope: Scope,
    /// The look before, and the containers that are to be inspected anew whatever the
    /// lists say; nothing for a look at everything.
    pub since: Option<(Arc<Observed>, BTreeSet<ContainerId>)>,
}

/// The look that is under way, and what it will account for.
#[derive(Debug)]
struct Looking {
    look: Look,
    outcomes: Vec<Outcome>,
    began: Now,
    /// Something happened that makes its result worthless.
    is_outdated: bool,
}

/// Whether the engine's events arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// They have never been followed.
    NotYet,
    /// They are followed.
    Followed,
    /// They are lost, and will be followed again.
    Lost,
}

/// The mind of one operator.
#[derive(Debug)]
pub struct Controller {
    wanted: Wanted,
    /// What is allowed always.
    always_allowed: Allowed,
    /// What is allowed until the stack is as wanted.
    allowed: Allowed,
    memory: Memory,
    observed: Option<Arc<Observed>>,
    /// Containers that something happened to since they were last inspected.
    touched: BTreeSet<ContainerId>,
    /// Steps that have ended since the last look began.
    ended: Vec<Outcome>,
    looking: Option<Looking>,
    /// There is a reason to look that no look has seen yet.
    is_woken: bool,
    /// What is yet to be answered.
    response: Response,
    /// How many looks in a row failed, and when the next may be tried.
    failures: (u32, Moment),
    is_ready: bool,
    /// When time alone is a reason for another pass.
    wake: Option<Moment>,
    /// When everything was last looked at.
    looked_at: Moment,
    /// The engine's time when it was last looked at.
    seen_at: Option<EngineTime>,
    sight: Sight,
    /// When the next probe of what is ready is due.
    probe_at: Option<Moment>,
}

impl Controller {
    /// Makes a controller that is about to look for the first time.
    pub fn new(wanted: Wanted, allowed: Allowed, memory: Memory) -> Self {
        Self {
            wanted,
            always_allowed: allowed,
            allowed,
            memory,
            observed: None,
            touched: BTreeSet::new(),
            ended: Vec::new(),
            looking: None,
            is_woken: true,
            response: Response::default(),
            failures: (0, Moment::default()),
            is_ready: false,
            wake: None,
            looked_at: Moment::default(),
            seen_at: None,
            sight: Sight::NotYet,
            probe_at: None,
        }
    }

    /// Returns what is wanted.
    pub const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Returns what is remembered.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Returns the name that a container had when it was last looked at.
    pub fn name_of(&self, id: &ContainerId) -> ContainerName {
        let there = self.observed.as_ref().and_then(|it| it.containers.get(id));
        there.map_or_else(|| ContainerName::new(id.short()), |it| it.name.clone())
    }

    /// Returns an outcome with the secrets taken out of what the engine said.
    pub fn concealed(&self, outcome: Outcome) -> Outcome {
        quoted::outcome(outcome, &self.wanted.desired, self.observed.as_deref())
    }

    /// Returns how many looks in a row have failed.
    pub const fn failures(&self) -> u32 {
        self.failures.0
    }

    /// Tells whether the look that is under way is one at everything.
    pub fn looks_at_everything(&self) -> bool {
        self.looking.as_ref().is_some_and(|it| it.look.since.is_none())
    }

    /// Returns when to ask for a response although nothing has happened; nothing while a
    /// look is under way.
    pub fn wake(&self) -> Option<Moment> {
        let look = self.look_due()?;
        // Between two looks it is time that makes a probe due.
        Some(self.probe_at.map_or(look, |probe| probe.min(look)))
    }

    fn look_due(&self) -> Option<Moment> {
        if self.looking.is_some() {
            return None;
        }
        let resync = self.resync_at();
        let wake = self.wake.map_or(resync, |wake| wake.min(resync));
        let wake = if self.is_woken { Moment::default() } else { wake };
        Some(wake.max(self.failures.1))
    }

    /// Takes note of what happened. Several events may be taken note of before a response
    /// is asked for.
    pub fn handle(&mut self, event: Event, now: Now) {
        match event {
            Event::Wanted(wanted) => self.want(*wanted, now),
            Event::Woken(wakeup) => self.is_woken |= self.is_reason(&wakeup),
            Event::Ended(outcome) if self.absorbs(&outcome, now) => {}
            Event::Ended(outcome) => {
                self.touched.extend(outcome.step.container().cloned());
                self.ended.push(outcome);
                self.is_woken = true;
            }
            Event::Told(memory) => self.told(*memory),
            Event::Seen(observed) => self.seen(observed, now),
            Event::Blind => self.blind(now),
            Event::Asked(ask) => self.asked(ask, now),
            Event::Checked(results) => self.checked(results, now),
        }
    }

    /// Returns what is to be done now.
    pub fn respond(&mut self, now: Now) -> Response {
        let mut response = std::mem::take(&mut self.response);
        response.steps.extend(self.probes(now));
        if self.look_due().is_some_and(|look| look <= now.moment) {
            response.look = Some(self.look(now));
        }
        response
    }

    fn look(&mut self, now: Now) -> Look {
        if now.moment >= self.resync_at() {
            self.observed = None;
        }
        let touched = std::mem::take(&mut self.touched);
        let since = self.observed.clone().map(|last| (last, touched));
        if since.is_none() {
            self.looked_at = now.moment;
        }
        let look = Look { scope: self.wanted.scope(), since };
        self.is_woken = false;
        self.looking = Some(Looking {
            look: look.clone(),
            outcomes: std::mem::take(&mut self.ended),
            began: now,
            is_outdated: false,
        });
        look
    }

    /// Plans on what a look has shown.
    fn seen(&mut self, mut observed: Observed, now: Now) {
        let Some(looking) = self.looking.take() else { return };
        self.failures = (0, Moment::default());
        if looking.is_outdated {
            self.give_back(looking);
            return;
        }
        let Looking { outcomes, began, .. } = looking;
        quoted::errors(&mut observed, &self.wanted.desired);
        let unwatched = self.memory.unwatched;
        let (memory, found) =
            pass(&self.wanted, self.allowed, &self.memory, &observed, &outcomes, now);
        self.memory = memory;
        if self.sight == Sight::Lost {
            // More may end with the engine.
            self.memory.unwatched = unwatched;
        }
        self.observed = Some(Arc::new(observed));
        self.seen_at = Some(began.engine);
        self.is_ready = found.status.ready;
        self.wake = found.plan.wake;
        if found.plan.is_in_sync() && found.status.ready {
            self.allowed = self.always_allowed;
        }
        for (object, step) in &found.plan.steps {
            self.memory.under_way.insert(object.clone(), step.clone());
        }
        self.response.steps.extend(found.plan.steps.iter().cloned());
        self.response.found = Some(found);
    }

    /// Takes over what is known of the stack, and keeps what was found by looking.
    fn told(&mut self, memory: Memory) {
        let own = std::mem::take(&mut self.memory);
        let Memory { signalled, conditions, unwatched, events, seen, .. } = own;
        let under_way = BTreeMap::new();
        self.memory = Memory {
            under_way,
            signalled,
            conditions,
            unwatched,
            events,
            seen,
            ..memory
        };
    }

    fn blind(&mut self, now: Now) {
        let Some(looking) = self.looking.take() else { return };
        self.give_back(looking);
        // An engine that cannot be looked at may be about to start again.
        self.memory.unwatched = self.memory.unwatched.or(self.seen_at);
        let failures = self.failures.0.saturating_add(1);
        let project = &self.wanted.desired.project;
        // Whoever has lost sight of the engine looks for it often enough to be back soon.
        let delay = ERROR.jittered(failures.min(LONGEST_BLIND), project.as_str());
        self.failures = (failures, now.moment.after(delay));
    }

    /// What a look was to account for is accounted for by the next one.
    fn give_back(&mut self, looking: Looking) {
        let since = looking.look.since.into_iter();
        self.touched.extend(since.flat_map(|(_, touched)| touched));
        self.ended.splice(0..0, looking.outcomes);
        self.is_woken = true;
    }

    fn want(&mut self, wanted: Wanted, now: Now) {
        let is_new = wanted.desired.generation != self.wanted.desired.generation;
        self.response.abandon_waits |= is_new;
        if let (Some(before), Some(doubt)) = (&self.wanted.doubt, &wanted.doubt)
            && before != doubt
        {
            event::doubted(&mut self.memory, doubt, now.engine);
        }
        self.wanted = wanted;
        self.look_at_everything();
    }

    fn asked(&mut self, ask: Ask, now: Now) {
        match ask {
            Ask::Apply { allowed, accepted } => {
                self.allowed = allowed;
                for service in &accepted {
                    immutable::accept(&mut self.memory, &self.wanted.desired, service);
                }
                if allowed.data_paths {
                    self.memory.data_paths.clear();
                }
                self.memory.down = None;
                self.memory.wait_no_longer();
            }
            Ask::Delete => {
                self.memory.down = Some(self.wanted.desired.generation.clone());
                self.memory.pauses.end(None);
                self.response.abandon_waits = true;
                self.memory.wait_no_longer();
            }
            Ask::Retry { service } => self.memory.try_again(service.as_ref()),
            Ask::Pause { service, time } => {
                self.memory.pauses.begin(service.as_ref(), Pause::new(now, time));
            }
            Ask::Resume { service } => self.memory.pauses.end(service.as_ref()),
            Ask::Rest { rest } => self.memory.rest = Some(rest),
            Ask::Wake => {
                self.memory.rest = None;
                self.memory.wait_no_longer();
            }
            Ask::Restart { service } => {
                self.memory.asked_to_restart.insert(service);
            }
        }
        self.look_at_everything();
    }

    /// Takes up what checks have found; a look brings it into the status.
    fn checked(&mut self, results: Vec<CheckResult>, now: Now) {
        let checks = &self.wanted.desired.settings.checks;
        let after = taken_up(&self.memory.checks, checks, results);
        let before = std::mem::replace(&mut self.memory.checks, after);
        event::checked(&mut self.memory, &before, now.engine);
        self.is_woken = true;
    }

    /// Returns both sides as they were last looked at; nothing before the first look.
    pub fn world(&self, now: Now) -> Option<World<'_>> {
        let observed = self.observed.as_deref()?;
        let desired = &self.wanted.desired;
        Some(World::new(desired, observed, &self.memory, now, self.allowed))
    }

    fn look_at_everything(&mut self) {
        self.observed = None;
        self.is_woken = true;
        if let Some(looking) = &mut self.looking {
            looking.is_outdated = true;
        }
    }

    fn resync_at(&self) -> Moment {
        if self.observed.is_none() {
            return Moment::default();
        }
        let settings = &self.wanted.desired.settings;
        let every = if self.is_ready {
            settings.resync.unwrap_or(RESYNC_READY)
        } else {
            RESYNC_UNREADY
        };
        self.looked_at.after(every)
    }
}

#[cfg(test)]
mod tests;
