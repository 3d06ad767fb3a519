//! The form of what both memory and the journal hold: times and events.

use serde::{Deserialize, Serialize};

use crate::planning::event::{Event, EventKind};
use crate::state::time::EngineTime;

/// A time by the engine's clock, as RFC 3339.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct EngineTimeText(pub(super) EngineTime);

impl From<EngineTimeText> for String {
    fn from(time: EngineTimeText) -> Self {
        time.0.to_string()
    }
}

impl TryFrom<String> for EngineTimeText {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

/// An event, as one line of the journal has it.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredEvent {
    id: u64,
    object: String,
    #[serde(rename = "type")]
    kind: StoredKind,
    reason: String,
    message: String,
    count: u32,
    first: EngineTimeText,
    last: EngineTimeText,
}

#[derive(Serialize, Deserialize)]
enum StoredKind {
    Normal,
    Warning,
}

impl From<&Event> for StoredEvent {
    fn from(event: &Event) -> Self {
        let Event { id, object, kind, reason, message, count, first, last } = event;
        Self {
            id: *id,
            object: object.clone(),
            kind: match kind {
                EventKind::Normal => StoredKind::Normal,
                EventKind::Warning => StoredKind::Warning,
            },
            reason: reason.clone(),
            message: message.clone(),
            count: *count,
            first: EngineTimeText(*first),
            last: EngineTimeText(*last),
        }
    }
}

impl From<StoredEvent> for Event {
    fn from(stored: StoredEvent) -> Self {
        let StoredEvent { id, object, kind, reason, message, count, first, last } =
            stored;
        let kind = match kind {
            StoredKind::Normal => EventKind::Normal,
            StoredKind::Warning => EventKind::Warning,
        };
        let (first, last) = (first.0, last.0);
        Self { id, object, kind, reason, message, count, first, last }
    }
}
