//! The log: on standard error, as text or JSON.

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::arguments::{Command, LogFormat};
use super::output::Output;

/// The variable that filters the log.
const FILTER: &str = "RECONCILER_LOG";

/// Libraries that log the bodies of requests and responses, secrets and all; and those that
/// log each event of a file: with the log beside a watched file, without end.
const TALKATIVE: [&str; 4] = ["bollard", "hyper", "notify", "mio"];

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter makes no sense.
    #[error("{FILTER} is `{filter}`: write it like `info` or `warn,reconciler=debug`")]
    Filter {
        /// What was given.
        filter: String,
        /// The reason.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Something else has set up a log.
    #[error("the log was set up twice")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Sets up the log of this process.
///
/// `run` logs from `info`, other commands from `warn`; each `-v` adds a level to our own
/// part of it. `RECONCILER_LOG` takes the place of all that. Whatever is asked for,
/// libraries that log too much stay at `info`.
pub fn start(command: &Command, verbose: u8, output: &Output) -> Result<(), LogError> {
    let filter = match std::env::var(FILTER) {
        Ok(filter) if !filter.is_empty() => filter,
        Ok(_) | Err(_) => default_filter(is_operator(command), verbose).to_owned(),
    };
    let format = match command {
        Command::Run(run) => run.log_format,
        Command::Validate
        | Command::Preflight
        | Command::Config
        | Command::Diff
        | Command::Apply(_)
        | Command::Sync(_)
        | Command::Status(_)
        | Command::Check(_)
        | Command::Events(_)
        | Command::Explain(_)
        | Command::Retry(_)
        | Command::History
        | Command::Rollback(_)
        | Command::Pause(_)
        | Command::Resume(_)
        | Command::Restart(_)
        | Command::Wait(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Delete(_)
        | Command::Logs(_)
        | Command::Completions(_) => LogFormat::Text,
    };
    let style =
        Style { format, colors: output.colors_stderr(), times: is_operator(command) };
    let layer = layer(&filter, style, output.clone())?;
    tracing_subscriber::registry().with(layer).try_init().map_err(LogError::Twice)
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug)]
struct Style {
    format: LogFormat,
    colors: bool,
    times: bool,
}

const fn is_operator(command: &Command) -> bool {
    matches!(command, Command::Run(_))
}

/// Returns the filter for when nobody asked for another.
const fn default_filter(is_operator: bool, verbose: u8) -> &'static str {
    match (is_operator, verbose) {
        (true, 0) => "info",
        (false, 0) => "warn",
        (_, 1) => "info,reconciler=debug",
        (_, _) => "debug,reconciler=trace",
    }
}

fn layer<S, W>(
    filter: &str,
    style: Style,
    writer: W,
) -> Result<Box<dyn Layer<S> + Send + Sync>, LogError>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let wanted = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| LogError::Filter { filter: filter.to_owned(), source })?;
    let filter = wanted.and(filter_fn(is_harmless));
    let lines =
        tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(style.colors);
    Ok(match (style.format, style.times) {
        (LogFormat::Json, _) => {
            lines.json().flatten_event(true).with_filter(filter).boxed()
        }
        (LogFormat::Text, true) => lines.with_filter(filter).boxed(),
        (LogFormat::Text, false) => {
            lines.without_time().with_target(false).with_filter(filter).boxed()
        }
    })
}

/// Tells whether an event holds no body of a request, and follows from none of our own.
fn is_harmless(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::INFO
        || !TALKATIVE.iter().any(|library| event.target().starts_with(library))
}

#[cfg(test)]
mod tests;
