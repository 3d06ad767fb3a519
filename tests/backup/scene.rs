//! A stack whose one service writes numbers to a file for as long as it runs, and another
//! that depends on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::product::{Ended, Product};
use crate::real::{Corner, IMAGE};

pub(crate) struct Scene {
    pub(crate) corner: Corner,
    pub(crate) product: Product,
}

/// Writes a number every 20 ms, and takes its time to end.
const WRITER: &str = "trap 'sleep 1; echo end >> /data/log; exit 0' TERM; n=0; \
                      [ -f /data/log ] && n=$$(grep -c ^[0-9] /data/log); while :; do n=$$((n+1)); \
                      echo $$n >> /data/log; usleep 20000; done";

impl Scene {
    pub(crate) async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let scene = Self { corner, product: Product::new() };
        fs::create_dir(scene.data()).unwrap();
        scene.want("");
        scene.product.apply();
        Some(scene)
    }

    pub(crate) fn want(&self, more: &str) {
        let name = self.corner.project();
        let text = format!(
            "name: {name}
services:
  db:
    image: {IMAGE}
    command: ['sh', '-c', {WRITER:?}]
    restart: always
    stop_grace_period: 20s
    volumes: ['./data:/data', 'more:/more']
  web:
    image: {IMAGE}
    init: true
    command: [sleep, '900']
    restart: always
    stop_grace_period: 5s
    depends_on: [db]
volumes: {{more: {{}}}}
x-reconciler: {{backup: {{directory: {}, keep: {{last: 2}}{more}}}}}
",
            self.backups().display()
        );
        self.product.write("stack.yaml", &text);
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.product.path("data")
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.product.path("backups")
    }

    /// Puts bytes into the data that no compressor makes smaller.
    pub(crate) fn noise(&self, megabytes: u32) {
        self.product
            .shell(&format!("head -c {megabytes}M /dev/urandom > data/noise; sync"));
    }

    /// Returns how many numbers are written; they must be whole and in order.
    #[track_caller]
    pub(crate) fn numbers(&self) -> usize {
        let log = fs::read_to_string(self.data().join("log")).unwrap_or_default();
        let numbers = log.lines().filter(|line| *line != "end");
        let numbers: Vec<usize> = numbers.map(|line| line.parse().unwrap()).collect();
        let expected: Vec<usize> = (1..=numbers.len()).collect();
        assert_eq!(numbers, expected);
        numbers.len()
    }

    #[track_caller]
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        let output =
            Command::new("docker").args(arguments).output().expect("docker runs");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn is_running(&self, service: &str) -> bool {
        let name = self.corner.name(&format!("{service}-1"));
        self.docker(&["inspect", "-f", "{{.State.Running}}", &name]) == "true"
    }

    /// Starts a command in the background.
    pub(crate) fn starts(&self, arguments: &[&str]) -> Child {
        let mut command = self.product.command(None);
        command.args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Waits until something holds.
    #[track_caller]
    pub(crate) fn waits(&self, what: &str, holds: impl Fn() -> bool) {
        for _ in 0..2_400 {
            if holds() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("never: {what}");
    }

    /// Waits until the writer writes and everything is ready.
    #[track_caller]
    pub(crate) fn is_back(&self) {
        self.waits("both run", || self.is_running("db") && self.is_running("web"));
        let before = self.numbers();
        self.waits("it writes", || self.numbers() > before);
        self.waits("it is ready", || self.product.status()["ready"] == true);
    }

    /// Waits until nobody holds the stack: who stood by may have a last look at it.
    #[track_caller]
    pub(crate) fn is_free(&self) {
        self.waits("nobody holds it", || self.product.run(&["retry"]).code == 0);
    }

    /// Returns the archives that are listed, and whether each is good.
    #[track_caller]
    pub(crate) fn archives(&self) -> Vec<(String, bool)> {
        let listed = self.product.ends(0, &["backup", "list", "-o", "json"]).json();
        let archives = listed["archives"].as_array().unwrap().iter();
        archives
            .map(|it| {
                let name = it["archive"].as_str().unwrap().to_owned();
                (name, it["readable"].as_bool().unwrap())
            })
            .collect()
    }

    #[track_caller]
    pub(crate) fn creates(&self) -> Ended {
        self.product.ends(0, &["backup", "create"])
    }
}

/// A small file system in memory.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at);
        let is_there = mount.output().is_ok_and(|it| it.status.success());
        is_there.then(|| Self(at.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        Command::new("umount").arg(&self.0).status().map(drop).unwrap_or_default();
    }
}
