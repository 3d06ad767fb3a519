//! How a change goes through the replicas of a service: which order, how many at a time.

use crate::state::desired::{Rollout, StartOrder};
use crate::state::document::Document;
use crate::state::ids::ServiceName;
use crate::state::time::Moment;

use super::anonymous;
use super::exclusive;
use super::rejection::{Course, course};
use super::replica::object;
use super::trial::{has_passed, is_open, on_trial};
use super::world::{Instance, World};

/// Which of two containers runs first, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// Which.
    pub order: StartOrder,
    /// Why, in a part of a sentence.
    pub because: String,
}

/// Decides whether the successor of a container may run beside it.
pub fn strategy(instance: &Instance<'_>, before: &Document) -> Strategy {
    let stop_first = |because: String| Strategy { order: StartOrder::StopFirst, because };
    if instance.service.update.order == StartOrder::StopFirst {
        return stop_first("the old container stops first".to_owned());
    }
    if let Some(path) = anonymous::carried(instance) {
        return stop_first(format!(
            "the old container stops first: both write to its volume at {path}"
        ));
    }
    if let Some(shared) = exclusive::shared(before, &instance.target.document) {
        return stop_first(format!("the old container stops first: {shared}"));
    }
    if instance.service.settings.stable_address {
        let why = "the new one must not be given another address while it runs";
        return stop_first(format!("the old container stops first: {why}"));
    }
    Strategy {
        order: StartOrder::StartFirst,
        because: "the new container is ready before the old one stops".to_owned(),
    }
}

/// Returns the siblings that a replica waits for before it is changed.
///
/// As many at a time as `parallelism` says: first those that are not ready, then the lower
/// numbers. One that is not ready has nothing to lose, and waits for none that serves.
pub fn turn(world: &World<'_>, instance: &Instance<'_>) -> Vec<String> {
    let Some(most) = rollout(world, instance).parallelism else { return Vec::new() };
    let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
    let own = rank(instance);
    let (mut busy, mut ahead) = (Vec::new(), Vec::new());
    for other in world.replicas_of(&instance.service.name) {
        if other.replica.number == instance.replica.number {
            continue;
        }
        let is_busy = !other.is_ready() || is_open(world, other);
        if is_busy && instance.is_ready() {
            busy.push(other);
        } else if other.must_go_down() && rank(other) < own {
            ahead.push(other);
        }
    }
    if busy.len() + ahead.len() < most {
        return Vec::new();
    }
    let waits = busy.into_iter().chain(ahead);
    waits.map(|other| format!("{} ready", object(other))).collect()
}

fn rank(instance: &Instance<'_>) -> (bool, u32) {
    (instance.is_ready(), instance.replica.number)
}

fn rollout<'a>(world: &World<'a>, instance: &Instance<'a>) -> &'a Rollout {
    match course(world, instance) {
        Course::GoBack { .. } => &instance.service.rollback,
        Course::Keep | Course::Replace | Course::Hold | Course::Stay { .. } => {
            &instance.service.update
        }
    }
}

/// Returns until when a replica waits after the one before it; nothing when it need not.
pub fn delay(world: &World<'_>, instance: &Instance<'_>) -> Option<Moment> {
    let siblings = world.replicas_of(&instance.service.name);
    let over = siblings.filter_map(|it| world.memory.trials.get(&on_trial(it)?.id)?.over);
    let until = over.max()?.after(rollout(world, instance).delay);
    (until > world.now.moment && instance.is_ready()).then_some(until)
}

/// Tells whether every replica of a service has what is wanted, and has proved itself: then
/// nobody needs the old containers any more.
pub fn is_over(world: &World<'_>, service: &ServiceName) -> bool {
    world.replicas_of(service).all(|instance| {
        let is_as_wanted = matches!(course(world, instance), Course::Keep);
        is_as_wanted && !instance.must_go_down() && has_passed(world, instance)
    })
}
