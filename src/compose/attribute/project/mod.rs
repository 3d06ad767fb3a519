//! How canonical values become fields of the engine, family by family.
//!
//! The rows of the attribute table refer to what stands here.

pub mod health;
pub mod networking;
pub mod process;
pub mod resources;
pub mod security;
pub mod storage;
