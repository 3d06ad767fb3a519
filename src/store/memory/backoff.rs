//! The form of what was tried, failed, and is tried again later.

use serde::{Deserialize, Serialize};

use super::MemoryError;
use super::form::{by_engine, by_us};
use crate::planning::memory::{Crashes, Retry, RetryReason};
use crate::state::ids::{ContainerId, SpecHash};
use crate::state::time::Now;
use crate::store::form::EngineTimeText;

/// Failed attempts as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredRetry {
    attempts: u32,
    not_before: EngineTimeText,
    reason: String,
    message: String,
}

/// Crashes in a row as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredCrashes {
    count: u32,
    container: ContainerId,
    finished: EngineTimeText,
    not_before: EngineTimeText,
    exit_code: Option<i64>,
    spec: Option<SpecHash>,
}

impl StoredRetry {
    pub(super) fn new(retry: &Retry, now: Now) -> Self {
        let Retry { attempts, not_before, reason, message } = retry;
        Self {
            attempts: *attempts,
            not_before: by_engine(*not_before, now),
            reason: reason.as_str().to_owned(),
            message: message.clone(),
        }
    }

    pub(super) fn retry(self, now: Now) -> Result<Retry, MemoryError> {
        let reason = RetryReason::from_word(&self.reason);
        Ok(Retry {
            attempts: self.attempts,
            not_before: by_us(self.not_before, now),
            reason: reason.ok_or(MemoryError::Reason(self.reason))?,
            message: self.message,
        })
    }
}

impl StoredCrashes {
    pub(super) fn new(crashes: &Crashes, now: Now) -> Self {
        let Crashes { count, last: (container, finished), not_before, exit_code, spec } =
            crashes;
        Self {
            count: *count,
            container: container.clone(),
            finished: EngineTimeText(*finished),
            not_before: by_engine(*not_before, now),
            exit_code: *exit_code,
            spec: spec.clone(),
        }
    }

    pub(super) fn crashes(self, now: Now) -> Crashes {
        Crashes {
            count: self.count,
            last: (self.container, self.finished.0),
            not_before: by_us(self.not_before, now),
            exit_code: self.exit_code,
            spec: self.spec,
        }
    }
}
