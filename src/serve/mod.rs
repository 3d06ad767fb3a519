//! What others ask over HTTP: today that a forge says that somebody has pushed.
//!
//! Read in this order: [`server`] (connections, and what they may cost), [`webhook`] (the
//! one route that there is). It speaks no TLS: a reverse proxy does, where one is needed.

pub mod server;
#[cfg(test)]
mod tests;
pub mod webhook;
