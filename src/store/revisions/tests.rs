//! That what was wanted can be wanted again, and what is kept for it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::compose::files::Recording;
use crate::planning::revision::Changed;
use crate::planning::revision::{NoRevision, before, find};
use crate::state::commit::CommitId;
use crate::state::digest::DigestKey;

const FILE: &str = "/srv/web/compose.yaml";

type Texts = BTreeMap<PathBuf, Vec<u8>>;

fn texts(tag: &str) -> Texts {
    let files = [
        (FILE, "services: {web: {image: 'web:$TAG', env_file: web.env}}\n".to_owned()),
        ("/srv/web/.env", format!("TAG={tag}\n")),
        ("/srv/web/web.env", "DB_PASSWORD=canary\n".to_owned()),
    ];
    files.into_iter().map(|(path, text)| (path.into(), text.into_bytes())).collect()
}

fn request() -> Request {
    Request {
        files: vec![FILE.into()],
        env_files: Vec::new(),
        project: None,
        profiles: BTreeSet::new(),
        environment: BTreeMap::new(),
        digest_key: DigestKey::new([7; 32]),
        checkout: None,
    }
}

fn read(files: &Texts) -> (Desired, ReadFiles) {
    let recording = Recording::new(files);
    let desired = load(&request(), &recording).desired.unwrap();
    (desired, recording.finish())
}

fn at(second: i64) -> EngineTime {
    EngineTime::from_second(1_800_000_000 + second).unwrap()
}

/// A store that has seen these tags, one a second.
fn store(folder: &tempfile::TempDir, tags: &[&str]) -> Store {
    let store = Store::new(Some(folder.path().join("state")));
    for (second, tag) in (0..).zip(tags) {
        let (desired, read) = read(&texts(tag));
        store.keep_revision(&desired, &read, None, at(second));
        store.revision_ended(&desired, RevisionEnd::Converged, at(second));
    }
    store
}

fn revisions(store: &Store) -> Vec<Revision> {
    store.revisions(&request().files).unwrap()
}

fn image(store: &Store, id: &RevisionId) -> String {
    let loaded = store.load_revision(&request(), id, &Texts::new()).unwrap();
    loaded.desired.unwrap().services["web"].image.to_string()
}

/// The files that are kept.
fn kept(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder.path().join("state/revisions")).unwrap();
    let of_stack = all.map(|it| it.unwrap().path()).next().unwrap();
    std::fs::read_dir(of_stack).unwrap().map(|it| it.unwrap().path()).collect()
}

#[test]
fn every_generation_is_kept_once_by_when_it_was_last_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, &["1", "2", "2", "3", "1"]);
    let all = revisions(&store);
    let images: Vec<String> = all.iter().map(|it| image(&store, &it.id)).collect();
    assert_eq!(images, ["web:2", "web:3", "web:1"]);
    assert_eq!(all[2].wanted, at(4));
    assert!(all.iter().all(|it| it.end == Some(RevisionEnd::Converged)));
    assert_eq!(
        image(&store, &before(&all, Some(&all[2].generation)).unwrap().id),
        "web:3"
    );
    assert_eq!(before(&all, Some(&all[0].generation)), Err(NoRevision::NoneBefore));
}

#[test]
fn only_the_owner_can_read_them_and_nothing_is_interpolated() {
    let folder = tempfile::tempdir().unwrap();
    store(&folder, &["1"]);
    let mut all = String::new();
    for path in kept(&folder) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        all += &std::fs::read_to_string(path).unwrap();
    }
    assert!(all.contains("web:$TAG") && !all.contains("web:1"));
}

#[test]
fn too_many_are_forgotten_but_never_the_newest_or_a_pinned_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, &["0", "1"]);
    let first = revisions(&store)[0].clone();
    let (_, over) = read(&texts("1"));
    store.pin(&request().files, &first, &over, at(2)).unwrap();
    for tag in 2..40 {
        let (desired, read) = read(&texts(&tag.to_string()));
        store.keep_revision(&desired, &read, None, at(tag));
    }
    let all = revisions(&store);
    assert_eq!(all.len(), MOST);
    assert_eq!(all[0].id, first.id);
    assert_eq!(image(&store, &all[MOST - 1].id), "web:39");
    assert_eq!(image(&store, &first.id), "web:0");
    // Two files that all share, one of each, the index and the pin.
    assert_eq!(kept(&folder).len(), 2 + MOST + 2);
}

#[test]
fn a_pin_holds_until_the_files_are_others_and_is_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, &["1", "2"]);
    let files = request().files;
    let first = revisions(&store)[0].clone();
    let (_, over) = read(&texts("2"));
    store.pin(&files, &first, &over, at(9)).unwrap();
    let pin = store.pinned(&files).unwrap();
    assert!(pin.holds_over(&over));
    assert!(!pin.holds_over(&read(&texts("3")).1));
    assert_eq!(revisions(&store)[1].id, first.id);
    assert!(store.unpin(&files) && !store.unpin(&files));
    assert_eq!(store.pinned(&files), None);
}

#[test]
fn what_converged_once_did_so_unless_it_was_taken_back() {
    use RevisionEnd::{Converged, Failed, RolledBack};
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, &[]);
    let (desired, read) = read(&texts("1"));
    store.keep_revision(&desired, &read, None, at(0));
    for (end, is) in [
        (Failed, Failed),
        (Converged, Converged),
        (Failed, Converged),
        (RolledBack, RolledBack),
        (Failed, RolledBack),
        (Converged, Converged),
    ] {
        store.revision_ended(&desired, end, at(1));
        assert_eq!(revisions(&store)[0].end, Some(is));
    }
}

#[test]
fn a_revision_is_found_by_digits_that_only_it_begins_with() {
    let folder = tempfile::tempdir().unwrap();
    let tags: Vec<String> = (0..18).map(|tag| tag.to_string()).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let all = revisions(&store(&folder, &tags));
    let id = all[3].id.as_str();
    assert_eq!(find(&all, id).unwrap().id, all[3].id);
    assert_eq!(find(&all, &id[..12].to_uppercase()).unwrap().id, all[3].id);
    for given in ["", "xyz", "sha256:"] {
        let error = find(&all, given).unwrap_err().to_string();
        assert!(error.contains("`reconciler history` lists them"), "{error}");
    }
    // Of 18 some two share their first digit.
    let digit = |it: &Revision| it.id.as_str()[..1].to_owned();
    let mut digits: Vec<String> = all.iter().map(digit).collect();
    digits.sort();
    let double = digits.windows(2).find(|it| it[0] == it[1]).unwrap();
    let error = find(&all, &double[0]).unwrap_err().to_string();
    assert!(error.contains("give more digits"), "{error}");
}

#[test]
fn spoilt_revisions_are_said_to_be_so_and_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, &["1"]);
    let id = revisions(&store)[0].id.clone();
    let index = kept(&folder).into_iter().find(|it| it.ends_with(INDEX)).unwrap();
    std::fs::write(&index, "{").unwrap();
    let error = store.revisions(&request().files).unwrap_err().to_string();
    assert!(error.contains("is spoilt"), "{error}");
    let (desired, read) = read(&texts("2"));
    store.keep_revision(&desired, &read, None, at(5));
    store.keep_revision(&desired, &read, None, at(6));
    assert_eq!(revisions(&store).len(), 1);
    let gone = store.load_revision(&request(), &id, &Texts::new()).unwrap_err();
    assert!(gone.to_string().contains("is not kept any more"), "{gone}");
}

fn commit(digit: &str) -> Commit {
    Commit {
        id: CommitId::parse(&digit.repeat(40)).unwrap(),
        author: "Ada <ada@example.org>".to_owned(),
        subject: format!("Change {digit}"),
        committed: at(0),
    }
}

fn changes(object: &str) -> Changes {
    let changed = Changed {
        object: object.to_owned(),
        action: "recreate".to_owned(),
        fields: vec!["image".to_owned()],
    };
    Changes { objects: vec![changed], more: 0 }
}

#[test]
fn a_revision_keeps_the_commit_that_brought_it_and_a_revert_brings_it_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, &[]);
    for (tag, digit) in [("1", "a"), ("1", "b"), ("2", "c"), ("1", "d")] {
        let (desired, read) = read(&texts(tag));
        store.keep_revision(&desired, &read, Some(&commit(digit)), at(0));
        let newest = revisions(&store).pop().unwrap();
        // The second commit changes nothing of this stack.
        let brought = if digit == "b" { "a" } else { digit };
        assert_eq!(newest.commit, Some(commit(brought)), "{digit}");
    }
    let all = revisions(&store);
    assert_eq!(find(&all, "dddd").unwrap().id, all[1].id);
    assert_eq!(find(&all, "cc").unwrap().id, all[0].id);
    assert!(find(&all, "aaaa").is_err());
}

#[test]
fn what_was_to_change_is_what_was_planned_first_and_the_time_runs_from_then() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, &["0"]);
    let (desired, read) = read(&texts("1"));
    store.keep_revision(&desired, &read, None, at(10));
    store.revision_planned(&desired, changes("service/web/1"));
    store.revision_planned(&desired, Changes::default());
    let newest = |store: &Store| revisions(store).pop().unwrap();
    assert_eq!(newest(&store).changes, Some(changes("service/web/1")));
    assert_eq!(newest(&store).took(), None);
    store.revision_ended(&desired, RevisionEnd::Converged, at(17));
    store.revision_ended(&desired, RevisionEnd::Converged, at(99));
    store.revision_ended(&desired, RevisionEnd::Failed, at(99));
    assert_eq!(newest(&store).took().unwrap().as_secs(), 7);
    // It is wanted again, and what comes of it is told anew.
    let first = revisions(&store)[0].clone();
    let over = read;
    store.pin(&request().files, &first, &over, at(20)).unwrap();
    assert_eq!((newest(&store).changes, newest(&store).ended), (None, None));
    assert_eq!(newest(&store).end, Some(RevisionEnd::Converged));
    let again = texts("0");
    let (desired, _) = self::read(&again);
    store.revision_planned(&desired, changes("service/web/2"));
    store.revision_ended(&desired, RevisionEnd::Converged, at(23));
    assert_eq!(newest(&store).changes, Some(changes("service/web/2")));
    assert_eq!(newest(&store).took().unwrap().as_secs(), 3);
}

#[test]
fn what_an_older_version_kept_is_read_and_nothing_is_made_up_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, &["1"]);
    let index = kept(&folder).into_iter().find(|it| it.ends_with(INDEX)).unwrap();
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    let stored = json["revisions"][0].as_object_mut().unwrap();
    for key in ["commit", "changes", "ended", "under_way"] {
        assert!(stored.remove(key).is_some(), "{key}");
    }
    std::fs::write(&index, json.to_string()).unwrap();
    let (desired, _) = read(&texts("1"));
    store.revision_planned(&desired, Changes::default());
    store.revision_ended(&desired, RevisionEnd::Converged, at(900));
    let old = &revisions(&store)[0];
    assert_eq!(old.end, Some(RevisionEnd::Converged));
    assert_eq!((&old.commit, &old.changes, old.ended), (&None, &None, None));
}
