//! The `reconciler` command.

use std::process::ExitCode;
use std::time::Duration;

use reconciler::cli::exit::Exit;
use reconciler::cli::output::Output;
use reconciler::cli::{command, logging};

/// How long calls of the system that were begun may go on at the end.
const LAST_CALLS: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments = match reconciler::cli::parse() {
        Ok(arguments) => arguments,
        Err(exit) => return exit.into(),
    };
    let output = Output::new(&arguments.options);
    let verbose = arguments.options.verbose;
    let done = logging::start(&arguments.command, verbose, &output)
        .map_err(anyhow::Error::from)
        .and_then(|()| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let done = runtime.block_on(command::run(arguments, output.clone()));
            // A file system that never answers must not keep the process.
            runtime.shutdown_timeout(LAST_CALLS);
            done
        });
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Nothing is left to tell it to when standard error is gone.
            match output.notice(&format!("error: {error:#}\n")) {
                Ok(()) | Err(_) => Exit::NotAsWanted.into(),
            }
        }
    }
}
