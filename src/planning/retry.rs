//! How long to wait before the next attempt.

use std::time::Duration;

/// A doubling delay with an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first delay.
    pub base: Duration,
    /// The longest delay.
    pub cap: Duration,
}

/// After an error of an engine call.
pub const ERROR: Backoff =
    Backoff { base: Duration::from_secs(1), cap: Duration::from_mins(5) };

/// After a failed pull.
pub const PULL: Backoff =
    Backoff { base: Duration::from_secs(10), cap: Duration::from_mins(5) };

/// After a crash. The first start again is at once.
pub const CRASH: Backoff =
    Backoff { base: Duration::from_secs(10), cap: Duration::from_mins(5) };

/// From one probe to the next while a container is not ready.
pub const PROBE: Backoff =
    Backoff { base: Duration::from_millis(250), cap: Duration::from_secs(1) };

/// After a message to somebody did not arrive.
pub const NOTICE: Backoff =
    Backoff { base: Duration::from_secs(2), cap: Duration::from_mins(1) };

impl Backoff {
    /// Returns the delay after so many failures in a row; none after none.
    pub fn after(self, failures: u32) -> Duration {
        match failures.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => {
                self.base.saturating_mul(2_u32.saturating_pow(doublings)).min(self.cap)
            }
        }
    }

    /// As [`Backoff::after`], moved by up to a fifth either way, so that many objects that
    /// fail together are not tried together. The same seed gives the same delay.
    pub fn jittered(self, failures: u32, seed: &str) -> Duration {
        let share = u32::from(mix(seed, failures)) % 401;
        self.after(failures) * (800 + share) / 1000
    }
}

/// A small stable hash (FNV-1a), folded to 16 bits.
fn mix(seed: &str, number: u32) -> u16 {
    let bytes = seed.bytes().chain(number.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folded = hash ^ (hash >> 32) ^ (hash >> 16);
    (folded & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_never_overflow() {
        let seconds: Vec<u64> = (0..12).map(|n| ERROR.after(n).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(ERROR.after(u32::MAX), ERROR.cap);
    }

    #[test]
    fn jitter_stays_within_a_fifth_and_is_the_same_for_the_same_seed() {
        for failures in 1..40 {
            let delay = PULL.jittered(failures, "service/web/1");
            let exact = PULL.after(failures);
            assert!(delay >= exact * 8 / 10 && delay <= exact * 12 / 10, "{delay:?}");
            assert_eq!(delay, PULL.jittered(failures, "service/web/1"));
        }
    }
}
