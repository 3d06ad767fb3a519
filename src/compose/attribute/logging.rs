//! Where the output of a container goes.

use super::field::Project;
use super::project;
use super::shape::Shape;
use super::{Attribute, Merge, row};

/// Logging.
pub const LOGGING: &[Attribute] =
    &[row("logging", Shape::Keys(LOG), "Where the output goes.")
        .merges(Merge::DeepIfSame("driver"))];

const LOG: &[Attribute] = &[
    row("driver", Shape::Text, "The log driver; the engine's unless told.")
        .is_field(&[project::resources::LOG_DRIVER]),
    row("options", Shape::Map(&Shape::Word), "What the driver is told.")
        .merges(Merge::Entries)
        .becomes(
            &[project::resources::LOG_OPTIONS],
            Project::With(project::resources::log_options),
        ),
];
