//! The options of what is done by hand.

use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::{Prune, duration};

/// The options of `pause`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Service that is left alone; all, unless one is named
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,

    /// How long; until `resume`, unless told
    #[arg(
        long = "for",
        value_name = "DURATION",
        env = "RECONCILER_FOR",
        hide_env = true,
        value_parser = duration
    )]
    pub time: Option<Duration>,
}

/// The options of `retry`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Service that is tried again; all, unless one is named
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
}

/// The options of `rollback`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// First digits of the revision; the one before the current one that converged, unless
    /// told
    #[arg(value_name = "REVISION")]
    pub revision: Option<String>,

    /// How long to wait until every service is ready
    #[arg(
        long,
        value_name = "DURATION",
        env = "RECONCILER_TIMEOUT",
        hide_env = true,
        default_value = "10m",
        value_parser = duration
    )]
    pub timeout: Duration,

    /// What may be removed.
    #[command(flatten)]
    pub prune: Prune,
}

/// The options of `resume`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Service that goes on; everything, unless one is named
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
}

/// The options of `restart`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Service whose replicas are restarted
    #[arg(value_name = "SERVICE")]
    pub service: String,

    /// How long to wait until every replica is restarted and ready
    #[arg(
        long,
        value_name = "DURATION",
        env = "RECONCILER_TIMEOUT",
        hide_env = true,
        default_value = "10m",
        value_parser = duration
    )]
    pub timeout: Duration,
}

/// The options of `delete`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Delete the volumes of the stack too, and all data in them
    #[arg(
        long,
        env = "RECONCILER_VOLUMES",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub volumes: bool,

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
