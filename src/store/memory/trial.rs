//! The trial of a container as JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::planning::trial::{Trial, Verdict};
use crate::state::time::Now;
use crate::store::form::EngineTimeText;

/// A trial without what only the living process can tell: what is ready must stay so from
/// anew, and time that nobody watched does not count.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredTrial {
    spent_milliseconds: u64,
    in_office: bool,
    exits: u32,
    ended: Option<EngineTimeText>,
    restarts: u64,
    #[serde(flatten)]
    verdict: Verdict,
}

impl From<&Trial> for StoredTrial {
    fn from(trial: &Trial) -> Self {
        let Trial {
            spent,
            counted: _,
            ready_since: _,
            in_office,
            exits,
            ended,
            restarts,
            verdict,
            over: _,
        } = trial;
        Self {
            spent_milliseconds: u64::try_from(spent.as_millis()).unwrap_or(u64::MAX),
            in_office: *in_office,
            exits: *exits,
            ended: ended.map(EngineTimeText),
            restarts: *restarts,
            verdict: verdict.clone(),
        }
    }
}

impl StoredTrial {
    pub(super) fn trial(self, now: Now) -> Trial {
        Trial {
            spent: Duration::from_millis(self.spent_milliseconds),
            counted: now.moment,
            ready_since: None,
            in_office: self.in_office,
            exits: self.exits,
            ended: self.ended.map(|time| time.0),
            restarts: self.restarts,
            over: (self.verdict != Verdict::Open).then_some(now.moment),
            verdict: self.verdict,
        }
    }
}
