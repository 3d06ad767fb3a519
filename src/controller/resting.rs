//! What is asked of a controller by whoever wants the stack to rest.

use super::Controller;
use crate::planning::memory::Memory;
use crate::planning::plan::plan_world;
use crate::planning::rest;
use crate::planning::world::World;
use crate::state::observed::Observed;
use crate::state::time::Now;

impl Controller {
    /// Returns what the last look showed, if there was one that still counts.
    pub fn observed(&self) -> Option<&Observed> {
        self.observed.as_deref()
    }

    /// Tells whether everything was ready when it was last looked at.
    pub const fn was_ready(&self) -> bool {
        self.is_ready
    }

    /// Says why the stack may not be put to rest now; nothing when it may.
    pub fn obstacle(&self, now: Now) -> Option<String> {
        let Some(observed) = &self.observed else {
            return Some("the stack was not looked at yet; ask again".to_owned());
        };
        let desired = &self.wanted.desired;
        let world = World::new(desired, observed, &self.memory, now, self.allowed);
        rest::obstacle(&world, &plan_world(&world))
    }

    /// Returns what is remembered, for those who take note of something.
    pub const fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }
}
