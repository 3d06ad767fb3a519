//! The progress of a loop as records of the log, for `run`.

use std::collections::BTreeMap;

use crate::planning::progress::{Progress, ProgressEvent, ProgressState};
use crate::state::ids::ProjectName;
use crate::state::time::Moment;
use crate::view::progress::plain;

/// Logs what was done about the objects of a stack, and what takes long when it begins.
///
/// Waits and probes are records for debugging: what a service waits for is told of by its
/// conditions.
#[derive(Debug)]
pub struct Journal {
    stack: ProjectName,
    heard: BTreeMap<String, Moment>,
}

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Failure,
    /// Something that may take minutes has begun.
    Begun,
    Deed,
    Detail,
    /// As a detail, but not even that each time: pulls tell of every few bytes.
    Trifle,
}

impl Journal {
    /// Makes the journal of a stack.
    pub const fn new(stack: ProjectName) -> Self {
        Self { stack, heard: BTreeMap::new() }
    }

    /// Returns how long a step took that has ended: what was last heard of its object is
    /// that it began.
    fn took(&mut self, event: &ProgressEvent, weight: Weight) -> Option<String> {
        if weight == Weight::Trifle {
            return None;
        }
        let before = self.heard.insert(event.object.clone(), event.at);
        let took = event.at.since(before.filter(|_| weight == Weight::Deed)?);
        Some(format!("{:.1}s", took.as_secs_f64()))
    }
}

impl Progress for Journal {
    fn report(&mut self, event: &ProgressEvent) {
        let weight = weight(&event.state);
        let took = self.took(event, weight);
        let (stack, object) = (&self.stack, event.object.as_str());
        let (reason, message) = (event.reason.as_deref(), event.message.as_deref());
        let words = plain(&event.state);
        match weight {
            Weight::Failure => {
                tracing::warn!(%stack, object, error = message, reason, "{words}");
            }
            Weight::Begun => tracing::info!(%stack, object, reason, "{words}"),
            Weight::Deed => tracing::info!(%stack, object, reason, took, "{words}"),
            Weight::Detail => {
                tracing::debug!(%stack, object, about = message, reason, "{words}");
            }
            Weight::Trifle => tracing::trace!(%stack, object, "{words}"),
        }
    }

    fn finish(&mut self) {}
}

const fn weight(state: &ProgressState) -> Weight {
    match state {
        ProgressState::Failed => Weight::Failure,
        ProgressState::Pulling { total: 0, .. } | ProgressState::Stopping => {
            Weight::Begun
        }
        ProgressState::Pulled
        | ProgressState::Created
        | ProgressState::Updated
        | ProgressState::Connected(_)
        | ProgressState::Disconnected
        | ProgressState::Renamed(_)
        | ProgressState::Stopped
        | ProgressState::Started
        | ProgressState::Unpaused
        | ProgressState::Reloaded
        | ProgressState::Removed => Weight::Deed,
        ProgressState::Waiting
        | ProgressState::ReadingLog
        | ProgressState::Measuring
        | ProgressState::LogRead
        | ProgressState::Creating
        | ProgressState::CopyingIn
        | ProgressState::CopiedIn
        | ProgressState::Updating
        | ProgressState::Connecting(_)
        | ProgressState::Disconnecting
        | ProgressState::Renaming(_)
        | ProgressState::Starting
        | ProgressState::Unpausing
        | ProgressState::Testing
        | ProgressState::Tested
        | ProgressState::Reloading
        | ProgressState::AwaitingHealth
        | ProgressState::Ready
        | ProgressState::Removing => Weight::Detail,
        ProgressState::Pulling { .. } => Weight::Trifle,
    }
}
