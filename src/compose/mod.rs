//! From Compose text to a validated stack.
//!
//! Read in this order: [`node`] (YAML with spans), [`interpolate`] and [`dotenv`],
//! [`attribute`] (what every key means: the one table), [`canonical`], [`merge`],
//! [`validate`], and [`load`], which runs them all. Nothing here opens a file: the caller
//! lends the files as [`files::Files`].

pub mod attribute;
pub mod canonical;
pub mod dotenv;
pub mod extension;
pub mod files;
pub mod interpolate;
pub mod merge;
pub mod node;
pub mod problem;
pub mod project;
pub mod units;
pub mod validate;
pub mod yaml;
