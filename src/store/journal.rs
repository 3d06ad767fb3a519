//! The events of a stack as a file that grows by a line for each that is new or counted on.
//!
//! A later line of the same number replaces an earlier one. Lines are not forced to the
//! disk one by one: after a crash of the host the last of them may be lost.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::disk::{make_folder, write_atomically};
use super::form::StoredEvent;
use crate::planning::event::{Event, Events};

/// How many lines a journal may have before it is written anew.
const MOST_LINES: usize = 512;

/// How large it may be before it is written anew.
const MOST_BYTES: usize = 256 * 1024;

/// What stands in a journal.
#[derive(Debug, Default)]
pub(super) struct Journal {
    events: Events,
    lines: usize,
    bytes: usize,
    /// How large it was when it was last written anew.
    compact: usize,
    /// It may end in half a line, or hold what is no event: no line can be added.
    is_broken: bool,
}

impl Journal {
    /// Reads a journal. Lines that are no events are skipped, and the others kept; nothing
    /// when there are whole lines and none is an event. Somebody may be writing the last one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|it| *it == b'\n').collect();
        let mut events: BTreeMap<u64, Event> = BTreeMap::new();
        let has_whole = lines.first().is_some_and(|line| line.ends_with(b"\n"));
        let mut is_broken = lines.last().is_some_and(|line| !line.ends_with(b"\n"));
        for line in &lines {
            match serde_json::from_slice::<StoredEvent>(line) {
                Ok(stored) => {
                    let event = Event::from(stored);
                    events.insert(event.id, event);
                }
                Err(_) => is_broken = true,
            }
        }
        if events.is_empty() && has_whole {
            return None;
        }
        Some(Self {
            events: Events::of_records(events.into_values().collect()),
            lines: lines.len(),
            bytes: bytes.len(),
            compact: 0,
            is_broken,
        })
    }

    /// Returns the events that stand in it.
    pub(super) const fn events(&self) -> &Events {
        &self.events
    }

    /// Writes what is new; tells nothing when nothing is.
    pub(super) fn write(
        &mut self,
        path: &Path,
        events: &Events,
    ) -> Option<io::Result<()>> {
        if self.events == *events {
            return None;
        }
        let attempt = self.written(path, events);
        self.is_broken = attempt.is_err();
        if attempt.is_ok() {
            self.events = events.clone();
        }
        Some(attempt)
    }

    fn written(&mut self, path: &Path, events: &Events) -> io::Result<()> {
        let is_new = |event: &&Event| self.events.get(event.id) != Some(*event);
        let new: Vec<&Event> = events.iter().filter(is_new).collect();
        let text = text(&new)?;
        let (lines, bytes) = (self.lines + new.len(), self.bytes + text.len());
        let most_bytes = MOST_BYTES.max(2 * self.compact);
        if self.is_broken || lines > MOST_LINES || bytes > most_bytes {
            return self.rewritten(path, events);
        }
        if !new.is_empty() {
            append(path, &text)?;
        }
        (self.lines, self.bytes) = (lines, bytes);
        Ok(())
    }

    fn rewritten(&mut self, path: &Path, events: &Events) -> io::Result<()> {
        let all: Vec<&Event> = events.iter().collect();
        let text = text(&all)?;
        write_atomically(path, &text)?;
        (self.lines, self.bytes, self.compact) = (all.len(), text.len(), text.len());
        Ok(())
    }
}

fn text(events: &[&Event]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for event in events {
        serde_json::to_writer(&mut text, &StoredEvent::from(*event))?;
        text.push(b'\n');
    }
    Ok(text)
}

fn append(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)?.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::tests::event;

    fn events(ids: impl IntoIterator<Item = u64>) -> Events {
        let records = ids.into_iter().map(|id| {
            let (minute, second) = (id / 60 % 60, id % 60);
            event(id, &format!("{:02}:{minute:02}:{second:02}", id / 3600))
        });
        Events::of_records(records.collect())
    }

    fn counted(id: u64, count: u32) -> Events {
        Events::of_records(vec![Event { count, ..event(id, "10:00:00") }])
    }

    fn read(path: &Path) -> Journal {
        Journal::parse(&std::fs::read(path).unwrap()).unwrap()
    }

    fn lines(path: &Path) -> usize {
        std::fs::read_to_string(path).unwrap().lines().count()
    }

    fn journal() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stacks/web.events.jsonl");
        (folder, path)
    }

    #[test]
    fn a_line_is_added_for_each_event_that_is_new_or_counted_on() {
        let (_folder, path) = journal();
        let mut journal = Journal::default();
        for (count, lines_then) in [(1, 1), (1, 1), (2, 2), (3, 3)] {
            let attempt = journal.write(&path, &counted(7, count));
            assert!(attempt.is_none_or(|it| it.is_ok()));
            assert_eq!(lines(&path), lines_then);
        }
        assert_eq!(*read(&path).events(), counted(7, 3));
        // A later process goes on where the earlier one ended.
        let mut next = read(&path);
        assert!(next.write(&path, &counted(7, 3)).is_none());
        next.write(&path, &counted(7, 4)).unwrap().unwrap();
        assert_eq!(lines(&path), 4);
    }

    #[test]
    fn a_journal_that_has_grown_is_written_anew_without_what_was_replaced() {
        let (_folder, path) = journal();
        let mut journal = Journal::default();
        for count in 0..1200 {
            journal.write(&path, &counted(7, count)).unwrap().unwrap();
            assert!(lines(&path) <= MOST_LINES);
        }
        assert_eq!(*read(&path).events(), counted(7, 1199));
        let long = |id| Event { message: "x".repeat(900), ..event(id, "10:00:00") };
        let mut sizes = Vec::new();
        for first in 0..300 {
            let events = Events::of_records((first..first + 250).map(long).collect());
            journal.write(&path, &events).unwrap().unwrap();
            sizes.push(std::fs::metadata(&path).unwrap().len());
        }
        // Twice the events, even where these alone are more than the limit.
        let most = sizes.iter().max().unwrap();
        assert!(*most <= 2 * 250 * 1100, "{most}");
        let shrunk = sizes.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!((1..10).contains(&shrunk), "written anew {shrunk} times");
    }

    #[test]
    fn half_a_line_is_skipped_and_mended_by_the_next_write() {
        let (_folder, path) = journal();
        Journal::default().write(&path, &events(0..5)).unwrap().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 10);
        bytes.splice(0..0, *b"\xff rubbish\n");
        std::fs::write(&path, &bytes).unwrap();
        let mut journal = read(&path);
        assert_eq!(*journal.events(), events(0..4));
        journal.write(&path, &events(0..6)).unwrap().unwrap();
        assert_eq!(*read(&path).events(), events(0..6));
        assert_eq!(lines(&path), 6);
    }

    #[test]
    fn a_file_without_any_event_is_no_journal_and_one_that_is_just_begun_is() {
        assert!(Journal::parse(b"rubbish\n").is_none());
        assert!(Journal::parse(b"{\"version\":2}\n").is_none());
        for begun in [&b""[..], b"{\"id\":1,\"obj"] {
            assert_eq!(*Journal::parse(begun).unwrap().events(), Events::default());
        }
    }
}
