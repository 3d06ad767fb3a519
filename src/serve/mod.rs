//! What others ask over HTTP: how the stacks are, what is measured, and that a forge says
//! that somebody has pushed.
//!
//! Read in this order: [`listener`] (where it listens), [`server`] (connections, and what they
//! may cost), [`api`] (what may be asked, and by whom), [`webhook`] (what a forge may tell). It
//! speaks no TLS: a reverse proxy does, where one is needed.

pub mod api;
pub mod listener;
pub mod server;
#[cfg(test)]
mod tests;
pub mod webhook;
