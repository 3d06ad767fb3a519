//! What a container is told: variables, labels, annotations.

use super::field::{Project, field};
use super::project;
use super::shape::{Missing, Shape, Short};
use super::{Attribute, Empty, Merge, row};

/// Environment and metadata.
pub const ENVIRONMENT: &[Attribute] = &[
    row(
        "environment",
        Shape::Pairs(Missing::Null),
        "The environment variables; one without a value is taken from our own \
         environment.",
    )
    .merges(Merge::Entries)
    .becomes(
        &[project::process::ENVIRONMENT],
        Project::With(project::process::environment),
    ),
    row(
        "env_file",
        Shape::OneOrMore(&Shape::Short(Short::EnvFile, ENV_FILE)),
        "Files with more environment variables; later files win, \
         `environment` wins over all.",
    )
    .merges(Merge::Unique(&["path"])),
    row("labels", Shape::Pairs(Missing::Empty), "The labels of the containers.")
        .merges(Merge::Entries)
        .becomes(&[project::process::LABELS], Project::With(project::process::labels)),
    row("label_file", Shape::OneOrMore(&Shape::Text), "Files with more labels.")
        .merges(Merge::Append)
        .ignored("label files are not read yet; write the labels under `labels`"),
    row(
        "annotations",
        Shape::Pairs(Missing::Empty),
        "Annotations for the container runtime.",
    )
    .merges(Merge::Entries)
    .from_api(1, 43)
    .is_field(&[field("HostConfig.Annotations")]),
];

const ENV_FILE: &[Attribute] = &[
    row("path", Shape::Text, "The file."),
    row("required", Shape::Boolean, "Whether it must be there.").when_empty(Empty::True),
    row(
        "format",
        Shape::Text,
        "`raw` takes every line as it is: no quotes, no interpolation.",
    ),
];
