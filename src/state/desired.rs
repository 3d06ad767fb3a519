//! The validated model of a stack; only validation can make one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::backup::BackupSettings;
use super::check::Checks;
use super::content::Contents;
use super::digest::DigestKey;
use super::ids::{
    ContainerName, Generation, ImageReference, NetworkKey, NetworkName, ProjectName,
    ServiceName, SourceId, VolumeKey, VolumeName,
};
use super::notice::NotifySettings;
use super::secret::Secret;
use super::value::Value;
use crate::compose::validate::Validated;

/// A stack as it is wanted.
#[derive(Clone, Debug)]
pub struct Desired(Stack);

impl Desired {
    /// Seals a stack; `Validated` can only be had from validation.
    pub fn new(stack: Stack, _: Validated) -> Self {
        Self(stack)
    }
}

impl std::ops::Deref for Desired {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.0
    }
}

/// The parts of a stack. Inside a [`Desired`] they are known to fit together: every
/// reference resolves, dependencies have no cycle, names and ports do not clash.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The Compose project name.
    pub project: ProjectName,
    /// Which source it comes from.
    pub source: SourceId,
    /// The folder that relative paths are against.
    pub working_dir: PathBuf,
    /// The files, in the order in which they were merged.
    pub files: Vec<PathBuf>,
    /// The digest of its meaning.
    pub generation: Generation,
    /// The key by which secrets enter digests.
    pub digest_key: DigestKey,
    /// The services of active profiles.
    pub services: BTreeMap<ServiceName, Service>,
    /// The services of inactive profiles: neither wanted nor orphans.
    pub inactive: BTreeSet<ServiceName>,
    /// The networks that services use.
    pub networks: BTreeMap<NetworkKey, NetworkSpec>,
    /// The volumes that the file declares.
    pub volumes: BTreeMap<VolumeKey, VolumeSpec>,
    /// The configs that services use, by key.
    pub configs: BTreeMap<String, Content>,
    /// The secrets that services use, by key.
    pub secrets: BTreeMap<String, Content>,
    /// The stack-level `x-reconciler`.
    pub settings: StackSettings,
    /// The whole stack in canonical form, as `config` prints it.
    pub canonical: Value,
    /// The secrets among its variables and in its files: no message may repeat one.
    pub unspeakable: Vec<Secret>,
}

/// One service.
#[derive(Clone, Debug)]
pub struct Service {
    /// The key in the file.
    pub name: ServiceName,
    /// Every attribute in canonical form, by Compose key.
    pub canonical: Value,
    /// The image.
    pub image: ImageReference,
    /// When the image is pulled.
    pub pull_policy: PullPolicy,
    /// `os/arch[/variant]`, if asked for.
    pub platform: Option<String>,
    /// The fixed name, if asked for.
    pub container_name: Option<ContainerName>,
    /// How many containers are wanted.
    pub replicas: u32,
    /// What must be there first, the implicit ones too (`network_mode: service:x`, …).
    pub depends_on: BTreeMap<ServiceName, Dependency>,
    /// The health check that the file asks for; the image may bring one of its own.
    pub health_check: HealthCheck,
    /// What happens when it ends.
    pub restart: RestartPolicy,
    /// How long a stop may take (10 s unless told).
    pub stop_grace: Duration,
    /// How a change of it is rolled out.
    pub update: Rollout,
    /// How a change that failed is taken back.
    pub rollback: Rollout,
    /// The service-level `x-reconciler`.
    pub settings: ServiceSettings,
    /// The files whose bytes count, as they were when the stack was loaded.
    pub contents: Contents,
    /// What stands in its secret files: no message may repeat it.
    pub unspeakable: Vec<Secret>,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PullPolicy {
    /// When it is not there.
    #[default]
    Missing,
    /// Never: it is there, or the service waits.
    Never,
    /// Once per generation.
    Always,
}

/// A dependency of one service on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What must hold of the other before this one may start.
    pub condition: Condition,
    /// When false, a dependency that is not part of the stack is no obstacle.
    pub required: bool,
    /// Whether this one is restarted when we restart the other.
    pub restart: bool,
}

/// What must hold of a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It runs.
    Started,
    /// It is ready.
    Healthy,
    /// It ran and exited with 0.
    Completed,
}

impl Condition {
    /// Returns the Compose key, such as `service_healthy`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Started => "service_started",
            Self::Healthy => "service_healthy",
            Self::Completed => "service_completed_successfully",
        }
    }

    /// Returns the word that people read: `service/etcd healthy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Healthy => "healthy",
            Self::Completed => "completed successfully",
        }
    }
}

/// What the file says about health checks; zero fields mean "as the image says".
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum HealthCheck {
    /// Nothing: what the image has.
    #[default]
    Inherited,
    /// None, whatever the image has.
    Disabled,
    /// This one.
    Check {
        /// `["CMD", …]`, `["CMD-SHELL", line]`, or empty for the image's.
        test: Vec<Secret>,
        /// From one check to the next.
        interval: Option<Duration>,
        /// How long one may take.
        timeout: Option<Duration>,
        /// For how long failures do not count.
        start_period: Option<Duration>,
        /// How many failures in a row make it unhealthy.
        retries: Option<u32>,
    },
}

/// How containers of a service are replaced: `deploy.update_config` and
/// `deploy.rollback_config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// How many at a time (1 unless told); nothing for all.
    pub parallelism: Option<u32>,
    /// How long to wait from one to the next (not at all unless told).
    pub delay: Duration,
    /// For how long a new container must stay ready (5 s unless told).
    pub monitor: Duration,
    /// Which share of the containers may fail, in millionths (none unless told).
    pub bearable: u32,
    /// Which of the two runs first.
    pub order: StartOrder,
    /// What happens after a failure; nothing when that depends on what failed.
    pub failure_action: Option<FailureAction>,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            parallelism: Some(1),
            delay: Duration::ZERO,
            monitor: Duration::from_secs(5),
            bearable: 0,
            order: StartOrder::StopFirst,
            failure_action: None,
        }
    }
}

/// Which container runs first when one takes the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOrder {
    /// The old one stops, then the new one starts.
    StopFirst,
    /// The new one is ready, then the old one stops.
    StartFirst,
}

/// What happens when a new container does not get ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureAction {
    /// The old one comes back.
    Rollback,
    /// The new one stays in place, nothing else is changed, and a person decides.
    Pause,
    /// The new one stays in place, and the change goes on.
    Continue,
}

/// What the engine does when a container ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Nothing.
    No,
    /// Starts it again.
    Always,
    /// Starts it again, unless somebody stopped it.
    UnlessStopped,
    /// Starts it again when the exit code is not 0.
    OnFailure {
        /// How often; nothing for no end.
        attempts: Option<u32>,
    },
}

/// A network as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its name on the engine.
    pub name: NetworkName,
    /// It is somebody else's: it must be there, and is never changed.
    pub external: bool,
    /// The canonical node.
    pub canonical: Value,
}

/// A volume as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeSpec {
    /// Its name on the engine.
    pub name: VolumeName,
    /// It is somebody else's: it must be there, and is never changed.
    pub external: bool,
    /// The canonical node.
    pub canonical: Value,
}

/// Where the bytes of a config or secret come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of the host, bind-mounted.
    File(PathBuf),
    /// Text of the desired state or of the environment, copied in before the first start.
    Inline(Secret),
}

/// The stack-level `x-reconciler`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StackSettings {
    /// Names or globs of further environment entries that are secrets.
    pub sensitive: Vec<String>,
    /// What happens to what left the file.
    pub prune: Prune,
    /// How often everything is looked at with no reason (60 s unless told).
    pub resync: Option<Duration>,
    /// How many steps may be under way at once (8 unless told).
    pub max_parallel: Option<u32>,
    /// Who is told about what happens.
    pub notify: Vec<NotifySettings>,
    /// When and how it is backed up.
    pub backup: Option<BackupSettings>,
    /// What is checked.
    pub checks: Checks,
}

/// What happens to what left the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Prune {
    /// Removed, unless it is more than half of the stack.
    #[default]
    Guarded,
    /// Removed.
    Always,
    /// Reported.
    Never,
}

/// The service-level `x-reconciler`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ServiceSettings {
    /// How long a candidate may take to become ready (300 s or more unless told).
    pub ready_deadline: Option<Duration>,
    /// A moved address needs a restart.
    pub stable_address: bool,
    /// It runs to completion, once per spec; nothing when the restart policy decides.
    pub job: Option<bool>,
    /// Canonical paths that others may change.
    pub ignored_drift: Vec<String>,
    /// Canonical paths that must not change under data.
    pub immutable: Vec<String>,
    /// How changed content is taken up without a restart.
    pub reload: Option<ReloadSettings>,
    /// Further files and folders of the host whose bytes count, as they were written.
    pub content: Vec<String>,
    /// How its readiness and health are told from outside.
    pub probe: Option<ProbeSettings>,
    /// What is done about an unhealthy container, when it is said.
    pub heal: Option<Heal>,
}

/// How readiness and health are told from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSettings {
    /// What is asked.
    pub how: ProbeKind,
    /// From the end of one probe to the next.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// How many in a row make it ready.
    pub successes: u32,
    /// How many failures in a row make it unhealthy.
    pub failures: u32,
}

/// What is asked from outside. Without a host it is the container itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// It answers a GET with a status from 200 to 399.
    Http {
        /// The host.
        host: Option<String>,
        /// The port.
        port: u16,
        /// The path, with its query.
        path: String,
    },
    /// It takes a connection.
    Tcp {
        /// The port.
        port: u16,
    },
    /// `grpc.health.v1.Health/Check` says that it serves.
    Grpc {
        /// The port.
        port: u16,
        /// The service that is asked about; empty for the whole server.
        service: String,
    },
    /// A command that is run inside ends with 0.
    Exec {
        /// The command.
        command: Vec<Secret>,
    },
}

/// How changed content is taken up without a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadSettings {
    /// The signal that makes it read its files anew, such as `SIGHUP`.
    pub signal: String,
    /// The command that tells whether it could; none when nothing tells.
    pub test: Vec<Secret>,
}

/// Whether and how often an unhealthy container is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heal {
    /// It is at all.
    pub is_on: bool,
    /// How many probes of ours must fail in a row.
    pub failures: u32,
    /// How often in an hour.
    pub budget: u32,
}

impl Default for Heal {
    fn default() -> Self {
        Self { is_on: true, failures: 3, budget: 5 }
    }
}

impl Service {
    /// Returns what is done about an unhealthy container of this service.
    pub fn heal(&self) -> Heal {
        self.settings.heal.unwrap_or_default()
    }
}
