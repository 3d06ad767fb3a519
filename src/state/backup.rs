//! `x-reconciler.backup`: when and how a stack is backed up.

use std::path::PathBuf;

use super::schedule::Schedule;

/// When and how a stack is backed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupSettings {
    /// When a running operator makes one by itself; never unless told.
    pub schedule: Option<Schedule>,
    /// Which archives stay; all of them unless told.
    pub keep: Option<Keep>,
    /// The data folders; nothing for those that the stack may write to.
    pub paths: Vec<String>,
    /// The folder that archives are kept in.
    pub directory: Option<PathBuf>,
    /// A command that is run with every good archive, to take it off the host.
    pub after: Vec<String>,
}

/// Which archives stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// So many of the newest.
    pub last: u32,
    /// The newest of a day, for so many days that have one.
    pub daily: u32,
    /// The newest of a week, for so many weeks that have one.
    pub weekly: u32,
}
