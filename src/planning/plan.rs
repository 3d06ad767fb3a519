//! The plan: every object's change and the steps that may be taken now.

use crate::state::desired::Desired;
use crate::state::ids::{Object, ServiceName};
use crate::state::observed::Observed;
use crate::state::step::Step;
use crate::state::time::{Moment, Now};

use super::change::{Action, Change, Gate, Plan};
use super::decision::{Decision, Next};
use super::memory::Memory;
use super::readiness::Readiness;
use super::teardown::teardown;
use super::world::{Allowed, Instance, Standing, World, is_awaited};
use super::{
    content, data_path, disruption, dry_run, guests, network, optional, order, pause,
    prune, replica, rest, retirement, trial, volume,
};

/// How many steps may be under way at once, unless the file says otherwise.
pub const MAX_PARALLEL: u32 = 8;

/// How many health commands may run at once.
pub const MAX_PROBES: usize = 4;

/// Decides what is to be done. Total, pure and deterministic.
pub fn plan(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    now: Now,
    allowed: Allowed,
) -> Plan {
    let world = World::new(desired, observed, memory, now, allowed);
    plan_world(&world)
}

/// As [`plan`], of a world that is made already.
pub fn plan_world(world: &World<'_>) -> Plan {
    if let Some(rest) = world.memory.rest {
        return rest::plan(world, rest);
    }
    if world.is_down() {
        return teardown(world);
    }
    let mut plan = Plan::default();
    let mut decisions = Vec::new();
    for (key, spec) in &world.desired.networks {
        decisions.push(network::decide(world, key, spec));
        plan.notes.extend(network::note(world, key, spec));
    }
    for (key, spec) in &world.desired.volumes {
        decisions.push(volume::decide(world, key, spec));
        plan.notes.extend(volume::note(world, key, spec));
    }
    for service in order::dependencies_first(world.desired) {
        let service_note = world.desired.services.get(service);
        plan.notes.extend(service_note.and_then(|it| optional::note(world, it)));
        for instance in world.replicas_of(service) {
            decisions.push(replica::decide(world, instance));
            plan.notes.extend(replica::note(world, instance));
            plan.notes.extend(content::notes(instance));
            plan.notes.extend(data_path::note(world, instance));
            plan.notes.extend(retirement::note(world, instance));
        }
    }
    let (orphans, notes) = prune::decide(world);
    decisions.extend(orphans);
    decisions.extend(network::left_over(world));
    plan.notes.extend(notes);

    if let Some(only) = &world.memory.only {
        decisions.retain(|it| is_about(&it.object, only) || goes_with(world, it, only));
    }
    plan.notes.extend(guests::notes(world));
    plan.notes.extend(pause::note(world));

    let mut room = Room::new(world);
    for decision in decisions {
        let held = pause::hold(world, decision.held_back(world));
        let decision = room.admit(dry_run::hold(world, held));
        plan.changes.extend(decision.change());
        match decision.next {
            Next::Step(step) => plan.steps.push((decision.object, step)),
            Next::Until(moment, _) => plan.wake = Some(earliest(plan.wake, moment)),
            Next::Nothing | Next::Wait(_) => {}
        }
    }
    plan.wake = trial::wake(world).into_iter().chain(plan.wake).min();
    plan.is_moving = is_moving(world, &plan);
    // The end of a pause is nothing that anybody waits for who wants the stack changed.
    plan.wake = [plan.wake, pause::wake(world)].into_iter().flatten().min();
    plan
}

fn is_about(object: &Object, service: &ServiceName) -> bool {
    match object {
        Object::Service(replica) => replica.service == *service,
        Object::Network(_) | Object::Volume(_) => false,
    }
}

/// Tells whether a decision is about a dependent that has to be restarted with a service.
fn goes_with(world: &World<'_>, decision: &Decision, service: &ServiceName) -> bool {
    let Object::Service(replica) = &decision.object else { return false };
    let is_down =
        world.instances.get(replica).is_some_and(|instance| !instance.holder_runs());
    disruption::follows(world.desired, &replica.service, service)
        && (decision.action == Action::Restart || is_down)
}

fn is_moving(world: &World<'_>, plan: &Plan) -> bool {
    // What was given up may get well yet, but nobody should wait for it.
    let is_given_up = |instance: &Instance<'_>| {
        world.memory.rejections.contains_key(&instance.service.name)
    };
    let mut hopeful = world.instances.values().filter(|it| !is_given_up(it));
    let comes_by_itself = hopeful.any(|instance| match &instance.standing {
        Standing::Running(Readiness::Ready) => {
            // It has yet to run to its end.
            is_awaited(world.desired, instance.service)
        }
        Standing::Running(_) | Standing::Restarting => true,
        Standing::Absent
        | Standing::Created
        | Standing::Paused
        | Standing::Completed
        | Standing::Ended
        | Standing::Dead => false,
    });
    !plan.steps.is_empty()
        || plan.wake.is_some()
        || world.memory.under_way.values().any(|step| !matches!(step, Step::Reach { .. }))
        || comes_by_itself
}

fn earliest(a: Option<Moment>, b: Moment) -> Moment {
    a.map_or(b, |a| a.min(b))
}

/// How many more steps may be taken.
struct Room {
    steps: usize,
    probes: usize,
    pulls: Vec<String>,
}

impl Room {
    fn new(world: &World<'_>) -> Self {
        let limit = world.desired.settings.max_parallel.unwrap_or(MAX_PARALLEL).max(1);
        let under_way = world.memory.under_way.values();
        let probes = under_way.clone().filter(|step| step.is_probe()).count();
        let pulls =
            under_way.clone().filter(|step| matches!(step, Step::Pull { .. })).count();
        let others = under_way.count() - probes - pulls;
        Self {
            steps: (limit as usize).saturating_sub(others),
            probes: MAX_PROBES.saturating_sub(probes),
            pulls: Vec::new(),
        }
    }

    /// Holds a step back when there is no room for it. Pulls and probes do not take the
    /// room of others: a slow one must not starve them. An image is pulled once.
    fn admit(&mut self, mut decision: Decision) -> Decision {
        let Next::Step(step) = &decision.next else { return decision };
        let turn = "its turn: as many steps as may be are under way";
        let (admitted, on) = match step {
            Step::Pull { image, .. } => {
                let is_first = !self.pulls.iter().any(|other| other == image.as_str());
                self.pulls.push(image.to_string());
                (is_first, format!("image {image}"))
            }
            Step::Probe { .. } | Step::Reach { .. } => {
                (take(&mut self.probes), turn.to_owned())
            }
            Step::CreateNetwork { .. }
            | Step::RemoveNetwork { .. }
            | Step::CreateVolume { .. }
            | Step::Create { .. }
            | Step::CopyIn { .. }
            | Step::Connect { .. }
            | Step::Disconnect { .. }
            | Step::Update { .. }
            | Step::Rename { .. }
            | Step::Start { .. }
            | Step::Unpause { .. }
            | Step::Stop { .. }
            | Step::ReadLog { .. }
            | Step::Measure { .. }
            | Step::Signal { .. }
            | Step::Test { .. }
            | Step::Rehearse(_)
            | Step::Remove { .. } => (take(&mut self.steps), turn.to_owned()),
        };
        if !admitted {
            decision.next = Next::Wait(vec![on]);
        }
        decision
    }
}

fn take(room: &mut usize) -> bool {
    let has_room = *room > 0;
    *room = room.saturating_sub(1);
    has_room
}

impl Plan {
    /// Returns the change of an object.
    pub fn change(&self, object: &Object) -> Option<&Change> {
        self.changes.iter().find(|change| change.object == *object)
    }

    /// Returns what the change of an object waits for; nothing when it does not.
    pub fn waits(&self, object: &Object) -> Vec<String> {
        match self.change(object).map(|change| &change.gate) {
            Some(Gate::Waiting { on, .. }) => on.clone(),
            Some(Gate::Open) | None => Vec::new(),
        }
    }
}
