//! The process of a container: what runs, as whom, and how it ends.

use super::field::{Default, Form, Project, field};
use super::project;
use super::shape::{Missing, Shape};
use super::{Attribute, Empty, Merge, row};

/// Command, user and lifecycle.
pub const PROCESS: &[Attribute] = &[
    row("command", Shape::Command, "The command, in place of the image's.")
        .merges(Merge::Replace)
        .when_empty(Empty::Null)
        .is_field(&[project::process::COMMAND]),
    row(
        "entrypoint",
        Shape::Command,
        "The entry point, in place of the image's, whose command then falls \
         away.",
    )
    .merges(Merge::Replace)
    .when_empty(Empty::Null)
    .is_field(&[field("Config.Entrypoint").default(Default::Image)]),
    row("user", Shape::Text, "The user, as `user[:group]`, in place of the image's.")
        .is_field(&[field("Config.User").default(Default::Image)]),
    row("group_add", Shape::List(&Shape::Word), "More groups of the user.")
        .merges(Merge::Append)
        .becomes(
            &[field("HostConfig.GroupAdd").form(Form::Set)],
            Project::With(project::security::groups),
        ),
    row("working_dir", Shape::Text, "The folder in which the command starts.")
        .is_field(&[field("Config.WorkingDir").default(Default::Image)]),
    row(
        "init",
        Shape::Boolean,
        "Whether an init process passes on signals and reaps children.",
    )
    .when_empty(Empty::Written)
    .is_field(&[field("HostConfig.Init")]),
    row("tty", Shape::Boolean, "Whether there is a terminal.")
        .is_field(&[field("Config.Tty")]),
    row("stdin_open", Shape::Boolean, "Whether standard input stays open.")
        .is_field(&[field("Config.OpenStdin")]),
    row("stop_signal", Shape::Text, "The signal that asks the process to end.")
        .is_field(&[field("Config.StopSignal").default(Default::Image)]),
    row(
        "stop_grace_period",
        Shape::Duration,
        "How long a stop waits before the process is killed.",
    )
    .when_empty(Empty::Written)
    .is_field(&[field("Config.StopTimeout").form(Form::Seconds)]),
    row("hostname", Shape::Text, "The host name inside the container.")
        .is_field(&[project::process::HOSTNAME]),
    row("domainname", Shape::Text, "The domain name inside the container.")
        .is_field(&[field("Config.Domainname")]),
    row(
        "ipc",
        Shape::Text,
        "Whose memory is shared: `private`, `shareable`, `host`, `service:…` \
         or `container:…`.",
    )
    .becomes(&[project::process::IPC], Project::With(project::process::ipc)),
    row(
        "pid",
        Shape::Text,
        "Whose processes are seen: `host`, `service:…` or `container:…`.",
    )
    .becomes(&[field("HostConfig.PidMode")], Project::With(project::process::pid)),
    row("uts", Shape::Text, "Whose host name is seen: `host`.")
        .is_field(&[field("HostConfig.UTSMode")]),
    row("runtime", Shape::Text, "The container runtime.")
        .is_field(&[project::process::RUNTIME]),
    row("isolation", Shape::Text, "The isolation technology of a Windows engine.")
        .ignored("it is for Windows engines only"),
    row(
        "credential_spec",
        Shape::Keys(CREDENTIAL_SPEC),
        "The service account of a Windows container.",
    )
    .ignored("it is for Windows engines only"),
    row(
        "pre_start",
        Shape::List(&Shape::Keys(PRE_START)),
        "Containers that run to completion before the service starts.",
    )
    .merges(Merge::Append)
    .ignored(
        "nothing runs before the start yet; make it a service of its own and \
         wait with `condition: service_completed_successfully`",
    ),
    row(
        "post_start",
        Shape::List(&Shape::Keys(HOOK)),
        "Commands that run after the start.",
    )
    .merges(Merge::Append)
    .ignored("no commands run after the start yet"),
    row("pre_stop", Shape::List(&Shape::Keys(HOOK)), "Commands that run before a stop.")
        .merges(Merge::Append)
        .ignored(
            "no commands run before a stop yet; the process gets `stop_signal` at \
         once",
        ),
];

const CREDENTIAL_SPEC: &[Attribute] = &[
    row("config", Shape::Text, "The config that has it."),
    row("file", Shape::Text, "The file that has it."),
    row("registry", Shape::Text, "The registry value that has it."),
];

const HOOK: &[Attribute] = &[
    row("command", Shape::Command, "The command.")
        .merges(Merge::Replace)
        .when_empty(Empty::Null),
    row("user", Shape::Text, "The user."),
    row("privileged", Shape::Boolean, "Whether it is privileged."),
    row("working_dir", Shape::Text, "The folder in which it starts."),
    row("environment", Shape::Pairs(Missing::Null), "More environment variables.")
        .merges(Merge::Entries),
];

const PRE_START: &[Attribute] = &[
    row("command", Shape::Command, "The command.")
        .merges(Merge::Replace)
        .when_empty(Empty::Null),
    row("image", Shape::Text, "The image, if not the service's."),
    row("user", Shape::Text, "The user."),
    row("privileged", Shape::Boolean, "Whether it is privileged."),
    row("working_dir", Shape::Text, "The folder in which it starts."),
    row("environment", Shape::Pairs(Missing::Null), "More environment variables.")
        .merges(Merge::Entries),
];
