//! The command line.

mod apply;
mod backup;
mod by_hand;
mod check;
mod listen;
mod logs;
mod notification;
mod pull;
mod wait;

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{
    ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use clap_complete::Shell;

use super::configuration::{self, Values};
use super::help;
use super::options::Options;
pub use apply::{AcceptImmutable, Apply};
use backup::RawBackup;
pub use backup::{Backup, Restore};
pub use by_hand::{Delete, Pause, Restart, Resume, Retry, Rollback};
pub use check::Check;
pub use listen::Listen;
pub use logs::{Logs, Since, Tail};
pub use notification::Notify;
pub use pull::{Pull, Sync, Verify};
pub use wait::{Wait, WaitFor};

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The options of every command.
    pub options: Options,
    /// The command.
    pub command: Command,
}

/// A command with the options of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `validate`.
    Validate,
    /// `preflight`.
    Preflight,
    /// `config`.
    Config,
    /// `diff`.
    Diff,
    /// `apply`.
    Apply(Apply),
    /// `run`.
    Run(Run),
    /// `sync`.
    Sync(Sync),
    /// `status`.
    Status(Status),
    /// `check`.
    Check(Check),
    /// `events`.
    Events(Events),
    /// `logs`.
    Logs(Logs),
    /// `explain`.
    Explain(Explain),
    /// `retry`.
    Retry(Retry),
    /// `history`.
    History,
    /// `rollback`.
    Rollback(Rollback),
    /// `pause`.
    Pause(Pause),
    /// `resume`.
    Resume(Resume),
    /// `restart`.
    Restart(Restart),
    /// `wait`.
    Wait(Wait),
    /// `backup`.
    Backup(Backup),
    /// `restore`.
    Restore(Restore),
    /// `delete`.
    Delete(Delete),
    /// `completions`.
    Completions(Completions),
}

/// The options of `run`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Form of the log on standard error
    #[arg(
        long,
        value_name = "FORMAT",
        env = "RECONCILER_LOG_FORMAT",
        hide_env = true,
        value_enum,
        default_value_t
    )]
    pub log_format: LogFormat,

    /// Tell what differs from the files, as it comes and goes, and change nothing: no lock is
    /// taken, so another operator may be at work on the same stacks
    #[arg(
        long,
        env = "RECONCILER_DRY_RUN",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub dry_run: bool,

    /// What may be removed.
    #[command(flatten)]
    pub prune: Prune,

    /// How commits come to this host.
    #[command(flatten)]
    pub pull: Pull,

    /// Where others may ask.
    #[command(flatten)]
    pub listen: Listen,

    /// Who is told about every stack.
    #[command(flatten)]
    pub notify: Notify,
}

/// Whether much may be removed at once.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prune {
    /// Remove what left the file even if that is more than half of the stack
    #[arg(
        long,
        env = "RECONCILER_ALLOW_PRUNE",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub allow_prune: bool,
}

/// The options of `status`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Go on showing the status until interrupted
    #[arg(
        short = 'w',
        long,
        env = "RECONCILER_WATCH",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub watch: bool,
}

/// The options of `events`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// Service whose events are shown; all, unless one is named
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,

    /// Go on showing what happens until interrupted
    #[arg(
        short = 'w',
        long,
        env = "RECONCILER_WATCH",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub watch: bool,
}

/// The options of `explain`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// Service whose fields are explained
    #[arg(value_name = "SERVICE")]
    pub service: String,
}

/// The options of `completions`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completions {
    /// Shell that is to learn the commands and options
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line of text for each event.
    #[default]
    Text,
    /// A JSON object for each event.
    Json,
}

/// Reads the arguments, of which the first is the name of the program; `configured` are the
/// values of a configuration file, and `variable` looks up the variables of other tools.
///
/// # Errors
/// The error of clap is also how help and version are asked for.
pub fn parse_from(
    arguments: impl IntoIterator<Item = OsString>,
    configured: &Values,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Arguments, clap::Error> {
    let command = configuration::configured(command(), configured);
    let matches = command.try_get_matches_from(arguments)?;
    let raw = Raw::from_arg_matches(&matches)?;
    let (after, command) = raw.command.split();
    let before = raw.options;
    let options = match after {
        Some(after) => before.joined(after, &matches).map_err(usage_error)?,
        None => before,
    };
    Ok(Arguments { options: options.with_environment(variable), command })
}

/// Returns what the command line may hold.
pub fn command() -> clap::Command {
    Raw::command()
}

/// Makes what is wrong an error of the command line.
pub fn usage_error(message: &str) -> clap::Error {
    command().error(clap::error::ErrorKind::ArgumentConflict, message)
}

/// Returns the script that teaches a shell the commands and options.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Raw::command(), "reconciler", &mut script);
    script
}

/// Reads a duration: `30s`, `10m`, `1m30s`.
fn duration(text: &str) -> Result<Duration, String> {
    const EXAMPLES: &str = "a duration is written 30s, 10m or 1m30s";
    let parsed = text.parse::<jiff::SignedDuration>().map_err(|_| EXAMPLES)?;
    Duration::try_from(parsed).map_err(|_| EXAMPLES.to_owned())
}

/// The command line as clap sees it: the options of every command stand twice.
#[derive(Parser)]
#[command(
    name = "reconciler",
    version,
    about = help::ABOUT,
    after_help = help::EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_flag = true,
    max_term_width = 100,
)]
struct Raw {
    /// Print help
    #[arg(short = 'h', long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: RawCommand,
}

#[derive(Subcommand)]
enum RawCommand {
    #[command(about = help::VALIDATE, after_help = help::VALIDATE_MORE)]
    Validate(With<Nothing>),
    #[command(about = help::PREFLIGHT, after_help = help::PREFLIGHT_MORE)]
    Preflight(With<Nothing>),
    #[command(about = help::CONFIG, after_help = help::CONFIG_MORE)]
    Config(With<Nothing>),
    #[command(about = help::DIFF, after_help = help::DIFF_MORE)]
    Diff(With<Nothing>),
    #[command(about = help::APPLY, after_help = help::APPLY_MORE)]
    Apply(With<Apply>),
    #[command(about = help::RUN, after_help = help::RUN_MORE)]
    Run(With<Run>),
    #[command(about = help::SYNC, after_help = help::SYNC_MORE)]
    Sync(With<Sync>),
    #[command(about = help::STATUS, after_help = help::STATUS_MORE)]
    Status(With<Status>),
    #[command(about = help::CHECK, after_help = help::CHECK_MORE)]
    Check(With<Check>),
    #[command(about = help::EVENTS, after_help = help::EVENTS_MORE)]
    Events(With<Events>),
    // Who has -f after `logs` in mind wants to follow them.
    #[command(about = help::LOGS, after_help = help::LOGS_MORE,
        mut_arg("files", |files| files.short(None)))]
    Logs(With<Logs>),
    #[command(about = help::EXPLAIN, after_help = help::EXPLAIN_MORE)]
    Explain(With<Explain>),
    #[command(about = help::RETRY, after_help = help::RETRY_MORE)]
    Retry(With<Retry>),
    #[command(about = help::HISTORY, after_help = help::HISTORY_MORE)]
    History(With<Nothing>),
    #[command(about = help::ROLLBACK, after_help = help::ROLLBACK_MORE)]
    Rollback(With<Rollback>),
    #[command(about = help::PAUSE, after_help = help::PAUSE_MORE)]
    Pause(With<Pause>),
    #[command(about = help::RESUME, after_help = help::RESUME_MORE)]
    Resume(With<Resume>),
    #[command(about = help::RESTART, after_help = help::RESTART_MORE)]
    Restart(With<Restart>),
    #[command(about = help::WAIT, after_help = help::WAIT_MORE)]
    Wait(With<Wait>),
    #[command(about = help::BACKUP, after_help = help::BACKUP_MORE)]
    #[command(subcommand)]
    Backup(RawBackup),
    #[command(about = help::RESTORE, after_help = help::RESTORE_MORE)]
    Restore(With<Restore>),
    #[command(about = help::DELETE, after_help = help::DELETE_MORE)]
    Delete(With<Delete>),
    #[command(about = help::COMPLETIONS, after_help = help::COMPLETIONS_MORE)]
    Completions(Completions),
}

/// A command with the options of every command.
#[derive(Args)]
struct With<Own: Args> {
    #[command(flatten)]
    own: Own,
    #[command(flatten)]
    options: Options,
}

/// No options of its own.
#[derive(Args)]
struct Nothing {}

impl RawCommand {
    /// Takes the options after the command from the command.
    fn split(self) -> (Option<Options>, Command) {
        match self {
            Self::Validate(with) => (Some(with.options), Command::Validate),
            Self::Preflight(with) => (Some(with.options), Command::Preflight),
            Self::Config(with) => (Some(with.options), Command::Config),
            Self::Diff(with) => (Some(with.options), Command::Diff),
            Self::Apply(with) => (Some(with.options), Command::Apply(with.own)),
            Self::Run(with) => (Some(with.options), Command::Run(with.own)),
            Self::Sync(with) => (Some(with.options), Command::Sync(with.own)),
            Self::Status(with) => (Some(with.options), Command::Status(with.own)),
            Self::Check(with) => (Some(with.options), Command::Check(with.own)),
            Self::Events(with) => (Some(with.options), Command::Events(with.own)),
            Self::Logs(with) => (Some(with.options), Command::Logs(with.own)),
            Self::Explain(with) => (Some(with.options), Command::Explain(with.own)),
            Self::Retry(with) => (Some(with.options), Command::Retry(with.own)),
            Self::History(with) => (Some(with.options), Command::History),
            Self::Rollback(with) => (Some(with.options), Command::Rollback(with.own)),
            Self::Pause(with) => (Some(with.options), Command::Pause(with.own)),
            Self::Resume(with) => (Some(with.options), Command::Resume(with.own)),
            Self::Restart(with) => (Some(with.options), Command::Restart(with.own)),
            Self::Wait(with) => (Some(with.options), Command::Wait(with.own)),
            Self::Backup(raw) => {
                let (options, backup) = raw.split();
                (Some(options), Command::Backup(backup))
            }
            Self::Restore(with) => (Some(with.options), Command::Restore(with.own)),
            Self::Delete(with) => (Some(with.options), Command::Delete(with.own)),
            Self::Completions(own) => (None, Command::Completions(own)),
        }
    }
}

#[cfg(test)]
mod tests;
