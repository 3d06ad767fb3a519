//! What deserves a look: which events do, and which probes can do without.

use super::{Controller, Sight};
use crate::engine::Wakeup;
use crate::planning::memory::Stopper;
use crate::planning::outside;
use crate::state::ids::{ContainerId, Object};
use crate::state::observed::labels;
use crate::state::step::{Outcome, Step};
use crate::state::time::Now;

impl Controller {
    /// Takes note of a wake-up, and tells whether it is a reason to look.
    pub(super) fn is_reason(&mut self, wakeup: &Wakeup) -> bool {
        match wakeup {
            Wakeup::Container { id, action } => {
                let is_ours = self.is_our_doing(id);
                if !is_ours && matches!(action.as_str(), "stop" | "kill") {
                    // Its end is somebody's will: no crash, and no completion.
                    self.memory.stopped.insert(id.clone(), Stopper::Somebody);
                }
                self.touched.insert(id.clone());
                !is_ours
            }
            Wakeup::Endpoint { container, .. } => {
                let last = self.observed.as_ref();
                let is_of_stack =
                    last.is_some_and(|it| it.containers.contains_key(container));
                if is_of_stack {
                    self.touched.insert(container.clone());
                }
                is_of_stack
            }
            Wakeup::Other { name, .. } => {
                name.as_ref().is_none_or(|name| self.is_of_stack(name))
            }
            Wakeup::Lost { .. } => {
                self.sight = Sight::Lost;
                self.memory.unwatched = self.memory.unwatched.or(self.seen_at);
                false
            }
            Wakeup::Relist { .. } => {
                let before = std::mem::replace(&mut self.sight, Sight::Followed);
                if before != Sight::NotYet {
                    self.memory.unwatched = self.memory.unwatched.or(self.seen_at);
                }
                self.look_at_everything();
                true
            }
        }
    }

    /// Tells whether a network or volume is one that is wanted, or a network of the project
    /// that is left over.
    fn is_of_stack(&self, name: &str) -> bool {
        let desired = &self.wanted.desired;
        let networks = desired.networks.values().map(|it| it.name.as_str());
        let volumes = desired.volumes.values().map(|it| it.name.as_str());
        let is_left_over = || {
            let network = self.observed.as_ref().and_then(|it| it.networks.get(name));
            let project = network.and_then(|it| it.label(labels::PROJECT));
            project == Some(desired.project.as_str())
        };
        networks.chain(volumes).any(|wanted| wanted == name) || is_left_over()
    }

    /// Tells whether a step of ours accounts for what happens to a container: its end is a
    /// reason to look anyway. A probe accounts for nothing, a creation for what is new.
    fn is_our_doing(&self, id: &ContainerId) -> bool {
        let last = self.observed.as_ref();
        let is_new = last.is_none_or(|it| !it.containers.contains_key(id));
        let unaccounted = self.ended.iter().map(|outcome| &outcome.step);
        self.memory.under_way.values().chain(unaccounted).any(|step| {
            let is_about_it = step.container() == Some(id);
            matches!(step, Step::Create { .. } | Step::Rehearse(_)) && is_new
                || is_about_it && !step.is_probe() && !matches!(step, Step::Test { .. })
        })
    }

    /// Takes note of the end of a probe that changes nothing, so that no look is needed.
    pub(super) fn absorbs(&mut self, outcome: &Outcome, now: Now) -> bool {
        let Some(observed) = &self.observed else { return false };
        outside::absorb(&mut self.memory, &self.wanted.desired, observed, outcome, now)
    }

    fn may_probe(&self) -> bool {
        self.memory.down.is_none()
            && self.memory.rest.is_none()
            && !self.allowed.only_looks
    }

    /// Returns the probes of what is ready that are due, for which no look is needed.
    pub(super) fn probes(&mut self, now: Now) -> Vec<(Object, Step)> {
        self.probe_at = None;
        let Some(observed) = self.observed.as_ref().filter(|_| self.may_probe()) else {
            return Vec::new();
        };
        let desired = &self.wanted.desired;
        let (steps, next) = outside::due(&self.memory, desired, observed, now);
        self.probe_at = next;
        self.memory.under_way.extend(steps.iter().cloned());
        steps
    }
}
