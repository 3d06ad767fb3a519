//! The options of `backup`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The options of `backup`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// What is done with backups.
    #[command(subcommand)]
    pub command: BackupCommand,
}

/// What is done with backups.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum BackupCommand {
    /// Stop the stack, archive its data, start it again, and read the archive back
    Create(Shelf),
    /// List the archives of the stack
    List(Shelf),
    /// Read an archive from end to end and compare every file with its digest
    Verify(Archive),
    /// Remove the archives that `x-reconciler.backup.keep` does not keep
    Prune(Shelf),
}

/// Where archives are.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Folder of archives; `x-reconciler.backup.directory`, unless told
    #[arg(long, value_name = "DIR", env = "RECONCILER_DIRECTORY", hide_env = true)]
    pub directory: Option<PathBuf>,
}

/// One archive.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// File of the archive
    #[arg(value_name = "ARCHIVE")]
    pub archive: PathBuf,
}
