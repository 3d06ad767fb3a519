//! Everything that is printed: values in, text out.
//!
//! Nothing here writes: [`crate::cli::output`] does. Nothing here reads a clock or the
//! terminal: both come in as values.

pub mod backup;
pub mod check;
pub mod cover;
pub mod events;
pub mod explain;
pub mod fields;
pub mod history;
pub mod json;
pub mod log;
pub mod metrics;
pub mod plan;
pub mod preflight;
pub mod problems;
pub mod progress;
pub mod status;
pub mod style;
pub mod table;
pub mod text;
pub mod yaml;

#[cfg(test)]
mod canary;
