//! Events: what happened to the objects of a stack, each told once with a count.
//!
//! [`steps`] tells what we did, [`noticed`] what a look found, [`flips`] which conditions
//! changed, [`checks`] which checks. What is told is made of names, reasons and the engine's own words: the documents
//! and commands of steps never enter.

mod checks;
mod flips;
mod noticed;
mod steps;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::state::commit::Commit;
use crate::state::desired::Desired;
use crate::state::observed::Observed;
use crate::state::step::Outcome;
use crate::state::time::{EngineTime, Now};

use super::memory::Memory;

pub use checks::checked;
pub use flips::{doubted, flipped};
pub use noticed::Seen;

/// How many events a stack keeps; the oldest go first.
pub const MOST: usize = 256;

/// For how long the same counts as the same event.
const SAME_FOR: Duration = Duration::from_mins(10);

/// How many messages of one object and reason are told apart within [`SAME_FOR`].
const MOST_MESSAGES: usize = 10;

/// How many characters of a message are kept.
const MOST_CHARACTERS: usize = 1024;

/// How the message begins that stands for all further ones.
const COMBINED: &str = "(combined from similar events): ";

/// A deduplicated, timestamped record of something that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// A number of its own among the events of its stack.
    pub id: u64,
    /// To what: `service/etcd/1`, `service/etcd`, `network/KEY`, `check/NAME`, `stack`.
    pub object: String,
    /// Whether a person should worry.
    pub kind: EventKind,
    /// A reason in `CamelCase`.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// How often it happened.
    pub count: u32,
    /// When it happened first.
    pub first: EngineTime,
    /// When it happened last.
    pub last: EngineTime,
}

/// Whether a person should worry about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// It is as it should be.
    Normal,
    /// It is not.
    Warning,
}

impl EventKind {
    /// Returns the word of Kubernetes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// What happened, before it is known whether it is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Happening {
    object: String,
    kind: EventKind,
    reason: String,
    message: String,
}

impl Happening {
    pub(super) fn normal(
        object: &impl ToString,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let (reason, message) = (reason.into(), message.into());
        Self { object: object.to_string(), kind: EventKind::Normal, reason, message }
    }

    pub(super) fn warning(
        object: &impl ToString,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind: EventKind::Warning, ..Self::normal(object, reason, message) }
    }
}

/// The events of a stack, by when they happened last; at most [`MOST`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    records: Vec<Event>,
    next: u64,
}

impl Events {
    /// Takes up events that were recorded before; of too many the newest.
    pub fn of_records(mut records: Vec<Event>) -> Self {
        records.sort_by_key(|event| (event.last, event.id));
        records.drain(..records.len().saturating_sub(MOST));
        let next = records.iter().map(|event| event.id).max();
        Self { records, next: next.map_or(0, |id| id.saturating_add(1)) }
    }

    /// Iterates over the events; the newest come last.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.records.iter()
    }

    /// Returns the event of a number.
    pub fn get(&self, id: u64) -> Option<&Event> {
        self.records.iter().find(|event| event.id == id)
    }

    /// Takes note of something that happened: the same again within [`SAME_FOR`] raises a
    /// count, and what has too many different messages is told in one.
    pub(super) fn record(&mut self, happening: Happening, time: EngineTime) {
        let Happening { object, kind, reason, mut message } = happening;
        if let Some((end, _)) = message.char_indices().nth(MOST_CHARACTERS) {
            message.truncate(end);
            message.push('…');
        }
        let is_alike = |it: &Event| {
            it.object == object
                && it.kind == kind
                && it.reason == reason
                && age(it.last, time) < SAME_FOR
        };
        let mut same =
            self.records.iter().rposition(|it| is_alike(it) && it.message == message);
        if same.is_none() {
            let alike = self.records.iter().filter(|it| is_alike(it)).count();
            if alike >= MOST_MESSAGES {
                message.insert_str(0, COMBINED);
                let is_combined =
                    |it: &Event| is_alike(it) && it.message.starts_with(COMBINED);
                same = self.records.iter().rposition(is_combined);
            }
        }
        let mut event = match same {
            Some(place) => self.records.remove(place),
            None => self.fresh(object, kind, reason, time),
        };
        event.message = message;
        event.count = event.count.saturating_add(1);
        event.last = event.last.max(time);
        let place = self.records.partition_point(|it| it.last <= event.last);
        self.records.insert(place, event);
    }

    /// Makes room for an event, and makes one that has not happened yet.
    fn fresh(
        &mut self,
        object: String,
        kind: EventKind,
        reason: String,
        time: EngineTime,
    ) -> Event {
        let over = (self.records.len() + 1).saturating_sub(MOST);
        self.records.drain(..over);
        let id = self.next;
        self.next = self.next.saturating_add(1);
        let message = String::new();
        Event { id, object, kind, reason, message, count: 0, first: time, last: time }
    }
}

fn age(then: EngineTime, now: EngineTime) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// Records the commit that another desired state was taken up with.
pub fn committed(
    before: &Memory,
    after: &mut Memory,
    commit: Option<&Commit>,
    time: EngineTime,
) {
    if let Some(Commit { id, author, subject, .. }) = commit
        && before.generation != after.generation
    {
        let message = format!("commit {id} by {author}: {subject}");
        after.events.record(Happening::normal(&"stack", "NewCommit", message), time);
    }
}

/// Records what a look and the ends of steps have told: `before` and `after` are the memory
/// before and after it was learnt.
pub fn learnt(
    before: &Memory,
    after: &mut Memory,
    desired: &Desired,
    observed: &Observed,
    outcomes: &[Outcome],
    now: Now,
) {
    let mut seen = Seen::new(desired, observed);
    let mut happenings = noticed::generation(before, after);
    happenings.extend(
        outcomes
            .iter()
            .filter_map(|outcome| steps::happening(outcome, &before.seen, &seen)),
    );
    happenings.extend(noticed::happenings(before, after, &seen, outcomes, observed));
    for happening in happenings {
        after.events.record(happening, now.engine);
    }
    // A look that is older than a removal of ours is no news when it is corrected.
    seen.forget_removed(outcomes);
    after.seen = seen;
}
