//! How often something may happen.

use std::time::Duration;

use crate::state::time::Moment;

/// So many at once, and one more each time a while has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once; at least one.
    pub burst: u32,
    /// How long it takes until one more is allowed.
    pub every: Duration,
}

/// A bucket of tokens that fills up again with time.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Rate,
    full_at: Moment,
}

impl Bucket {
    /// Makes a full bucket.
    pub fn new(rate: Rate) -> Self {
        Self { rate, full_at: Moment::default() }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// There is none; how long it takes until there is one.
    pub fn take(&mut self, now: Moment) -> Result<(), Duration> {
        let full_at = self.full_at.max(now).after(self.rate.every);
        let size = self.rate.every.saturating_mul(self.rate.burst.max(1));
        match full_at.since(now).saturating_sub(size) {
            Duration::ZERO => {
                self.full_at = full_at;
                Ok(())
            }
            wait => Err(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment(Duration::from_millis(milliseconds))
    }

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(1) };

    #[test]
    fn a_burst_is_allowed_and_then_one_each_time_a_while_has_passed() {
        let mut bucket = Bucket::new(RATE);
        for _ in 0..3 {
            assert_eq!(bucket.take(at(500)), Ok(()));
        }
        assert_eq!(bucket.take(at(500)), Err(Duration::from_secs(1)));
        assert_eq!(bucket.take(at(1400)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(at(1500)), Ok(()));
        assert_eq!(bucket.take(at(1500)), Err(Duration::from_secs(1)));
        for _ in 0..3 {
            assert_eq!(bucket.take(at(60_000)), Ok(()));
        }
        assert!(bucket.take(at(60_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_span_of_time_holds_more_than_the_burst_and_its_share(
            gaps in proptest::collection::vec(0_u64..2000, 1..80),
        ) {
            let mut bucket = Bucket::new(RATE);
            let mut time = 0;
            let mut taken = Vec::new();
            for gap in gaps {
                time += gap;
                if bucket.take(at(time)).is_ok() {
                    taken.push(time);
                }
            }
            for (first, begin) in taken.iter().enumerate() {
                for (last, end) in taken.iter().enumerate().skip(first) {
                    let most = 3 + (end - begin) / 1000;
                    prop_assert!((last - first + 1) as u64 <= most);
                }
            }
        }
    }
}
