//! A Kubernetes-style reconciling operator for plain Docker hosts.
//!
//! Read in this order: [`state`] (what is wanted, what is there), [`compose`] (from a file
//! to what is wanted), [`planning`] (every decision), [`engine`] and [`source`] and
//! [`store`] (the outside world), [`pass`] and [`controller`] and [`runtime`] and
//! [`executor`] (observe, learn, plan, perform), [`operator`] and [`converge`] (for ever,
//! once), [`board`] and [`measured`] (what they put up, what is timed), [`control`] (through a
//! running operator), [`serve`] (what others ask over HTTP), [`mod@notify`] (what they are
//! told), [`checks`] (whether it works), [`logbook`] (what containers write), [`view`] (what
//! people see), [`cli`] (what they can ask for).

pub mod announced;
pub mod backup;
pub mod board;
pub mod checks;
pub mod cli;
pub mod clock;
pub mod compose;
pub mod control;
pub mod controller;
pub mod converge;
pub mod engine;
pub mod executor;
pub mod keeper;
pub mod logbook;
pub mod measured;
pub mod notify;
pub mod operator;
pub mod pass;
pub mod planning;
pub mod probe;
pub mod puller;
pub mod report;
pub mod runtime;
pub mod serve;
pub mod source;
pub mod state;
pub mod store;
pub mod view;
