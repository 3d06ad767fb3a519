//! `reconciler run` as a process, and its log.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

use super::{CANARY, Product};

/// How often something is looked at that is waited for.
const TICK: Duration = Duration::from_millis(20);
/// Long enough for a machine that has other things to do.
const SOON: usize = 1500;

/// An operator at work; the end of the value ends it.
pub(crate) struct Operator {
    child: Child,
    log: PathBuf,
    /// Records that were waited for: what comes before is not looked at again.
    read: usize,
}

impl Operator {
    /// Starts an operator that logs everything it can, as JSON.
    pub(crate) fn start(product: &Product) -> Self {
        let log = product.path("state").with_extension("log");
        let file = File::create(&log).expect("a log");
        let mut command = product.command(None);
        command.args(["run", "--log-format", "json"]);
        command.env("RECONCILER_LOG", "trace");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Self { child: command.spawn().expect("the binary runs"), log, read: 0 }
    }

    /// Returns the records so far; each must be JSON and hold no secret.
    pub(crate) fn records(&self) -> Vec<Json> {
        let text = fs::read_to_string(&self.log).expect("a log");
        assert!(!text.contains(CANARY), "a secret in the log");
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let lines = text.get(..whole).unwrap_or_default().lines();
        lines
            .map(|line| {
                let record = serde_json::from_str(line);
                record.unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }

    /// Waits for the next record that the function picks.
    #[track_caller]
    pub(crate) fn says(&mut self, what: &str, pick: impl Fn(&Json) -> bool) -> Json {
        for _ in 0..SOON {
            let records = self.records();
            let new = records.iter().enumerate().skip(self.read);
            if let Some((index, found)) = new.into_iter().find(|(_, record)| pick(record))
            {
                self.read = index + 1;
                return found.clone();
            }
            std::thread::sleep(TICK);
        }
        panic!("{what}: never said in {}", fs::read_to_string(&self.log).unwrap());
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
