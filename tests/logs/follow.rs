//! `logs -f`: what comes, goes, and takes the place of others.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::Scene;

/// Far more than any machine needs.
const LONG: Duration = Duration::from_secs(60);

/// `logs -f` at work.
struct Following {
    child: Child,
    lines: Receiver<String>,
    notes: Receiver<String>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

fn lines(source: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Following {
    fn new(scene: &Scene, options: &[&str]) -> Self {
        let mut command = scene.product.command(None);
        command.args(["logs", "-f"]).args(options).stdin(Stdio::null());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (output, notes) =
            (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, lines: lines(output), notes: lines(notes) }
    }

    /// Waits for a line; returns those that came before it, and it.
    #[track_caller]
    fn says(&self, words: &str) -> Vec<String> {
        until(&self.lines, words)
    }

    #[track_caller]
    fn notes(&self, words: &str) -> Vec<String> {
        until(&self.notes, words)
    }

    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

#[track_caller]
fn until(lines: &Receiver<String>, words: &str) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match lines.recv_timeout(LONG) {
            Ok(line) => seen.push(line),
            Err(error) => panic!("{words:?} never comes, {error}: {seen:#?}"),
        }
        if seen.last().is_some_and(|it| it.contains(words)) {
            return seen;
        }
    }
}

fn docker(arguments: &[&str]) {
    let status = Command::new("docker").args(arguments).stdout(Stdio::null()).status();
    assert!(status.unwrap().success(), "{arguments:?}");
}

fn counting(level: &str) -> String {
    format!(
        "
  a:
    image: IMAGE
    environment: {{LEVEL: '{level}'}}
    command: [sh, -c, 'trap \"echo bye; exit 0\" TERM; echo begun {level}; i=0; while :; do i=$$((i+1)); echo {level} $$i; sleep 0.1; done']
  b: {{image: IMAGE, command: [sleep, '600'], init: true}}
"
    )
}

#[tokio::test]
async fn a_log_goes_on_over_a_restart_and_with_the_container_that_comes_next() {
    let Some(scene) = Scene::new("follow", &counting("one")).await else { return };
    let following = Following::new(&scene, &[]);
    following.says("one 3");
    // Over a restart nothing is left out, and nothing is told twice.
    docker(&["restart", "-t", "5", &scene.corner.name("a-1")]);
    let seen = following.says("begun one");
    assert!(seen.iter().any(|it| it.contains("bye")), "{seen:#?}");
    let seen = following.says("one 5");
    let counted: Vec<&str> =
        seen.iter().filter_map(|it| it.strip_prefix("a-1 | one ")).collect();
    assert_eq!(counted, ["1", "2", "3", "4", "5"], "{seen:#?}");

    // Another container takes its place.
    scene.want(&counting("two"));
    scene.product.apply();
    let seen = following.says("two 2");
    assert!(seen.contains(&"a-1 | begun two".to_owned()), "{seen:#?}");
    let seen = following.notes("was removed");
    assert!(seen.last().unwrap().contains("a-1"), "{seen:#?}");

    // One that is stopped is told of, and goes on once it is started again.
    docker(&["stop", "-t", "0", &scene.corner.name("b-1")]);
    let seen = following.notes("-b-1 (");
    assert!(seen.last().unwrap().contains("ended with code 1"), "{seen:#?}");
    assert_eq!(following.interrupt(), Some(0));
}

#[tokio::test]
async fn what_was_left_out_by_tail_is_not_told_later() {
    let Some(scene) = Scene::new("tail", &counting("x")).await else { return };
    let following = Following::new(&scene, &["--tail", "0", "a"]);
    let seen = following.says("a-1 | x ");
    assert_eq!(seen.len(), 1, "the beginning is past: {seen:#?}");
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_it_quietly() {
    let Some(scene) = Scene::new("pipe", &counting("x")).await else { return };
    let mut command = scene.product.command(None);
    let mut child = command
        .args(["logs", "-f"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("a-1 | "), "{line}");
    drop(reader);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
