//! Whether the parts of a canonical stack fit together.

/// The proof that a stack was validated; only this module can make one.
#[derive(Debug)]
pub struct Validated(());
/// Temporary.
pub fn temporary() -> Validated { Validated(()) }
