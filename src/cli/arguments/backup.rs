//! The options of `backup` and `restore`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

use super::With;
use crate::cli::options::Options;

/// What is done with backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backup {
    /// `backup create`.
    Create(Shelf),
    /// `backup list`.
    List(Shelf),
    /// `backup verify`.
    Verify(Archive),
    /// `backup prune`.
    Prune(Shelf),
}

/// As [`Backup`], with the options of every command.
#[derive(Subcommand)]
pub(super) enum RawBackup {
    /// Stop the stack, archive its data, start it again, and read the archive back
    Create(With<Shelf>),
    /// List the archives of the stack
    List(With<Shelf>),
    /// Read an archive from end to end and compare every file with its digest
    Verify(With<Archive>),
    /// Remove the archives that `x-reconciler.backup.keep` does not keep
    Prune(With<Shelf>),
}

impl RawBackup {
    /// Takes the options after the command from the command.
    pub(super) fn split(self) -> (Options, Backup) {
        match self {
            Self::Create(with) => (with.options, Backup::Create(with.own)),
            Self::List(with) => (with.options, Backup::List(with.own)),
            Self::Verify(with) => (with.options, Backup::Verify(with.own)),
            Self::Prune(with) => (with.options, Backup::Prune(with.own)),
        }
    }
}

/// Where archives are.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Folder of archives; `x-reconciler.backup.directory`, unless told
    #[arg(long, value_name = "DIR", env = "RECONCILER_DIRECTORY", hide_env = true)]
    pub directory: Option<PathBuf>,
}

/// The options of `restore`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// File of the archive
    #[arg(value_name = "ARCHIVE")]
    pub archive: PathBuf,

    /// Restore also where a service has an image of another major version now
    #[arg(
        long,
        env = "RECONCILER_ACCEPT_OTHER_VERSION",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub accept_other_version: bool,

    /// Do not ask
    #[arg(
        short = 'y',
        long,
        env = "RECONCILER_YES",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub yes: bool,
}

/// One archive.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// File of the archive
    #[arg(value_name = "ARCHIVE")]
    pub archive: PathBuf,
}
