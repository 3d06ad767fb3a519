//! Options about who is told.

use std::path::PathBuf;

use clap::Args;

/// Who is told about every stack.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// File with a URL at which chats and others are told about every stack, for its owner
    /// alone; a stack names further ones in its file
    #[arg(
        long,
        value_name = "FILE",
        env = "RECONCILER_NOTIFY_URL_FILE",
        hide_env = true
    )]
    pub notify_url_file: Option<PathBuf>,
}
