//! What a backup or a restore tells about itself, and what is remembered of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Happening;
use super::memory::Memory;
use super::notice::Notice;
use super::rest::Rest;
use crate::state::notice::NoticeKind;
use crate::state::time::EngineTime;

/// What a backup or a restore tells while it is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupNews {
    /// It has come to another part of its work.
    Phase(Phase),
    /// So far it has come with the data of its present part.
    Passed {
        /// How many bytes are done.
        done: u64,
        /// How many there are in all, about.
        total: u64,
    },
    /// Something that people should know, and that stops nothing.
    Warning(String),
    /// It is done.
    Done(Done),
    /// It is not; why. The stack runs on, unless that is said.
    Failed(String),
}

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The stack is being stopped.
    Stopping,
    /// Its data are written to the archive.
    Archiving,
    /// The archive is taken out beside the data.
    Extracting,
    /// The data are exchanged for those of the archive.
    Exchanging,
    /// The stack gets back the data that it had.
    Returning,
    /// The stack is being started.
    Starting,
    /// The archive is read back.
    Verifying,
    /// The command that takes the archive off the host runs.
    After,
}

impl Phase {
    /// Says what is done, for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stopping => "stopping the stack",
            Self::Archiving => "archiving its data",
            Self::Extracting => "taking the archive out beside the data",
            Self::Exchanging => "exchanging the data",
            Self::Returning => "giving the stack its data of before again",
            Self::Starting => "starting the stack",
            Self::Verifying => "reading the archive back",
            Self::After => "running the command of `x-reconciler.backup.after`",
        }
    }
}

/// A backup that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The archive.
    pub archive: String,
    /// Its size.
    pub size: u64,
    /// How many bytes of data are in it.
    pub data: u64,
    /// How many files.
    pub files: u64,
    /// How long the stack was not ready for it.
    pub downtime: Duration,
    /// Archives that were removed because newer ones took their place.
    pub removed: Vec<String>,
}

/// How fast a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Bytes in a second.
    pub rate: u64,
    /// How long it will yet take; nothing while that cannot be told.
    pub left: Option<Duration>,
}

impl Pace {
    /// Tells how fast something is, by how far it has come in a time.
    pub fn of(done: u64, total: u64, time: Duration) -> Self {
        let millis = time.as_millis().max(1);
        let rate = u64::try_from(u128::from(done) * 1000 / millis).unwrap_or(u64::MAX);
        let left = total.saturating_sub(done).checked_div(rate);
        Self { rate, left: left.map(Duration::from_secs) }
    }
}

/// Takes note of how a backup or a restore ended, for the events of the stack.
pub fn ended(
    memory: &mut Memory,
    kind: Rest,
    result: &Result<Option<Done>, String>,
    time: EngineTime,
) {
    let (good, bad) = match kind {
        Rest::BackingUp => ("BackedUp", "BackupFailed"),
        Rest::Restoring => ("Restored", "RestoreFailed"),
    };
    let happening = match result {
        Ok(Some(done)) => Happening::normal(
            &"stack",
            good,
            format!(
                "{}: {} files, {} bytes of data, {:.1} s of downtime",
                done.archive,
                done.files,
                done.data,
                done.downtime.as_secs_f64()
            ),
        ),
        Ok(None) => Happening::normal(&"stack", good, "what was left of it is finished"),
        Err(why) => Happening::warning(&"stack", bad, why.as_str()),
    };
    memory.events.record(happening, time);
}

/// Returns what is worth a message about a backup or a restore that failed.
pub fn notice(kind: Rest, why: &str) -> Notice {
    let message = format!("the {} failed: {why}", kind.noun());
    Notice {
        kind: NoticeKind::Failed,
        object: kind.noun().to_owned(),
        cause: message.clone(),
        message,
    }
}

/// Returns the versions of two images whose major versions differ, as far as their tags tell.
pub fn other_major<'a>(then: &'a str, now: &'a str) -> Option<(&'a str, &'a str)> {
    let (then, now) = (tag(then)?, tag(now)?);
    (major(then)? != major(now)?).then_some((then, now))
}

fn tag(image: &str) -> Option<&str> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit('/').next()?.split_once(':')?;
    Some(tag)
}

fn major(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix('v').unwrap_or(tag);
    let end = digits.find(|it: char| !it.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_major_version_is_told_by_the_tag() {
        let other = other_major("etcd:v3.5.25", "reg:5000/etcd:v4.0@sha256:0");
        assert_eq!(other, Some(("v3.5.25", "v4.0")));
        assert_eq!(other_major("etcd:v3.5.25", "etcd:3.6"), None);
        assert_eq!(other_major("minio:RELEASE.2024", "minio:4"), None);
        assert_eq!(other_major("reg:5000/etcd", "etcd:4"), None);
    }

    #[test]
    fn the_pace_tells_when_it_will_be_done() {
        let pace = Pace::of(50 << 20, 150 << 20, Duration::from_secs(1));
        assert_eq!((pace.rate, pace.left), (50 << 20, Some(Duration::from_secs(2))));
        assert_eq!(Pace::of(0, 10, Duration::ZERO).left, None);
        assert_eq!(Pace::of(20, 10, Duration::from_secs(1)).left, Some(Duration::ZERO));
    }
}
