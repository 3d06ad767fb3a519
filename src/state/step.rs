//! What may be done: one engine call each.

use std::time::Duration;

use super::content::Contents;
use super::document::Document;
use super::ids::{
    ContainerId, ContainerName, ImageReference, NetworkId, NetworkName, Object,
    VolumeName,
};
use super::secret::Secret;
use super::value::Value;

/// One engine call for one object.
///
/// There is no call that deletes a volume or its data: the loop cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Gets an image from its registry.
    Pull {
        /// The image.
        image: ImageReference,
        /// `os/arch[/variant]`; the engine's own when nothing.
        platform: Option<String>,
    },
    /// Makes a network.
    CreateNetwork {
        /// Its name on the engine.
        name: NetworkName,
        /// Its fields.
        document: Document,
    },
    /// Removes a network that nothing is attached to.
    RemoveNetwork {
        /// Its id.
        id: NetworkId,
    },
    /// Makes a volume; one that is there already is left as it is.
    CreateVolume {
        /// Its name on the engine.
        name: VolumeName,
        /// Its fields.
        document: Document,
    },
    /// Makes a container without starting it.
    Create {
        /// The name that it gets.
        name: ContainerName,
        /// Its fields.
        document: Document,
        /// `os/arch[/variant]`; the engine's own when nothing.
        platform: Option<String>,
    },
    /// Puts files into a container that was not started yet.
    CopyIn {
        /// The container.
        container: ContainerId,
        /// The files.
        files: Vec<InsideFile>,
    },
    /// Attaches a container to a network.
    Connect {
        /// The container.
        container: ContainerId,
        /// The network.
        network: NetworkName,
        /// The endpoint: `Aliases`, `IPAMConfig`, ….
        endpoint: Value,
    },
    /// Detaches a container from a network; by id, so that one that was made again is not meant.
    Disconnect {
        /// The container.
        container: ContainerId,
        /// The network.
        network: NetworkId,
    },
    /// Changes limits or the restart policy of a live container.
    Update {
        /// The container.
        container: ContainerId,
        /// The fields that change.
        document: Document,
    },
    /// Gives a container another name.
    Rename {
        /// The container.
        container: ContainerId,
        /// The new name.
        to: ContainerName,
    },
    /// Starts a container.
    Start {
        /// The container.
        container: ContainerId,
    },
    /// Thaws a container.
    Unpause {
        /// The container.
        container: ContainerId,
    },
    /// Asks a container to end, and kills it after the grace period.
    Stop {
        /// The container.
        container: ContainerId,
        /// How long it may take.
        grace: Duration,
    },
    /// Removes a stopped container; its volumes stay, anonymous ones too.
    Remove {
        /// The container.
        container: ContainerId,
    },
    /// Reads the last lines that a container wrote.
    ReadLog {
        /// The container.
        container: ContainerId,
    },
    /// Asks how much memory a container uses.
    Measure {
        /// The container.
        container: ContainerId,
    },
    /// Runs the container's own health command once.
    Probe {
        /// The container.
        container: ContainerId,
        /// The command, as the engine would run it; a password may stand in it.
        command: Vec<Secret>,
        /// How long it may take.
        timeout: Duration,
    },
    /// Sends a signal to a container, so that it takes changed content up.
    Signal {
        /// The container.
        container: ContainerId,
        /// The signal, such as `SIGHUP`.
        signal: String,
        /// What it takes up.
        content: Contents,
    },
    /// Runs a command inside a container that tells whether changed content is good.
    Test {
        /// The container.
        container: ContainerId,
        /// The command; a password may stand in it.
        command: Vec<Secret>,
        /// How long it may take.
        timeout: Duration,
        /// The digest of the content.
        content: String,
    },
    /// Does the same in a container that is made for it alone and removed again.
    Rehearse(Box<Rehearsal>),
    /// Asks from outside whether a container does what it is for.
    Reach {
        /// The container.
        container: ContainerId,
        /// What is asked, and where.
        how: Reach,
        /// How long it may take.
        timeout: Duration,
    },
}

/// What is asked from outside, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It answers a GET with a status from 200 to 399.
    Http {
        /// The name or address of the host.
        host: String,
        /// The port.
        port: u16,
        /// The path, with its query.
        path: String,
    },
    /// It takes a connection.
    Tcp {
        /// The name or address of the host.
        host: String,
        /// The port.
        port: u16,
    },
    /// `grpc.health.v1.Health/Check` says that it serves.
    Grpc {
        /// The name or address of the host.
        host: String,
        /// The port.
        port: u16,
        /// The service that is asked about; empty for the whole server.
        service: String,
    },
    /// A command that is run inside ends with 0.
    Exec {
        /// The command; a password may stand in it.
        command: Vec<Secret>,
    },
}

/// A container that is made to test changed content, and removed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// The container that is to take the content up.
    pub holder: ContainerId,
    /// The name that it gets.
    pub name: ContainerName,
    /// Its fields; its command is the test.
    pub document: Document,
    /// `os/arch[/variant]`; the engine's own when nothing.
    pub platform: Option<String>,
    /// The networks that it is attached to besides those of its fields.
    pub networks: Vec<NetworkName>,
    /// The files that are put into it.
    pub files: Vec<InsideFile>,
    /// How long it may take.
    pub timeout: Duration,
    /// The digest of the content.
    pub content: String,
}

/// A file to be put into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsideFile {
    /// The absolute path inside.
    pub path: String,
    /// The bytes; text is enough for Compose.
    pub content: Secret,
    /// The owner.
    pub user: u64,
    /// The group.
    pub group: u64,
    /// The permission bits.
    pub mode: u32,
}

impl Step {
    /// Tells whether it only asks whether a container is well.
    pub const fn is_probe(&self) -> bool {
        matches!(self, Self::Probe { .. } | Self::Reach { .. })
    }

    /// Returns the container that the step is about; nothing when it is about none that is
    /// there yet.
    pub const fn container(&self) -> Option<&ContainerId> {
        match self {
            Self::CopyIn { container, .. }
            | Self::Connect { container, .. }
            | Self::Disconnect { container, .. }
            | Self::Update { container, .. }
            | Self::Rename { container, .. }
            | Self::Start { container }
            | Self::Unpause { container }
            | Self::Stop { container, .. }
            | Self::Remove { container }
            | Self::ReadLog { container }
            | Self::Measure { container }
            | Self::Probe { container, .. }
            | Self::Signal { container, .. }
            | Self::Reach { container, .. }
            | Self::Test { container, .. } => Some(container),
            Self::Pull { .. }
            | Self::CreateNetwork { .. }
            | Self::RemoveNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::Create { .. }
            | Self::Rehearse(_) => None,
        }
    }

    /// Returns the verb, for progress and logs.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Pull { .. } => "pull",
            Self::CreateNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::Create { .. } => "create",
            Self::RemoveNetwork { .. } | Self::Remove { .. } => "remove",
            Self::CopyIn { .. } => "copy in",
            Self::Connect { .. } => "connect",
            Self::Disconnect { .. } => "disconnect",
            Self::Update { .. } => "update",
            Self::Rename { .. } => "rename",
            Self::Start { .. } => "start",
            Self::Unpause { .. } => "unpause",
            Self::Stop { .. } => "stop",
            Self::ReadLog { .. } => "read log",
            Self::Measure { .. } => "measure",
            Self::Probe { .. } | Self::Reach { .. } => "probe",
            Self::Signal { .. } => "signal",
            Self::Test { .. } => "test",
            Self::Rehearse(_) => "rehearse",
        }
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The object it was for.
    pub object: Object,
    /// The step.
    pub step: Step,
    /// What came of it.
    pub result: Result<Done, Failure>,
}

/// What a step that ended well has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The engine did it, or it was done already.
    Done,
    /// The health command ran and ended with this code.
    Probed {
        /// The exit code.
        exit_code: i64,
    },
    /// The test of changed content ran to its end.
    Tested {
        /// The exit code.
        exit_code: i64,
        /// The end of what it printed; secrets may stand in it.
        output: Secret,
    },
    /// It was asked from outside.
    Reached {
        /// It does what it is for.
        is_well: bool,
        /// What it answered, in a few words.
        said: String,
    },
    /// The last lines that the container wrote; anything may stand in them.
    Log {
        /// The lines, with their times.
        lines: Secret,
    },
    /// The container uses so much memory.
    Measured {
        /// In bytes.
        bytes: u64,
    },
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// The engine's own words, and what they are about.
    pub message: String,
}

/// The kinds of failure that planning tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// What the step was about is not there (404).
    NotFound,
    /// Something else is in the way, such as a name or a port (409).
    Conflict,
    /// The engine will not do it as it was asked (other 4xx).
    Refused,
    /// It did not answer, or not in time: the outcome is unknown and must be looked up.
    Unknown,
    /// It failed to (5xx).
    Failed,
    /// We gave it up because something else is wanted now.
    Abandoned,
}
