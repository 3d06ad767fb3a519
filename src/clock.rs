//! The one place that reads a clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::state::time::{EngineTime, Moment, Now};

/// Tells the time: ours since this clock was made, and the engine's as of its last answer.
#[derive(Clone, Debug)]
pub struct Clock {
    start: Instant,
    engine: (Moment, EngineTime),
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// Starts a clock. Until the engine has answered, its clock is taken to be the host's.
    pub fn new() -> Self {
        Self { start: Instant::now(), engine: (Moment::default(), host_time()) }
    }

    /// Takes note of what the engine's clock says now.
    pub fn set_engine_time(&mut self, time: EngineTime) {
        self.engine = (self.moment(), time);
    }

    /// Returns the time by both clocks.
    pub fn now(&self) -> Now {
        let moment = self.moment();
        let (then, engine) = self.engine;
        Now { moment, engine: engine.checked_add(moment.since(then)).unwrap_or(engine) }
    }

    /// Returns how long it is until a moment; zero when it is past.
    pub fn until(&self, moment: Moment) -> Duration {
        moment.since(self.moment())
    }

    fn moment(&self) -> Moment {
        Moment(Instant::now().saturating_duration_since(self.start))
    }
}

/// Returns the time by the clock of this host, for what others have dated.
#[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
pub fn host_time() -> EngineTime {
    let host = std::time::SystemTime::now();
    EngineTime::try_from(host).unwrap_or(EngineTime::UNIX_EPOCH)
}

/// Returns the time zone of this host.
pub fn local_zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::system()
}
