//! That the last good state of a stack comes back, and only that.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::compose::files::Recording;
use crate::state::digest::DigestKey;

const FILE: &str = "/srv/web/compose.yaml";

const CANARY: &str = "cuckoo-s3cret";

type Texts = BTreeMap<PathBuf, Vec<u8>>;

fn texts(texts: &[(&str, &str)]) -> Texts {
    let file = |(path, text): &(&str, &str)| (path.into(), text.as_bytes().to_vec());
    texts.iter().map(file).collect()
}

fn good() -> Texts {
    texts(&[
        (
            FILE,
            "services: {web: {image: 'web:$TAG', env_file: web.env, secrets: [key]}}\n\
             secrets: {key: {file: key.pem}}\n",
        ),
        ("/srv/web/.env", "TAG=1\n"),
        ("/srv/web/web.env", &format!("DB_PASSWORD={CANARY}\n")),
        ("/srv/web/key.pem", CANARY),
    ])
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

fn keep(store: &Store, files: &Texts) -> Desired {
    let recording = Recording::new(files);
    let desired = load(&request(), &recording).desired.unwrap();
    store.keep_sources(&request().files, &recording.finish());
    desired
}

fn store(folder: &tempfile::TempDir) -> Store {
    Store::new(Some(folder.path().join("state")))
}

/// The files of the one stack that is kept.
fn kept(folder: &tempfile::TempDir) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = folder.path().join("state/sources");
    let of_stack = std::fs::read_dir(all).unwrap().next().unwrap().unwrap().path();
    let files = std::fs::read_dir(of_stack).unwrap().map(|it| it.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn the_last_good_state_comes_back_while_the_files_are_bad_empty_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    let desired = keep(&store(&folder), &good());
    // What counts by its bytes is not kept: it is what it is today.
    let key = ("/srv/web/key.pem", CANARY);
    let bad = texts(&[(FILE, "services: ["), ("/srv/web/.env", "TAG=2\n"), key]);
    for today in [bad, texts(&[(FILE, ""), key]), texts(&[key])] {
        let last = store(&folder).last_good(&request(), &today).unwrap();
        assert_eq!(last.generation, desired.generation);
        assert_eq!(last.project, desired.project);
    }
}

#[test]
fn the_command_line_of_today_decides_about_project_and_variables() {
    let folder = tempfile::tempdir().unwrap();
    keep(&store(&folder), &good());
    let environment = BTreeMap::from([("TAG".to_owned(), "9".to_owned())]);
    let project = Some("shop".to_owned());
    let asked = Request { project, environment, ..request() };
    let last = store(&folder).last_good(&asked, &Texts::new()).unwrap();
    assert_eq!(last.project.as_str(), "shop");
    assert_eq!(last.services["web"].image.as_str(), "web:9");
}

#[test]
fn nothing_comes_back_where_nothing_was_kept_or_a_person_took_it_down() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    assert!(store.last_good(&request(), &good()).is_none());
    keep(&store, &good());
    let other = Request { files: vec!["/srv/other.yaml".into()], ..request() };
    assert!(store.last_good(&other, &good()).is_none());
    store.forget_sources(&request().files);
    assert!(store.last_good(&request(), &good()).is_none());
    keep(&store, &good());
    assert!(store.last_good(&request(), &good()).is_some());
    assert!(Store::new(None).last_good(&request(), &good()).is_none());
}

#[test]
fn files_of_secrets_are_not_kept_and_only_the_owner_reads_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    keep(&store(&folder), &good());
    let kept = kept(&folder);
    assert_eq!(kept.len(), 4);
    assert!(!kept.values().any(|bytes| bytes == CANARY.as_bytes()));
    let mut paths: Vec<&Path> = kept.keys().map(PathBuf::as_path).collect();
    paths.push(paths[0].parent().unwrap());
    for path in paths {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{path:?}");
    }
    // In memory the bytes of files of variables do not print.
    let recording = Recording::new(&kept);
    for path in kept.keys() {
        assert!(recording.read(path).is_ok());
    }
    let printed = format!("{:?}", recording.finish());
    assert!(printed.contains("index.json") && !printed.contains(CANARY), "{printed}");
}

#[test]
fn what_is_kept_already_is_not_written_again_and_what_is_replaced_goes() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    keep(&store, &good());
    let before = kept(&folder);
    let index = before.keys().find(|path| path.ends_with(INDEX)).unwrap();
    std::fs::remove_file(index).unwrap();
    keep(&store, &good());
    assert!(!index.exists());
    let mut changed = good();
    changed.insert("/srv/web/.env".into(), b"TAG=3\n".to_vec());
    keep(&store, &changed);
    let after = kept(&folder);
    assert_eq!(after.len(), before.len());
    assert!(after.values().any(|bytes| bytes == b"TAG=3\n"));
    assert!(!after.values().any(|bytes| bytes == b"TAG=1\n"));
}

#[test]
fn spoilt_sources_are_set_aside_and_kept_anew() {
    let folder = tempfile::tempdir().unwrap();
    let spoil: [fn(&Path); 4] = [
        |path| std::fs::write(path, "TAG=666").unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
        |path| std::fs::write(path.with_file_name(INDEX), "{").unwrap(),
        |path| {
            let index = r#"{"version":9,"files":[]}"#;
            std::fs::write(path.with_file_name(INDEX), index).unwrap();
        },
    ];
    for spoil in spoil {
        let store = store(&folder);
        keep(&store, &good());
        let kept = kept(&folder);
        spoil(kept.iter().find(|(_, bytes)| *bytes == b"TAG=1\n").unwrap().0);
        assert!(store.last_good(&request(), &good()).is_none());
        let aside = folder.path().join("state/sources");
        let aside = folder_of(&aside, &request().files).with_extension("spoilt");
        assert!(aside.join(INDEX).exists());
        keep(&store, &good());
        assert!(store.last_good(&request(), &good()).is_some());
        std::fs::remove_dir_all(aside).unwrap();
    }
}
