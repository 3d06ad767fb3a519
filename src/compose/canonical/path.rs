//! The way from the root to a value.

use std::fmt;

/// A canonical path, such as `services.etcd.ports[0].target`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'a> {
    /// The whole document.
    Root,
    /// A key of a mapping.
    Key(&'a Self, &'a str),
    /// An item of a list.
    Item(&'a Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
