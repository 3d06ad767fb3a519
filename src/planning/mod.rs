//! Every decision, as pure functions of values.
//!
//! `memory' = learn(memory, desired, observed, outcomes, now)`, then
//! `plan(desired, observed, memory', now)`: the executor makes no decision, and
//! `reconciler diff` prints the very plan that the loop performs.
//!
//! Read in this order: [`target`] (what a container should be), [`drift`] and
//! [`difference`] (how it differs), [`office`] and [`world`] (who is in charge, what it is
//! doing), [`rejection`] with [`trial`] (what is to become of it), [`replica`] with
//! [`in_place`], [`handover`] and [`retirement`] (what comes next), [`order`] with
//! [`rollout`] (what it waits for), [`pause`], [`dry_run`] and [`restart`] (what a person asked for),
//! [`network`], [`volume`], [`prune`], and [`plan`]; then [`learn`] with `crash` (what is
//! remembered) and [`condition`] (what people are told). [`event`] tells
//! what happened, [`notice`] and [`outbox`] what is worth a message to somebody, [`check`]
//! what is checked and what the answers mean.

pub mod adoption;
pub mod anonymous;
pub mod attribution;
pub mod backup;
pub mod change;
pub mod check;
pub mod completed;
pub mod condition;
pub mod content;
mod crash;
pub mod data;
pub mod data_path;
pub mod decision;
pub mod difference;
pub mod disruption;
pub mod doubt;
pub mod drift;
pub mod dry_run;
pub mod event;
pub mod exclusive;
pub mod explain;
pub mod guests;
pub mod handover;
pub mod heal;
pub mod immutable;
pub mod in_place;
pub mod learn;
pub mod memory;
pub mod network;
pub mod notice;
pub mod office;
pub mod optional;
pub mod order;
pub mod outbox;
pub mod outside;
pub mod pause;
pub mod plan;
pub mod preflight;
pub mod progress;
pub mod prune;
pub mod quirk;
pub mod quoted;
pub mod rate;
pub mod readiness;
mod rehearsal;
pub mod rejection;
pub mod rename;
pub mod replica;
pub mod rest;
pub mod restart;
pub mod retention;
pub mod retirement;
pub mod retry;
pub mod revision;
pub mod rollout;
pub mod same_paths;
pub mod shrink;
pub mod status;
pub mod tally;
pub mod target;
pub mod teardown;
pub mod trial;
mod trouble;
pub mod volume;
pub mod world;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
