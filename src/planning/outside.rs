//! Probes from outside: readiness and health of services that say how they are asked.
//!
//! Until a container is ready it is asked as often as its own health command would be run;
//! later at its interval, for as long as it runs. What changes nothing then is no reason to
//! look at the engine, nor to plan.

use crate::state::desired::{Desired, ProbeKind, ProbeSettings};
use crate::state::ids::{ContainerId, Object};
use crate::state::observed::{Container, Observed, Status};
use crate::state::step::{Done, Outcome, Reach, Step};
use crate::state::time::{Moment, Now};

use super::memory::{Memory, Watched};
use super::plan::MAX_PROBES;
use super::retry::PROBE;

/// Returns how a container is asked from outside; nothing when nobody asks.
fn settings<'a>(
    desired: &'a Desired,
    container: &Container,
) -> Option<&'a ProbeSettings> {
    let replica = container.origin.replica.as_ref();
    let service = desired.services.get(&replica?.service)?;
    service.settings.probe.as_ref().filter(|_| !container.origin.one_off)
}

/// Learns who is to be asked, and what they have answered.
pub(super) fn learn(
    memory: &mut Memory,
    desired: &Desired,
    observed: &Observed,
    outcomes: &[Outcome],
    now: Now,
) {
    let before = std::mem::take(&mut memory.watched);
    for container in observed.containers.values() {
        let is_running = container.state.status == Status::Running;
        let Some(started) = container.state.started.filter(|_| is_running) else {
            continue;
        };
        if settings(desired, container).is_none() {
            continue;
        }
        let known = before.get(&container.id).filter(|it| it.started == started);
        let watched = known.cloned().unwrap_or(Watched {
            started,
            is_well: None,
            passed: 0,
            failed: 0,
            count: 0,
            next: now.moment,
            last: None,
        });
        memory.watched.insert(container.id.clone(), watched);
    }
    for outcome in outcomes {
        let Step::Reach { container, .. } = &outcome.step else { continue };
        let of = observed.containers.get(container);
        let of = of.and_then(|it| settings(desired, it));
        if let (Some(settings), Some(watched)) = (of, memory.watched.get_mut(container)) {
            *watched = answered(watched, settings, outcome, now);
        }
    }
}

/// Returns how a container does after a probe has ended. One that could not be made says
/// nothing.
fn answered(
    before: &Watched,
    settings: &ProbeSettings,
    outcome: &Outcome,
    now: Now,
) -> Watched {
    let mut it = before.clone();
    it.count = it.count.saturating_add(1);
    match &outcome.result {
        Ok(Done::Reached { is_well: true, .. }) => {
            it.passed = it.passed.saturating_add(1);
            it.failed = 0;
        }
        Ok(Done::Reached { is_well: false, said }) => {
            it.failed = it.failed.saturating_add(1);
            it.passed = 0;
            it.last = Some(said.clone());
        }
        Ok(
            Done::Done
            | Done::Probed { .. }
            | Done::Tested { .. }
            | Done::Measured { .. }
            | Done::Log { .. },
        ) => {}
        Err(failure) => it.last = Some(failure.message.clone()),
    }
    if it.passed >= settings.successes {
        it.is_well = Some(true);
        it.last = None;
    } else if it.is_well == Some(true) && it.failed >= settings.failures {
        it.is_well = Some(false);
    }
    let pause = match it.is_well {
        None => PROBE.after(it.count).min(settings.interval.max(PROBE.after(1))),
        Some(_) => settings.interval,
    };
    it.next = now.moment.after(pause);
    it
}

/// Takes note of the end of a probe that changes nothing; tells whether it was one.
pub fn absorb(
    memory: &mut Memory,
    desired: &Desired,
    observed: &Observed,
    outcome: &Outcome,
    now: Now,
) -> bool {
    let Step::Reach { container, .. } = &outcome.step else { return false };
    let settings =
        observed.containers.get(container).and_then(|it| settings(desired, it));
    let (Some(settings), Some(watched)) = (settings, memory.watched.get_mut(container))
    else {
        return false;
    };
    let after = answered(watched, settings, outcome, now);
    if watched.is_well.is_none() || after.is_well != watched.is_well {
        return false;
    }
    *watched = after;
    memory.under_way.remove(&outcome.object);
    true
}

/// Returns the probes of containers that have been ready, as far as they are due, and when
/// the next one will be.
pub fn due(
    memory: &Memory,
    desired: &Desired,
    observed: &Observed,
    now: Now,
) -> (Vec<(Object, Step)>, Option<Moment>) {
    let (mut steps, mut next) = (Vec::new(), None);
    let busy = memory.under_way.values().filter(|step| step.is_probe()).count();
    for (id, watched) in memory.watched.iter().filter(|(_, it)| it.is_well.is_some()) {
        let Some(container) = observed.containers.get(id) else { continue };
        let Some(replica) = &container.origin.replica else { continue };
        let object = Object::Service(replica.clone());
        let is_taken = memory.under_way.contains_key(&object)
            || steps.iter().any(|(other, _)| *other == object);
        // The end of what is under way is when it is asked again.
        if is_taken {
            continue;
        }
        if watched.next > now.moment {
            next = Some(next.map_or(watched.next, |next: Moment| next.min(watched.next)));
        } else if busy + steps.len() < MAX_PROBES
            && let Some(step) = step(desired, observed, container)
        {
            steps.push((object, step));
        }
    }
    (steps, next)
}

/// Tells whether a container has yet to be found well from outside.
pub(super) fn is_awaited(memory: &Memory, container: &Container) -> bool {
    let watched = memory.watched.get(&container.id);
    watched.is_some_and(|it| {
        Some(it.started) == container.state.started && it.is_well.is_none()
    })
}

/// Returns what the last probe that did not pass said.
pub(super) fn complaint(memory: &Memory, id: &ContainerId) -> Option<String> {
    let watched = memory.watched.get(id).filter(|it| it.is_well != Some(true))?;
    Some(format!("its probe fails: {}", watched.last.as_ref()?))
}

/// Returns the step that asks a container; nothing when nobody asks it.
pub(super) fn step(
    desired: &Desired,
    observed: &Observed,
    container: &Container,
) -> Option<Step> {
    let settings = settings(desired, container)?;
    // An empty host cannot be reached, and the probe says so.
    let own = || address(observed, container).unwrap_or_default();
    let how = match &settings.how {
        ProbeKind::Http { host, port, path } => Reach::Http {
            host: host.clone().unwrap_or_else(own),
            port: *port,
            path: path.clone(),
        },
        ProbeKind::Tcp { port } => Reach::Tcp { host: own(), port: *port },
        ProbeKind::Grpc { port, service } => {
            Reach::Grpc { host: own(), port: *port, service: service.clone() }
        }
        ProbeKind::Exec { command } => Reach::Exec { command: command.clone() },
    };
    Some(Step::Reach { container: container.id.clone(), how, timeout: settings.timeout })
}

/// Returns where a container is reached: on its own address, on that of the container whose
/// network it shares, or on this host's.
pub(super) fn address(observed: &Observed, container: &Container) -> Option<String> {
    let mode = container.document.get("HostConfig.NetworkMode");
    let mode = mode.as_text().unwrap_or_default();
    if mode == "host" {
        return Some("127.0.0.1".to_owned());
    }
    match mode.strip_prefix("container:") {
        Some(other) => observed.containers.get(other)?.address.clone(),
        None => container.address.clone(),
    }
}
