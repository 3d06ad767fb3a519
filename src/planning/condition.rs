//! The conditions of a stack and its services: what holds, since when, and why not.

use std::collections::BTreeMap;

use crate::state::desired::Service;
use crate::state::ids::{Object, ServiceName};
use crate::state::observed::Container;

use super::change::{Action, Plan};
use super::check::history;
use super::doubt::Doubt;
use super::event;
use super::heal;
use super::memory::Memory;
use super::rest::Rest;
use super::status::{ConditionStatus, ContainerStatus, ServiceStatus, StackStatus};
use super::trouble::{Trouble, troubles};
use super::world::{Instance, Standing, World};
use crate::state::time::Now;

/// Returns the status of a stack; the memory dates the conditions that did not flip.
/// `doubt` says why what is wanted may be out of date.
pub fn status(world: &World<'_>, plan: &Plan, doubt: Option<&Doubt>) -> StackStatus {
    let troubles = troubles(world, plan);
    let services: Vec<ServiceStatus> = world
        .desired
        .services
        .values()
        .map(|service| service_status(world, service, &troubles))
        .collect();
    let is_up = services.iter().all(|service| service.ready) && plan.is_in_sync();
    let ready = is_up && !world.is_down() && world.memory.rest.is_none();
    let mut conditions = stack_conditions(plan, &services, ready, doubt);
    if world.is_down() {
        say_it_is_down(&mut conditions);
    }
    if let Some(rest) = world.memory.rest {
        say_it_rests(&mut conditions, rest);
    }
    if world.allowed.only_looks {
        let moves = conditions.iter_mut().filter(|it| it.kind == "Progressing");
        let still = condition("Progressing", false, "DryRun", "nothing is done");
        moves.for_each(|it| *it = still.clone());
    }
    // What is down is not checked.
    let checks =
        if world.is_down() { BTreeMap::new() } else { world.memory.checks.clone() };
    conditions.extend(history::condition(&checks));
    let paused = world.memory.pauses.said();
    conditions.extend(paused.map(|it| condition("Paused", true, "ByHand", it)));
    date(&mut conditions, "stack", world);
    StackStatus {
        name: world.desired.project.clone(),
        generation: world.desired.generation.clone(),
        observed_generation: world.memory.generation.clone(),
        commit: None,
        ready,
        conditions,
        checks,
        services,
    }
}

fn stack_conditions(
    plan: &Plan,
    services: &[ServiceStatus],
    ready: bool,
    doubt: Option<&Doubt>,
) -> Vec<ConditionStatus> {
    let in_sync = plan.is_in_sync();
    let waiting: Vec<String> = services
        .iter()
        .filter(|service| !service.ready)
        .map(|service| service.name.to_string())
        .collect();
    let degraded: Vec<String> = services
        .iter()
        .filter(|service| {
            service
                .conditions
                .iter()
                .any(|it| it.kind == "Degraded" && it.status == Some(true))
        })
        .map(|service| service.name.to_string())
        .collect();
    let is_degraded = !degraded.is_empty();
    vec![
        spec_valid(doubt),
        if in_sync {
            condition("Synced", true, "InSync", "every object is as it is wanted")
        } else {
            condition("Synced", false, "Drift", sentence(plan))
        },
        condition(
            "Progressing",
            !ready && !is_degraded,
            if ready { "Done" } else { "Converging" },
            if ready { "nothing is under way".to_owned() } else { sentence(plan) },
        ),
        match (ready, waiting.is_empty()) {
            (true, _) => condition("Ready", true, "Ready", "every service is ready"),
            (false, true) => condition("Ready", false, "NotSynced", sentence(plan)),
            (false, false) => {
                let message = format!("not ready: {}", waiting.join(", "));
                condition("Ready", false, "ServicesNotReady", message)
            }
        },
        if is_degraded {
            condition("Degraded", true, "ServicesDegraded", degraded.join(", "))
        } else {
            condition("Degraded", false, "AsExpected", "no service is degraded")
        },
    ]
}

fn spec_valid(doubt: Option<&Doubt>) -> ConditionStatus {
    let Some(Doubt { reason, message }) = doubt else {
        return condition("SpecValid", true, "Valid", "the desired state is valid");
    };
    let status = if reason.is_certain() { Some(false) } else { None };
    let said = condition("SpecValid", false, reason.as_str(), message.as_str());
    ConditionStatus { status, ..said }
}

/// Returns the condition that what is wanted is not what the files say.
pub fn pinned(world: &World<'_>, said: &str) -> ConditionStatus {
    let mut conditions = [condition("Pinned", true, "ByHand", said)];
    date(&mut conditions, "stack", world);
    let [pinned] = conditions;
    pinned
}

/// What a person took down is not missed.
fn say_it_is_down(conditions: &mut [ConditionStatus]) {
    const WHY: &str =
        "`reconciler delete` took it down; `reconciler apply` brings it up again";
    for it in conditions.iter_mut().filter(|it| it.kind == "Ready") {
        *it = condition("Ready", false, "Down", WHY);
    }
}

/// What is stopped on purpose is not missed.
fn say_it_rests(conditions: &mut Vec<ConditionStatus>, rest: Rest) {
    let why = format!("everything is stopped until {}", rest.end());
    for it in conditions.iter_mut().filter(|it| it.kind == "Ready") {
        *it = condition("Ready", false, "Resting", why.as_str());
    }
    conditions.push(condition("Resting", true, rest.reason(), why));
}

fn sentence(plan: &Plan) -> String {
    match plan.changes.iter().filter(|change| change.action != Action::None).count() {
        0 => "services are not ready yet".to_owned(),
        1 => "1 object is to change".to_owned(),
        count => format!("{count} objects are to change"),
    }
}

fn service_status(
    world: &World<'_>,
    service: &Service,
    troubles: &BTreeMap<&ServiceName, Trouble>,
) -> ServiceStatus {
    let instances: Vec<&Instance<'_>> = world.replicas_of(&service.name).collect();
    let ready_replicas = instances.iter().filter(|instance| instance.is_ready()).count();
    let ready = ready_replicas == instances.len();
    let object = |instance: &Instance<'_>| Object::Service(instance.replica.clone());
    let retry = instances.iter().find_map(|it| world.memory.retries.get(&object(it)));
    let crashes = instances.iter().find_map(|it| world.memory.crashes.get(&object(it)));
    let trouble = troubles.get(&service.name).map(|it| it.with_causes(troubles));
    let mut conditions = service_conditions(ready, trouble);
    date(&mut conditions, &format!("service/{}", service.name), world);
    let is_down = |it: &&&Instance<'_>| it.standing == Standing::Ended;
    let mut ended = instances.iter().filter(is_down);
    let restart = ended.find_map(|it| world.memory.crashes.get(&object(it)));
    let next = retry.map(|it| it.not_before).or_else(|| restart.map(|it| it.not_before));
    let heal = || instances.iter().find_map(|it| Some(heal::wake(world, it)?.0));
    let next = next.or_else(heal);
    let healed = instances.iter().filter_map(|it| world.memory.healings.get(&object(it)));
    let healed = healed.map(|it| it.row).max().unwrap_or_default();
    let next = next.filter(|moment| *moment > world.now.moment);
    ServiceStatus {
        name: service.name.clone(),
        ready,
        desired: service.replicas,
        ready_replicas: u32::try_from(ready_replicas).unwrap_or(u32::MAX),
        containers: instances
            .iter()
            .filter_map(|it| it.office.holder)
            .map(container)
            .collect(),
        conditions,
        attempts: retry
            .map_or(0, |it| it.attempts)
            .max(crashes.map_or(0, |it| it.count))
            .max(healed),
        next: next.and_then(|moment| {
            world.now.engine.checked_add(moment.since(world.now.moment)).ok()
        }),
    }
}

fn container(holder: &Container) -> ContainerStatus {
    ContainerStatus {
        name: holder.name.clone(),
        id: holder.id.clone(),
        state: holder.state.status.as_str(),
        health: holder.state.health.map(super::super::state::observed::Health::as_str),
        restarts: holder.state.restarts,
    }
}

fn service_conditions(ready: bool, trouble: Option<Trouble>) -> Vec<ConditionStatus> {
    let Some(Trouble { reason, message, is_degraded, .. }) = trouble else {
        let reason = if ready { "Ready" } else { "NotReady" };
        return vec![
            condition("Ready", ready, reason, "every replica is ready"),
            condition("Progressing", !ready, reason, "it is as wanted"),
            condition("Degraded", false, "AsExpected", "nothing fails"),
        ];
    };
    vec![
        condition("Ready", ready, if ready { "Ready" } else { reason }, message.clone()),
        condition("Progressing", !is_degraded, reason, message.clone()),
        condition("Degraded", is_degraded, reason, message),
    ]
}

fn condition(
    kind: &'static str,
    status: bool,
    reason: &str,
    message: impl Into<String>,
) -> ConditionStatus {
    ConditionStatus {
        kind,
        status: Some(status),
        reason: reason.to_owned(),
        message: message.into(),
        since: None,
    }
}

/// Dates conditions: from the memory when they did not flip, else from now.
fn date(conditions: &mut [ConditionStatus], about: &str, world: &World<'_>) {
    for condition in conditions {
        let key = format!("{about} {}", condition.kind);
        let known = world.memory.conditions.get(&key);
        let since = known
            .filter(|(status, _)| *status == condition.status)
            .map(|(_, since)| *since);
        condition.since = Some(since.unwrap_or(world.now.engine));
    }
}

/// Returns the memory with the conditions of a status, so that the next one can tell
/// which of them flipped.
pub fn remember(memory: &mut Memory, status: &StackStatus, now: Now) {
    event::flipped(memory, status, now.engine);
    let stack = status.conditions.iter().map(|it| ("stack".to_owned(), it));
    let services = status.services.iter().flat_map(|service| {
        let about = format!("service/{}", service.name);
        service.conditions.iter().map(move |it| (about.clone(), it))
    });
    memory.conditions = stack
        .chain(services)
        .filter_map(|(about, it)| {
            Some((format!("{about} {}", it.kind), (it.status, it.since?)))
        })
        .collect();
}
