//! Clients that follow the work of an operator.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::Sender;

use super::server::Call;
use super::{Reply, Request};
use crate::planning::progress::{Progress, ProgressEvent};

/// Those who follow the work of one operator. One that does not listen is given up.
#[derive(Clone, Debug, Default)]
pub struct Followers(Arc<Mutex<Vec<Sender<Reply>>>>);

impl Followers {
    /// Answers a call that was taken note of, or lets its client follow what comes of it.
    pub fn admit(&self, call: Call) {
        match call.request {
            Request::Memory
            | Request::Retry { .. }
            | Request::Pause { .. }
            | Request::Resume { .. } => call.reply(Reply::Done),
            Request::Apply { .. }
            | Request::Delete { .. }
            | Request::Backup { .. }
            | Request::Restore { .. }
            | Request::Restart { .. } => {
                self.0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(call.into_replies());
            }
        }
    }

    /// Tells all of them.
    pub fn tell(&self, reply: &Reply) {
        let mut followers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|follower| follower.try_send(reply.clone()).is_ok());
    }

    /// Returns a listener of progress that passes everything on to the followers too.
    pub fn beside(&self, listener: Box<dyn Progress>) -> Box<dyn Progress> {
        Box::new(Beside { listener, followers: self.clone() })
    }
}

struct Beside {
    listener: Box<dyn Progress>,
    followers: Followers,
}

impl Progress for Beside {
    fn report(&mut self, event: &ProgressEvent) {
        self.listener.report(event);
        self.followers.tell(&Reply::Progress(event.clone()));
    }

    fn finish(&mut self) {
        self.listener.finish();
    }
}
