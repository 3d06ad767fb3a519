//! The control socket of a running operator: how other commands work through it.
//!
//! One socket for each stack, for its owner alone. A client sends one request, and gets
//! replies, each a line of JSON. The protocol is between processes of one version.

pub mod client;
pub mod follow;
pub mod server;
pub mod sync;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::planning::backup::BackupNews;
use crate::planning::progress::ProgressEvent;
use crate::runtime::Convergence;
use crate::state::ids::{Generation, ServiceName, SourceId};

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// What the operator remembers.
    Memory,
    /// To read the files again and bring the stack up; what comes of it follows.
    Apply {
        /// Where the client's desired state comes from.
        source: SourceId,
        /// What the client wants.
        generation: Generation,
        /// More than half of the stack may be removed.
        allow_prune: bool,
        /// Folders that hold data are taken as they are now.
        accept_data_path: bool,
        /// A memory limit may go below what is in use.
        allow_shrink: bool,
        /// Services whose changes of what must not change under data are meant.
        accept_immutable: BTreeSet<ServiceName>,
    },
    /// To take the stack down; what comes of it follows.
    Delete {
        /// Where the client's desired state comes from.
        source: SourceId,
    },
    /// To try again now what failed.
    Retry {
        /// Only of this service.
        service: Option<ServiceName>,
    },
    /// To do nothing for a while.
    Pause {
        /// About this service; about all of them, unless one is named.
        service: Option<ServiceName>,
        /// For how long; until a person resumes it, if nothing.
        time: Option<Duration>,
    },
    /// To go on with what was paused, and to read the files again.
    Resume {
        /// Only with this service.
        service: Option<ServiceName>,
    },
    /// To make a backup; what comes of it follows.
    Backup {
        /// Where the client's desired state comes from.
        source: SourceId,
        /// The folder of archives, unless it is the file's.
        directory: Option<PathBuf>,
    },
    /// To exchange the data for those of an archive; what comes of it follows.
    Restore {
        /// Where the client's desired state comes from.
        source: SourceId,
        /// The archive.
        archive: PathBuf,
        /// Software of another major version may read the data.
        accept_other_version: bool,
    },
    /// To give every replica of a service a new start; what comes of it follows.
    Restart {
        /// Where the client's desired state comes from.
        source: SourceId,
        /// The service.
        service: ServiceName,
    },
}

/// What the operator answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", content = "value", rename_all = "kebab-case")]
pub enum Reply {
    /// What it remembers, in the form of the store.
    Memory(serde_json::Value),
    /// Something was done, or waits.
    Progress(ProgressEvent),
    /// How far the stack has come after a pass.
    Convergence(Convergence),
    /// How a backup goes.
    Backup(BackupNews),
    /// It is done.
    Done,
    /// It is refused; why, and what to do.
    Refused(String),
}
