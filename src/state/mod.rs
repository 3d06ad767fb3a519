//! What is wanted and what is there, as plain values.
//!
//! Read in this order: [`ids`], [`value`] and [`document`] (the form in which both sides
//! are compared), [`desired`], [`observed`], [`step`] (what may be done about it).

pub mod ask;
pub mod backup;
pub mod check;
pub mod commit;
pub mod concealer;
pub mod content;
pub mod desired;
pub mod digest;
pub mod document;
pub mod host;
pub mod ids;
pub mod log;
pub mod mount;
pub mod notice;
pub mod observed;
pub mod schedule;
pub mod secret;
pub mod step;
pub mod time;
pub mod value;
