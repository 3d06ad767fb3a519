//! `POST /webhook/git`: a forge says that somebody has pushed.
//!
//! A delivery that proves itself makes the operator look at its repository at once, and
//! nothing else: what the delivery says is not read. So the same again is harmless, and
//! whoever steals the secret gains an early look.

mod proof;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::HeaderMap;
use tokio::sync::Notify;

use self::proof::Proof;
use super::server::{Answer, done, refused, refused_for};
use crate::clock::{self, Clock};
use crate::planning::rate::{Bucket, Rate};
use crate::source::secret_file::SecretFile;

/// How many bytes the secret of a webhook must have.
pub const LEAST_SECRET: usize = 16;

/// How many deliveries are taken.
const DELIVERIES: Rate = Rate { burst: 10, every: Duration::from_secs(1) };

/// How many deliveries are called wrong. Those that are right have a count of their own: a
/// flood of the others does not keep them out.
const REFUSALS: Rate = Rate { burst: 10, every: Duration::from_secs(1) };

/// How often the log speaks of those.
const COMPLAINTS: Rate = Rate { burst: 3, every: Duration::from_mins(1) };

/// What is at `/webhook/git`.
#[derive(Debug)]
pub struct Webhook {
    secret: SecretFile,
    pushes: Arc<Notify>,
    clock: Clock,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    deliveries: Bucket,
    refusals: Bucket,
    complaints: Bucket,
    /// Complaints that were not made.
    silent: u64,
}

/// The names by which forges tell what a delivery is about.
const EVENTS: [&str; 3] = ["x-github-event", "x-gitea-event", "x-forgejo-event"];

impl Webhook {
    /// Makes a webhook that knows its senders by a secret, and tells of pushes: many at once
    /// are told as one.
    pub fn new(secret: SecretFile, pushes: Arc<Notify>) -> Self {
        let counts = Counts {
            deliveries: Bucket::new(DELIVERIES),
            refusals: Bucket::new(REFUSALS),
            complaints: Bucket::new(COMPLAINTS),
            silent: 0,
        };
        Self { secret, pushes, clock: Clock::new(), counts: Mutex::new(counts) }
    }

    #[cfg(test)]
    pub(super) fn rated(self, rate: Rate) -> Self {
        let mut counts = self.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        counts.deliveries = Bucket::new(rate);
        counts.refusals = Bucket::new(rate);
        Self { counts: Mutex::new(counts), ..self }
    }

    /// Answers a delivery.
    pub(super) fn answer(&self, headers: &HeaderMap, body: &[u8], peer: &str) -> Answer {
        let secret = match self.secret.read() {
            Ok(secret) => secret,
            Err(error) => {
                self.complain(peer, &error);
                let why = "the operator cannot read the secret of the webhook";
                return refused(StatusCode::SERVICE_UNAVAILABLE, why);
            }
        };
        let proven = Proof::of(headers)
            .and_then(|proof| proof.verify(&secret, body, clock::host_time()));
        let bucket = |counts: &mut Counts| match proven {
            Ok(()) => counts.deliveries.take(self.clock.now().moment),
            Err(_) => counts.refusals.take(self.clock.now().moment),
        };
        let taken = self.count(bucket);
        if let Err(error) = &proven {
            self.complain(peer, error);
        }
        match (proven, taken) {
            (_, Err(wait)) => refused_for(wait),
            (Err(error), Ok(())) => refused(StatusCode::UNAUTHORIZED, &error.to_string()),
            (Ok(()), Ok(())) if is_ping(headers) => done(StatusCode::OK, "pong"),
            (Ok(()), Ok(())) => {
                tracing::info!(%peer, "a push was announced");
                self.pushes.notify_one();
                done(StatusCode::ACCEPTED, "accepted")
            }
        }
    }

    fn complain(&self, peer: &str, error: &dyn std::error::Error) {
        let silent = self.count(|counts| {
            let may = counts.complaints.take(self.clock.now().moment);
            counts.silent += 1;
            may.is_ok().then(|| std::mem::take(&mut counts.silent) - 1)
        });
        if let Some(silent) = silent {
            tracing::warn!(%peer, %error, silent, "a delivery to the webhook is refused");
        }
    }

    fn count<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells whether a delivery only asks whether anybody is there.
fn is_ping(headers: &HeaderMap) -> bool {
    EVENTS.iter().any(|name| headers.get(*name).is_some_and(|event| event == "ping"))
}
