//! Where the output of a container goes.

use super::shape::Shape;
use super::{Attribute, Merge, row};

/// Logging.
pub const LOGGING: &[Attribute] =
    &[row("logging", Shape::Keys(LOG), "Where the output goes.")
        .merges(Merge::DeepIfSame("driver"))];

const LOG: &[Attribute] = &[
    row("driver", Shape::Text, "The log driver; the engine's unless told."),
    row("options", Shape::Map(&Shape::Word), "What the driver is told.")
        .merges(Merge::Entries),
];
