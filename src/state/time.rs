//! Time as a value: nothing below the executor reads a clock.

use std::time::Duration;

/// A moment on a clock that never jumps: time since some fixed start.
///
/// Deadlines of ours are moments; what the engine did has an [`EngineTime`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Duration);

impl Moment {
    /// Returns the moment that lies so much later.
    #[must_use]
    pub const fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(delay))
    }

    /// Returns how long ago the other moment was; zero when it is yet to come.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A time by the engine's own clock.
pub type EngineTime = jiff::Timestamp;

/// The two clocks at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For our own deadlines.
    pub moment: Moment,
    /// For ages of what the engine did, and for what people read.
    pub engine: EngineTime,
}

impl Now {
    /// Returns how long ago something happened on the engine; zero when its clock says
    /// that it is yet to come.
    pub fn age(&self, then: EngineTime) -> Duration {
        Duration::try_from(self.engine.duration_since(then)).unwrap_or(Duration::ZERO)
    }
}
