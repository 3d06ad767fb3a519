//! Where `run` answers others.

use std::path::PathBuf;

use clap::Args;

use crate::serve::listener::Address;

/// Where others may ask, and a forge may say that something was pushed.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Options of HTTP")]
pub struct Listen {
    /// Address for metrics, the API and the webhook, such as 127.0.0.1:9180, or unix: and a path
    #[arg(long, value_name = "ADDRESS", env = "RECONCILER_LISTEN", hide_env = true)]
    pub listen: Option<Address>,

    /// File with the token for metrics and the API, for its owner alone; needed where other
    /// hosts can reach the address
    #[arg(
        long,
        value_name = "FILE",
        env = "RECONCILER_LISTEN_TOKEN_FILE",
        hide_env = true
    )]
    pub listen_token_file: Option<PathBuf>,

    /// File with the secret that the forge signs with, for its owner alone
    #[arg(
        long,
        value_name = "FILE",
        env = "RECONCILER_WEBHOOK_SECRET_FILE",
        hide_env = true
    )]
    pub webhook_secret_file: Option<PathBuf>,
}
