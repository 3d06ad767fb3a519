//! What a state directory promises: little is written, and nothing stops for want of it.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::memory::tests::full;
use super::*;
use crate::state::time::{EngineTime, Moment};

const ENGINE: &str = "ABCD:EFGH:1234";

fn web() -> ProjectName {
    ProjectName::new("web")
}

fn after(seconds: u64) -> Now {
    let engine: EngineTime = "2026-11-22T10:00:00Z".parse().unwrap();
    let moment = Moment(Duration::from_secs(seconds));
    Now { moment, engine: engine + Duration::from_secs(seconds) }
}

fn store(folder: &tempfile::TempDir) -> Store {
    Store::new(Some(folder.path().join("state")))
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("state/stacks/web-ABCDEFGH1234.json")
}

#[test]
fn an_operator_that_idles_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    store.remember(ENGINE, &web(), &full(after(5)), after(5));
    std::fs::remove_file(file(&folder)).unwrap();
    // The same memory, later; also by a clone, and after it was read.
    let same = Memory { probing: BTreeMap::new(), ..full(after(5)) };
    store.clone().remember(ENGINE, &web(), &same, after(600));
    assert!(!file(&folder).exists());
    store.remember(ENGINE, &web(), &Memory::default(), after(601));
    assert!(file(&folder).exists());
}

#[test]
fn what_was_just_read_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    store(&folder).remember(ENGINE, &web(), &full(after(5)), after(5));
    let next = store(&folder);
    let memory = next.memory(ENGINE, &web(), after(9));
    std::fs::remove_file(file(&folder)).unwrap();
    next.remember(ENGINE, &web(), &memory, after(10));
    assert!(!file(&folder).exists());
}

#[test]
fn only_the_owner_can_read_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    store(&folder).remember(ENGINE, &web(), &full(after(5)), after(5));
    let mode =
        |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file(&folder)), 0o600);
    assert_eq!(mode(&folder.path().join("state")), 0o700);
    assert_eq!(mode(&folder.path().join("state/stacks")), 0o700);
}

#[test]
fn a_spoilt_file_is_set_aside_and_memory_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    store.remember(ENGINE, &web(), &full(after(5)), after(5));
    for spoilt in ["{\"version\": 1}", "half a fi"] {
        std::fs::write(file(&folder), spoilt).unwrap();
        let events = full(after(6)).events;
        let begun_anew = Memory { events, ..Memory::default() };
        assert_eq!(store.memory(ENGINE, &web(), after(6)), begun_anew);
        let aside = file(&folder).with_extension("spoilt");
        assert_eq!(std::fs::read_to_string(aside).unwrap(), spoilt);
    }
    store.remember(ENGINE, &web(), &full(after(5)), after(5));
    let again = store.memory(ENGINE, &web(), after(5));
    assert_eq!(again.retries, full(after(5)).retries);
}

#[test]
fn a_stack_is_remembered_for_each_engine_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    store.remember(ENGINE, &web(), &full(after(5)), after(5));
    assert_eq!(store.memory("other", &web(), after(5)), Memory::default());
    store.forget(ENGINE, &web());
    let files = std::fs::read_dir(folder.path().join("state/stacks")).unwrap();
    assert_eq!(files.count(), 0);
    assert_eq!(store.memory(ENGINE, &web(), after(5)), Memory::default());
}

#[test]
fn events_outlive_the_process_and_a_spoilt_memory() {
    let folder = tempfile::tempdir().unwrap();
    store(&folder).remember(ENGINE, &web(), &full(after(5)), after(5));
    let journal = file(&folder).with_extension("events.jsonl");
    let mode = std::fs::metadata(&journal).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    std::fs::write(file(&folder), "{").unwrap();
    let memory = store(&folder).memory(ENGINE, &web(), after(9));
    assert_eq!(memory, Memory { events: full(after(9)).events, ..Memory::default() });
    std::fs::write(&journal, "{\n").unwrap();
    assert_eq!(store(&folder).memory(ENGINE, &web(), after(9)), Memory::default());
    let aside = file(&folder).with_extension("events.spoilt");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "{\n");
}

#[test]
fn no_secret_of_a_step_is_kept_in_any_file() {
    let folder = tempfile::tempdir().unwrap();
    store(&folder).remember(ENGINE, &web(), &full(after(5)), after(5));
    let files = std::fs::read_dir(folder.path().join("state/stacks")).unwrap();
    let texts: Vec<String> = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert_eq!(texts.len(), 2);
    assert!(!texts.concat().contains(memory::tests::CANARY));
}
