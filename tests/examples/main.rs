//! The examples and the production stack: loaded, planned, and run as their pages say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod planned;
#[path = "../product/mod.rs"]
mod product;
#[path = "../proxy/mod.rs"]
mod proxy;
#[path = "../real/mod.rs"]
mod real;
mod run;
