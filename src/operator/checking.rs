//! The checks of a stack that an operator makes from time to time.

use std::collections::BTreeSet;

use super::Operator;
use crate::checks::rounds::News;
use crate::controller::Event;
use crate::engine::Engine;
use crate::planning::check::Round;
use crate::runtime::Turn;

impl<E: Engine + 'static> Operator<E> {
    /// Begins a round of checks, or takes up what came of one.
    pub(super) fn check(&mut self, news: News) -> Turn {
        let clock = &self.runtime.clock.clone();
        let runtime = &mut self.runtime;
        match news {
            News::Due => {
                let world = runtime.controller.world(clock.now());
                // What a person took down is not checked, nor what rests for a while.
                let world = world.filter(|it| !it.is_down() && it.memory.rest.is_none());
                match world.map(|world| Round::new(&world, &BTreeSet::new())) {
                    Some(round) => self.rounds.begin(&self.engine, round, clock),
                    None => self.rounds.put_off(clock),
                }
                Turn::Other
            }
            News::Made(results) => {
                let checks = &runtime.controller.wanted().desired.settings.checks;
                self.rounds.ended(checks.interval, clock);
                runtime.tell(Event::Checked(results))
            }
        }
    }
}
