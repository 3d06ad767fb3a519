//! Backups and restores of real containers, under a writer, cut off everywhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::cast_precision_loss,
    reason = "tests measure real time and tell long stories"
)]

mod create;
#[path = "../product/mod.rs"]
mod product;
#[path = "../real/mod.rs"]
mod real;
mod restore;
mod scene;
mod throughput;
