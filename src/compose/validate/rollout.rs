//! How containers of a service are replaced: `update_config` and `rollback_config`.

use super::super::node::{Kind, Node};
use super::super::units::parse_duration;
use super::{integer, text};
use crate::state::desired::{FailureAction, Rollout, StartOrder};

/// Reads one of the two; what is not said is as by default.
pub(super) fn rollout(node: Option<&Node>) -> Rollout {
    let by_default = Rollout::default();
    let Some(node) = node else { return by_default };
    let duration = |key| text(node, key).and_then(|text| parse_duration(text).ok());
    let parallelism = node.get("parallelism").and_then(integer);
    Rollout {
        parallelism: match parallelism.map(u32::try_from) {
            // As in Swarm: all at once.
            Some(Ok(0)) => None,
            Some(Ok(count)) => Some(count),
            Some(Err(_)) | None => by_default.parallelism,
        },
        delay: duration("delay").unwrap_or(by_default.delay),
        monitor: duration("monitor").unwrap_or(by_default.monitor),
        bearable: node.get("max_failure_ratio").and_then(millionths).unwrap_or_default(),
        order: match text(node, "order") {
            Some("start-first") => StartOrder::StartFirst,
            Some(_) | None => by_default.order,
        },
        failure_action: match text(node, "failure_action") {
            Some("rollback") => Some(FailureAction::Rollback),
            Some("pause") => Some(FailureAction::Pause),
            Some("continue") => Some(FailureAction::Continue),
            Some(_) | None => None,
        },
    }
}

/// Reads a share from 0 to 1.
fn millionths(node: &Node) -> Option<u32> {
    let share = match &node.kind {
        Kind::Int(number) => number.to_string().parse::<f64>().ok()?,
        Kind::Real(number) => number.0,
        Kind::Text(text) => text.text.parse().ok()?,
        Kind::Null | Kind::Bool(_) | Kind::Sequence(_) | Kind::Mapping(_) => return None,
    };
    let millionths = (share.clamp(0.0, 1.0) * 1e6).round();
    format!("{millionths:.0}").parse().ok()
}
