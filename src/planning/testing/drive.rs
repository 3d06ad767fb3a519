//! The loop: looks, learns, plans and performs, and watches what must never happen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{desired, text};
use crate::engine::sim::{World as Machine, runs};
use crate::planning::change::Plan;
use crate::planning::condition;
use crate::planning::exclusive;
use crate::planning::learn::learn;
use crate::planning::memory::Memory;
use crate::planning::plan::plan_world;
use crate::planning::status::StackStatus;
use crate::planning::world::{Allowed, World};
use crate::state::desired::{Condition, Desired, StartOrder};
use crate::state::ids::{ContainerId, Object, Replica, VolumeName};
use crate::state::observed::{Container, Health, Observed, Status, labels};
use crate::state::step::{Done, Outcome, Step};
use crate::state::time::{EngineTime, Moment};

/// How often a loop may go round before it is taken to go round for ever.
const PATIENCE: usize = 3_000;

/// Where and how a process is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    /// At the call after so many.
    pub(crate) at: usize,
    /// The call still has its effect.
    pub(crate) has_its_effect: bool,
    /// What was kept is lost too.
    pub(crate) forgets: bool,
    /// The engine is restarted as well.
    pub(crate) restarts_engine: bool,
}

/// A stack that is being converged on a machine.
#[derive(Clone, Debug)]
pub(crate) struct Drive {
    pub(crate) desired: Desired,
    pub(crate) machine: Machine,
    pub(crate) memory: Memory,
    pub(crate) allowed: Allowed,
    /// Everything that was performed, as text.
    pub(crate) history: Vec<String>,
    /// Whether everything is forgotten after every step, but for how those on trial do.
    pub(crate) forgetful: bool,
    /// Whether it may be wrong about the machine: then its gates are not checked.
    pub(crate) is_blind: bool,
    /// Where the process is to be killed next.
    pub(crate) kill: Option<Kill>,
    /// How many calls were made that may change something.
    pub(crate) calls: usize,
    outcomes: Vec<Outcome>,
    /// Starts whose health command has passed.
    passed: BTreeSet<(ContainerId, EngineTime)>,
}

impl Drive {
    /// Begins with an empty machine.
    pub(crate) fn new(desired: Desired) -> Self {
        Self {
            desired,
            machine: Machine::default(),
            memory: Memory::default(),
            allowed: Allowed::default(),
            history: Vec::new(),
            forgetful: false,
            is_blind: false,
            kill: None,
            calls: 0,
            outcomes: Vec::new(),
            passed: BTreeSet::new(),
        }
    }

    /// Begins with a stack that is as it is wanted.
    pub(crate) fn settled(yaml: &str) -> Self {
        let mut drive = Self::new(desired(yaml));
        drive.settle();
        drive.history.clear();
        drive
    }

    /// Wants something else from now on.
    pub(crate) fn want(&mut self, yaml: &str) -> &mut Self {
        self.desired = desired(yaml);
        self
    }

    /// Looks, learns and plans.
    pub(crate) fn plan(&mut self) -> Plan {
        self.learn();
        let observed = self.machine.observe(&self.desired);
        plan_world(&self.world(&observed))
    }

    /// Looks and learns.
    pub(crate) fn learn(&mut self) -> Observed {
        if self.forgetful {
            let trials = std::mem::take(&mut self.memory.trials);
            self.memory = Memory { trials, ..Memory::default() };
            self.outcomes.clear();
        }
        let observed = self.machine.observe(&self.desired);
        let outcomes = std::mem::take(&mut self.outcomes);
        let now = self.machine.now();
        self.memory = learn(&self.memory, &self.desired, &observed, &outcomes, now);
        observed
    }

    pub(crate) fn world<'a>(&'a self, observed: &'a Observed) -> World<'a> {
        let now = self.machine.now();
        World::new(&self.desired, observed, &self.memory, now, self.allowed)
    }

    /// Looks, learns, plans, and returns the status.
    pub(crate) fn status(&mut self) -> StackStatus {
        let observed = self.learn();
        let world = self.world(&observed);
        condition::status(&world, &plan_world(&world), None)
    }

    /// Returns the plan as text.
    pub(crate) fn text(&mut self) -> String {
        let plan = self.plan();
        text::plan(&plan, &self.machine)
    }

    /// Takes every open step once.
    pub(crate) fn pass(&mut self) -> Plan {
        let plan = self.plan();
        for (object, step) in &plan.steps {
            let kill =
                self.kill.take_if(|kill| kill.at <= self.calls && !step.is_probe());
            if let Some(kill) = kill {
                if kill.has_its_effect {
                    self.perform(object, step);
                }
                // What was begun is kept before it is.
                self.memory.under_way.extend(plan.steps.iter().cloned());
                self.die(&kill);
                break;
            }
            self.perform(object, step);
        }
        plan
    }

    /// Takes the first open step, or lets time pass; tells whether there was anything.
    pub(crate) fn one(&mut self) -> bool {
        let plan = self.plan();
        match plan.steps.first() {
            Some((object, step)) => self.perform(object, step),
            None => return self.wait(&plan),
        }
        true
    }

    /// Goes on until nothing is left to do, and returns the last plan.
    pub(crate) fn settle(&mut self) -> Plan {
        for _ in 0..PATIENCE {
            let plan = self.pass();
            if plan.steps.is_empty() && !self.wait(&plan) {
                return plan;
            }
        }
        let (plan, tail) = (self.text(), self.history.len().saturating_sub(12));
        panic!("it goes on for ever: {:#?}\n{plan}", &self.history[tail..]);
    }

    /// As [`Drive::settle`]; what was given up because it fell ill on trial is tried again,
    /// as a person would have it.
    pub(crate) fn settle_at_last(&mut self) -> Plan {
        let mut plan = self.settle();
        for _ in 0..5 {
            if self.memory.rejections.is_empty() {
                break;
            }
            self.memory.try_again(None);
            plan = self.settle();
        }
        plan
    }

    /// Goes on until this was performed.
    pub(crate) fn until(&mut self, line: &str) -> &mut Self {
        for _ in 0..PATIENCE {
            assert!(self.one(), "{line} never comes: {:#?}", self.history);
            if self.history.last().is_some_and(|last| last.contains(line)) {
                return self;
            }
        }
        panic!("{line} never comes: {:#?}", self.history);
    }

    /// Lets time pass to the next thing that is due; tells whether there is any.
    pub(crate) fn wait(&mut self, plan: &Plan) -> bool {
        let due = plan.wake.map(|wake: Moment| wake.since(self.machine.now().moment));
        if due.is_some() || plan.is_moving {
            let step = due.unwrap_or(Duration::from_secs(1));
            // The engine tells what happens, so nobody sleeps over it.
            let uptime = self.machine.now().moment.0;
            let event = self.machine.due().and_then(|due| due.checked_sub(uptime));
            let step = event.map_or(step, |event| step.min(event));
            self.machine.advance(step.max(Duration::from_millis(1)));
        }
        due.is_some() || plan.is_moving
    }

    /// The process is killed, and another one comes.
    fn die(&mut self, kill: &Kill) {
        self.outcomes.clear();
        let memory = std::mem::take(&mut self.memory);
        if !kill.forgets {
            self.memory = memory.lasting();
        }
        if kill.restarts_engine {
            self.machine.restart_engine();
            self.must_be_single();
        }
    }

    /// Writes a step into the history.
    pub(crate) fn note(&mut self, step: &Step) {
        self.history.push(text::step(step, &self.machine));
    }

    fn perform(&mut self, object: &Object, step: &Step) {
        self.must_be_allowed(step);
        self.note(step);
        let data: Vec<VolumeName> = self.machine.volumes.keys().cloned().collect();
        let result = self.machine.perform(step);
        let is_there = |name| self.machine.volumes.contains_key(name);
        assert!(data.iter().all(is_there), "data is gone: {:#?}", self.history);
        if let (Step::Probe { container: id, .. }, Ok(Done::Probed { exit_code: 0 })) =
            (step, &result)
            && let Some(started) = self.machine.containers[id].state.started
        {
            self.passed.insert((id.clone(), started));
        }
        if let (
            Step::Reach { container: id, .. },
            Ok(Done::Reached { is_well: true, .. }),
        ) = (step, &result)
            && let Some(started) = self.machine.containers[id].state.started
        {
            self.passed.insert((id.clone(), started));
        }
        self.calls += usize::from(!step.is_probe());
        let (object, step) = (object.clone(), step.clone());
        self.outcomes.push(Outcome { object, step, result });
        if self.forgetful {
            self.machine.advance(Duration::from_secs(1));
        }
        if !self.is_blind {
            self.must_be_single();
        }
    }

    /// Nothing is removed that is not of the project, and nothing starts before its gate.
    pub(crate) fn must_be_allowed(&self, step: &Step) {
        if let Step::Remove { container } = step
            && let Some(gone) = self.machine.containers.get(container)
        {
            let project = gone.document.get("Config.Labels").get(labels::PROJECT);
            assert_eq!(project.as_text(), Some("demo"), "{}", gone.name);
        }
        if !self.is_blind
            && let Step::Start { container } = step
            && let Some(container) = self.machine.containers.get(container)
            && let Some(replica) = &container.origin.replica
            && let Some(service) = self.desired.services.get(&replica.service)
        {
            for (name, dependency) in &service.depends_on {
                let count = self.desired.services[name].replicas;
                let met = (1..=count).all(|number| {
                    let replica = Replica { service: name.clone(), number };
                    self.meets(&replica, dependency.condition)
                });
                assert!(met, "{replica:?} starts before {name}: {:#?}", self.history);
            }
        }
    }

    fn meets(&self, replica: &Replica, condition: Condition) -> bool {
        let of_replica = |it: &&Container| it.origin.replica.as_ref() == Some(replica);
        self.machine.containers.values().filter(of_replica).any(|it| {
            let running = it.state.status == Status::Running;
            let service = &self.desired.services[&replica.service];
            let is_probed = service.settings.probe.is_some();
            let well = match (it.state.health, it.state.started) {
                (None, Some(started)) if is_probed => {
                    self.passed.contains(&(it.id.clone(), started))
                }
                (None, Some(started)) => self.machine.now().age(started).as_secs() >= 1,
                (Some(Health::Healthy), _) => true,
                (Some(Health::Unhealthy), _) | (_, None) => false,
                (Some(Health::Starting), Some(started)) => {
                    self.passed.contains(&(it.id.clone(), started))
                }
            };
            let finished = it.state.status == Status::Exited && it.state.exit_code == 0;
            match condition {
                Condition::Started => running || finished,
                Condition::Healthy => running && well || finished,
                Condition::Completed => finished,
            }
        })
    }

    /// No replica has two running containers, unless they are to run side by side and can.
    fn must_be_single(&self) {
        let mut running: BTreeMap<&Replica, &Container> = BTreeMap::new();
        for container in self.machine.containers.values().filter(|it| runs(it)) {
            let Some(replica) = &container.origin.replica else { continue };
            let Some(other) = running.insert(replica, container) else { continue };
            let service = self.desired.services.get(&replica.service);
            let order = service.map(|service| service.update.order);
            let shared = exclusive::shared(&other.document, &container.document);
            let is_meant = order == Some(StartOrder::StartFirst) && shared.is_none();
            assert!(is_meant, "{replica:?} runs twice: {shared:?} {:#?}", self.history);
        }
    }
}
