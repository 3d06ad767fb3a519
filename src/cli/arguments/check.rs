//! The options of `check`.

use clap::Args;
use clap::builder::BoolishValueParser;

/// The options of `check`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Checks that are made; all, unless some are named
    #[arg(value_name = "CHECK")]
    pub names: Vec<String>,

    /// End with 1 also for what is only a warning, or cannot be found out
    #[arg(
        long,
        env = "RECONCILER_STRICT",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub strict: bool,
}
