//! The options of `wait`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration;

/// The options of `wait`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What to wait for
    #[arg(
        long = "for",
        value_name = "CONDITION",
        env = "RECONCILER_FOR",
        hide_env = true,
        value_enum,
        default_value_t
    )]
    pub condition: WaitFor,

    /// How long to wait
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

/// What a stack can be waited for to become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WaitFor {
    /// Everything is as wanted, and ready.
    #[default]
    Ready,
}
