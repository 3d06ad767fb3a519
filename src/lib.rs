//! A Kubernetes-style reconciling operator for plain Docker hosts.
//!
//! Read in this order: [`state`] (what is wanted, what is there), [`compose`] (from a file
//! to what is wanted), [`planning`] (every decision), [`engine`] (the outside world),
//! [`view`] (what people see), [`cli`] (what they can ask for).

pub mod cli;
pub mod compose;
pub mod engine;
pub mod planning;
pub mod state;
pub mod view;
