//! What we did: one event for each step that has ended, but for probes.

use crate::state::ids::{ContainerId, NetworkId};
use crate::state::step::{FailureKind, Outcome, Step};

use super::{Happening, Seen};

/// Returns what a step that has ended tells. What it is about is called as it was before the
/// step, if it was there.
pub(super) fn happening(
    outcome: &Outcome,
    before: &Seen,
    after: &Seen,
) -> Option<Happening> {
    if outcome.step.is_probe() {
        return None;
    }
    if let Err(failure) = &outcome.result {
        let is_ours = failure.kind == FailureKind::Abandoned;
        // The engine's rooms say in it what was tried.
        let message = failure.message.clone();
        return (!is_ours)
            .then(|| Happening::warning(&outcome.object, "Failed", message));
    }
    let (reason, message) = done(&outcome.step, before, after)?;
    Some(Happening::normal(&outcome.object, reason, message))
}

fn done(step: &Step, before: &Seen, after: &Seen) -> Option<(&'static str, String)> {
    let named = |id: &ContainerId| {
        let name = before.name(id).or_else(|| after.name(id));
        name.map_or_else(|| id.short().to_owned(), ToString::to_string)
    };
    let network = |id: &NetworkId| {
        let key = before.network(id).or_else(|| after.network(id));
        key.map_or_else(|| id.to_string(), ToString::to_string)
    };
    Some(match step {
        Step::Pull { image, .. } => ("Pulled", format!("pulled the image {image}")),
        Step::CreateNetwork { name, .. } => {
            ("Created", format!("created the network {name}"))
        }
        Step::RemoveNetwork { id } => {
            ("Removed", format!("removed the network {}", network(id)))
        }
        Step::CreateVolume { name, .. } => {
            ("Created", format!("created the volume {name}"))
        }
        Step::Create { name, .. } => ("Created", format!("created the container {name}")),
        Step::Connect { container, network, .. } => {
            ("Connected", format!("connected {} to {network}", named(container)))
        }
        Step::Disconnect { container, network: id } => {
            let network = network(id);
            ("Disconnected", format!("disconnected {} from {network}", named(container)))
        }
        Step::Update { container, .. } => {
            ("Updated", format!("updated {} while it runs", named(container)))
        }
        Step::Rename { container, to } => {
            ("Renamed", format!("renamed {} to {to}", named(container)))
        }
        Step::Start { container } => ("Started", format!("started {}", named(container))),
        Step::Unpause { container } => {
            ("Unpaused", format!("unpaused {}", named(container)))
        }
        Step::Stop { container, .. } => {
            ("Stopped", format!("stopped {}", named(container)))
        }
        Step::Remove { container } => {
            ("Removed", format!("removed the container {}", named(container)))
        }
        // Files are put in before the first start: to create tells as much.
        Step::Signal { container, signal, .. } => {
            let name = named(container);
            ("Reloaded", format!("sent {signal} to {name}: its content changed"))
        }
        // What a test refuses is told as such.
        Step::CopyIn { .. }
        | Step::ReadLog { .. }
        | Step::Measure { .. }
        | Step::Probe { .. }
        | Step::Reach { .. }
        | Step::Test { .. }
        | Step::Rehearse(_) => return None,
    })
}
