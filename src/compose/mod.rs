//! From Compose text to a validated stack.
//!
//! Read in this order: [`node`] (YAML with spans), [`interpolate`] and [`dotenv`],
//! [`attribute`] (what every key means: the one table), [`canonical`], [`merge`],
//! [`validate`], and [`load`], which runs them all. Nothing here opens a file: the caller
//! lends the files as [`files::Files`]. [`render`] is the way back, for `config`.

pub mod attribute;
pub mod canonical;
pub mod complete;
pub mod content;
pub mod counted;
pub mod dotenv;
pub mod encrypted;
pub mod environment;
pub mod extension;
pub mod files;
pub mod interpolate;
pub mod load;
pub mod merge;
pub mod node;
pub mod paths;
pub mod problem;
pub mod profiles;
pub mod project;
pub mod reading;
pub mod render;
pub mod sensitive;
pub mod units;
pub mod unused;
pub mod validate;
pub mod yaml;
