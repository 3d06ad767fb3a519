//! What happens where the state directory cannot be written: everything goes on, the log
//! says so once, and nothing that stands there is lost.

#![allow(clippy::unwrap_used, reason = "what cannot go on ends the test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reconciler::compose::files::ReadFiles;
use reconciler::planning::event::{Event, EventKind, Events};
use reconciler::planning::memory::Memory;
use reconciler::state::ids::{Generation, ProjectName};
use reconciler::state::time::{EngineTime, Moment, Now};
use reconciler::store::Store;

const ENGINE: &str = "engine";

/// What was logged.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the lines that are logged meanwhile: what a person sees without `-v`.
fn logged(talk: impl FnOnce()) -> Vec<String> {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, talk);
    let bytes = page.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// A file system of its own, of 64 KiB.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts it; nothing where this process may not.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = ["-t", "tmpfs", "-o", "size=64k", "reconciler-test"];
        let mounted = Command::new("mount").args(options).arg(folder.path()).output();
        if mounted.is_ok_and(|mount| mount.status.success()) {
            return Some(Self(folder));
        }
        skip("only root may mount a file system");
        None
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(self.0.path());
        assert!(mount.status().unwrap().success());
    }

    /// Takes all room that is left.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut file = fs::File::create(&path).unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|it| it.success()), "the test's disk stays mounted");
    }
}

#[expect(clippy::print_stderr, reason = "who runs the tests must know")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

fn project() -> ProjectName {
    ProjectName::new("web")
}

fn now(seconds: u64) -> Now {
    let moment = Moment(Duration::from_secs(seconds));
    Now { moment, engine: EngineTime::UNIX_EPOCH + moment.0 }
}

/// What there is to remember after so many passes.
fn memory(passes: u64) -> Memory {
    let event = |id| Event {
        id,
        object: "service/web/1".to_owned(),
        kind: EventKind::Warning,
        reason: "Failed".to_owned(),
        // More than a page, so that a line may end in the middle.
        message: "x".repeat(5000),
        count: 1,
        first: now(id).engine,
        last: now(id).engine,
    };
    Memory {
        generation: Some(Generation::new(format!("sha256:{passes}"))),
        events: Events::of_records((0..passes).map(event).collect()),
        ..Memory::default()
    }
}

fn remember(store: &Store, passes: u64) {
    store.remember(ENGINE, &project(), &memory(passes), now(passes));
}

/// What a new process finds.
fn found(state: &Path) -> Memory {
    Store::new(Some(state.to_owned())).memory(ENGINE, &project(), now(0))
}

fn sources(text: &str) -> ReadFiles {
    ReadFiles(BTreeMap::from([("/a.yaml".into(), Some(text.into()))]))
}

/// Five passes that all have something to remember, and cannot.
fn five_passes_in_vain(store: &Store) {
    let lines = logged(|| {
        for passes in 2..7 {
            remember(store, passes);
            store.keep_sources(&["/a.yaml".into()], &sources(&passes.to_string()));
        }
    });
    // Memory, journal, sources.
    assert_eq!(lines.len(), 3, "{lines:#?}");
    let is_complaint = |line: &String| {
        line.contains("WARN") && line.contains("cannot be written; everything goes on")
    };
    assert!(lines.iter().all(is_complaint), "{lines:#?}");
}

#[test]
fn a_full_disk_stops_nothing_and_what_stood_there_stays() {
    let Some(disk) = SmallDisk::mount() else { return };
    let state = disk.0.path().join("state");
    let store = Store::new(Some(state.clone()));
    remember(&store, 1);
    let filler = disk.fill();
    five_passes_in_vain(&store);
    assert_eq!(found(&state), memory(1));
    fs::remove_file(filler).unwrap();
    let lines = logged(|| {
        remember(&store, 7);
        store.keep_sources(&["/a.yaml".into()], &sources("7"));
        remember(&store, 7);
    });
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("can be written again")), "{lines:#?}");
    assert_eq!(found(&state), memory(7));
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_line_loses_that_line_at_most() {
    let Some(disk) = SmallDisk::mount() else { return };
    let state = disk.0.path().join("state");
    let store = Store::new(Some(state.clone()));
    let mut last = 0;
    // Each page that the journal takes leaves less for everything else.
    for passes in 1..40 {
        remember(&store, passes);
        let events = found(&state).events.iter().count();
        assert!(events >= last, "{events} after {last}");
        last = events;
    }
    assert!((4..39).contains(&last), "{last} events on 64 KiB");
}

#[test]
fn a_state_directory_that_is_read_only_stops_nothing() {
    let Some(disk) = SmallDisk::mount() else { return };
    let state = disk.0.path().join("state");
    let store = Store::new(Some(state.clone()));
    remember(&store, 1);
    disk.remount("ro");
    five_passes_in_vain(&store);
    assert_eq!(found(&state), memory(1));
    disk.remount("rw");
    remember(&store, 7);
    assert_eq!(found(&state), memory(7));
}

#[test]
fn a_state_directory_that_may_not_be_written_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        skip("root may write everywhere");
        return;
    }
    let state = folder.path().join("state");
    five_passes_in_vain(&Store::new(Some(state.clone())));
    assert_eq!(found(&state), Memory::default());
}

#[test]
fn a_state_directory_that_is_a_file_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    fs::write(&state, "no folder").unwrap();
    five_passes_in_vain(&Store::new(Some(state.clone())));
    let lines = logged(|| assert_eq!(found(&state), Memory::default()));
    assert!(lines.is_empty(), "nothing was there: {lines:#?}");
    assert_eq!(fs::read_to_string(state).unwrap(), "no folder");
}
