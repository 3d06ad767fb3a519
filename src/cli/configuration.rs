//! The configuration file: what the variables `RECONCILER_*` would say, one a line, for every
//! command on this host. The environment and the command line win over it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};

use crate::compose::dotenv;
use crate::compose::files::{Files, ReadError};
use crate::compose::interpolate::variables::Variables;
use crate::compose::problem::nearest;
use crate::source::file::HostFiles;

/// Where it is unless somebody says otherwise; it need not be there.
const USUAL: &str = "/etc/reconciler/reconciler.env";

/// The variable, beside the option, that says where it is.
const VARIABLE: &str = "RECONCILER_CONFIG";

/// Names that no option has, and that are no mistake.
const OTHERS: [&str; 1] = ["RECONCILER_LOG"];

/// What a configuration file says, by the names of the variables.
pub type Values = BTreeMap<String, String>;

/// Why a configuration file cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// It cannot be read.
    #[error("the configuration file {} cannot be read: {why}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// It does not have the form of one.
    #[error("{}: {why}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// Reads the configuration file that the command line or the environment names, or the usual
/// one if it is there.
///
/// # Errors
/// It cannot be read, or holds what is no option.
pub fn read(
    arguments: &[OsString],
    variable: impl Fn(&str) -> Option<OsString>,
    command: &Command,
) -> Result<Values, ConfigurationError> {
    let named = named(arguments).or_else(|| variable(VARIABLE));
    let path = PathBuf::from(named.clone().unwrap_or_else(|| USUAL.into()));
    if path.as_os_str().is_empty() {
        return Ok(Values::new());
    }
    let unreadable =
        |why: String| ConfigurationError::Unreadable { path: path.clone(), why };
    match HostFiles::new(false).read(&path) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes)
                .map_err(|_| unreadable("it is no text".to_owned()))?;
            values(&text, &path, &known(command))
        }
        Err(ReadError::Missing) if named.is_none() => Ok(Values::new()),
        Err(ReadError::Missing) => Err(unreadable("it is not there".to_owned())),
        Err(ReadError::TooLarge(limit)) => {
            Err(unreadable(format!("it is larger than {limit} bytes")))
        }
        Err(ReadError::Refused(why) | ReadError::Failed(why)) => Err(unreadable(why)),
    }
}

/// Returns the file that the command line names: it has to be known before the command line
/// can be understood.
fn named(arguments: &[OsString]) -> Option<OsString> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let text = argument.to_str().unwrap_or_default();
        if text == "--" {
            return None;
        }
        if text == "--config" {
            return arguments.next().cloned();
        }
        if let Some(path) = text.strip_prefix("--config=") {
            return Some(path.into());
        }
    }
    None
}

fn values(
    text: &str,
    path: &Path,
    known: &[String],
) -> Result<Values, ConfigurationError> {
    let form = |why: String| ConfigurationError::Form { path: path.to_owned(), why };
    let read = dotenv::parse(text, &Variables::default());
    if let Some(fault) = read.faults.first() {
        let line =
            text.get(..fault.range.start).unwrap_or_default().matches('\n').count();
        return Err(form(format!("line {}: {}", line + 1, fault.message)));
    }
    let mut values = Values::new();
    for (name, variable) in read.variables.iter() {
        if !known.iter().any(|it| it == name) {
            let near = nearest(name, known.iter().map(String::as_str));
            let near =
                near.map(|it| format!("; perhaps {it} was meant")).unwrap_or_default();
            return Err(form(format!("{name} is no variable of reconciler{near}")));
        }
        values.insert(name.to_owned(), variable.text.clone());
    }
    Ok(values)
}

/// Returns the names of the variables of all options.
fn known(command: &Command) -> Vec<String> {
    let mut commands = vec![command];
    let mut names: Vec<String> = OTHERS.map(str::to_owned).into();
    while let Some(command) = commands.pop() {
        let own = command.get_arguments().filter_map(|it| it.get_env()?.to_str());
        names.extend(own.filter(|name| *name != VARIABLE).map(str::to_owned));
        commands.extend(command.get_subcommands());
    }
    names
}

/// Makes what a configuration file says the defaults of a command line.
pub fn configured(command: Command, values: &Values) -> Command {
    let command = command.mut_args(|argument| with_default(argument, values));
    command.mut_subcommands(|it| configured(it, values))
}

fn with_default(argument: Arg, values: &Values) -> Arg {
    let name = argument.get_env().and_then(|name| name.to_str());
    match name.and_then(|name| values.get(name)).cloned() {
        Some(value) => argument.default_value(value),
        None => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(line: &str, text: &str) -> Result<Values, ConfigurationError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reconciler.env");
        std::fs::write(&path, text).unwrap();
        let line = line.replace("FILE", path.to_str().unwrap());
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(&words, |_| None, &crate::cli::arguments::command())
    }

    #[test]
    fn a_file_says_what_the_variables_would_say() {
        let text = "# this host\nRECONCILER_GIT_URL=https://x.example/a\n\
                    RECONCILER_GIT_INTERVAL='30s'\nRECONCILER_LOG=debug\n";
        for line in ["reconciler --config FILE run", "reconciler run --config=FILE"] {
            let values = read_from(line, text).unwrap();
            assert_eq!(values["RECONCILER_GIT_URL"], "https://x.example/a");
            assert_eq!(values["RECONCILER_GIT_INTERVAL"], "30s");
        }
        let error = read_from("reconciler --config FILE run", "RECONCILER_GIT_ULR=x\n");
        let error = error.unwrap_err().to_string();
        assert!(error.contains("perhaps RECONCILER_GIT_URL was meant"), "{error}");
        let error = read_from("reconciler --config FILE run", "\nrubbish here\n");
        let error = error.unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        let error = read_from("reconciler --config /nowhere/at/all run", "");
        assert!(error.unwrap_err().to_string().contains("it is not there"));
    }
}
