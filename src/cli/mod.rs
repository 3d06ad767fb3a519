//! What people can ask for, and how they get their answer.
//!
//! Read in this order: [`arguments`] and [`options`] (the command line), [`exit`] (what
//! the exit status says), [`output`] (where text goes), [`progress`], [`logging`] and
//! [`journal`].

pub mod arguments;
pub mod command;
pub mod exit;
mod help;
pub mod journal;
pub mod logging;
pub mod options;
pub mod output;
pub mod progress;
pub mod runtime_directory;
pub(crate) mod service_manager;
pub mod stacks;
pub mod state_directory;

use arguments::Arguments;
use exit::Exit;

/// Reads the command line and the environment of this process.
///
/// # Errors
/// Where there is nothing to do but to end: help and version have been printed, or what
/// is wrong with the command line.
pub fn parse() -> Result<Arguments, Exit> {
    arguments::parse_from(std::env::args_os(), |name| std::env::var_os(name)).map_err(
        |error| {
            let exit = if error.use_stderr() { Exit::Invalid } else { Exit::Good };
            // A closed pipe is no reason to say more.
            match error.print() {
                Ok(()) | Err(_) => exit,
            }
        },
    )
}
