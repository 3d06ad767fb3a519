//! What a host is and has, as far as it matters to containers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::time::EngineTime;

/// This host, as it is found. What could not be read is left out.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// This process is root's.
    pub is_root: bool,
    /// Settings of the kernel, by name, such as `vm.max_map_count`.
    pub kernel: BTreeMap<String, i64>,
    /// When the kernel makes huge pages of small ones: `always`, `madvise` or `never`.
    pub huge_pages: Option<String>,
    /// The names of running programs.
    pub programs: BTreeSet<String>,
    /// `ufw` is to be active.
    pub has_ufw: bool,
    /// Something tells that the clock is set by others.
    pub is_synchronised: bool,
    /// The ports that are listened on.
    pub listeners: BTreeSet<Listener>,
    /// What is at the paths that were asked about.
    pub folders: BTreeMap<String, Folder>,
    /// How many files the engine may have open.
    pub engine_files: Option<u64>,
    /// The engine's configuration file limits the size of logs.
    pub limits_logs: bool,
    /// What time it is here.
    pub time: Option<EngineTime>,
}

/// A port that somebody listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

/// A folder and the disk that it is on; of one that is not there, the closest above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// There is something at the path.
    pub exists: bool,
    /// What is there is a folder.
    pub is_folder: bool,
    /// The device.
    pub device: u64,
    /// The device is that of `/`.
    pub is_on_root: bool,
    /// The kind of file system, such as `ext4`.
    pub file_system: String,
    /// How many bytes it has.
    pub total: u64,
    /// How many bytes are free for everybody.
    pub free: u64,
}

/// What an engine says of itself and of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineReport {
    /// The version.
    pub version: String,
    /// The newest API version that both speak.
    pub api: (u32, u32),
    /// How many processors it has.
    pub cpus: u32,
    /// How many bytes of memory.
    pub memory: u64,
    /// The cgroup version; 0 when it does not say.
    pub cgroup_version: u32,
    /// `cgroupfs` or `systemd`.
    pub cgroup_driver: String,
    /// The limits that work, by what they limit.
    pub limits: BTreeMap<&'static str, bool>,
    /// What it warns of itself.
    pub warnings: Vec<String>,
    /// Containers go on when it is restarted.
    pub live_restore: bool,
    /// Where logs go unless told.
    pub log_driver: String,
    /// Where it keeps images and containers.
    pub root: String,
    /// What time it is there.
    pub time: EngineTime,
    /// It is reached by a socket of this host.
    pub is_local: bool,
}
