//! What a look found that we did not do.

use std::collections::BTreeMap;

use crate::state::desired::{Desired, FailureAction};
use crate::state::ids::{ContainerId, ContainerName, NetworkId, NetworkKey, Object};
use crate::state::observed::{Container, Observed, Status};
use crate::state::step::{Outcome, Step};
use crate::state::time::EngineTime;

use super::Happening;
use crate::planning::memory::{Memory, Stopper};

/// What the last look saw, as far as the next one is compared with it. Of this process only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    containers: BTreeMap<ContainerId, SeenContainer>,
    networks: BTreeMap<NetworkKey, NetworkId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SeenContainer {
    object: Object,
    name: ContainerName,
    status: Status,
    started: Option<EngineTime>,
    restarts: u64,
}

impl Seen {
    /// Keeps what matters of a look.
    pub fn new(desired: &Desired, observed: &Observed) -> Self {
        let of_service = observed.containers.values().filter(|it| !it.origin.one_off);
        let containers = of_service.filter_map(|it| {
            let seen = SeenContainer {
                object: Object::Service(it.origin.replica.clone()?),
                name: it.name.clone(),
                status: it.state.status,
                started: it.state.started,
                restarts: it.state.restarts,
            };
            Some((it.id.clone(), seen))
        });
        let networks = desired.networks.iter().filter_map(|(key, network)| {
            let there = observed.networks.get(&network.name)?;
            Some((key.clone(), there.id.clone()))
        });
        Self { containers: containers.collect(), networks: networks.collect() }
    }

    /// Forgets what steps of ours have removed.
    pub(super) fn forget_removed(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes.iter().filter(|outcome| outcome.result.is_ok()) {
            if let Step::Remove { container } = &outcome.step {
                self.containers.remove(container);
            } else if let Step::RemoveNetwork { id: removed } = &outcome.step {
                self.networks.retain(|_, id| id != removed);
            }
        }
    }

    /// Returns the name of a container.
    pub(super) fn name(&self, id: &ContainerId) -> Option<&ContainerName> {
        Some(&self.containers.get(id)?.name)
    }

    /// Returns the key of a network.
    pub(super) fn network(&self, id: &NetworkId) -> Option<&NetworkKey> {
        self.networks.iter().find(|(_, there)| *there == id).map(|(key, _)| key)
    }
}

/// Tells whether another desired state was taken up.
pub(super) fn generation(before: &Memory, after: &Memory) -> Vec<Happening> {
    let is_new = before.generation != after.generation;
    let generation = after.generation.as_ref().filter(|_| is_new);
    let accepted = |text: &str| {
        let digest = text.strip_prefix("sha256:").unwrap_or(text);
        let message = format!("{} is the desired state now", digest.get(..12)?);
        Some(Happening::normal(&"stack", "NewGeneration", message))
    };
    generation.and_then(|generation| accepted(generation.as_str())).into_iter().collect()
}

/// Returns what was done behind our back, what ended, and what the engine does not keep.
pub(super) fn happenings(
    before: &Memory,
    after: &Memory,
    seen: &Seen,
    outcomes: &[Outcome],
    observed: &Observed,
) -> Vec<Happening> {
    let ended = outcomes.iter().map(|outcome| &outcome.step);
    let ours: Vec<&Step> = ended.chain(before.under_way.values()).collect();
    let mut found = gone(before, seen, &ours);
    found.extend(touched(before, seen, &ours));
    found.extend(stopped(before, after, seen));
    found.extend(crashed(before, after, observed));
    found.extend(attributed(before, after, observed));
    found.extend(healed(before, after, observed));
    found.extend(rejected(before, after, observed));
    found.extend(quirks(before, after));
    found.extend(refused(before, after));
    found.extend(adopted(before, after, seen));
    found
}

/// Changed content that its own test has refused.
fn refused(before: &Memory, after: &Memory) -> Vec<Happening> {
    let new =
        after.refused.iter().filter(|(name, it)| before.refused.get(*name) != Some(it));
    new.map(|(name, refused)| {
        let object = format!("service/{name}");
        Happening::warning(&object, "ContentRefused", refused.message.clone())
    })
    .collect()
}

/// What is gone, and no step of ours accounts for it.
fn gone(before: &Memory, seen: &Seen, ours: &[&Step]) -> Vec<Happening> {
    let of_us = |id: &ContainerId| {
        ours.iter()
            .any(|step| matches!(step, Step::Remove { container } if container == id))
    };
    let network_of_us = |gone: &NetworkId| {
        ours.iter().any(|step| matches!(step, Step::RemoveNetwork { id } if id == gone))
    };
    let old = &before.seen;
    let containers = old
        .containers
        .iter()
        .filter(|(id, _)| !seen.containers.contains_key(*id) && !of_us(id));
    let networks = old
        .networks
        .iter()
        .filter(|(key, id)| seen.networks.get(*key) != Some(id) && !network_of_us(id));
    let containers = containers.map(|(_, it)| {
        let message = format!("the container {} was removed, and not by us", it.name);
        Happening::warning(&it.object, "Gone", message)
    });
    let networks = networks.map(|(key, _)| {
        let message = "the network was removed, and not by us";
        Happening::warning(&Object::Network(key.clone()), "Gone", message)
    });
    containers.chain(networks).collect()
}

/// Containers that the engine or somebody else started again, or that somebody froze.
fn touched(before: &Memory, seen: &Seen, ours: &[&Step]) -> Vec<Happening> {
    let of_us = |id: &ContainerId| {
        ours.iter()
            .any(|step| matches!(step, Step::Start { container } if container == id))
    };
    let mut found = Vec::new();
    for (id, now) in &seen.containers {
        let Some(then) = before.seen.containers.get(id) else { continue };
        let name = &now.name;
        if now.restarts > then.restarts {
            let message = format!("the engine started {name} again after it ended");
            found.push(Happening::warning(&now.object, "RestartedByEngine", message));
        } else if now.started > then.started && !of_us(id) {
            let message = format!("{name} was started, and not by us");
            found.push(Happening::warning(&now.object, "StartedByOthers", message));
        }
        if now.status == Status::Paused && then.status != Status::Paused {
            let message = format!("{name} was paused, and not by us");
            found.push(Happening::warning(&now.object, "Paused", message));
        }
    }
    found
}

/// Containers that ended because somebody stopped them, or their engine did.
fn stopped(before: &Memory, after: &Memory, seen: &Seen) -> Vec<Happening> {
    let has_ended = |status| matches!(status, Status::Exited | Status::Dead);
    let mut found = Vec::new();
    for (id, now) in &seen.containers {
        let Some(then) = before.seen.containers.get(id) else { continue };
        if has_ended(then.status) || !has_ended(now.status) {
            continue;
        }
        let name = &now.name;
        match after.stopped.get(id) {
            Some(Stopper::Somebody) => {
                let message = format!("{name} was stopped, and not by us");
                found.push(Happening::warning(&now.object, "StoppedByHand", message));
            }
            Some(Stopper::Engine) => {
                let message = format!("the engine stopped {name} when it ended or began");
                found.push(Happening::normal(&now.object, "StoppedByEngine", message));
            }
            Some(Stopper::Us) | None => {}
        }
    }
    found
}

/// Ends that were counted as crashes. Of one that runs again already the restart is told.
fn crashed(before: &Memory, after: &Memory, observed: &Observed) -> Vec<Happening> {
    let new = after.crashes.iter().filter(|(object, crashes)| {
        before.crashes.get(object).is_none_or(|known| known.last != crashes.last)
    });
    new.filter_map(|(object, crashes)| {
        let holder = observed.containers.get(&crashes.last.0)?;
        let has_ended = holder.state.status != Status::Running;
        has_ended.then(|| Happening::warning(object, "Crashed", end(holder)))
    })
    .collect()
}

/// Ends that a dependency accounts for.
fn attributed(before: &Memory, after: &Memory, observed: &Observed) -> Vec<Happening> {
    let known = |object: &Object| before.attributed.get(object);
    let new = after.attributed.iter().filter(|(object, it)| known(object) != Some(*it));
    new.filter_map(|(object, it)| {
        let holder = observed.containers.get(&it.last.0)?;
        let message = format!(
            "{} because {}, which it depends on, was not ready: that is no crash of its own",
            end(holder),
            it.to
        );
        Some(Happening::warning(object, "DependencyFailed", message))
    })
    .collect()
}

/// Healings that have begun, and those that have helped.
fn healed(before: &Memory, after: &Memory, observed: &Observed) -> Vec<Happening> {
    let current = |memory: &'_ Memory, object: &Object| {
        memory.healings.get(object).and_then(|it| it.current.clone())
    };
    let mut found = Vec::new();
    for (object, healings) in &after.healings {
        let known = current(before, object);
        match &healings.current {
            Some(healing) if known.as_ref() != Some(healing) => {
                let name = observed.containers.get(&healing.container);
                let name = name.map_or("it", |it| it.name.as_str());
                let message = format!(
                    "{name} is unhealthy and is {}: healing {} in a row, {} within an hour",
                    healing.remedy.done(),
                    healings.row,
                    healings.times.len()
                );
                found.push(Happening::warning(object, "Healing", message));
            }
            None if known.is_some() => {
                found.push(Happening::normal(object, "Healed", "it is ready again"));
            }
            Some(_) | None => {}
        }
    }
    found
}

fn end(container: &Container) -> String {
    let name = &container.name;
    let code = container.state.exit_code;
    if container.state.out_of_memory {
        format!("{name} ended with exit code {code}: it was out of memory")
    } else {
        format!("{name} ended with exit code {code}")
    }
}

/// Containers that were taken over.
fn adopted(before: &Memory, after: &Memory, seen: &Seen) -> Vec<Happening> {
    let new = after
        .adopted
        .iter()
        .filter(|(id, source)| before.adopted.get(*id) != Some(*source));
    new.filter_map(|(id, _)| {
        let container = seen.containers.get(id)?;
        let message = format!("took {} over as it is; others made it", container.name);
        Some(Happening::normal(&container.object, "Adopted", message))
    })
    .collect()
}

/// Changes that were given up because a new container did not prove itself.
fn rejected(before: &Memory, after: &Memory, observed: &Observed) -> Vec<Happening> {
    let new = after.rejections.iter().filter(|(service, rejection)| {
        before.rejections.get(*service) != Some(*rejection)
    });
    new.map(|(service, rejection)| {
        let (reason, then) = match rejection.action {
            FailureAction::Rollback => ("RolledBack", "what was there before comes back"),
            FailureAction::Pause | FailureAction::Continue => {
                ("UpdatePaused", "it is left to a person to decide")
            }
        };
        let failed = observed.containers.get(&rejection.container);
        let what = failed.map_or_else(String::new, |it| {
            let state = &it.state;
            let code = match state.status {
                Status::Exited | Status::Dead | Status::Restarting => {
                    format!(", exit code {}", state.exit_code)
                }
                Status::Created | Status::Running | Status::Paused | Status::Removing => {
                    String::new()
                }
            };
            format!(" ({}{code})", it.document.get("Config.Image"))
        });
        let message = format!("the change was given up{what}: {}; {then}", rejection.why);
        Happening::warning(&format!("service/{service}"), reason, message)
    })
    .collect()
}

/// Fields that are known from now on to read back otherwise than they are asked for.
fn quirks(before: &Memory, after: &Memory) -> Vec<Happening> {
    let mut found = Vec::new();
    for (key, fields) in &after.quirks {
        let known = before.quirks.get(key);
        for path in fields.keys() {
            if known.is_some_and(|known| known.contains_key(path)) {
                continue;
            }
            let message = format!("the engine does not keep {path} as it is asked for");
            let object = format!("service/{}", key.0);
            found.push(Happening::warning(&object, "NotConverging", message));
        }
    }
    found
}
