//! The compiled binary in a folder of its own, and the engine as it answers by itself.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

/// For how long any command may run: a hang must end as a failed test.
const PATIENCE: &str = "240";

/// The binary, with files and state of its own.
pub(crate) struct Product {
    folder: tempfile::TempDir,
    host: Option<String>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit status.
    pub(crate) code: i32,
    /// What stood on standard output.
    pub(crate) output: String,
    /// What stood on standard error.
    pub(crate) notices: String,
}

impl Product {
    /// Makes a folder; the engine is the usual one.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), host: None }
    }

    /// As [`Product::new`], with another engine address.
    pub(crate) fn with_host(host: &str) -> Self {
        Self { host: Some(host.to_owned()), ..Self::new() }
    }

    /// Returns the folder of the files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file beside the stack.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    }

    /// Writes the desired state.
    pub(crate) fn want(&self, text: &str) {
        self.file("stack.yaml", text);
    }

    /// Runs a command on the desired state.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new("timeout");
        command.arg(PATIENCE).arg(env!("CARGO_BIN_EXE_reconciler"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("RECONCILER_") || name.starts_with("COMPOSE_") {
                command.env_remove(name);
            }
        }
        command.arg("-f").arg(self.folder.path().join("stack.yaml"));
        command.arg("--state-dir").arg(self.folder.path().join("state"));
        if let Some(host) = &self.host {
            command.args(["--host", host]);
        }
        let output = command.args(arguments).output().expect("the binary runs");
        Ended {
            code: output.status.code().unwrap_or(-1),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            notices: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Applies, and asserts that everything became ready.
    #[track_caller]
    pub(crate) fn apply(&self) {
        let ended = self.run(&["apply", "--timeout", "200s"]);
        assert_eq!(ended.code, 0, "apply: {}\n{}", ended.output, ended.notices);
    }

    /// Asserts that nothing is to change.
    #[track_caller]
    pub(crate) fn assert_in_sync(&self) {
        let ended = self.run(&["diff"]);
        assert_eq!(ended.code, 0, "diff: {}\n{}", ended.output, ended.notices);
    }

    /// Returns what is to change.
    #[track_caller]
    pub(crate) fn changes(&self) -> Vec<Json> {
        let ended = self.run(&["diff", "-o", "json"]);
        assert!(matches!(ended.code, 0 | 1), "diff: {}\n{}", ended.output, ended.notices);
        let mut json = ended.json();
        match json["stacks"][0]["changes"].take() {
            Json::Array(changes) => changes,
            other => panic!("no list of changes: {other}"),
        }
    }

    /// Returns how the one stack is.
    #[track_caller]
    pub(crate) fn status(&self) -> Json {
        let mut json = self.run(&["status", "-o", "json"]).json();
        json["stacks"][0].take()
    }

    /// Returns what was found, by service, that the engine writes in a way of its own.
    pub(crate) fn quirks(&self) -> Vec<Json> {
        let Ok(stacks) = fs::read_dir(self.folder.path().join("state/stacks")) else {
            return Vec::new();
        };
        stacks
            .filter_map(|entry| fs::read(entry.ok()?.path()).ok())
            .filter_map(|bytes| serde_json::from_slice::<Json>(&bytes).ok())
            .flat_map(|memory| memory["quirks"].as_array().cloned().unwrap_or_default())
            .collect()
    }
}

impl Ended {
    /// Reads standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.output)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.output, self.notices))
    }
}

/// Asks the engine over its socket, past every client, so that nothing that it says is
/// lost.
pub(crate) fn ask(path: &str) -> Json {
    let mut socket = UnixStream::connect("/var/run/docker.sock").expect("the engine");
    // In HTTP/1.0 an answer has no chunks and ends with the connection.
    write!(socket, "GET /v1.41{path} HTTP/1.0\r\nHost: engine\r\n\r\n")
        .expect("a request");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {head}"))
}

/// Returns the engine's own inspection of every container of a project, by service.
pub(crate) fn inspected(project: &str) -> std::collections::BTreeMap<String, Json> {
    let all = ask("/containers/json?all=1");
    let label = |container: &Json, name: &str| {
        let labels = &container["Labels"];
        labels[name].as_str().unwrap_or_default().to_owned()
    };
    all.as_array()
        .into_iter()
        .flatten()
        .filter(|container| label(container, "com.docker.compose.project") == project)
        .map(|container| {
            let id = container["Id"].as_str().unwrap_or_default();
            let service = label(container, "com.docker.compose.service");
            (service, ask(&format!("/containers/{id}/json")))
        })
        .collect()
}
