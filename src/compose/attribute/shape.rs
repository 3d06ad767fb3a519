//! What may be written for a key, and what its canonical form is.

/// The shape of a value. Interpreted by `compose::canonical`.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Anything: typed as YAML says, kept as it is.
    Any,
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A mapping with these keys.
    Keys(&'static [super::Attribute]),
}
