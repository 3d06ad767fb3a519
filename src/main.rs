//! The `reconciler` command.
fn main() {}
