//! Running a program that turns its standard input into its standard output.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How often it is looked whether a program that says no more has ended, and how far apart.
const LOOKS: (u32, Duration) = (200, Duration::from_millis(5));

/// How many bytes a program may say: more than a file may have that is encrypted.
const MOST: u64 = 2 << 20;

/// How much of its complaints is looked at.
const MOST_COMPLAINT: u64 = 16 << 10;

/// A program, and what it is told.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Its name; it is looked for in `PATH`.
    pub(super) name: &'static str,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
    /// Its whole environment.
    pub(super) environment: Vec<(&'static str, OsString)>,
}

/// How a program ended. What it said does not print.
pub(super) struct Ended {
    /// What it said, if it did not fail.
    pub(super) output: Option<Vec<u8>>,
    /// What it complained of; it may quote its input.
    pub(super) complaint: String,
}

/// Why a program could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not there.
    #[error("there is no program `{0}` on this host: install it")]
    Missing(&'static str),
    /// It cannot be run.
    #[error("`{name}` cannot be run: {error}")]
    Failed {
        /// The program.
        name: &'static str,
        /// The reason.
        error: io::Error,
    },
    /// It takes too long.
    #[error("`{0}` did not end within {secs} s", secs = .1.as_secs_f64())]
    TooLong(&'static str, Duration),
    /// It says too much.
    #[error("`{0}` made more than {MOST} bytes of it")]
    TooMuch(&'static str),
}

/// Runs a program with this input, to its end, for which it may take so long.
pub(super) fn run(
    program: &Program,
    input: &[u8],
    patience: Duration,
) -> Result<Ended, ProgramError> {
    let name = program.name;
    let failed = |error| ProgramError::Failed { name, error };
    let path = find(name).ok_or(ProgramError::Missing(name))?;
    let mut command = Command::new(path);
    command.args(&program.arguments).env_clear().current_dir("/").process_group(0);
    command.envs(program.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let said = converse(&mut child, input);
    let ended = hear(name, &mut child, &said, patience);
    if ended.is_err() {
        // It may have ended meanwhile.
        child.kill().unwrap_or_default();
        child.wait().map(drop).map_err(failed)?;
    }
    ended
}

/// Finds a program as a shell does: it is not left to the environment of the child.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.is_absolute() && place.is_file())
}

type Said = (Option<Vec<u8>>, String);

/// Gives the input and takes what is said, each in a thread of its own: neither side may
/// wait for the other.
fn converse(child: &mut Child, input: &[u8]) -> Receiver<Said> {
    let (sender, said) = channel();
    let (stdin, input) = (child.stdin.take(), input.to_owned());
    std::thread::spawn(move || {
        // A program that fails may not read to the end.
        if let Some(mut stdin) = stdin {
            stdin.write_all(&input).unwrap_or_default();
        }
    });
    let stderr = child.stderr.take();
    let complaint =
        std::thread::spawn(move || stderr.map(first_words).unwrap_or_default());
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let output = stdout.and_then(all_of_it);
        // Whoever waited may have gone.
        sender.send((output, complaint.join().unwrap_or_default())).unwrap_or_default();
    });
    said
}

/// Reads to the end; nothing when that is too far away.
fn all_of_it(from: impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = from.take(MOST + 1).read_to_end(&mut bytes).ok()?;
    (read as u64 <= MOST).then_some(bytes)
}

/// Reads to the end, and keeps the beginning.
fn first_words(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    if from.by_ref().take(MOST_COMPLAINT).read_to_end(&mut bytes).is_ok() {
        // What cannot be read to its end has told enough.
        io::copy(&mut from, &mut io::sink()).map(drop).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hear(
    name: &'static str,
    child: &mut Child,
    said: &Receiver<Said>,
    patience: Duration,
) -> Result<Ended, ProgramError> {
    let said = said.recv_timeout(patience);
    let (output, complaint) = said.map_err(|_| ProgramError::TooLong(name, patience))?;
    let output = output.ok_or(ProgramError::TooMuch(name))?;
    let is_success = end_of(name, child)?.success();
    Ok(Ended { output: is_success.then_some(output), complaint })
}

/// Waits for the end of a program that says no more.
fn end_of(name: &'static str, child: &mut Child) -> Result<ExitStatus, ProgramError> {
    for _ in 0..LOOKS.0 {
        let status = child.try_wait();
        match status.map_err(|error| ProgramError::Failed { name, error })? {
            Some(status) => return Ok(status),
            None => std::thread::sleep(LOOKS.1),
        }
    }
    Err(ProgramError::TooLong(name, LOOKS.0 * LOOKS.1))
}
