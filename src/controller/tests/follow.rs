//! A controller at work on a simulated engine: looks and steps take time, events come when
//! they come, and anything may happen in between.

use std::time::Duration;

use super::super::{Ask, Controller, Event, Look, Response};
use crate::engine::EngineError;
use crate::engine::sim::{Call, Watch};
use crate::pass::{Found, Wanted};
use crate::planning::memory::Memory;
use crate::planning::testing::Drive;
use crate::planning::world::Allowed;
use crate::state::ids::{Object, VolumeName};
use crate::state::observed::Observed;
use crate::state::step::{Outcome, Step};

/// How often something may happen before it is taken to go on for ever.
const PATIENCE: usize = 20_000;

/// What happens next, where several things could.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    /// Events arrive.
    Hear,
    /// The look ends; it shows what was so when it began.
    SeeThen,
    /// The look ends; it shows what is so now.
    SeeNow,
    /// The oldest call ends.
    Oldest,
    /// The newest call ends.
    Newest,
    /// Time passes until something is due.
    Wait,
    /// The process is killed; the engine finishes what it was asked for.
    Kill,
}

/// A controller, and the engine that it works on.
#[derive(Debug)]
pub(super) struct Follow {
    pub(super) drive: Drive,
    controller: Controller,
    watch: Watch,
    looking: Option<(Look, Result<Observed, EngineError>)>,
    calls: Vec<(Object, Call)>,
    found: Option<Found>,
    /// Looks and steps so far.
    pub(super) deeds: usize,
}

fn controller(drive: &Drive) -> Controller {
    let wanted = Wanted::new(drive.desired.clone());
    Controller::new(wanted, Allowed::default(), Memory::default())
}

impl Follow {
    pub(super) fn new(mut drive: Drive) -> Self {
        drive.is_blind = true;
        let watch = Watch::new(drive.desired.project.clone());
        let controller = controller(&drive);
        let mut follow = Self {
            drive,
            controller,
            watch,
            looking: None,
            calls: Vec::new(),
            found: None,
            deeds: 0,
        };
        follow.respond();
        follow
    }

    /// Tells the controller what the drive wants now.
    pub(super) fn want(&mut self) {
        let wanted = Wanted::new(self.drive.desired.clone());
        if wanted.desired.generation != self.controller.wanted().desired.generation {
            self.tell(Event::Wanted(wanted.into()));
        }
    }

    pub(super) fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Hear => self.hear(),
            Turn::SeeThen => self.see(false),
            Turn::SeeNow => self.see(true),
            Turn::Oldest => self.end(0),
            Turn::Newest => self.end(self.calls.len().saturating_sub(1)),
            Turn::Wait => self.wait(),
            Turn::Kill => self.kill(),
        }
    }

    /// Goes on until everything is as it is wanted and the controller knows it.
    pub(super) fn settle(&mut self) {
        for _ in 0..PATIENCE {
            self.hear();
            if self.looking.is_some() {
                self.see(true);
                continue;
            }
            let now = self.drive.machine.now().moment.0;
            if let Some(index) = self.calls.iter().position(|(_, it)| it.until <= now) {
                self.end(index);
                continue;
            }
            if self.is_settled() {
                return;
            }
            // Who fell ill on trial was given up, and rightly so: a person has it tried again.
            if !self.controller.memory().rejections.is_empty() {
                self.tell(Event::Asked(Ask::Retry { service: None }));
                continue;
            }
            self.wait();
        }
        let tail = self.drive.history.len().saturating_sub(12);
        let (text, history) = (self.drive.text(), &self.drive.history[tail..]);
        panic!("it goes on for ever: {history:#?}\n{text}\n{:#?}", self.found);
    }

    /// The controller thinks so, and somebody who sees everything agrees.
    fn is_settled(&self) -> bool {
        let is_done = |found: &Found| {
            found.status.ready && found.plan.is_in_sync() && found.plan.steps.is_empty()
        };
        if !self.calls.is_empty() || !self.found.as_ref().is_some_and(is_done) {
            return false;
        }
        let mut judge = self.drive.clone();
        judge.memory = self.controller.memory().clone();
        judge.plan().is_in_sync() && judge.status().ready
    }

    fn tell(&mut self, event: Event) {
        let now = self.drive.machine.now();
        self.controller.handle(event, now);
        self.respond();
    }

    fn respond(&mut self) {
        let now = self.drive.machine.now();
        let Response { look, steps, found, .. } = self.controller.respond(now);
        self.found = found.or(self.found.take());
        for (object, step) in steps {
            self.begin(object, &step);
        }
        if let Some(look) = look {
            assert!(self.looking.is_none(), "one look at a time");
            let then = self.look(&look);
            self.looking = Some((look, then));
            self.deeds += 1;
        }
    }

    fn look(&mut self, look: &Look) -> Result<Observed, EngineError> {
        let machine = &mut self.drive.machine;
        match &look.since {
            Some((last, touched)) => machine.look_again(&look.scope, last, touched),
            None => machine.look(&look.scope),
        }
    }

    fn hear(&mut self) {
        for wakeup in self.watch.take(&self.drive.machine) {
            let now = self.drive.machine.now();
            self.controller.handle(Event::Woken(wakeup), now);
        }
        self.respond();
    }

    fn see(&mut self, is_fresh: bool) {
        let Some((look, then)) = self.looking.take() else { return };
        let seen = if is_fresh { self.look(&look) } else { then };
        self.tell(seen.map_or(Event::Blind, Event::Seen));
    }

    fn begin(&mut self, object: Object, step: &Step) {
        assert!(self.calls.iter().all(|(other, _)| *other != object), "one at a time");
        self.drive.must_be_allowed(step);
        self.drive.note(step);
        let call = self.drive.machine.begin(step);
        self.calls.push((object, call));
        self.deeds += 1;
    }

    /// Lets a call come to its end, and the time pass that it takes.
    fn end(&mut self, index: usize) {
        if index >= self.calls.len() {
            return;
        }
        let (object, call) = self.calls.remove(index);
        let result = self.finish(&call);
        self.tell(Event::Ended(Outcome { object, step: call.step, result }));
    }

    fn finish(
        &mut self,
        call: &Call,
    ) -> Result<crate::state::step::Done, crate::state::step::Failure> {
        let machine = &mut self.drive.machine;
        let data: Vec<VolumeName> = machine.volumes.keys().cloned().collect();
        if machine.now().moment.0 < call.until {
            machine.advance_to(call.until);
        }
        let result = machine.finish(call);
        let is_there = |name| machine.volumes.contains_key(name);
        assert!(data.iter().all(is_there), "data is gone: {:#?}", self.drive.history);
        result
    }

    /// Lets time pass until something is due: a call, the engine's doing, or the
    /// controller's own clock.
    fn wait(&mut self) {
        let now = self.drive.machine.now().moment.0;
        let calls = self.calls.iter().map(|(_, call)| call.until);
        let wake = self.controller.wake().map(|wake| wake.0);
        let due = calls.chain(self.drive.machine.due()).chain(wake).min();
        let next = due.unwrap_or_default().max(now + Duration::from_millis(1));
        self.drive.machine.advance_to(next);
        self.respond();
    }

    fn kill(&mut self) {
        for (_, call) in std::mem::take(&mut self.calls) {
            // Nobody is left to hear of it.
            let _unheard = self.finish(&call);
        }
        self.looking = None;
        self.found = None;
        self.watch = Watch::new(self.drive.desired.project.clone());
        self.controller = controller(&self.drive);
        self.respond();
    }
}
