//! The compiled binary in a folder of its own: once, or as an operator.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod operator;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// For how many seconds any command may run: a hang must end as a failed test.
const PATIENCE: &str = "300";

/// Stands for a secret in the tests' files; nothing may ever print it.
pub(crate) const CANARY: &str = "canary-that-nobody-may-print";

/// The binary, with files and state of its own.
pub(crate) struct Product {
    folder: tempfile::TempDir,
    /// What comes before the command.
    options: Vec<String>,
    environment: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit status; -1 when a signal ended it.
    pub(crate) code: i32,
    /// What stood on standard output.
    pub(crate) output: String,
    /// What stood on standard error.
    pub(crate) notices: String,
}

impl Product {
    /// Makes a folder for the files, with `stack.yaml` as the desired state.
    pub(crate) fn new() -> Self {
        let mut product = Self::bare();
        let stack = product.path("stack.yaml").display().to_string();
        product.option(&["-f", &stack]);
        product
    }

    /// Makes a folder for the files; which one is the desired state is yet to be said.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut product = Self { folder, options: Vec::new(), environment: Vec::new() };
        let state = product.path("state").display().to_string();
        product.option(&["--state-dir", &state]);
        product
    }

    /// Adds options for all commands.
    pub(crate) fn option(&mut self, options: &[&str]) {
        self.options.extend(options.iter().map(ToString::to_string));
    }

    /// Sets a variable for all commands.
    pub(crate) fn variable(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Returns the path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, in place.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Runs a line of shell in the folder.
    #[track_caller]
    pub(crate) fn shell(&self, line: &str) {
        let mut shell = Command::new("sh");
        let status = shell.args(["-euc", line]).current_dir(&self.folder).status();
        assert!(status.expect("a shell").success(), "{line}");
    }

    /// Returns the command with all options, in the folder, in a clean environment.
    pub(crate) fn command(&self, wrapper: Option<&str>) -> Command {
        let binary = env!("CARGO_BIN_EXE_reconciler");
        let mut command = Command::new(wrapper.unwrap_or(binary));
        if wrapper.is_some() {
            command.args([PATIENCE, binary]);
        }
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().into_owned();
            let is_ours = text.starts_with("RECONCILER_") || text.starts_with("COMPOSE_");
            if is_ours || matches!(text.as_str(), "NO_COLOR" | "CLICOLOR_FORCE") {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(&self.options).current_dir(&self.folder);
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.command(Some("timeout"));
        command.args(arguments).stdin(Stdio::null());
        let output = command.output().expect("the binary runs");
        let ended = Ended {
            code: output.status.code().unwrap_or(-1),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            notices: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        if !arguments.contains(&"config") {
            ended.assert_no_canary();
        }
        ended
    }

    /// Runs a command, and asserts how it ends.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {ended}");
        ended
    }

    /// Applies, and asserts that everything became ready.
    #[track_caller]
    pub(crate) fn apply(&self) -> Ended {
        self.ends(0, &["apply", "--timeout", "120s"])
    }

    /// Asserts that nothing is to change.
    #[track_caller]
    pub(crate) fn assert_in_sync(&self) {
        self.ends(0, &["diff"]);
    }

    /// Returns what is to change.
    #[track_caller]
    pub(crate) fn changes(&self) -> Vec<Json> {
        let ended = self.run(&["diff", "-o", "json"]);
        assert!(matches!(ended.code, 0 | 1), "diff: {ended}");
        ended.json()["stacks"][0]["changes"].as_array().cloned().expect("changes")
    }

    /// Returns how the one stack is.
    #[track_caller]
    pub(crate) fn status(&self) -> Json {
        self.run(&["status", "-o", "json"]).json()["stacks"][0].take()
    }

    /// Returns what is remembered to read back otherwise than it was asked for.
    pub(crate) fn quirks(&self) -> Vec<Json> {
        let Ok(stacks) = fs::read_dir(self.path("state/stacks")) else {
            return Vec::new();
        };
        stacks
            .filter_map(|entry| fs::read(entry.ok()?.path()).ok())
            .filter_map(|bytes| serde_json::from_slice::<Json>(&bytes).ok())
            .flat_map(|memory| memory["quirks"].as_array().cloned().unwrap_or_default())
            .collect()
    }

    /// Replaces what differs from run to run in a transcript.
    pub(crate) fn transcript(&self, ended: &Ended) -> String {
        let text = format!(
            "exit status {}\n--- stdout\n{}--- stderr\n{}",
            ended.code, ended.output, ended.notices
        );
        text.replace(&self.folder.path().display().to_string(), "[folder]")
    }
}

impl Ended {
    /// Returns standard output, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.output)
            .unwrap_or_else(|error| panic!("no JSON: {error}: {self}"))
    }

    /// Asserts that no secret was printed.
    #[track_caller]
    pub(crate) fn assert_no_canary(&self) {
        assert!(!self.output.contains(CANARY), "a secret: {self}");
        assert!(!self.notices.contains(CANARY), "a secret: {self}");
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit status {}\n{}\n{}", self.code, self.output, self.notices)
    }
}

/// Says what was measured, also when the test passes.
pub(crate) fn measured(text: &str) {
    let line = format!("measured: {text}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap_or_default();
}

/// Returns a port of this host that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Returns the folder of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the key of `examples/secrets-age`, in a file for its owner alone.
pub(crate) fn lab_key() -> tempfile::NamedTempFile {
    let key = tempfile::NamedTempFile::new().expect("a file");
    let lab = repository().join("examples/secrets-age/lab.key");
    fs::write(&key, fs::read(lab).expect("the key")).expect("a file");
    key
}

/// Tells whether the tests run as root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}
