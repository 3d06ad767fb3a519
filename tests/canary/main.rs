//! No secret is ever shown: a stack with a secret in every kind of place, on the real
//! engine, through every command and an operator, and everything that people and machines
//! can read is searched.

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

mod encrypted;
mod places;
#[path = "../product/mod.rs"]
mod product;
#[path = "../real/mod.rs"]
mod real;
mod scan;
mod stage;
mod story;
mod tools;
