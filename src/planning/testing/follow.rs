//! The loop as an operator runs it: it looks again at what events named, and at everything
//! once in a while.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Drive;
use crate::engine::sim::{Scope, Wakeup, Watch};
use crate::planning::change::Plan;
use crate::planning::learn::learn;
use crate::planning::plan::plan_world;
use crate::state::ids::ContainerId;
use crate::state::observed::Observed;
use crate::state::time::Moment;

/// How often everything is looked at with no reason.
const RESYNC: Duration = Duration::from_secs(60);

/// How often the loop may go round before it is taken to go round for ever.
const PATIENCE: usize = 4_000;

/// A drive that sees its machine by events and by looks that may be stale.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) drive: Drive,
    watch: Watch,
    observed: Option<Observed>,
    touched: BTreeSet<ContainerId>,
    looked_at: Moment,
}

impl Follow {
    pub(crate) fn new(mut drive: Drive) -> Self {
        drive.is_blind = true;
        let watch = Watch::new(drive.desired.project.clone());
        Self {
            drive,
            watch,
            observed: None,
            touched: BTreeSet::new(),
            looked_at: Moment::default(),
        }
    }

    /// Makes a pass and lets time pass to the next one; tells whether it found anything to
    /// do.
    pub(crate) fn round(&mut self) -> bool {
        let plan = self.pass();
        let is_done =
            plan.as_ref().is_some_and(|plan| plan.is_in_sync() && !plan.is_moving);
        let now = self.drive.machine.now().moment;
        let resync = self.looked_at.after(RESYNC);
        let wake = plan.and_then(|plan| plan.wake).unwrap_or(now.after(RESYNC));
        let next = wake.min(resync).since(now);
        // An event ends the wait; without one, nothing does before its time.
        let due = self.drive.machine.due().map(|due| due.saturating_sub(now.0));
        let step = due.unwrap_or(next).min(next).max(Duration::from_millis(1));
        self.drive.machine.advance(step);
        !is_done
    }

    /// Goes round until everything is as it is wanted and the loop knows it.
    pub(crate) fn settle(&mut self) {
        for _ in 0..PATIENCE {
            if self.round() {
                continue;
            }
            // Somebody who sees everything agrees.
            let mut judge = self.drive.clone();
            if judge.plan().is_in_sync() && judge.status().ready {
                return;
            }
        }
        let tail = self.drive.history.len().saturating_sub(12);
        let (text, history) = (self.drive.text(), &self.drive.history[tail..]);
        panic!("it goes on for ever: {history:#?}\n{text}");
    }

    fn pass(&mut self) -> Option<Plan> {
        self.hear();
        let scope = Scope::of(&self.drive.desired);
        let touched = std::mem::take(&mut self.touched);
        let now = self.drive.machine.now();
        if now.moment.since(self.looked_at) >= RESYNC {
            self.observed = None;
        }
        let machine = &mut self.drive.machine;
        let look = if let Some(last) = self.observed.take() {
            machine.look_again(&scope, &last, &touched)
        } else {
            self.looked_at = now.moment;
            machine.look(&scope)
        };
        // What cannot be looked at is left alone until it can.
        let observed = look.ok()?;
        let outcomes = self.drive.take_outcomes();
        let drive = &mut self.drive;
        drive.memory = learn(&drive.memory, &drive.desired, &observed, &outcomes, now);
        let plan = plan_world(&drive.world(&observed));
        self.observed = Some(observed);
        for (object, step) in &plan.steps {
            self.touched.extend(step.container().cloned());
            self.drive.perform(object, step);
        }
        Some(plan)
    }

    fn hear(&mut self) {
        for wakeup in self.watch.take(&self.drive.machine) {
            match wakeup {
                Wakeup::Container { id, .. } | Wakeup::Endpoint { container: id, .. } => {
                    self.touched.insert(id);
                }
                Wakeup::Other { .. } => {}
                Wakeup::Relist { .. } => self.observed = None,
            }
        }
    }
}
