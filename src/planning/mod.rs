//! Every decision, as pure functions of values.
//!
//! `memory' = learn(memory, observed, outcomes, now)`, then
//! `plan(desired, observed, memory', now)`: the executor makes no decision, and
//! `reconciler diff` prints the very plan that the loop performs.

pub mod change;
pub mod drift;
pub mod memory;
pub mod retry;
pub mod status;
pub mod target;
