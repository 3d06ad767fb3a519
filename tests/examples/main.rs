//! The examples and the production stack: loaded, planned, and run as their pages say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    reason = "tests measure real time, list many cases, and match what they expect"
)]

mod monitoring;
mod planned;
#[path = "../product/mod.rs"]
mod product;
#[path = "../proxy/mod.rs"]
mod proxy;
#[path = "../real/mod.rs"]
mod real;
mod rolling;
mod run;
