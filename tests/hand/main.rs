//! What people do by hand, and what they bring along: pauses, restarts, revisions; stacks
//! that `docker compose` made.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "tests measure real time and tell long stories"
)]

mod adoption;
mod data;
#[path = "../product/mod.rs"]
mod product;
#[path = "../real/mod.rs"]
mod real;
mod revisions;
mod simulated;
mod through;
