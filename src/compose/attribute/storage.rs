//! Volumes, mounts, devices and files.

use super::field::{Project, field};
use super::project;
use super::shape::{Missing, Shape, Short};
use super::{Attribute, Empty, Merge, row};

/// What a container finds in its file system.
pub const STORAGE: &[Attribute] = &[
    row(
        "volumes",
        Shape::List(&Shape::Short(Short::Mount, MOUNT)),
        "What is mounted into the containers.",
    )
    .merges(Merge::Unique(&["target"]))
    .becomes(&[project::storage::MOUNTS], Project::With(project::storage::volumes)),
    row(
        "volumes_from",
        Shape::List(&Shape::Text),
        "Services or containers whose volumes are mounted too.",
    )
    .merges(Merge::Append)
    .becomes(
        &[project::storage::VOLUMES_FROM],
        Project::With(project::storage::volumes_from),
    ),
    row(
        "tmpfs",
        Shape::OneOrMore(&Shape::Text),
        "Folders that are kept in memory, as `path[:options]`.",
    )
    .merges(Merge::Unique(&[]))
    .becomes(&[project::storage::TMPFS], Project::With(project::storage::tmpfs)),
    row(
        "configs",
        Shape::List(&Shape::Short(Short::Config, FILE_REFERENCE)),
        "The configs that become files.",
    )
    .merges(Merge::UniqueByFirst(&["target", "source"]))
    .becomes(&[project::storage::MOUNTS], Project::With(project::storage::configs)),
    row(
        "secrets",
        Shape::List(&Shape::Short(Short::Secret, FILE_REFERENCE)),
        "The secrets that become files.",
    )
    .merges(Merge::Unique(&["target"]))
    .becomes(&[project::storage::MOUNTS], Project::With(project::storage::secrets)),
    row(
        "devices",
        Shape::List(&Shape::Short(Short::Device, DEVICE)),
        "Devices of the host, as `host[:container[:permissions]]`.",
    )
    .merges(Merge::Unique(&["target"]))
    .becomes(&[project::storage::DEVICES], Project::With(project::storage::devices)),
    row(
        "device_cgroup_rules",
        Shape::List(&Shape::Text),
        "Which devices may be used, as `type major:minor permissions`.",
    )
    .merges(Merge::Append)
    .is_field(&[field("HostConfig.DeviceCgroupRules")]),
    row(
        "storage_opt",
        Shape::Map(&Shape::Word),
        "Options of the storage driver, such as `size`.",
    )
    .merges(Merge::Entries)
    .is_field(&[field("HostConfig.StorageOpt")]),
];

const MOUNT: &[Attribute] = &[
    row(
        "type",
        Shape::Choice(&["bind", "volume", "tmpfs", "image", "npipe", "cluster"]),
        "What is mounted.",
    ),
    row(
        "source",
        Shape::Text,
        "The path on the host, the key of the volume, or the image.",
    ),
    row("target", Shape::Text, "The path inside the container."),
    row("read_only", Shape::Boolean, "Whether it cannot be written to."),
    row("consistency", Shape::Text, "How far host and container may differ on a Mac.")
        .ignored("it is for desktop engines only; mounts are always consistent here"),
    row("bind", Shape::Keys(MOUNT_BIND), "Options of a mounted path of the host."),
    row("volume", Shape::Keys(MOUNT_VOLUME), "Options of a mounted volume."),
    row("tmpfs", Shape::Keys(MOUNT_TMPFS), "Options of a folder in memory."),
    row("image", Shape::Keys(MOUNT_IMAGE), "Options of a mounted image.").from_api(1, 48),
];

const MOUNT_BIND: &[Attribute] = &[
    row("propagation", Shape::Text, "Whether later mounts are seen on the other side."),
    row(
        "create_host_path",
        Shape::Boolean,
        "Whether a missing folder of the host is made.",
    ),
    row(
        "recursive",
        Shape::Choice(&["enabled", "disabled", "writable", "readonly"]),
        "What becomes of mounts below it.",
    )
    .from_api(1, 44),
    row(
        "selinux",
        Shape::Choice(&["z", "Z"]),
        "How it is labelled for SELinux: `z` shared, `Z` private.",
    ),
];

const MOUNT_VOLUME: &[Attribute] = &[
    row(
        "labels",
        Shape::Pairs(Missing::Empty),
        "The labels of a volume that is made for it.",
    )
    .merges(Merge::Entries),
    row(
        "nocopy",
        Shape::Boolean,
        "Whether a new volume stays empty in place of getting the image's \
         files.",
    ),
    row("subpath", Shape::Text, "The folder of the volume that is mounted.")
        .from_api(1, 45),
];

const MOUNT_TMPFS: &[Attribute] = &[
    row("size", Shape::Bytes, "The size; as much as there is memory unless told."),
    row("mode", Shape::Integer, "The permissions."),
];

const MOUNT_IMAGE: &[Attribute] =
    &[row("subpath", Shape::Text, "The folder of the image that is mounted.")];

const DEVICE: &[Attribute] = &[
    row("source", Shape::Text, "The device on the host."),
    row("target", Shape::Text, "The path inside the container."),
    row("permissions", Shape::Text, "Any of `r`, `w` and `m`."),
];

/// A config or secret of a service.
pub const FILE_REFERENCE: &[Attribute] = &[
    row("source", Shape::Text, "The key of the config or secret."),
    row("target", Shape::Text, "The path inside the container."),
    row("uid", Shape::Text, "The owner of the file."),
    row("gid", Shape::Text, "The group of the file."),
    row("mode", Shape::Integer, "The permissions of the file.")
        .when_empty(Empty::Written),
];

/// A volume of the stack.
pub const VOLUME: &[Attribute] = &[
    row(
        "name",
        Shape::Text,
        "The name on the engine; the project and the key unless told.",
    ),
    row("driver", Shape::Text, "The volume driver; `local` unless told."),
    row("driver_opts", Shape::Map(&Shape::Word), "What the driver is told.")
        .merges(Merge::Entries),
    row(
        "external",
        Shape::Short(Short::External, super::stack::EXTERNAL),
        "It is made by somebody else and must be there.",
    ),
    row("labels", Shape::Pairs(Missing::Empty), "The labels of the volume.")
        .merges(Merge::Entries),
];
