//! Following the events of an engine, with all that may happen to them on the way.

use super::event::Event;
use super::world::World;
use crate::engine::Wakeup;
use crate::state::ids::ProjectName;

/// Somebody who follows the events of an engine.
#[derive(Clone, Debug)]
pub struct Watch {
    project: ProjectName,
    /// How many events there were when it last looked.
    seen: u64,
    boots: Option<u64>,
    /// Events that are held back.
    held: Vec<Event>,
}

impl Watch {
    /// Begins to follow; the first thing that it yields is that everything must be read.
    pub fn new(project: ProjectName) -> Self {
        Self { project, seen: 0, boots: None, held: Vec::new() }
    }

    /// Returns what has happened since it was last asked.
    pub fn take(&mut self, world: &World) -> Vec<Wakeup> {
        if self.boots != Some(world.boots) {
            let before = self.boots.replace(world.boots);
            self.seen = world.events.count;
            self.held.clear();
            let first = "the watch for events begins";
            let reason = before.map_or(first, |_| "the event stream ended").to_owned();
            let lost = before.map(|_| Wakeup::Lost { reason: reason.clone() });
            return lost.into_iter().chain([Wakeup::Relist { reason }]).collect();
        }
        let losses = &world.faults.events;
        let mut arrived = Vec::new();
        let mut late = Vec::new();
        let mut oldest = None;
        for event in world.events.iter().filter(|event| event.number > self.seen) {
            oldest = oldest.or(Some(event.number));
            if losses.lost.contains(&event.number) {
                continue;
            }
            if losses.late.contains(&event.number) {
                late.push(event.clone());
                continue;
            }
            arrived.push(event.clone());
            if losses.doubled.contains(&event.number) {
                arrived.push(event.clone());
            }
        }
        arrived.append(&mut self.held);
        self.held = late;
        let is_gap = oldest.is_some_and(|oldest| oldest > self.seen + 1);
        self.seen = world.events.count;
        if is_gap {
            let reason = "events were forgotten before they were read".to_owned();
            return vec![Wakeup::Relist { reason }];
        }
        arrived.iter().filter_map(|event| event.wakeup(&self.project)).collect()
    }

    /// Tells whether events are held back, which will arrive when it is asked again.
    pub const fn holds_back(&self) -> bool {
        !self.held.is_empty()
    }
}
