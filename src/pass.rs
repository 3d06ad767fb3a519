//! One pass over one look: learn, plan, and say how the stack is.

use crate::clock::Clock;
use crate::engine::{Engine, EngineError, Scope};
use crate::planning::change::{Note, Plan};
use crate::planning::condition;
use crate::planning::doubt::Doubt;
use crate::planning::event;
use crate::planning::learn::learn;
use crate::planning::memory::Memory;
use crate::planning::plan::plan_world;
use crate::planning::quoted;
use crate::planning::status::StackStatus;
use crate::planning::world::{Allowed, World};
use crate::state::commit::Commit;
use crate::state::desired::Desired;
use crate::state::observed::Observed;
use crate::state::step::Outcome;
use crate::state::time::Now;

/// What a stack is brought to.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The last good desired state.
    pub desired: Desired,
    /// Why it may be out of date; it stays in force meanwhile.
    pub doubt: Option<Doubt>,
    /// That it is not what the files say, but a revision that a person pinned; in words.
    pub pinned: Option<String>,
    /// The commit that it comes from, if it comes from git.
    pub commit: Option<Commit>,
}

/// What one pass found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is to change, and which steps may be taken.
    pub plan: Plan,
    /// How the stack is.
    pub status: StackStatus,
}

impl Wanted {
    /// Wants what valid files say.
    pub const fn new(desired: Desired) -> Self {
        Self { desired, doubt: None, pinned: None, commit: None }
    }

    /// Returns what a look has to cover.
    pub fn scope(&self) -> Scope {
        Scope::of(&self.desired)
    }
}

/// Makes a pass: returns what is remembered from now on, and what was found.
pub fn pass(
    wanted: &Wanted,
    allowed: Allowed,
    memory: &Memory,
    observed: &Observed,
    outcomes: &[Outcome],
    now: Now,
) -> (Memory, Found) {
    let desired = &wanted.desired;
    let before = memory;
    let mut memory = learn(before, desired, observed, outcomes, now);
    event::committed(before, &mut memory, wanted.commit.as_ref(), now.engine);
    let world = World::new(desired, observed, &memory, now, allowed);
    let mut plan = plan_world(&world);
    let mut status = condition::status(&world, &plan, wanted.doubt.as_ref());
    status.commit.clone_from(&wanted.commit);
    if let Some(pinned) = &wanted.pinned {
        status.conditions.push(condition::pinned(&world, pinned));
        plan.notes.push(Note {
            reason: "Pinned",
            about: desired.project.to_string(),
            message: pinned.clone(),
        });
    }
    condition::remember(&mut memory, &status, now);
    (memory, Found { plan, status })
}

/// A pass that takes no step.
#[derive(Debug)]
pub struct Preview {
    /// What was found.
    pub found: Found,
    /// When.
    pub now: Now,
    wanted: Wanted,
    memory: Memory,
    observed: Observed,
}

impl Preview {
    /// Returns both sides as they were looked at.
    pub fn world(&self) -> World<'_> {
        let desired = &self.wanted.desired;
        World::new(desired, &self.observed, &self.memory, self.now, Allowed::default())
    }

    /// Returns what is remembered after the pass.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// Looks, learns and plans, and takes no step.
///
/// # Errors
/// The look failed: nothing is decided on half a look.
pub async fn preview<E: Engine>(
    engine: &E,
    clock: &mut Clock,
    wanted: Wanted,
    memory: &Memory,
) -> Result<Preview, EngineError> {
    let mut observed = engine.look(&wanted.scope()).await?;
    quoted::errors(&mut observed, &wanted.desired);
    clock.set_engine_time(observed.facts.time);
    let now = clock.now();
    let allowed = Allowed::default();
    let (memory, found) = pass(&wanted, allowed, memory, &observed, &[], now);
    Ok(Preview { found, now, wanted, memory, observed })
}
