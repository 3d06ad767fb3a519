//! How long a call may take, and how much a repository may bring.

use std::time::Duration;

/// The bounds of every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To ask for the tip (30 s): two small requests, over a slow line and a slow resolver.
    pub tip: Duration,
    /// To fetch (5 minutes): 200 MiB over 6 Mbit/s.
    pub fetch: Duration,
    /// For work on this host (60 s): a slow disk under load.
    pub local: Duration,
    /// The bytes that one fetch may bring, as they travel (1 GiB): more fills a small disk.
    pub most_fetched: u64,
    /// The bytes of all files of a commit (256 MiB): configuration, not data.
    pub most_bytes: u64,
    /// The files of a commit (10,000): each is read and compared at every commit.
    pub most_files: usize,
    /// The bytes of the cache above which it is tidied (64 MiB).
    pub cache_bytes: u64,
    /// The files of the cache above which it is tidied (500): a fetch adds a few for each
    /// object that is new.
    pub cache_files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tip: Duration::from_secs(30),
            fetch: Duration::from_secs(300),
            local: Duration::from_secs(60),
            most_fetched: 1 << 30,
            most_bytes: 256 << 20,
            most_files: 10_000,
            cache_bytes: 64 << 20,
            cache_files: 500,
        }
    }
}
