//! What a container may do to the host.

use super::field::{Project, field};
use super::project;
use super::shape::{Missing, Shape};
use super::{Attribute, Merge, row};

/// Capabilities, confinement and kernel settings.
pub const SECURITY: &[Attribute] = &[
    row("cap_add", Shape::List(&Shape::Text), "Capabilities beyond the usual.")
        .merges(Merge::Unique(&[]))
        .becomes(
            &[project::security::CAPABILITIES_ADDED],
            Project::With(project::security::capabilities_added),
        ),
    row("cap_drop", Shape::List(&Shape::Text), "Capabilities that are taken away.")
        .merges(Merge::Unique(&[]))
        .becomes(
            &[project::security::CAPABILITIES_DROPPED],
            Project::With(project::security::capabilities_dropped),
        ),
    row(
        "security_opt",
        Shape::List(&Shape::Text),
        "How the container is confined, such as `seccomp=…` or \
         `no-new-privileges:true`.",
    )
    .merges(Merge::Append)
    .becomes(&[project::security::OPTIONS], Project::With(project::security::options)),
    row("privileged", Shape::Boolean, "Whether it may do anything to the host.")
        .is_field(&[field("HostConfig.Privileged")]),
    row("read_only", Shape::Boolean, "Whether its own file system cannot be written to.")
        .is_field(&[field("HostConfig.ReadonlyRootfs")]),
    row("userns_mode", Shape::Text, "Whose users are seen: `host`.")
        .is_field(&[field("HostConfig.UsernsMode")]),
    row("sysctls", Shape::Pairs(Missing::Empty), "Kernel settings of the container.")
        .merges(Merge::Entries)
        .becomes(
            &[field("HostConfig.Sysctls")],
            Project::With(project::security::sysctls),
        ),
];
