//! The checks of a stack: what is asked, and which answer is good.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::ids::{CheckName, ServiceName};
use super::secret::Secret;

/// How often `run` makes the checks, unless the file says otherwise.
const INTERVAL: Duration = Duration::from_mins(1);

/// How long one check may take, unless the file says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How often in a row a check fails before `run` believes it, unless the file says otherwise.
const FAILURES: u32 = 3;

/// How full a disk may be, and how much of its limit a container may use, in percent.
const DISK: u8 = 80;
const MEMORY: u8 = 90;

/// How old an image may be.
const IMAGE_AGE: Duration = Duration::from_hours(180 * 24);

/// The checks of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checks {
    /// How often `run` makes them.
    pub interval: Duration,
    /// What is checked, by name.
    pub named: BTreeMap<CheckName, Check>,
}

impl Default for Checks {
    /// Makes the checks of a stack whose file says nothing about it.
    fn default() -> Self {
        let built_in = [
            ("containers", CheckKind::Containers { of: BTreeSet::new() }),
            ("disk", CheckKind::Disk { paths: BTreeSet::new(), below: DISK }),
            ("memory", CheckKind::Memory { of: BTreeSet::new(), below: MEMORY }),
            ("image-age", CheckKind::ImageAge { below: IMAGE_AGE }),
        ];
        let named = built_in.map(|(name, kind)| (CheckName::new(name), Check::new(kind)));
        Self { interval: INTERVAL, named: named.into() }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is asked.
    pub kind: CheckKind,
    /// What it means when it does not pass.
    pub severity: Severity,
    /// How long it may take.
    pub timeout: Duration,
    /// How often in a row it does not pass before `run` believes it.
    pub failures: u32,
}

impl Check {
    /// Makes a check about which nothing else is said.
    pub fn new(kind: CheckKind) -> Self {
        let severity = match kind {
            CheckKind::ImageAge { .. } => Severity::Warn,
            CheckKind::Containers { .. }
            | CheckKind::Http { .. }
            | CheckKind::Tcp { .. }
            | CheckKind::Grpc { .. }
            | CheckKind::EtcdAlarms { .. }
            | CheckKind::S3(_)
            | CheckKind::Disk { .. }
            | CheckKind::Memory { .. }
            | CheckKind::Exec { .. } => Severity::Fail,
        };
        Self { kind, severity, timeout: TIMEOUT, failures: FAILURES }
    }
}

/// What it means when a check does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody should know.
    Warn,
    /// Something is wrong.
    Fail,
}

impl Severity {
    /// Returns the word of files and of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What is asked. A place whose host is the name of a service is every container of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// Every container that is wanted runs, and is ready.
    Containers {
        /// Of these services; of all, if none is named.
        of: BTreeSet<ServiceName>,
    },
    /// A GET is answered as it should be.
    Http {
        /// Where.
        at: Place,
        /// The path, with its query.
        path: String,
        /// These statuses are good; 200 to 399, if none is named.
        status: BTreeSet<u16>,
        /// What stands somewhere in the body.
        body: Option<String>,
    },
    /// A connection is taken, and not closed at once.
    Tcp {
        /// Where.
        at: Place,
    },
    /// `grpc.health.v1.Health/Check` says that it serves.
    Grpc {
        /// Where.
        at: Place,
        /// The service of gRPC that is asked about; empty for the whole server.
        service: String,
        /// Who asks, where that matters.
        login: Option<Login>,
    },
    /// No member of an etcd has an alarm.
    EtcdAlarms {
        /// Where.
        at: Place,
        /// Who asks, where that matters.
        login: Option<Login>,
    },
    /// An S3 server takes a signed request.
    S3(S3),
    /// The file systems of folders are not too full.
    Disk {
        /// The folders; those that containers may write to, if none is named.
        paths: BTreeSet<String>,
        /// Percent.
        below: u8,
    },
    /// Containers use less memory than their limit.
    Memory {
        /// Of these services; of all, if none is named.
        of: BTreeSet<ServiceName>,
        /// Percent of the limit.
        below: u8,
    },
    /// The images in use were made not too long ago.
    ImageAge {
        /// How long ago.
        below: Duration,
    },
    /// A command that is run inside ends with 0.
    Exec {
        /// In every container of this service.
        of: ServiceName,
        /// The command.
        command: Vec<Secret>,
    },
}

impl CheckKind {
    /// Returns the key of files that asks for it.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Containers { .. } => "containers",
            Self::Http { .. } => "http",
            Self::Tcp { .. } => "tcp",
            Self::Grpc { .. } => "grpc",
            Self::EtcdAlarms { .. } => "etcd_alarms",
            Self::S3(_) => "s3",
            Self::Disk { .. } => "disk",
            Self::Memory { .. } => "memory",
            Self::ImageAge { .. } => "image_age",
            Self::Exec { .. } => "exec",
        }
    }
}

/// Where something is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of a service, or a host that is reached from this one.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Credential,
}

/// A secret of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// It stands in the stack, or comes from a variable.
    Text(Secret),
    /// It stands in a file of this host, which is read for each check.
    File(PathBuf),
}

/// A request to an S3 server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3 {
    /// Where.
    pub at: Place,
    /// The bucket whose objects are listed; without one the buckets are.
    pub bucket: Option<String>,
    /// The region that the server takes itself to be in.
    pub region: String,
    /// The name of the key.
    pub access_key: String,
    /// The key.
    pub secret_key: Credential,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_checks_are_made_of_every_stack_and_an_old_image_is_no_failure() {
        let checks = Checks::default();
        let known: Vec<(&str, &str, Severity)> = checks
            .named
            .iter()
            .map(|(name, it)| (name.as_str(), it.kind.key(), it.severity))
            .collect();
        assert_eq!(
            known,
            [
                ("containers", "containers", Severity::Fail),
                ("disk", "disk", Severity::Fail),
                ("image-age", "image_age", Severity::Warn),
                ("memory", "memory", Severity::Fail),
            ]
        );
    }
}
