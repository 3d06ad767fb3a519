//! A Docker Engine of a test's own, in a network namespace of its own.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

use crate::until;

/// Long enough for an engine to come up or go down on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The engine; everything of it goes away with the value, also when the test fails.
pub(crate) struct OwnEngine {
    folder: tempfile::TempDir,
    name: String,
    dockerd: Option<Child>,
}

/// Runs a command, and returns what it says.
fn run(words: &[&str]) -> Result<String, String> {
    let mut command = Command::new(words[0]);
    let output = command.args(&words[1..]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{words:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{words:?}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

impl OwnEngine {
    /// Starts an engine; nothing where that cannot be, unless engines are required.
    pub(crate) fn start() -> Option<Self> {
        let mut random = [0; 4];
        let mut file = std::fs::File::open("/dev/urandom").expect("randomness");
        file.read_exact(&mut random).expect("four bytes");
        let name = format!("rtest-{:08x}", u32::from_ne_bytes(random));
        let folder = tempfile::tempdir().expect("a folder");
        let made = run(&["ip", "netns", "add", &name])
            .and_then(|_| run(&["dockerd", "--version"]));
        let mut engine = Self { folder, name, dockerd: None };
        if let Err(why) = made {
            let is_required =
                std::env::var_os("RECONCILER_REQUIRE_DOCKER").is_some_and(|it| it == "1");
            // Only root can have one.
            let must_be = is_required && crate::product::is_root();
            assert!(!must_be, "no engine of one's own can be here: {why}");
            crate::product::measured(&format!("skipped: no engine of one's own: {why}"));
            return None;
        }
        run(&["ip", "-n", &engine.name, "link", "set", "lo", "up"]).expect("a loopback");
        std::fs::write(engine.path("daemon.json"), "{}").expect("a file");
        engine.boot();
        Some(engine)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the address of its socket.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.path("engine.sock").display())
    }

    /// Starts its daemon, and waits until it answers.
    pub(crate) fn boot(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("a log");
        let mut dockerd = Command::new("nsenter");
        dockerd.arg(format!("--net=/run/netns/{}", self.name)).arg("dockerd");
        for (option, value) in [
            ("--host", self.host()),
            ("--config-file", self.path("daemon.json").display().to_string()),
            ("--data-root", self.path("data").display().to_string()),
            ("--exec-root", self.path("exec").display().to_string()),
            ("--pidfile", self.path("pid").display().to_string()),
            ("--containerd-namespace", self.name.clone()),
            ("--containerd-plugins-namespace", format!("{}-plugins", self.name)),
        ] {
            dockerd.arg(option).arg(value);
        }
        let errors = log.try_clone().expect("a log");
        dockerd.stdin(Stdio::null()).stdout(log).stderr(errors);
        self.dockerd = Some(dockerd.spawn().expect("dockerd runs"));
        let host = self.host();
        let answers = || run(&["docker", "-H", &host, "version"]).ok();
        let wait =
            std::panic::AssertUnwindSafe(|| until("it answers", PATIENCE, answers));
        if std::panic::catch_unwind(wait).is_err() {
            let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
            panic!("the engine does not answer: {log}");
        }
    }

    /// Ends its daemon: by `TERM`, as a service manager would, or by `KILL`.
    pub(crate) fn shut_down(&mut self, signal: &str) {
        let Some(mut dockerd) = self.dockerd.take() else { return };
        run(&["kill", "-s", signal, &dockerd.id().to_string()]).unwrap_or_default();
        for _ in 0..PATIENCE.as_millis() / crate::TICK.as_millis() {
            if dockerd.try_wait().is_ok_and(|it| it.is_some()) {
                self.end_containerd();
                return;
            }
            std::thread::sleep(crate::TICK);
        }
        dockerd.kill().unwrap_or_default();
        dockerd.wait().map(drop).unwrap_or_default();
    }

    /// Ends what a killed daemon leaves behind: a daemon takes a containerd for alive whose
    /// process has ended, where nobody reaps it.
    fn end_containerd(&self) {
        let file = self.path("exec/containerd/containerd.pid");
        if let Ok(process) = std::fs::read_to_string(&file) {
            run(&["kill", "-s", "KILL", process.trim()]).unwrap_or_default();
            std::fs::remove_file(file).unwrap_or_default();
        }
    }

    /// Takes an image over from the machine's engine.
    pub(crate) fn load(&self, image: &str) {
        let line = format!("docker save {image} | docker -H {} load -q", self.host());
        run(&["sh", "-euc", &line]).expect("an image");
    }

    /// Returns the inspections of its containers, by name.
    pub(crate) fn containers(&self) -> Vec<Json> {
        let line =
            format!("docker -H {0} ps -aq | xargs -r docker -H {0} inspect", self.host());
        let text = run(&["sh", "-euc", &line]).unwrap_or_default();
        let mut found: Vec<Json> = serde_json::from_str(&text).unwrap_or_default();
        found.sort_by_key(|it| it["Name"].to_string());
        found
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        if self.dockerd.is_some() {
            let line = format!(
                "docker -H {0} ps -aq | xargs -r docker -H {0} rm -f",
                self.host()
            );
            run(&["sh", "-c", &line]).unwrap_or_default();
        }
        self.shut_down("TERM");
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let folder = self.folder.path().display().to_string();
        let mine = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for place in mine.filter(|place| place.starts_with(&folder)) {
            run(&["umount", "-l", place]).unwrap_or_default();
        }
        run(&["ip", "netns", "delete", &self.name]).unwrap_or_default();
    }
}
