//! One pass of a stack: look, learn, plan, take the open steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Clock;
use crate::engine::{Engine, EngineError, Scope, Wakeup};
use crate::executor::Executor;
use crate::planning::change::Plan;
use crate::planning::condition;
use crate::planning::learn::learn;
use crate::planning::memory::Memory;
use crate::planning::plan::plan_world;
use crate::planning::status::StackStatus;
use crate::planning::teardown::teardown;
use crate::planning::world::{Allowed, World};
use crate::state::desired::Desired;
use crate::state::ids::ContainerId;
use crate::state::observed::Observed;
use crate::state::step::{Outcome, Step};
use crate::state::time::Moment;

/// What a stack is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// As it is wanted.
    Converged,
    /// Taken down, but for its data.
    Gone,
}

/// A stack that is being converged on an engine.
#[derive(Debug)]
pub struct Pass<E> {
    engine: Arc<E>,
    /// The steps under way.
    pub executor: Executor<E>,
    /// The clock.
    pub clock: Clock,
    /// What is remembered.
    pub memory: Memory,
    desired: Desired,
    goal: Goal,
    allowed: Allowed,
    observed: Option<Observed>,
    touched: BTreeSet<ContainerId>,
    outcomes: Vec<Outcome>,
    looked_at: Moment,
    is_ready: bool,
    /// What is wrong with the file, while the last good desired state is in force.
    pub spec_invalid: Option<String>,
}

/// What one pass found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is to change, and which steps were taken.
    pub plan: Plan,
    /// How the stack is.
    pub status: StackStatus,
}

impl<E: Engine + 'static> Pass<E> {
    /// Makes a pass over a stack.
    pub fn new(
        engine: Arc<E>,
        executor: Executor<E>,
        desired: Desired,
        memory: Memory,
        goal: Goal,
        allowed: Allowed,
    ) -> Self {
        Self {
            engine,
            executor,
            clock: Clock::new(),
            memory,
            desired,
            goal,
            allowed,
            observed: None,
            touched: BTreeSet::new(),
            outcomes: Vec::new(),
            looked_at: Moment::default(),
            is_ready: false,
            spec_invalid: None,
        }
    }

    /// Returns what is wanted.
    pub const fn desired(&self) -> &Desired {
        &self.desired
    }

    /// Returns when everything was last looked at.
    pub const fn looked_at(&self) -> Moment {
        self.looked_at
    }

    /// Tells whether the last pass found everything ready.
    pub const fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Returns both sides as of the last look; nothing before the first.
    pub fn world(&self) -> Option<World<'_>> {
        let observed = self.observed.as_ref()?;
        let now = self.clock.now();
        Some(World::new(&self.desired, observed, &self.memory, now, self.allowed))
    }

    /// Wants something else from now on; waits for the old wish are given up.
    pub fn want(&mut self, desired: Desired) {
        if desired.generation != self.desired.generation {
            self.executor.abandon_waits();
        }
        self.desired = desired;
    }

    /// Takes note of a step that has ended, and returns others that have ended by now.
    pub fn take(&mut self, outcome: Outcome) -> Vec<Outcome> {
        let mut others = Vec::new();
        while let Some(outcome) = self.executor.ended_already() {
            others.push(outcome);
        }
        for outcome in std::iter::once(&outcome).chain(&others) {
            self.touched.extend(outcome.step.container().cloned());
        }
        self.outcomes.push(outcome);
        self.outcomes.extend(others.iter().cloned());
        others
    }

    /// Takes note of a reason to look again, and tells whether it is one.
    pub fn wake(&mut self, wakeup: &Wakeup) -> bool {
        match wakeup {
            Wakeup::Container { id, .. } => {
                self.touched.insert(id.clone());
                return !self.is_our_doing(id);
            }
            Wakeup::Endpoint { container, .. } => {
                let is_ours = self
                    .observed
                    .as_ref()
                    .is_some_and(|it| it.containers.contains_key(container));
                if is_ours {
                    self.touched.insert(container.clone());
                }
                return is_ours;
            }
            Wakeup::Other { .. } => {}
            Wakeup::Relist { .. } => self.observed = None,
        }
        true
    }

    /// Tells whether a step of ours accounts for what happens to a container: its end is a
    /// reason to look anyway. A probe accounts for nothing, a creation for what is new.
    fn is_our_doing(&self, id: &ContainerId) -> bool {
        let is_new =
            self.observed.as_ref().is_none_or(|it| !it.containers.contains_key(id));
        self.memory.under_way.values().any(|step| {
            let is_about_it = step.container() == Some(id);
            matches!(step, Step::Create { .. }) && is_new
                || is_about_it && !matches!(step, Step::Probe { .. })
        })
    }

    /// Looks at everything anew the next time.
    pub fn resync(&mut self) {
        self.observed = None;
    }

    /// Looks, learns and plans, and takes no step.
    ///
    /// # Errors
    /// The look failed: nothing is decided on half a look.
    pub async fn preview(&mut self) -> Result<Found, EngineError> {
        self.look().await?;
        let Some(observed) = &self.observed else {
            return Ok(Found::nothing(&self.desired));
        };
        let now = self.clock.now();
        let outcomes = std::mem::take(&mut self.outcomes);
        self.memory = learn(&self.memory, &self.desired, observed, &outcomes, now);
        let world = World::new(&self.desired, observed, &self.memory, now, self.allowed);
        let plan = match self.goal {
            Goal::Converged => plan_world(&world),
            Goal::Gone => teardown(&world),
        };
        let status = condition::status(&world, &plan, self.spec_invalid.as_deref());
        self.is_ready = status.ready;
        condition::remember(&mut self.memory, &status);
        Ok(Found { plan, status })
    }

    /// As [`Pass::preview`], and takes the steps that are open.
    ///
    /// # Errors
    /// As [`Pass::preview`].
    pub async fn perform(&mut self) -> Result<Found, EngineError> {
        let found = self.preview().await?;
        for (object, step) in &found.plan.steps {
            self.memory.under_way.insert(object.clone(), step.clone());
            self.executor.start(object.clone(), step.clone());
        }
        Ok(found)
    }

    async fn look(&mut self) -> Result<(), EngineError> {
        let scope = Scope::of(&self.desired);
        let touched = std::mem::take(&mut self.touched);
        let last = self.observed.take();
        let observed = if let Some(last) = &last {
            self.engine.look_again(&scope, last, &touched).await?
        } else {
            self.looked_at = self.clock.now().moment;
            let observed = self.engine.look(&scope).await?;
            self.clock.set_engine_time(observed.facts.time);
            observed
        };
        self.observed = Some(observed);
        Ok(())
    }
}

impl Found {
    fn nothing(desired: &Desired) -> Self {
        Self {
            plan: Plan::default(),
            status: StackStatus {
                name: desired.project.clone(),
                generation: desired.generation.clone(),
                observed_generation: None,
                ready: false,
                conditions: Vec::new(),
                services: Vec::new(),
            },
        }
    }
}
