//! One snapshot of what the engine has for a stack.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::ids::{
    ContainerId, ContainerName, ImageId, NetworkId, NetworkName, ProjectName, Replica,
    SourceId, SpecHash, VolumeName,
};
use super::time::EngineTime;
use super::value::Value;

/// A complete look at one engine: a failed list is an error, never a smaller snapshot.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What the engine is and can do.
    pub facts: EngineFacts,
    /// The containers of the stack's project.
    pub containers: BTreeMap<ContainerId, Container>,
    /// The names of all other containers of the engine, and the project of each.
    pub strangers: BTreeMap<ContainerName, Option<ProjectName>>,
    /// All networks of the engine, by name.
    pub networks: BTreeMap<NetworkName, Network>,
    /// All volumes of the engine, by name.
    pub volumes: BTreeMap<VolumeName, Volume>,
    /// The local images that were asked about, by reference and by id; `None` when the
    /// engine does not have it.
    pub images: BTreeMap<String, Option<Image>>,
    /// The containers of others that are attached to a network, by the network.
    pub guests: BTreeMap<NetworkId, BTreeSet<ContainerName>>,
    /// What this host has at the paths that were asked about; `None` when there is nothing.
    /// Empty when the engine is another host's.
    pub host_paths: BTreeMap<String, Option<HostPath>>,
}

/// What the host has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPath {
    /// It is a folder with nothing in it.
    pub is_empty: bool,
    /// Where the file system is mounted that it is on.
    pub mount: String,
}

/// What an engine is and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// The engine's own identity.
    pub id: String,
    /// The version of the engine, such as `20.10.24`.
    pub version: String,
    /// The API version that is spoken, `(major, minor)`.
    pub api: (u32, u32),
    /// The number of processors that containers can have.
    pub cpus: u32,
    /// 1 or 2; 0 when the engine does not tell.
    pub cgroup_version: u8,
    /// The log driver of containers that ask for none.
    pub log_driver: String,
    /// The runtime of containers that ask for none.
    pub runtime: String,
    /// The engine's clock at the time of the look.
    pub time: EngineTime,
}

/// A container of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The engine's id.
    pub id: ContainerId,
    /// The name.
    pub name: ContainerName,
    /// The image it was created from.
    pub image: ImageId,
    /// Whose it is, read off its labels.
    pub origin: Origin,
    /// Its fields.
    pub document: Document,
    /// The networks that it is attached to, by name; the id shows a network that was
    /// removed and made again.
    pub attached: BTreeMap<NetworkName, NetworkId>,
    /// When it was created.
    pub created: EngineTime,
    /// What it is doing.
    pub state: ContainerState,
    /// Its address on one of its networks; nothing while it does not run, or has none.
    pub address: Option<String>,
    /// The volumes without a name of their own that are mounted in it, by path.
    pub anonymous: BTreeMap<String, VolumeName>,
}

/// Whose a container is, read off its labels.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Origin {
    /// `com.docker.compose.service` and `.container-number`; nothing when either is
    /// missing or malformed.
    pub replica: Option<Replica>,
    /// `com.docker.compose.oneoff` is `True`: a `docker compose run`.
    pub one_off: bool,
    /// `reconciler.source`: the source whose `reconciler` created it.
    pub source: Option<SourceId>,
    /// `reconciler.spec`.
    pub spec: Option<SpecHash>,
    /// `reconciler.replaces`: the container that it is to take over from, or took over from.
    pub replaces: Option<ContainerId>,
    /// `reconciler.base`: the container that comes back if it does not prove itself, where
    /// that is another one: the one that it replaces never proved itself either.
    pub base: Option<ContainerId>,
}

/// What a container is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerState {
    /// The life cycle.
    pub status: Status,
    /// The engine's verdict of the health check; nothing without one.
    pub health: Option<Health>,
    /// The exit code of the last run.
    pub exit_code: i64,
    /// The last run was ended by the kernel for want of memory.
    pub out_of_memory: bool,
    /// The engine's error from the last start, or empty.
    pub error: String,
    /// The last start; nothing when it never was.
    pub started: Option<EngineTime>,
    /// The last end; nothing when it never was.
    pub finished: Option<EngineTime>,
    /// How often the engine's restart policy started it again.
    pub restarts: u64,
}

/// The life cycle of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Made, never started.
    Created,
    /// Running.
    Running,
    /// Frozen.
    Paused,
    /// The engine's restart policy will start it again.
    Restarting,
    /// Being removed.
    Removing,
    /// Ended.
    Exited,
    /// Ended, and the engine could not clean up.
    Dead,
}

impl Status {
    /// Returns the engine's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

/// The engine's verdict of a health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// No check has counted yet.
    Starting,
    /// The last check passed.
    Healthy,
    /// As many checks as `retries` says failed in a row.
    Unhealthy,
}

impl Health {
    /// Returns the engine's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// A network of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The engine's id.
    pub id: NetworkId,
    /// Its fields: `Driver`, `Options`, `IPAM`, `Internal`, `Attachable`, `EnableIPv6`,
    /// `Labels`.
    pub document: Document,
}

/// A volume of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its fields: `Driver`, `DriverOpts`, `Labels`.
    pub document: Document,
    /// Where its data are on the engine's host, as far as the engine tells.
    pub mountpoint: Option<String>,
}

/// A local image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The content-addressed id.
    pub id: ImageId,
    /// When it was made, as far as it says so.
    pub created: Option<EngineTime>,
    /// What the image gives to containers that do not say otherwise: `Config.Env`,
    /// `Config.Cmd`, `Config.Entrypoint`, `Config.Labels`, `Config.User`, ….
    pub config: Document,
}

impl Container {
    /// Tells whether it was made to test changed content, and is in nobody's place.
    pub fn is_rehearsal(&self) -> bool {
        !self.document.get("Config.Labels").get(labels::TEST).is_null()
    }
}

impl Observed {
    /// Returns a local image by reference or id; nothing when it is absent or unknown.
    pub fn image(&self, reference: &str) -> Option<&Image> {
        self.images.get(reference)?.as_ref()
    }
}

impl Network {
    /// Returns a label of the network.
    pub fn label(&self, name: &str) -> Option<&str> {
        label(&self.document, "Labels", name)
    }
}

impl Volume {
    /// Returns a label of the volume.
    pub fn label(&self, name: &str) -> Option<&str> {
        label(&self.document, "Labels", name)
    }
}

fn label<'a>(
    document: &'a Document,
    pointer: &'static str,
    name: &str,
) -> Option<&'a str> {
    document.get(pointer).as_map()?.get(name).and_then(Value::as_text)
}

/// Tells whether a volume has no name of its own: the engine gave it 64 digits.
pub fn is_anonymous(volume: &str) -> bool {
    volume.len() == 64 && volume.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The labels that `docker compose` and we write.
pub mod labels {
    /// The Compose project.
    pub const PROJECT: &str = "com.docker.compose.project";
    /// The service.
    pub const SERVICE: &str = "com.docker.compose.service";
    /// The number of the replica, from 1.
    pub const NUMBER: &str = "com.docker.compose.container-number";
    /// `True` for `docker compose run`, else `False`.
    pub const ONE_OFF: &str = "com.docker.compose.oneoff";
    /// The digest of the service; `docker compose ps` wants it to be there.
    pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
    /// The id of the image.
    pub const IMAGE: &str = "com.docker.compose.image";
    /// The key of a network.
    pub const NETWORK: &str = "com.docker.compose.network";
    /// The key of a volume.
    pub const VOLUME: &str = "com.docker.compose.volume";
    /// `service:condition:restart`, comma-joined.
    pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
    /// The folder of the first file.
    pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
    /// The files, comma-joined.
    pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
    /// The version of the writer.
    pub const VERSION: &str = "com.docker.compose.version";
    /// The source that made it.
    pub const SOURCE: &str = "reconciler.source";
    /// The spec hash that it was made from.
    pub const SPEC: &str = "reconciler.spec";
    /// The id of the container that it takes over from.
    pub const REPLACES: &str = "reconciler.replaces";
    /// The id of the container that comes back if this one does not prove itself.
    pub const BASE: &str = "reconciler.base";
    /// Keyed digests of the content that was copied in, as JSON.
    pub const CONTENT: &str = "reconciler.content";
    /// Within [`CONTENT`], the fingerprint of the key that the digests are by.
    pub const CONTENT_KEY: &str = "key";
    /// The fields that held secrets when it was made, comma-joined pointers.
    pub const SENSITIVE: &str = "reconciler.sensitive";
    /// The log options that were asked for when it was made, comma-joined names: the
    /// engine adds others.
    pub const LOG_OPTIONS: &str = "reconciler.log-options";

    /// The digest of the content that a container was made to test; it is removed again.
    pub const TEST: &str = "reconciler.test";

    /// Tells whether a label is bookkeeping of ours or of `docker compose`: never drift.
    pub fn is_bookkeeping(name: &str) -> bool {
        name.starts_with("com.docker.compose.") || name.starts_with("reconciler.")
    }
}
