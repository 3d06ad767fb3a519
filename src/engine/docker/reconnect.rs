//! How long to wait before the event stream is opened again.
//!
//! The one place that names the crate `backoff`. It is unmaintained; its arithmetic is all
//! that is used of it, and that does not age.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;

const FIRST: Duration = Duration::from_millis(800);
const LONGEST: Duration = Duration::from_secs(30);

/// Growing delays with jitter: about 0.8 s, doubling up to 30 s, for ever.
#[derive(Debug)]
pub(super) struct Reconnect(ExponentialBackoff);

impl Default for Reconnect {
    fn default() -> Self {
        Self(ExponentialBackoff {
            current_interval: FIRST,
            initial_interval: FIRST,
            multiplier: 2.0,
            randomization_factor: 0.3,
            max_interval: LONGEST,
            // By default it gives up after a quarter of an hour; an operator does not.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        })
    }
}

impl Reconnect {
    /// Returns how long to wait, longer each time.
    pub(super) fn delay(&mut self) -> Duration {
        self.0.next_backoff().unwrap_or(LONGEST).min(LONGEST)
    }

    /// Starts over, once the connection has proved good.
    pub(super) fn succeeded(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_from_under_a_second_to_half_a_minute_and_never_end() {
        let mut reconnect = Reconnect::default();
        let mut wanted = FIRST;
        for _ in 0..200 {
            let delay = reconnect.delay();
            assert!(delay >= wanted.mul_f64(0.69) && delay <= LONGEST, "{delay:?}");
            assert!(delay <= wanted.mul_f64(1.31), "{delay:?} for {wanted:?}");
            wanted = (wanted * 2).min(LONGEST);
        }
        reconnect.succeeded();
        assert!(reconnect.delay() <= FIRST.mul_f64(1.31));
    }
}
