//! The options of `apply`.

use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::{Prune, duration};

/// The options of `apply`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Apply {
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

    /// Return as soon as nothing is left to change, ready or not
    #[arg(
        long,
        env = "RECONCILER_NO_WAIT",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub no_wait: bool,

    /// Start on folders of the host that are empty now, or on another file system than before
    #[arg(
        long,
        env = "RECONCILER_ACCEPT_DATA_PATH",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub accept_data_path: bool,

    /// Lower a memory limit also below what is in use: the kernel may end a process for it
    #[arg(
        long,
        env = "RECONCILER_ALLOW_SHRINK",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub allow_shrink: bool,

    /// What may change under data.
    #[command(flatten)]
    pub immutable: AcceptImmutable,

    /// What may be removed.
    #[command(flatten)]
    pub prune: Prune,
}

/// Which services may change what must not change under data.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct AcceptImmutable {
    /// Change also what `x-reconciler.immutable` guards in this service: its data may be lost
    /// for it (may be given several times)
    #[arg(
        long,
        value_name = "SERVICE",
        env = "RECONCILER_ACCEPT_IMMUTABLE",
        hide_env = true,
        value_delimiter = ','
    )]
    pub accept_immutable: Vec<String>,
}
