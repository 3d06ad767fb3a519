//! What people can ask for, and how they get their answer.
//!
//! Read in this order: [`arguments`] and [`options`] (the command line), [`exit`] (what
//! the exit status says), [`output`] (where text goes), [`progress`], [`logging`] and
//! [`journal`].

pub mod arguments;
pub mod checkout;
pub mod command;
pub mod configuration;
pub mod exit;
mod help;
pub mod journal;
pub mod logging;
pub mod options;
pub mod output;
mod process;
pub mod progress;
pub mod runtime_directory;
pub(crate) mod service_manager;
pub mod stacks;
pub mod state_directory;

use std::ffi::OsString;

use arguments::Arguments;
use exit::Exit;

/// Reads the command line and the environment of this process.
///
/// # Errors
/// Where there is nothing to do but to end: help and version have been printed, or what
/// is wrong with the command line.
pub fn parse() -> Result<Arguments, Exit> {
    let given: Vec<OsString> = std::env::args_os().collect();
    let variable = |name: &str| std::env::var_os(name);
    let configured = configuration::read(&given, variable, &arguments::command());
    let parsed = configured
        .map_err(|error| arguments::usage_error(&error.to_string()))
        .and_then(|values| arguments::parse_from(given, &values, variable));
    parsed.map_err(|error| {
        let exit = if error.use_stderr() { Exit::Invalid } else { Exit::Good };
        // A closed pipe is no reason to say more.
        match error.print() {
            Ok(()) | Err(_) => exit,
        }
    })
}
