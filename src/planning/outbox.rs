//! What waits to be told to somebody: each thing once an hour, not too much at a time, and
//! again for a while when it did not arrive.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::notice::Notice;
use super::rate::{Bucket, Rate};
use super::retry::NOTICE;
use crate::state::commit::Commit;
use crate::state::ids::{Generation, ProjectName};
use crate::state::notice::NoticeKind;
use crate::state::time::{EngineTime, Moment};

/// How many letters wait; the oldest go first.
const MOST: usize = 64;

/// How many letters are told apart.
const MOST_TOLD: usize = 512;

/// For how long the same is not told again.
const ONCE_IN: Duration = Duration::from_hours(1);

/// How often somebody is told.
const RATE: Rate = Rate { burst: 5, every: Duration::from_secs(10) };

/// How often a letter is sent before it is given up.
const ATTEMPTS: u32 = 5;

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The stack.
    pub stack: ProjectName,
    /// What happened.
    pub notice: Notice,
    /// What is wanted.
    pub generation: Generation,
    /// The commit that it comes from, if it comes from git.
    pub commit: Option<Commit>,
    /// When it happened.
    pub time: EngineTime,
}

/// A letter on its way, with those that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The letter.
    pub letter: Letter,
    /// How many more there were at the time.
    pub more: u64,
    /// How many never arrived before it.
    pub lost: u64,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing, until there is another letter.
    Nothing,
    /// Nothing before this moment.
    At(Moment),
    /// This is to be sent; how that ended is to be told.
    Now(Box<Parcel>),
}

/// What waits for one who is told.
#[derive(Clone, Debug)]
pub struct Outbox {
    waiting: VecDeque<Letter>,
    /// What was told, and when.
    told: BTreeMap<Key, Moment>,
    bucket: Bucket,
    /// Letters had to wait since the last one was sent: they go as one.
    is_held: bool,
    under_way: Option<Parcel>,
    attempts: u32,
    not_before: Moment,
    lost: u64,
    /// Nothing arrives.
    is_down: bool,
    /// This process is ending: what waits goes now, or never.
    is_closing: bool,
}

type Key = (ProjectName, NoticeKind, String, String);

impl Default for Outbox {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            told: BTreeMap::new(),
            bucket: Bucket::new(RATE),
            is_held: false,
            under_way: None,
            attempts: 0,
            not_before: Moment::default(),
            lost: 0,
            is_down: false,
            is_closing: false,
        }
    }
}

impl Outbox {
    /// Takes a letter, unless the same was told within an hour. Once all is well, everything
    /// is news again.
    pub fn put(&mut self, letter: Letter, now: Moment) {
        self.told.retain(|_, then| now.since(*then) < ONCE_IN);
        let Notice { kind, object, cause, .. } = &letter.notice;
        if kind.is_good() {
            self.told.retain(|(stack, ..), _| *stack != letter.stack);
        } else {
            let key = (letter.stack.clone(), *kind, object.clone(), cause.clone());
            if self.told.contains_key(&key) {
                return;
            }
            if self.told.len() >= MOST_TOLD {
                self.told.pop_first();
            }
            self.told.insert(key, now);
        }
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
            self.lost += 1;
        }
        self.waiting.push_back(letter);
    }

    /// Returns what is to be done now.
    pub fn due(&mut self, now: Moment) -> Due {
        if self.under_way.is_none() {
            if self.waiting.is_empty() {
                return Due::Nothing;
            }
            if let Err(wait) = self.bucket.take(now)
                && !self.is_closing
            {
                self.is_held = true;
                return Due::At(now.after(wait));
            }
            self.under_way = self.pack();
            (self.attempts, self.not_before) = (0, now);
        }
        match &self.under_way {
            Some(_) if self.not_before > now && !self.is_closing => {
                Due::At(self.not_before)
            }
            Some(parcel) => Due::Now(Box::new(parcel.clone())),
            None => Due::Nothing,
        }
    }

    /// Takes what is to be sent next. Of those that had to wait the last of the worst stands
    /// for all.
    fn pack(&mut self) -> Option<Parcel> {
        let are_one = std::mem::take(&mut self.is_held) || self.is_closing;
        let lost = std::mem::take(&mut self.lost);
        if !are_one {
            return Some(Parcel { letter: self.waiting.pop_front()?, more: 0, lost });
        }
        let more = (self.waiting.len() as u64).saturating_sub(1);
        let all = std::mem::take(&mut self.waiting).into_iter();
        let letter = all.max_by_key(|it| it.notice.kind.severity())?;
        Some(Parcel { letter, more, lost })
    }

    /// Takes note that what was due has arrived; tells whether nothing did before.
    pub fn arrived(&mut self) -> bool {
        self.under_way = None;
        std::mem::take(&mut self.is_down)
    }

    /// Takes note that what was due has not arrived; it is tried again later, unless that is
    /// of no use. Tells whether this is the first time.
    pub fn failed(&mut self, is_final: bool, now: Moment) -> bool {
        self.attempts += 1;
        if is_final || self.is_closing || self.attempts >= ATTEMPTS {
            let lost = self.under_way.take().map_or(0, |it| 1 + it.more + it.lost);
            self.lost += lost;
        }
        let seed = self.under_way.as_ref().map(|it| it.letter.stack.as_str());
        let delay = NOTICE.jittered(self.attempts, seed.unwrap_or_default());
        self.not_before = now.after(delay);
        !std::mem::replace(&mut self.is_down, true)
    }

    /// Has what waits go now, as one, or never.
    pub fn close(&mut self) {
        self.is_closing = true;
    }

    /// Tells whether nothing waits, and nothing will.
    pub fn is_closed(&self) -> bool {
        self.is_closing && self.waiting.is_empty() && self.under_way.is_none()
    }
}

#[cfg(test)]
mod tests;
