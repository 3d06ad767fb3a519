//! Archives and the making of them, for people and in JSON.

use serde::Serialize;
use std::fmt::Write;

use super::text::{one_line, took, transferred};
use crate::planning::backup::{Done, Pace};

/// An archive, or a file that has only the name of one.
#[derive(Clone, Debug, Serialize)]
pub struct ArchiveJson {
    /// The file.
    pub archive: String,
    /// Whether it can be listed; its data are read by `backup verify`.
    pub readable: bool,
    /// Why it cannot.
    pub problem: Option<String>,
    /// The stack that it is of.
    pub stack: Option<String>,
    /// When it was begun.
    pub begun: Option<String>,
    /// The generation that was in force.
    pub generation: Option<String>,
    /// The size of the file.
    pub size: Option<u64>,
    /// How many bytes of data are in it.
    pub data: Option<u64>,
    /// How many files.
    pub files: Option<u64>,
}

/// The archives of a folder.
#[derive(Clone, Debug, Serialize)]
pub struct ArchivesJson {
    /// The archives, oldest first.
    pub archives: Vec<ArchiveJson>,
}

/// Returns archives as lines, oldest first.
pub fn list(archives: &[ArchiveJson]) -> String {
    let mut text = String::new();
    for it in archives {
        let line = match (&it.problem, &it.begun) {
            (None, Some(begun)) => format!(
                "{begun}  {:>9}  {:>9} of data in {} files  {}",
                transferred(it.size.unwrap_or_default()),
                transferred(it.data.unwrap_or_default()),
                it.files.unwrap_or_default(),
                one_line(&it.archive)
            ),
            (problem, _) => format!(
                "not good: {}: {}",
                one_line(&it.archive),
                one_line(problem.as_deref().unwrap_or_default())
            ),
        };
        // Writing to a String cannot fail.
        writeln!(text, "{line}").unwrap_or_default();
    }
    text
}

/// Says how a backup went.
pub fn done(done: &Done) -> String {
    let mut text = format!(
        "{}: {} ({} of data in {} files); not ready for {}\n",
        one_line(&done.archive),
        transferred(done.size),
        transferred(done.data),
        done.files,
        took(done.downtime)
    );
    for removed in &done.removed {
        text.push_str(&format!("removed {}: newer ones are kept\n", one_line(removed)));
    }
    text
}

/// Asks whether a restore is meant.
pub fn question(stack: &str, begun: &str, paths: &[&str]) -> String {
    let paths: Vec<_> = paths.iter().map(|it| one_line(it)).collect();
    format!(
        "This stops {stack} and exchanges its data for those of {begun}, in\n  {}\n\
         What is there now is kept until the restored stack is ready, and is gone then.",
        paths.join("\n  ")
    )
}

/// Says how far a piece of work has come, and when it will be done.
pub fn passed(done: u64, total: u64, pace: Pace) -> String {
    let left = pace.left.map(|left| format!(", {} left", took(left)));
    format!(
        "{} of {}, {}/s{}",
        transferred(done),
        transferred(total.max(done)),
        transferred(pace.rate),
        left.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn archives_and_their_making_are_told_in_lines() {
        let good = ArchiveJson {
            archive: "/b/demo.tar.zst".to_owned(),
            readable: true,
            problem: None,
            stack: Some("demo".to_owned()),
            begun: Some("2026-11-28T02:00:00Z".to_owned()),
            generation: Some("sha256:0".to_owned()),
            size: Some(1_500),
            data: Some(3 << 30),
            files: Some(12),
        };
        let bad = ArchiveJson {
            archive: "/b/half\u{1b}.tar.zst".to_owned(),
            readable: false,
            problem: Some("it has no end".to_owned()),
            begun: None,
            ..good.clone()
        };
        let end = Done {
            archive: "/b/demo.tar.zst".to_owned(),
            size: 1_500,
            data: 3 << 30,
            files: 12,
            downtime: Duration::from_millis(83_400),
            removed: vec!["/b/old.tar.zst".to_owned()],
        };
        let pace = Pace::of(1 << 30, 3 << 30, Duration::from_secs(4));
        let far = passed(1 << 30, 3 << 30, pace);
        insta::assert_snapshot!(format!("{}{}{far}", list(&[good, bad]), done(&end)));
    }
}
