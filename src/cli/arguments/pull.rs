//! How commits are pulled, and which are trusted.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

use super::duration;

/// How commits come to this host.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Options of git")]
pub struct Pull {
    /// Branch that is followed
    #[arg(
        long,
        value_name = "NAME",
        env = "RECONCILER_GIT_BRANCH",
        hide_env = true,
        default_value = "main",
        conflicts_with = "tag"
    )]
    pub branch: String,

    /// Tag that is followed, instead of a branch
    #[arg(long, value_name = "NAME", env = "RECONCILER_GIT_TAG", hide_env = true)]
    pub tag: Option<String>,

    /// How often the repository is asked for a newer commit
    #[arg(
        long,
        value_name = "DURATION",
        env = "RECONCILER_GIT_INTERVAL",
        hide_env = true,
        default_value = "60s",
        value_parser = interval
    )]
    pub interval: Duration,

    /// How long the repository may take to answer, and a tenth of how long what is new may
    /// take to arrive
    #[arg(
        long = "git-timeout",
        value_name = "DURATION",
        env = "RECONCILER_GIT_TIMEOUT",
        hide_env = true,
        default_value = "30s",
        value_parser = duration
    )]
    pub timeout: Duration,

    /// File with the token for HTTPS, for its owner alone
    #[arg(
        long = "git-token-file",
        value_name = "FILE",
        env = "RECONCILER_GIT_TOKEN_FILE",
        hide_env = true
    )]
    pub token_file: Option<PathBuf>,

    /// User that the token belongs to, where the forge asks for one
    #[arg(
        long = "git-user",
        value_name = "NAME",
        env = "RECONCILER_GIT_USER",
        hide_env = true
    )]
    pub user: Option<String>,

    /// Private key for SSH
    #[arg(
        long = "git-ssh-key-file",
        value_name = "FILE",
        env = "RECONCILER_GIT_SSH_KEY_FILE",
        hide_env = true
    )]
    pub ssh_key_file: Option<PathBuf>,

    /// Keys of the hosts that SSH may talk to [default: the user's own]
    #[arg(
        long = "git-known-hosts-file",
        value_name = "FILE",
        env = "RECONCILER_GIT_KNOWN_HOSTS_FILE",
        hide_env = true
    )]
    pub known_hosts_file: Option<PathBuf>,

    /// Take only commits with a signature of this kind
    #[arg(
        long,
        value_name = "KIND",
        env = "RECONCILER_GIT_VERIFY",
        hide_env = true,
        value_enum
    )]
    pub verify: Option<Verify>,

    /// Who may sign, in the format of ssh-keygen's ALLOWED SIGNERS
    #[arg(
        long,
        value_name = "FILE",
        env = "RECONCILER_GIT_ALLOWED_SIGNERS",
        hide_env = true
    )]
    pub allowed_signers: Option<PathBuf>,

    /// Take a commit also if it does not descend from the one in force
    #[arg(
        long,
        env = "RECONCILER_GIT_ALLOW_REWIND",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub allow_rewind: bool,
}

/// Kinds of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verify {
    /// By an SSH key that is listed in `--allowed-signers`.
    Ssh,
}

/// The options of `sync`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// How commits come to this host.
    #[command(flatten)]
    pub pull: Pull,

    /// What may be removed.
    #[command(flatten)]
    pub prune: super::Prune,
}

/// Reads how often to ask: not more than once a second.
fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < Duration::from_secs(1) {
        return Err("at least 1s: a webhook is faster than that".to_owned());
    }
    Ok(interval)
}
