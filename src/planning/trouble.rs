//! What ails a service: why it is not ready, or not as wanted.

use std::collections::BTreeMap;

use crate::state::desired::FailureAction;
use crate::state::ids::{Object, ServiceName};

use super::change::{Change, Gate, Plan};
use super::memory::Crashes;
use super::readiness::Readiness;
use super::world::{Instance, Standing, World};
use super::{attribution, data_path, dry_run, immutable, outside, shrink};

/// Why a replica is not ready, or not as wanted.
#[derive(Clone)]
pub(super) struct Trouble {
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) is_degraded: bool,
    /// The services that it waits for.
    pub(super) because_of: Vec<ServiceName>,
}

impl Trouble {
    fn new(reason: &'static str, message: String, is_degraded: bool) -> Self {
        Self { reason, message, is_degraded, because_of: Vec::new() }
    }

    /// Adds why those that it waits for are not ready.
    pub(super) fn with_causes(&self, troubles: &BTreeMap<&ServiceName, Self>) -> Self {
        let causes = self.because_of.iter();
        let causes: Vec<String> = causes
            .filter_map(|name| Some(format!("{name}: {}", troubles.get(name)?.reason)))
            .collect();
        let mut trouble = self.clone();
        if !causes.is_empty() {
            trouble.message = format!("{} ({})", self.message, causes.join(", "));
        }
        trouble
    }
}

/// Returns what ails each service: the first of its replicas that something ails.
pub(super) fn troubles<'a>(
    world: &World<'a>,
    plan: &Plan,
) -> BTreeMap<&'a ServiceName, Trouble> {
    let services = world.desired.services.keys();
    services
        .filter_map(|name| {
            let found = world.replicas_of(name).find_map(|it| trouble(world, plan, it));
            Some((name, found?))
        })
        .collect()
}

fn trouble(world: &World<'_>, plan: &Plan, instance: &Instance<'_>) -> Option<Trouble> {
    let object = Object::Service(instance.replica.clone());
    let change = plan.change(&object);
    if let Some(retry) = world.memory.retries.get(&object) {
        let message = match retry.attempts {
            1 => retry.message.clone(),
            times => format!("{} ({times} times in a row)", retry.message),
        };
        return Some(Trouble::new(retry.reason.as_str(), message, true));
    }
    if let (Some(pause), Some(change)) =
        (world.memory.pauses.of(&instance.service.name), change)
    {
        let message = format!("{}; it {pause}", change.reason);
        return Some(Trouble::new("Paused", message, false));
    }
    if let Some(note) = data_path::note(world, instance) {
        return Some(Trouble::new(note.reason, note.message, true));
    }
    if let Some(change) = change.filter(|it| waits_for_data(it)) {
        return Some(waiting(world, instance, change));
    }
    if let Some(trouble) = given_up(world, instance) {
        return Some(trouble);
    }
    let crashes = world.memory.crashes.get(&object);
    if let Some(trouble) = crashes.and_then(|it| looping(world, instance, change, it)) {
        return Some(trouble);
    }
    if let Some(refused) = instance.refused {
        let message = refused.message.clone();
        return Some(Trouble::new("ContentRefused", message, true));
    }
    let is_unhealthy = instance.standing == Standing::Running(Readiness::Unhealthy);
    if let Some(why) = immutable::waits(instance).first().filter(|_| !is_unhealthy) {
        let message = format!("it is left as it is; waits for {why}");
        return Some(Trouble::new("ImmutableField", message, true));
    }
    by_standing(world, instance, change)
}

/// Says what a replica that neither fails nor was given up does instead of being ready.
fn by_standing(
    world: &World<'_>,
    instance: &Instance<'_>,
    change: Option<&Change>,
) -> Option<Trouble> {
    match (&instance.standing, change) {
        (Standing::Running(Readiness::Unhealthy), _) => {
            let holder = instance.office.holder;
            let complaint =
                holder.and_then(|it| outside::complaint(world.memory, &it.id));
            let message = change.map(|change| text(Some(change))).or(complaint);
            let message = message.unwrap_or_else(|| "its health check fails".to_owned());
            Some(Trouble::new("Unhealthy", message, true))
        }
        (Standing::Restarting, _) if let Some(to) = attribution::of(world, instance) => {
            let message = format!(
                "it ended{}, because {to} was not ready; {ENGINE_WAITS}",
                code(instance)
            );
            let trouble = Trouble::new("DependencyNotReady", message, false);
            Some(Trouble { because_of: vec![to.clone()], ..trouble })
        }
        (Standing::Restarting, _) => {
            let message = format!("it ended{}; {ENGINE_WAITS}", code(instance));
            Some(Trouble::new("CrashLoopBackOff", message, false))
        }
        (Standing::Running(Readiness::Starting { .. }), _)
            if heals_in_vain(world, instance) =>
        {
            let message = "it was healed and is not ready yet".to_owned();
            Some(Trouble::new("Unhealthy", message, true))
        }
        (_, Some(change)) => Some(waiting(world, instance, change)),
        (Standing::Running(Readiness::Starting { .. }), None) => {
            let id = instance.office.holder.map(|holder| &holder.id);
            let last = id.and_then(|id| {
                let complaint = outside::complaint(world.memory, id);
                complaint.or_else(|| world.memory.probing.get(id)?.last.clone())
            });
            let message = last.unwrap_or_else(|| "it is not ready yet".to_owned());
            Some(Trouble::new("Starting", message, false))
        }
        (
            Standing::Absent
            | Standing::Created
            | Standing::Running(Readiness::Ready | Readiness::Down)
            | Standing::Paused
            | Standing::Completed
            | Standing::Ended
            | Standing::Dead,
            None,
        ) => None,
    }
}

/// Tells whether neither a restart nor another container has helped so far.
fn heals_in_vain(world: &World<'_>, instance: &Instance<'_>) -> bool {
    let object = Object::Service(instance.replica.clone());
    let healings = world.memory.healings.get(&object);
    healings.is_some_and(|it| it.row > 2 && it.current.is_some())
}

/// Says that what is wanted did not prove itself.
fn given_up(world: &World<'_>, instance: &Instance<'_>) -> Option<Trouble> {
    let rejection = world.memory.rejections.get(&instance.service.name)?;
    let (reason, message) = match rejection.action {
        FailureAction::Rollback => {
            let what = "the change was taken back";
            ("RolledBack", format!("{what}: {}; {AGAIN}", rejection.why))
        }
        FailureAction::Pause | FailureAction::Continue => {
            let base = instance.office.base.map(|base| base.name.as_str());
            let base = base.map_or_else(String::new, |name| format!("; {name} is kept"));
            let what = "the change stopped half-way, and a person must decide";
            ("UpdatePaused", format!("{what}: {}{base}; {AGAIN}", rejection.why))
        }
    };
    Some(Trouble::new(reason, message, true))
}

const AGAIN: &str = "another desired state, or `reconciler retry`, has it tried again; the last lines \
     of what failed are kept in the state directory";

const ENGINE_WAITS: &str =
    "the engine's restart policy starts it again after a delay of its own";

fn code(instance: &Instance<'_>) -> String {
    let holder = instance.office.holder;
    holder.map_or_else(String::new, |it| format!(" with code {}", it.state.exit_code))
}

/// Says that a replica crashes, also in the moments in which it happens to run: until it
/// has run for as long as it was last made to wait.
fn looping(
    world: &World<'_>,
    instance: &Instance<'_>,
    change: Option<&Change>,
    crashes: &Crashes,
) -> Option<Trouble> {
    let count = crashes.count;
    let started = instance.office.holder.and_then(|holder| holder.state.started);
    let age = started.map(|started| world.now.age(started)).unwrap_or_default();
    let message = match &instance.standing {
        Standing::Ended if count == 1 => format!("it crashed; {}", text(change)),
        Standing::Ended => format!("{count} crashes in a row; {}", text(change)),
        Standing::Restarting if crashes.is_loop() => {
            let code = code(instance);
            format!("{count} crashes in a row, the last{code}; {ENGINE_WAITS}")
        }
        Standing::Running(_) if crashes.is_loop() && age < crashes.proof() => {
            let code =
                crashes.exit_code.map(|code| format!(", the last with code {code}"));
            let code = code.unwrap_or_default();
            format!("{count} crashes in a row{code}; it has not run for long enough yet")
        }
        Standing::Absent
        | Standing::Created
        | Standing::Running(_)
        | Standing::Paused
        | Standing::Restarting
        | Standing::Completed
        | Standing::Dead => return None,
    };
    Some(Trouble::new("CrashLoopBackOff", message, crashes.is_loop()))
}

fn waiting(world: &World<'_>, instance: &Instance<'_>, change: &Change) -> Trouble {
    let reason = match &change.gate {
        Gate::Open => "Changing",
        Gate::Waiting { on, .. } if on.iter().any(|it| is_about_service(it)) => {
            "DependencyNotReady"
        }
        Gate::Waiting { on, .. } if on.iter().any(|it| it.starts_with("the name ")) => {
            "Conflict"
        }
        Gate::Waiting { .. } if waits_for_data(change) => "DataPathChanged",
        Gate::Waiting { on, .. } if on.iter().any(|it| it.starts_with(shrink::WAIT)) => {
            "MemoryInUse"
        }
        Gate::Waiting { on, .. } if on.iter().any(|it| it == dry_run::WAIT) => "DryRun",
        Gate::Waiting { .. } => "Waiting",
    };
    let is_degraded = matches!(reason, "Conflict" | "DataPathChanged");
    let mut trouble = Trouble::new(reason, text(Some(change)), is_degraded);
    if reason == "DependencyNotReady" {
        trouble.because_of = world.unmet_services(instance.service).cloned().collect();
    }
    trouble
}

/// Tells whether something waits for a service (`service/db healthy`), and not for one
/// replica of it (`service/db/1 stopped`): that is no dependency.
fn is_about_service(wait: &str) -> bool {
    let about = wait.split(' ').next().unwrap_or(wait);
    about.strip_prefix("service/").is_some_and(|rest| !rest.contains('/'))
}

fn waits_for_data(change: &Change) -> bool {
    match &change.gate {
        Gate::Open => false,
        Gate::Waiting { on, .. } => on.iter().any(|it| it.starts_with(data_path::WAIT)),
    }
}

fn text(change: Option<&Change>) -> String {
    match change {
        None => "it is not ready".to_owned(),
        Some(Change { reason, gate: Gate::Open, .. }) => reason.clone(),
        Some(Change { reason, gate: Gate::Waiting { on, .. }, .. }) => {
            format!("{reason}; waits for {}", on.join(", "))
        }
    }
}
