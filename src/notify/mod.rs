//! Tells people what happens, at URLs that they gave.
//!
//! Nothing here holds anything up: a letter is put into a box, and a task of each address
//! empties its box. What is told, how often and how long it is tried is decided in
//! [`crate::planning::notice`] and [`crate::planning::outbox`].

mod body;
mod post;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::pass::Wanted;
use crate::planning::notice::Notice;
use crate::planning::outbox::{Due, Letter, Outbox};
use crate::planning::tally::Deliveries;
use crate::state::concealer::Concealer;
use crate::state::notice::{Address, NotifySettings};
use crate::state::time::EngineTime;

pub use post::{NotSent, url_in};

/// How long a box is kept that nothing is put into: longer than it has to know what was told.
const IDLE: Duration = Duration::from_hours(2);

/// Who tells people.
#[derive(Clone, Debug)]
pub struct Notifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Those who are told about every stack.
    always: Vec<NotifySettings>,
    /// The name of this host.
    host: String,
    clock: Clock,
    boxes: Mutex<Boxes>,
    deliveries: Mutex<Deliveries>,
}

#[derive(Debug, Default)]
struct Boxes {
    by_address: BTreeMap<Address, Arc<Letterbox>>,
    tasks: JoinSet<()>,
}

/// What waits for one address, and the bell that says so.
#[derive(Debug, Default)]
struct Letterbox {
    outbox: Mutex<Outbox>,
    bell: Notify,
}

impl Notifier {
    /// Makes one that tells these about every stack, in the name of a host.
    pub fn new(always: Vec<NotifySettings>, host: String) -> Self {
        let (boxes, deliveries) = (Mutex::default(), Mutex::default());
        let clock = Clock::new();
        Self(Arc::new(Inner { always, host, clock, boxes, deliveries }))
    }

    /// Returns what became of notifications so far.
    pub fn deliveries(&self) -> Deliveries {
        *lock(&self.0.deliveries)
    }

    /// Tells whoever wants to know. No secret of the stack is told.
    pub fn tell(&self, wanted: &Wanted, news: Vec<Notice>, time: EngineTime) {
        let settings = wanted.desired.settings.notify.iter().chain(&self.0.always);
        let settings: Vec<&NotifySettings> = settings.collect();
        if settings.is_empty() || news.is_empty() {
            return;
        }
        let concealer = Concealer::of(&wanted.desired, []);
        let mut commit = wanted.commit.clone();
        for text in commit.iter_mut().flat_map(|it| [&mut it.author, &mut it.subject]) {
            *text = concealer.conceal(text);
        }
        for mut notice in news {
            for text in [&mut notice.message, &mut notice.cause] {
                *text = concealer.conceal(text);
            }
            let wants = settings.iter().filter(|it| it.wants(notice.kind));
            // Whoever is named twice is told once.
            let addresses: BTreeSet<Address> = wants
                .map(|it| match &it.to {
                    Address::File(path) => {
                        Address::File(wanted.desired.working_dir.join(path))
                    }
                    url @ Address::Url(_) => url.clone(),
                })
                .collect();
            let letter = Letter {
                stack: wanted.desired.project.clone(),
                notice,
                generation: wanted.desired.generation.clone(),
                commit: commit.clone(),
                time,
            };
            for address in addresses {
                self.put(address, letter.clone());
            }
        }
    }

    fn put(&self, address: Address, letter: Letter) {
        let mut boxes = lock(&self.0.boxes);
        while boxes.tasks.try_join_next().is_some() {}
        let Boxes { by_address, tasks } = &mut *boxes;
        let letterbox = by_address.entry(address.clone()).or_insert_with(|| {
            let letterbox = Arc::new(Letterbox::default());
            tasks.spawn(self.clone().empty(address, letterbox.clone()));
            letterbox
        });
        lock(&letterbox.outbox).put(letter, self.0.clock.now().moment);
        letterbox.bell.notify_one();
    }

    /// Sends what is in a box, for ever; ends when the box is closed, or long idle.
    async fn empty(self, address: Address, letterbox: Arc<Letterbox>) {
        let clock = &self.0.clock;
        loop {
            let due = lock(&letterbox.outbox).due(clock.now().moment);
            let wait = match due {
                Due::Now(parcel) => {
                    let body = body::json(&parcel, &self.0.host);
                    let sent = post::post(&address, body).await;
                    let mut deliveries = lock(&self.0.deliveries);
                    match &sent {
                        Ok(()) => deliveries.sent += 1,
                        Err(_) => deliveries.failed += 1,
                    }
                    drop(deliveries);
                    let mut outbox = lock(&letterbox.outbox);
                    note(&mut outbox, &address, sent, clock);
                    continue;
                }
                Due::At(moment) => clock.until(moment),
                Due::Nothing if lock(&letterbox.outbox).is_closed() => return,
                Due::Nothing => IDLE,
            };
            let rung = tokio::time::timeout(wait, letterbox.bell.notified()).await;
            if rung.is_err() && due == Due::Nothing {
                lock(&self.0.boxes).by_address.remove(&address);
                // What was put in at the last moment still goes.
                if lock(&letterbox.outbox).due(clock.now().moment) == Due::Nothing {
                    return;
                }
            }
        }
    }

    /// Sends what still waits, for no longer than this.
    pub async fn finish(self, within: Duration) {
        let mut tasks = {
            let mut boxes = lock(&self.0.boxes);
            for letterbox in boxes.by_address.values() {
                lock(&letterbox.outbox).close();
                letterbox.bell.notify_one();
            }
            std::mem::take(&mut boxes.tasks)
        };
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(within, all).await.is_err() {
            tracing::warn!("some notifications were not sent before the end");
        }
    }
}

/// Takes note of how the sending ended; the log is told once per outage.
fn note(
    outbox: &mut Outbox,
    address: &Address,
    sent: Result<(), NotSent>,
    clock: &Clock,
) {
    match sent {
        Ok(()) if outbox.arrived() => {
            tracing::info!(to = %address, "notifications arrive again");
        }
        Ok(()) => tracing::debug!(to = %address, "a notification was sent"),
        Err(error) if outbox.failed(error.is_final(), clock.now().moment) => {
            tracing::warn!(to = %address, %error, "notifications do not arrive");
        }
        Err(error) => {
            tracing::debug!(to = %address, %error, "a notification did not arrive");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
