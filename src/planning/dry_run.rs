//! A dry run that goes on for ever: what differs is planned and told, and nothing is done.
//!
//! No step is let through, not even a probe: an exec runs a command inside a container, and
//! asking from outside is a request that a service did not get before. How well a service
//! is, is what the engine says and what whoever acts on the stack has found.

use super::decision::{Decision, Next};
use super::world::World;

/// What every change waits for that could be made now.
pub const WAIT: &str = "somebody who acts: this is a dry run";

/// Holds a step back in a dry run; what waits for something else goes on waiting for that.
#[must_use]
pub fn hold(world: &World<'_>, mut decision: Decision) -> Decision {
    if world.allowed.only_looks && matches!(decision.next, Next::Step(_)) {
        decision.next = Next::Wait(vec![WAIT.to_owned()]);
    }
    decision
}
