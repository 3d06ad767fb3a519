//! What a container may do to the host.

use super::shape::{Missing, Shape};
use super::{Attribute, Merge, row};

/// Capabilities, confinement and kernel settings.
pub const SECURITY: &[Attribute] = &[
    row("cap_add", Shape::List(&Shape::Text), "Capabilities beyond the usual.")
        .merges(Merge::Unique(&[])),
    row("cap_drop", Shape::List(&Shape::Text), "Capabilities that are taken away.")
        .merges(Merge::Unique(&[])),
    row(
        "security_opt",
        Shape::List(&Shape::Text),
        "How the container is confined, such as `seccomp=…` or \
         `no-new-privileges:true`.",
    )
    .merges(Merge::Append),
    row("privileged", Shape::Boolean, "Whether it may do anything to the host."),
    row("read_only", Shape::Boolean, "Whether its own file system cannot be written to."),
    row("userns_mode", Shape::Text, "Whose users are seen: `host`."),
    row("sysctls", Shape::Pairs(Missing::Empty), "Kernel settings of the container.")
        .merges(Merge::Entries),
];
