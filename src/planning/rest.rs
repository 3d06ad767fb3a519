//! Rest: every container of the stack is stopped, in reverse order and with its own grace
//! period, and nothing is started, so that its data can be copied or exchanged.
//!
//! Nothing is removed or renamed, and no restart policy is changed: a container that was
//! stopped through the engine stays down until the engine itself restarts. Whether anything
//! started meanwhile is read off the containers afterwards ([`Evidence`]). Rest is known to
//! one process only: should that end, the next one knows of no rest, and a stop by us is no
//! crash, so it simply brings the stack back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::state::ids::{ContainerId, ContainerName, Object};
use crate::state::observed::{Container, Observed};
use crate::state::step::Step;
use crate::state::time::EngineTime;

use super::change::{Action, Change, Plan};
use super::decision::{Decision, Next};
use super::dry_run;
use super::memory::Memory;
use super::office::is_running;
use super::prune::stop_grace;
use super::teardown::{dependents, is_ours};
use super::trial::is_open;
use super::world::World;

/// Why a stack rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rest {
    /// Its data are copied.
    BackingUp,
    /// Its data are exchanged.
    Restoring,
}

impl Rest {
    /// Returns the reason in `CamelCase`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::BackingUp => "BackingUp",
            Self::Restoring => "Restoring",
        }
    }

    /// Returns the word for what is done meanwhile.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::BackingUp => "backup",
            Self::Restoring => "restore",
        }
    }

    /// Says what the stack waits for.
    pub const fn end(self) -> &'static str {
        match self {
            Self::BackingUp => "the end of the backup",
            Self::Restoring => "the end of the restore",
        }
    }
}

/// Decides what is to be done so that nothing of the stack runs.
pub fn plan(world: &World<'_>, rest: Rest) -> Plan {
    let mut plan = Plan::default();
    let mut decisions: Vec<Decision> = Vec::new();
    for container in world.observed.containers.values() {
        let Some(replica) = &container.origin.replica else { continue };
        let object = Object::Service(replica.clone());
        let is_decided = decisions.iter().any(|other| other.object == object);
        if !is_ours(world, container, replica) || !is_running(container) || is_decided {
            continue;
        }
        let waits = dependents(world, replica);
        let next = if waits.is_empty() {
            let grace = stop_grace(container);
            Next::Step(Step::Stop { container: container.id.clone(), grace })
        } else {
            Next::Wait(waits)
        };
        decisions.push(Decision::new(object, Action::Restart, rest.end(), next));
    }
    // What is down already waits, so that nobody takes it for being as it is wanted.
    for replica in world.instances.keys() {
        let object = Object::Service(replica.clone());
        if !decisions.iter().any(|other| other.object == object) {
            let next = Next::Wait(vec![rest.end().to_owned()]);
            decisions.push(Decision::new(object, Action::Restart, rest.end(), next));
        }
    }
    for decision in decisions {
        let decision = dry_run::hold(world, decision.held_back(world));
        plan.changes.extend(decision.change());
        match decision.next {
            Next::Step(step) => plan.steps.push((decision.object, step)),
            Next::Until(moment, _) => {
                plan.wake = Some(plan.wake.map_or(moment, |wake| wake.min(moment)));
            }
            Next::Nothing | Next::Wait(_) => {}
        }
    }
    // Its end comes by itself.
    plan.is_moving = true;
    plan
}

/// Says why a stack may not be put to rest now; nothing when it may. What merely is not
/// ready is no obstacle: the data of a stack that is ill are worth a backup, too.
pub fn obstacle(world: &World<'_>, plan: &Plan) -> Option<String> {
    if world.allowed.only_looks {
        return Some("this `reconciler run` only looks (`--dry-run`)".to_owned());
    }
    if let Some(paused) = world.memory.pauses.said() {
        return Some(paused);
    }
    if world.is_down() {
        return Some("`reconciler delete` took it down".to_owned());
    }
    let mut instances = world.instances.values();
    let replaced = instances.find(|it| {
        it.office.candidate.is_some() || it.office.base.is_some() || is_open(world, it)
    });
    if let Some(instance) = replaced {
        let object = Object::Service(instance.replica.clone());
        return Some(format!("{object} is being replaced; wait until that has ended"));
    }
    let is_other = |change: &&Change| match change.action {
        Action::None => false,
        Action::Restart => !change.fields.is_empty(),
        Action::UpdateInPlace
        | Action::Reload
        | Action::Recreate
        | Action::Create
        | Action::Remove => true,
    };
    if let Some(change) = plan.changes.iter().find(is_other) {
        return Some(format!(
            "{} is not as the file says ({}), and starting it again would change it: \
             `reconciler apply` first",
            change.object, change.reason
        ));
    }
    let stranger =
        world.observed.containers.values().find(|container| {
            is_running(container) && !is_stopped_by_rest(world, container)
        });
    stranger.map(|container| {
        format!(
            "{} belongs to the project, runs, and is not ours to stop; it may write to \
             the data: stop it first",
            container.name
        )
    })
}

fn is_stopped_by_rest(world: &World<'_>, container: &Container) -> bool {
    let replica = container.origin.replica.as_ref();
    replica.is_some_and(|replica| is_ours(world, container, replica))
}

/// Tells whether nothing runs, and nothing is being done.
pub fn is_at_rest(memory: &Memory, observed: &Observed) -> bool {
    memory.rest.is_some()
        && memory.under_way.values().all(Step::is_probe)
        && !observed.containers.values().any(is_running)
}

/// Every container of the project at one instant at which none ran, and its last start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence(BTreeMap<ContainerId, (ContainerName, Option<EngineTime>)>);

impl Evidence {
    /// Takes the evidence of a look.
    pub fn of(observed: &Observed) -> Self {
        let containers = observed.containers.iter();
        let mark = |it: &Container| (it.name.clone(), it.state.started);
        Self(containers.map(|(id, it)| (id.clone(), mark(it))).collect())
    }

    /// Says what started since; nothing when nothing did.
    pub fn disturbed(&self, observed: &Observed) -> Option<String> {
        let started = observed.containers.iter().find(|(id, container)| {
            let before = self.0.get(*id).and_then(|(_, started)| *started);
            is_running(container) || container.state.started != before
        });
        if let Some((_, container)) = started {
            return Some(format!(
                "{} was started meanwhile, by somebody else or by a restart of the engine",
                container.name
            ));
        }
        let gone = self.0.iter().find(|(id, _)| !observed.containers.contains_key(*id));
        gone.map(|(_, (name, _))| format!("{name} was removed meanwhile"))
    }
}
