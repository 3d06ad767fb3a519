//! The floors of the house: what each room may know of, as `CONTRIBUTING.md` says.

#![expect(clippy::expect_used, reason = "a test ends where the source is not as it was")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// How many lines a file may have.
const MOST_LINES: usize = 450;

/// The rooms from the ground up, and what stands above each: that, it must not name.
const ABOVE: [(&str, &[&str]); 14] = [
    ("state", &["planning", "engine", "source", "store", "view", "cli"]),
    ("compose", &["planning", "engine", "source", "store", "view", "cli"]),
    ("planning", &["engine", "source", "store", "view", "cli"]),
    ("engine", &["planning", "source", "store", "view", "cli"]),
    ("source", &["planning", "engine", "store", "view", "cli"]),
    ("store", &["engine", "source", "view", "cli"]),
    ("backup", &["planning", "engine", "source", "store", "view", "cli"]),
    ("view", &["engine", "source", "store", "cli", "backup"]),
    ("pass.rs", &["view", "cli"]),
    ("controller.rs", &["view", "cli", "store", "source"]),
    ("executor.rs", &["view", "cli", "planning"]),
    ("serve", &["view", "cli", "engine", "store", "compose"]),
    ("notify", &["view", "cli", "engine", "store", "compose"]),
    ("checks", &["view", "cli", "store", "compose"]),
];

/// The parts of floor 3 that nothing below may name.
const LOOP: [&str; 16] = [
    "pass",
    "controller",
    "runtime",
    "executor",
    "converge",
    "operator",
    "control",
    "report",
    "puller",
    "serve",
    "notify",
    "checks",
    "clock",
    "board",
    "logbook",
    "measured",
];

/// What a pure floor may not name.
const IMPURE: [&str; 10] = [
    "tokio::",
    "bollard::",
    "notify::",
    "futures_util::",
    "tracing::",
    "std::fs",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant",
];

/// One line of source that is no comment.
struct Line {
    file: PathBuf,
    number: usize,
    text: String,
    /// Whether it is in a test.
    is_test: bool,
}

impl Line {
    fn names(&self, name: &str) -> bool {
        self.text.match_indices(name).any(|(at, _)| {
            let is_part = |it: char| it.is_alphanumeric() || it == '_';
            let after = &self.text[at + name.len()..];
            let ends = name.ends_with(':') || !after.starts_with(is_part);
            !self.text[..at].ends_with(is_part) && ends
        })
    }

    fn is_in(&self, room: &str) -> bool {
        self.file.starts_with(Path::new("src").join(room))
    }

    /// Planning is tested against the one simulated engine that there is; nothing else of
    /// the floors above is named there.
    fn tests_planning_on_a_simulated_engine(&self) -> bool {
        (self.is_in("planning/testing") || self.is_in("planning/tests"))
            && self.text.matches("crate::engine").count()
                == self.text.matches("crate::engine::sim").count()
    }

    fn place(&self) -> String {
        format!("{}:{}: {}", self.file.display(), self.number, self.text.trim())
    }
}

fn files() -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["src", "tests"] {
        collect(Path::new(folder), &mut found);
    }
    found.sort();
    found
}

/// Every line of `src` that is no comment.
static LINES: LazyLock<Vec<Line>> = LazyLock::new(lines);

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for file in files().into_iter().filter(|file| file.starts_with("src")) {
        let is_test_file = file.components().any(|it| {
            ["tests", "testing", "tests.rs"].iter().any(|no| it.as_os_str() == *no)
        });
        let text = fs::read_to_string(&file).expect("text");
        let mut is_test = is_test_file;
        for (number, text) in text.lines().enumerate() {
            is_test |= text.trim() == "#[cfg(test)]";
            if !text.trim_start().starts_with("//") {
                let (file, text) = (file.clone(), text.to_owned());
                lines.push(Line { file, number: number + 1, text, is_test });
            }
        }
    }
    assert!(lines.len() > 5_000, "the source was not found");
    lines
}

/// Fails with every line of which this holds.
fn no_line(rule: &str, breaks: impl Fn(&Line) -> bool) {
    let broken: Vec<String> =
        LINES.iter().filter(|line| breaks(line)).map(Line::place).collect();
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn arrows_point_down() {
    for (room, above) in ABOVE {
        for name in above.iter().chain(&LOOP) {
            let is_loop = Path::new("src").join(room).is_file() || LOOP.contains(&room);
            if is_loop && LOOP.contains(name) {
                continue;
            }
            no_line(&format!("{room} must not know {name}"), |line| {
                line.is_in(room)
                    && line.names(&format!("crate::{name}"))
                    && !(*name == "engine" && line.tests_planning_on_a_simulated_engine())
            });
        }
    }
}

#[test]
fn pure_floors_do_no_input_or_output_and_know_no_clock() {
    for name in IMPURE {
        no_line(&format!("a pure floor must not know {name}"), |line| {
            ["state", "compose", "planning"].iter().any(|room| line.is_in(room))
                && !line.is_test
                && line.names(name)
        });
    }
}

#[test]
fn each_library_of_the_outside_world_has_one_room() {
    for (name, rooms) in [
        ("bollard", &["engine/docker"][..]),
        ("notify", &["source"]),
        ("rustls", &["notify"]),
        ("tokio_rustls", &["notify"]),
        // What std cannot say of a file: processes there, holes and attributes here.
        ("rustix", &["source", "probe", "backup"]),
        ("clap", &["cli"]),
        ("tar", &["engine"]),
        ("zstd", &["backup"]),
    ] {
        no_line(&format!("only {rooms:?} may know {name}"), |line| {
            let own = format!("crate::{name}::");
            let is_own = line.text.contains(&own);
            !rooms.iter().any(|room| line.is_in(room))
                && !line.is_test
                && !is_own
                && line.names(&format!("{name}::"))
        });
    }
    let with_backoff: BTreeSet<&Path> = LINES
        .iter()
        .filter(|line| line.text.contains("backoff::") && line.names("use backoff"))
        .map(|line| line.file.as_path())
        .collect();
    assert_eq!(with_backoff.len(), 1, "{with_backoff:?}");
}

#[test]
fn order_never_leaks() {
    no_line("a map has an order: BTreeMap, BTreeSet", |line| {
        line.names("HashMap") || line.names("HashSet")
    });
}

#[test]
fn a_file_has_one_idea_and_not_too_many_lines() {
    let long: Vec<String> = files()
        .iter()
        .map(|file| (file, fs::read_to_string(file).expect("text").lines().count()))
        .filter(|(_, count)| *count > MOST_LINES)
        .map(|(file, count)| format!("{}: {count} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

#[test]
fn no_rule_is_about_a_room_that_is_not_there() {
    for (room, above) in ABOVE {
        for name in above.iter().chain([&room]) {
            let room = Path::new("src").join(name);
            assert!(room.exists(), "there is no {}", room.display());
        }
    }
}
