//! What comes next for one object.

use crate::state::ids::Object;
use crate::state::step::Step;
use crate::state::time::Moment;

use super::change::{Action, Change, FieldDrift, Gate};
use super::world::World;

/// What is to change about an object, and what can be done about it now.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The object.
    pub object: Object,
    /// What happens to it.
    pub action: Action,
    /// Why, in one sentence without a full stop.
    pub reason: String,
    /// The fields at fault.
    pub fields: Vec<FieldDrift>,
    /// The next step, or why there is none.
    pub next: Next,
}

/// The next step of an object, or why there is none.
#[derive(Clone, Debug)]
pub enum Next {
    /// Nothing is left to do.
    Nothing,
    /// This may be done now.
    Step(Step),
    /// Others must come first.
    Wait(Vec<String>),
    /// It is too early.
    Until(Moment, String),
}

impl Decision {
    /// Makes a decision.
    pub fn new(
        object: Object,
        action: Action,
        reason: impl Into<String>,
        next: Next,
    ) -> Self {
        Self { object, action, reason: reason.into(), fields: Vec::new(), next }
    }

    /// Adds the fields at fault.
    #[must_use]
    pub fn because_of(mut self, fields: &[FieldDrift]) -> Self {
        self.fields = fields.to_vec();
        self
    }

    /// Holds the step back while another of the object is under way, or while the object
    /// backs off after a failure.
    #[must_use]
    pub fn held_back(mut self, world: &World<'_>) -> Self {
        if let Some(step) = world.memory.under_way.get(&self.object) {
            self.next = Next::Wait(vec![format!("{} under way", step.verb())]);
        } else if let (Next::Step(_), Some(retry)) =
            (&self.next, world.memory.retries.get(&self.object))
            && retry.not_before > world.now.moment
        {
            let on =
                format!("backoff after {} failures: {}", retry.attempts, retry.message);
            self.next = Next::Until(retry.not_before, on);
        }
        self
    }

    /// Returns the change that people see; nothing for an object that is as wanted.
    pub fn change(&self) -> Option<Change> {
        (self.action != Action::None).then(|| Change {
            object: self.object.clone(),
            action: self.action,
            reason: self.reason.clone(),
            fields: self.fields.clone(),
            gate: self.gate(),
        })
    }

    fn gate(&self) -> Gate {
        match &self.next {
            Next::Nothing | Next::Step(_) => Gate::Open,
            Next::Wait(on) => Gate::Waiting { on: on.clone(), until: None },
            Next::Until(moment, why) => {
                Gate::Waiting { on: vec![why.clone()], until: Some(*moment) }
            }
        }
    }
}
