//! `reconciler run` as a process, and its log.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

use super::{CANARY, Product};

/// How often something is looked at that is waited for.
const TICK: Duration = Duration::from_millis(20);
/// Long enough for a machine that has other things to do.
const SOON: usize = 3000;

/// An operator at work; the end of the value ends it.
pub(crate) struct Operator {
    child: Child,
    log: BufReader<File>,
    /// A line that was not written to its end yet.
    rest: String,
    records: Vec<Json>,
    /// Records that were waited for: what comes before is not looked at again.
    read: usize,
}

impl Operator {
    /// Starts an operator that logs everything it can, as JSON.
    pub(crate) fn start(product: &Product) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a log");
        Self::logging_to(product, file.path())
    }

    /// As [`Operator::start`], with no more in the log than people get.
    pub(crate) fn quiet(product: &Product) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a log");
        Self::with_level(product, file.path(), "info")
    }

    /// As [`Operator::start`], with the log in a certain place.
    pub(crate) fn logging_to(product: &Product, path: &Path) -> Self {
        Self::with_level(product, path, "trace")
    }

    /// As [`Operator::quiet`], with options of its own.
    pub(crate) fn with_options(product: &Product, options: &[&str]) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a log");
        Self::with(product, file.path(), "info", options)
    }

    /// As [`Operator::logging_to`], with options of its own.
    pub(crate) fn logging_to_with(
        product: &Product,
        path: &Path,
        options: &[&str],
    ) -> Self {
        Self::with(product, path, "trace", options)
    }

    fn with_level(product: &Product, path: &Path, level: &str) -> Self {
        Self::with(product, path, level, &[])
    }

    fn with(product: &Product, path: &Path, level: &str, options: &[&str]) -> Self {
        let file = File::create(path).expect("a log");
        let log = BufReader::new(File::open(path).expect("a log"));
        let mut command = product.command(None);
        command.args(["run", "--log-format", "json"]).args(options);
        command.env("RECONCILER_LOG", level);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command.spawn().expect("the binary runs");
        Self { child, log, rest: String::new(), records: Vec::new(), read: 0 }
    }

    /// Returns the number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Returns the records so far; each must be JSON and hold no secret.
    #[track_caller]
    pub(crate) fn records(&mut self) -> &[Json] {
        while self.log.read_line(&mut self.rest).expect("a log") > 0 {
            if !self.rest.ends_with('\n') {
                break;
            }
            let line = std::mem::take(&mut self.rest);
            assert!(!line.contains(CANARY), "a secret in the log: {line}");
            let record = serde_json::from_str(&line);
            self.records.push(record.unwrap_or_else(|error| panic!("{error}: {line}")));
        }
        &self.records
    }

    /// Returns what a person would read: no records for debugging.
    pub(crate) fn told(&mut self) -> Vec<String> {
        self.records()
            .iter()
            .filter(|it| it["level"] != "DEBUG" && it["level"] != "TRACE")
            .map(|it| format!("{} {}", it["level"], it["message"]).replace('"', ""))
            .collect()
    }

    /// Waits for the next record that the function picks.
    #[track_caller]
    pub(crate) fn says(&mut self, what: &str, pick: impl Fn(&Json) -> bool) -> Json {
        for _ in 0..SOON {
            self.records();
            let mut new = self.records.iter().enumerate().skip(self.read);
            if let Some((index, found)) = new.find(|(_, record)| pick(record)) {
                self.read = index + 1;
                return found.clone();
            }
            std::thread::sleep(TICK);
        }
        panic!("{what}: never said in {:#?}", self.told());
    }

    /// Waits for the next record with this message.
    #[track_caller]
    pub(crate) fn says_message(&mut self, message: &str) -> Json {
        self.says(message, |record| record["message"] == message)
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let sent = kill.args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "{name}");
    }

    /// Waits until the operator has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        for _ in 0..SOON {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            std::thread::sleep(TICK);
        }
        panic!("the operator does not end");
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}
