//! What a check asks, and what it is told.

use std::collections::BTreeSet;
use std::time::Duration;

use super::check::Credential;
use super::ids::ContainerId;
use super::secret::Secret;

/// Something that is asked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// For a page.
    Http {
        /// The name or address of the host.
        host: String,
        /// The port.
        port: u16,
        /// The path, with its query.
        path: String,
        /// These statuses are good; 200 to 399, if there are none.
        status: BTreeSet<u16>,
        /// What stands somewhere in the body.
        body: Option<String>,
    },
    /// For a connection.
    Tcp {
        /// The name or address of the host.
        host: String,
        /// The port.
        port: u16,
    },
    /// For the health of a gRPC server.
    Grpc {
        /// The name or address of the host.
        host: String,
        /// The port.
        port: u16,
        /// The service that is asked about; empty for the whole server.
        service: String,
        /// A user and a password.
        login: Option<(String, Credential)>,
    },
    /// For the alarms of an etcd.
    EtcdAlarms {
        /// The name or address of the host.
        host: String,
        /// The port.
        port: u16,
        /// A user and a password.
        login: Option<(String, Credential)>,
    },
    /// For what an S3 server holds.
    S3 {
        /// The name or address of the host.
        host: String,
        /// The port.
        port: u16,
        /// The bucket whose objects are listed; without one the buckets are.
        bucket: Option<String>,
        /// The region that the server takes itself to be in.
        region: String,
        /// The name of the key.
        access_key: String,
        /// The key.
        secret_key: Credential,
    },
    /// How full the file system of a folder of this host is.
    Disk {
        /// The folder.
        path: String,
    },
    /// How much memory a container uses.
    Memory {
        /// The container.
        container: ContainerId,
        /// How many bytes it may use.
        limit: u64,
    },
    /// A command, inside a container.
    Exec {
        /// The container.
        container: ContainerId,
        /// The command.
        command: Vec<Secret>,
    },
}

/// What came of an ask.
pub type Answer = Result<Found, Trouble>;

/// A good answer, or one that is yet to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is well, in a few words.
    Well(String),
    /// So full is a file system.
    Disk(DiskUse),
    /// So many bytes of memory are in use.
    Memory(u64),
    /// So old is an image.
    Age(Duration),
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskUse {
    /// Which file system it is.
    pub device: u64,
    /// How many bytes are used.
    pub used: u64,
    /// How many more can be.
    pub free: u64,
    /// How many files there are.
    pub files: u64,
    /// How many more there can be; together they are 0 where there is no limit.
    pub free_files: u64,
}

/// Why there is no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct Trouble {
    /// The kind of it.
    pub kind: TroubleKind,
    /// It, in a few words.
    pub said: String,
}

impl Trouble {
    /// Makes one.
    pub fn new(kind: TroubleKind, said: impl Into<String>) -> Self {
        Self { kind, said: said.into() }
    }
}

/// Kinds of troubles: each asks for something else from whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// Nobody is there.
    Unreachable,
    /// Somebody is, and does not answer in time.
    Silent,
    /// The answer is that we may not ask: the credentials are not right.
    Denied,
    /// The answer is not good.
    Unwell,
    /// It cannot be found out from here.
    Unknown,
}
