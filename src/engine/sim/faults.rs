//! What can be made to go wrong. Each of these was seen on a real engine, or has a source.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::world::World;
use crate::engine::EngineError;
use crate::state::observed::Observed;
use crate::state::step::{Failure, FailureKind, Step};

/// How many earlier looks are kept for those that are stale.
const KEPT: usize = 8;

/// What goes wrong with calls and looks.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Verbs that fail before they have had any effect, until they are taken out again: an
    /// engine whose disk is full answers 500 to every creation.
    pub failing: BTreeSet<&'static str>,
    /// By verb: the call of that number from now on, 1 for the next, goes wrong in this way.
    pub calls: BTreeMap<(&'static str, u32), CallFault>,
    /// By number of the look from now on, 1 for the next.
    pub looks: BTreeMap<u32, LookFault>,
    /// What happens to events on their way.
    pub events: Losses,
}

/// What happens to events on their way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// By number: these never arrive. The engine drops events for those who read slowly.
    pub lost: BTreeSet<u64>,
    /// These arrive twice: what a subscription replays overlaps with what is yet to come.
    pub doubled: BTreeSet<u64>,
    /// These arrive one look late, after later ones: the engine tells of each from a
    /// thread of its own.
    pub late: BTreeSet<u64>,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// It fails and has no effect (500): a full disk, a plugin that is gone.
    Before,
    /// It has its effect, and the answer is lost: the engine was restarted or the
    /// connection broke between the two. The outcome is unknown.
    After,
    /// It takes so much longer: calls wait for the lock of a container, for minutes while
    /// its storage hangs.
    Hangs(Duration),
}

/// How a look goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookFault {
    /// It fails: the engine is being restarted.
    Fails,
    /// It shows what so many looks ago showed: the engine answers lists from a replica of
    /// its state that is written after the state itself.
    Stale(u8),
}

impl Faults {
    /// Takes note of a call, and returns what goes wrong with it.
    pub(super) fn call(&mut self, step: &Step) -> Option<CallFault> {
        let verb = step.verb();
        if self.failing.contains(verb) {
            return Some(CallFault::Before);
        }
        let mut found = None;
        let calls = std::mem::take(&mut self.calls);
        for ((of, number), fault) in calls {
            match (of == verb, number) {
                (true, 0 | 1) => found = Some(fault),
                (true, _) => drop(self.calls.insert((of, number - 1), fault)),
                (false, _) => drop(self.calls.insert((of, number), fault)),
            }
        }
        found
    }
}

/// Returns the failure of a call that a fault lets fail.
pub(super) fn failure(fault: CallFault) -> Option<Failure> {
    let (kind, message) = match fault {
        CallFault::Before => (FailureKind::Failed, "the engine is out of sorts"),
        CallFault::After => (FailureKind::Unknown, "the connection broke"),
        CallFault::Hangs(_) => return None,
    };
    Some(Failure { kind, message: message.to_owned() })
}

impl World {
    /// Lets a look go wrong if it is to; a stale one is given in place of the fresh one.
    pub(super) fn faulty_look(
        &mut self,
        fresh: Observed,
    ) -> Result<Observed, EngineError> {
        if self.faults.looks.is_empty() {
            self.looks.clear();
            return Ok(fresh);
        }
        let looks = std::mem::take(&mut self.faults.looks);
        let mut found = None;
        for (number, fault) in looks {
            if number <= 1 {
                found = Some(fault);
            } else {
                self.faults.looks.insert(number - 1, fault);
            }
        }
        self.looks.push_front(fresh.clone());
        self.looks.truncate(KEPT);
        match found {
            None => Ok(fresh),
            Some(LookFault::Fails) => Err(EngineError::Failed {
                what: "list its containers".to_owned(),
                source: "it is being started again".into(),
            }),
            Some(LookFault::Stale(age)) => {
                Ok(self.looks.get(usize::from(age)).cloned().unwrap_or(fresh))
            }
        }
    }
}
