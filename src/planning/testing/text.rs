//! Plans and steps as compact text.

use std::fmt::Write;

use crate::engine::sim::World as Machine;
use crate::planning::change::{Gate, Plan};
use crate::state::ids::{ContainerId, NetworkId};
use crate::state::step::Step;
use crate::state::time::Moment;
use crate::state::value::Value;

/// Returns a plan: changes with fields and gates, notes, steps.
pub(crate) fn plan(plan: &Plan, machine: &Machine) -> String {
    let mut text = String::new();
    for change in &plan.changes {
        writeln!(text, "{} {}: {}", change.action.as_str(), change.object, change.reason)
            .unwrap();
        for field in &change.fields {
            let (observed, desired) = field.shown();
            let [observed, desired] =
                [observed, desired].map(|it| it.unwrap_or_else(|| "-".to_owned()));
            writeln!(text, "    {}: {observed} -> {desired}", field.path).unwrap();
        }
        if let Some(line) = gate(&change.gate, machine.now().moment) {
            writeln!(text, "    {line}").unwrap();
        }
    }
    for note in &plan.notes {
        writeln!(text, "! {} {}: {}", note.reason, note.about, note.message).unwrap();
    }
    for (object, one) in &plan.steps {
        writeln!(text, "> {object}: {}", step(one, machine)).unwrap();
    }
    text
}

fn gate(gate: &Gate, now: Moment) -> Option<String> {
    match gate {
        Gate::Open => None,
        Gate::Waiting { on, until: None } => Some(format!("waits for {}", on.join(", "))),
        Gate::Waiting { on, until: Some(until) } => {
            Some(format!("waits {:?} for {}", until.since(now), on.join(", ")))
        }
    }
}

/// Returns a step, with names in place of ids.
pub(crate) fn step(step: &Step, machine: &Machine) -> String {
    let named = |id: &ContainerId| {
        machine
            .containers
            .get(id)
            .map_or_else(|| id.to_string(), |it| it.name.to_string())
    };
    let network = |id: &NetworkId| {
        let known = machine.networks.iter().find(|(_, it)| it.id == *id);
        known.map_or_else(|| format!("stale {id}"), |(name, _)| name.to_string())
    };
    let verb = step.verb();
    match step {
        Step::Pull { image, .. } => format!("{verb} {image}"),
        Step::CreateNetwork { name, .. } => format!("{verb} {name}"),
        Step::RemoveNetwork { id } => format!("{verb} {}", network(id)),
        Step::CreateVolume { name, .. } => format!("{verb} {name}"),
        Step::Create { name, .. } => format!("{verb} {name}"),
        Step::Connect { container, network, .. } => {
            format!("{verb} {} to {network}", named(container))
        }
        Step::Disconnect { container, network: id } => {
            format!("{verb} {} from {}", named(container), network(id))
        }
        Step::Update { container, document } => {
            let last = |pointer: &'static str| {
                pointer.strip_prefix("HostConfig.").unwrap_or(pointer)
            };
            let fields = document.iter();
            let fields: Vec<String> = fields
                .map(|(pointer, value): (_, &Value)| format!("{}={value}", last(pointer)))
                .collect();
            format!("{verb} {} {}", named(container), fields.join(" "))
        }
        Step::Rehearse(it) => format!("{verb} as {}", it.name),
        Step::Rename { container, to } => format!("{verb} {} to {to}", named(container)),
        Step::CopyIn { container, .. }
        | Step::Start { container }
        | Step::Unpause { container }
        | Step::Stop { container, .. }
        | Step::Remove { container }
        | Step::ReadLog { container }
        | Step::Measure { container }
        | Step::Probe { container, .. }
        | Step::Signal { container, .. }
        | Step::Reach { container, .. }
        | Step::Test { container, .. } => format!("{verb} {}", named(container)),
    }
}
