//! Content that changes under a container: reload, restart, refusal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::compose::files::{Files, Kind, ReadError};
use crate::compose::load::{Request, load};
use crate::engine::sim::Software;
use crate::planning::memory::Memory;
use crate::planning::testing::{Drive, Named};
use crate::state::content::Place;
use crate::state::desired::Desired;
use crate::state::digest::DigestKey;
use crate::state::observed::Status;
use crate::state::time::EngineTime;

/// Files with an inode each.
#[derive(Clone, Default)]
struct Disk {
    files: BTreeMap<PathBuf, (String, u64)>,
    key: u8,
}

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        let file = self.files.get(path).ok_or(ReadError::Missing)?;
        Ok(file.0.clone().into_bytes())
    }

    fn exists(&self, path: &Path) -> bool {
        self.kind(path).is_some()
    }

    fn kind(&self, path: &Path) -> Option<(Kind, Place)> {
        if let Some((_, inode)) = self.files.get(path) {
            return Some((Kind::File, Place { device: 1, inode: *inode }));
        }
        let is_folder = self.files.keys().any(|other| other.starts_with(path));
        is_folder.then_some((Kind::Folder, Place { device: 1, inode: 1 }))
    }

    fn content(&self, path: &Path) -> Result<(Vec<u8>, Place), ReadError> {
        let (_, place) = self.kind(path).ok_or(ReadError::Missing)?;
        Ok((self.read(path)?, place))
    }

    fn names(&self, path: &Path) -> Result<Vec<String>, ReadError> {
        let below = self.files.keys().filter_map(|it| it.strip_prefix(path).ok());
        Ok(below.map(|it| it.display().to_string()).collect())
    }
}

impl Disk {
    fn new(yaml: &str, files: &[(&str, &str)]) -> Self {
        let mut disk = Self { key: 7, ..Self::default() };
        disk.write("compose.yaml", yaml);
        for (name, text) in files {
            disk.write(name, text);
        }
        disk
    }

    /// Writes in place.
    fn write(&mut self, name: &str, text: &str) {
        let inode = self.files.len() as u64 + 10;
        let path = Path::new("/srv/demo").join(name);
        self.files.entry(path).or_insert((String::new(), inode)).0 = text.to_owned();
    }

    /// Renames another file into its place.
    fn replace(&mut self, name: &str, text: &str) {
        self.write(name, text);
        let file = self.files.get_mut(&Path::new("/srv/demo").join(name)).unwrap();
        file.1 += 1000;
    }

    fn desired(&self) -> Desired {
        let request = Request {
            files: vec!["/srv/demo/compose.yaml".into()],
            env_files: Vec::new(),
            project: Some("demo".to_owned()),
            profiles: std::collections::BTreeSet::new(),
            environment: BTreeMap::new(),
            digest_key: DigestKey::new([self.key; 32]),
            checkout: None,
        };
        let loaded = load(&request, self);
        let problems: Vec<String> =
            loaded.problems.iter().map(|it| it.message.clone()).collect();
        loaded.desired.unwrap_or_else(|| panic!("{problems:#?}"))
    }

    fn settled(&self) -> Drive {
        let mut drive = Drive::new(self.desired());
        drive.settle();
        drive.history.clear();
        drive
    }
}

const RELOADS: &str = "
services:
  web:
    image: 'nginx:1'
    stop_signal: SIGQUIT
    environment: {API_TOKEN: canary-token}
    volumes: ['./nginx.conf:/etc/nginx.conf:ro', './conf.d:/etc/conf.d:ro', './data:/data']
    x-reconciler: {reload: {signal: HUP, test: [nginx, -t]}}
";
const FILES: &[(&str, &str)] =
    &[("nginx.conf", "one"), ("conf.d/a", "one"), ("data/x", "1")];

fn started(drive: &Drive) -> (String, Option<EngineTime>) {
    let web = drive.machine.named("demo-web-1");
    (web.id.to_string(), web.state.started)
}

#[test]
fn what_is_written_in_place_is_tested_inside_and_taken_up_by_a_signal() {
    let mut disk = Disk::new(RELOADS, FILES);
    let mut drive = disk.settled();
    let before = started(&drive);
    for (file, text) in [("nginx.conf", "two"), ("conf.d/b", "new"), ("conf.d/a", "two")]
    {
        disk.write(file, text);
        drive.desired = disk.desired();
        let plan = drive.text();
        assert!(plan.starts_with("reload service/web/1"), "{plan}");
        drive.settle();
        assert_eq!(drive.history, ["test demo-web-1", "signal demo-web-1"], "{file}");
        assert!(drive.plan().is_in_sync());
        drive.history.clear();
    }
    // A rename within a mounted folder is seen inside.
    disk.replace("conf.d/a", "three");
    drive.desired = disk.desired();
    drive.settle();
    assert_eq!(drive.history, ["test demo-web-1", "signal demo-web-1"]);
    assert_eq!(started(&drive), before);
}

#[test]
fn a_plan_names_the_file_and_short_digests() {
    let mut disk = Disk::new(RELOADS, FILES);
    let mut drive = disk.settled();
    disk.write("nginx.conf", "two");
    disk.write("conf.d/b", "new");
    drive.desired = disk.desired();
    insta::assert_snapshot!("content_changes", drive.text());
}

#[test]
fn after_a_save_that_renames_a_mounted_file_it_is_tested_apart_and_restarted() {
    let mut disk = Disk::new(RELOADS, FILES);
    let mut drive = disk.settled();
    let before = started(&drive);
    disk.replace("nginx.conf", "two");
    drive.desired = disk.desired();
    assert!(drive.text().starts_with("restart service/web/1"));
    drive.settle();
    assert_eq!(
        drive.history,
        [
            &format!("rehearse as demo-web-1.test-{}", &before.0[..8]),
            "stop demo-web-1",
            "start demo-web-1"
        ]
    );
    let after = started(&drive);
    assert_eq!(after.0, before.0);
    assert!(after.1 > before.1);
    assert!(drive.plan().is_in_sync());
    // From now on it sees the file that is there now.
    drive.history.clear();
    disk.write("nginx.conf", "three");
    drive.desired = disk.desired();
    drive.settle();
    assert_eq!(drive.history, ["test demo-web-1", "signal demo-web-1"]);
}

#[test]
fn the_container_that_tests_can_write_nothing_and_is_found_by_nobody() {
    let mut disk = Disk::new(RELOADS, FILES);
    let mut drive = disk.settled();
    disk.replace("nginx.conf", "two");
    drive.desired = disk.desired();
    let steps = drive.plan().steps;
    let crate::state::step::Step::Rehearse(it) = &steps[0].1 else {
        panic!("{steps:#?}");
    };
    let fields: Vec<String> = it
        .document
        .iter()
        .map(|(pointer, value)| format!("{pointer}: {}", value.exposed()))
        .collect();
    insta::assert_snapshot!("rehearsal", fields.join("\n"));
}

#[test]
fn content_that_its_test_refuses_changes_nothing_until_it_changes_or_somebody_retries() {
    for is_renamed in [false, true] {
        let mut disk = Disk::new(RELOADS, FILES);
        let mut drive = disk.settled();
        let before = started(&drive);
        let words = "nginx: [emerg] unknown directive \"canary-token\"\n";
        let refuses = Some(words.to_owned());
        drive
            .machine
            .software
            .insert("web".into(), Software { refuses, ..Software::default() });
        if is_renamed {
            disk.replace("nginx.conf", "bad");
        } else {
            disk.write("nginx.conf", "bad");
        }
        drive.desired = disk.desired();
        drive.settle();
        assert_eq!(drive.history.len(), 1, "{:#?}", drive.history);
        assert_eq!(started(&drive), before);
        let plan = drive.plan();
        assert!(!plan.is_in_sync() && !plan.is_moving && plan.steps.is_empty());
        if !is_renamed {
            insta::assert_snapshot!("content_refused", drive.text());
        }
        let status = drive.status();
        assert!(!status.ready);
        let degraded = status.services[0].conditions.iter();
        let degraded = degraded.last().unwrap();
        assert_eq!(
            (degraded.status, degraded.reason.as_str()),
            (Some(true), "ContentRefused")
        );
        assert!(degraded.message.contains("[emerg]"), "{}", degraded.message);
        assert!(!degraded.message.contains("canary-token"), "{}", degraded.message);
        let told = drive.memory.events.iter().filter(|it| it.reason == "ContentRefused");
        assert_eq!(told.map(|it| it.count).collect::<Vec<_>>(), [1]);
        // What it read is what counts now: nothing is to be done.
        let good = disk.clone();
        disk.write("nginx.conf", "one");
        drive.desired = disk.desired();
        drive.settle();
        assert!(drive.plan().is_in_sync());
        disk = good;
        drive.desired = disk.desired();
        drive.history.clear();
        drive.settle();
        assert_eq!(drive.history.len(), 1, "it is tried again: {:#?}", drive.history);
        drive.machine.software.clear();
        drive.settle();
        assert_eq!(drive.history.len(), 1);
        drive.memory.try_again(Some(&"web".into()));
        drive.settle();
        assert!(drive.plan().is_in_sync(), "{}", drive.text());
    }
}

#[test]
fn without_reload_changed_content_is_a_restart_in_its_turn() {
    let yaml = "
services:
  db: {image: 'db:1', configs: [c], healthcheck: {test: [CMD, ready]}}
  app: {image: 'app:1', secrets: [s], depends_on: {db: {condition: service_healthy}}}
configs: {c: {file: ./c}}
secrets: {s: {file: ./s}}
";
    let mut disk = Disk::new(yaml, &[("c", "one"), ("s", "canary-one")]);
    let mut drive = disk.settled();
    disk.write("c", "two");
    disk.write("s", "canary-two");
    drive.desired = disk.desired();
    insta::assert_snapshot!("content_restarts", drive.text());
    drive.settle();
    assert!(drive.plan().is_in_sync());
    let at = |line: &str| drive.history.iter().position(|it| it == line).unwrap();
    assert!(at("start demo-db-1") < at("stop demo-app-1"), "{:#?}", drive.history);
    assert!(!format!("{:?}", drive.memory).contains("canary"));
}

#[test]
fn without_a_record_todays_content_is_the_base_and_later_changes_count() {
    let mut disk = Disk::new(RELOADS, FILES);
    let mut drive = disk.settled();
    disk.write("nginx.conf", "two");
    drive.desired = disk.desired();
    drive.memory = Memory::default();
    assert!(drive.plan().is_in_sync());
    disk.write("nginx.conf", "three");
    drive.desired = disk.desired();
    assert!(!drive.plan().is_in_sync());
    // Digests by another key tell nothing.
    disk.key = 8;
    drive.desired = disk.desired();
    assert!(drive.plan().is_in_sync());
}

#[test]
fn a_change_between_the_look_and_the_start_is_not_lost() {
    let mut disk = Disk::new(RELOADS, FILES);
    let mut drive = Drive::new(disk.desired());
    drive.until("start demo-web-1");
    // The engine has started it on what is there; we hear of the change afterwards.
    disk.write("nginx.conf", "two");
    drive.desired = disk.desired();
    drive.settle();
    assert_eq!(drive.history.last().unwrap(), "signal demo-web-1");
    assert!(drive.plan().is_in_sync());
}

#[test]
fn a_change_while_the_signal_is_under_way_is_not_lost() {
    let mut disk = Disk::new(RELOADS, FILES);
    let mut drive = disk.settled();
    disk.write("nginx.conf", "two");
    drive.desired = disk.desired();
    drive.until("signal demo-web-1");
    disk.write("nginx.conf", "three");
    drive.desired = disk.desired();
    assert!(!drive.plan().is_in_sync());
    drive.settle();
    assert_eq!(drive.history.len(), 4, "{:#?}", drive.history);
}

#[test]
fn what_a_test_left_over_is_removed_also_with_the_stack() {
    use crate::state::step::Step;
    for is_down in [false, true] {
        let mut disk = Disk::new(RELOADS, FILES);
        let mut drive = disk.settled();
        disk.replace("nginx.conf", "two");
        drive.desired = disk.desired();
        let steps = drive.plan().steps;
        let Step::Rehearse(it) = &steps[0].1 else { panic!("{steps:#?}") };
        // As if we had been killed in the middle of it.
        let (name, document) = (it.name.clone(), it.document.clone());
        let create = Step::Create { name: name.clone(), document, platform: None };
        drive.machine.perform(&create).unwrap();
        let id = drive.machine.named(name.as_str()).id.clone();
        drive.machine.perform(&Step::Start { container: id }).unwrap();
        if is_down {
            drive.memory.down = Some(drive.desired.generation.clone());
        }
        drive.settle();
        assert!(drive.machine.find(name.as_str()).is_none(), "{:#?}", drive.history);
        let web = drive.machine.find("demo-web-1").map(|it| it.state.status);
        assert_eq!(web, (!is_down).then_some(Status::Running));
    }
}

#[test]
fn what_others_may_change_is_no_drift() {
    let yaml = RELOADS.replace(
        "x-reconciler: {",
        "x-reconciler: {drift: {ignore: [volumes./etc/conf.d]}, ",
    );
    let mut disk = Disk::new(&yaml, FILES);
    let mut drive = disk.settled();
    disk.write("conf.d/a", "two");
    drive.desired = disk.desired();
    assert!(drive.plan().is_in_sync());
    disk.write("nginx.conf", "two");
    drive.desired = disk.desired();
    assert!(!drive.plan().is_in_sync());
}

#[test]
fn a_signal_that_ends_it_is_a_crash_and_no_stop() {
    let mut disk = Disk::new(RELOADS, FILES);
    let mut drive = disk.settled();
    drive
        .machine
        .software
        .insert("web".into(), Software { ends_on_signals: true, ..Software::default() });
    disk.write("nginx.conf", "two");
    drive.desired = disk.desired();
    drive.settle();
    assert!(drive.plan().is_in_sync());
    assert_eq!(drive.memory.crashes.len(), 1, "{:#?}", drive.history);
    assert_eq!(drive.history.last().unwrap(), "start demo-web-1");
}

#[test]
fn a_restart_policy_that_a_signal_may_take_away_is_said() {
    let yaml = RELOADS.replace("stop_signal: SIGQUIT", "restart: always");
    let mut drive = Disk::new(&yaml, FILES).settled();
    let notes = drive.plan().notes;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].message.contains("write `stop_signal: SIGTERM`"));
}

#[test]
fn what_we_are_about_to_stop_has_not_done_its_work() {
    use crate::state::step::Step;
    let mut drive = Drive::settled("services: {web: {image: 'web:1'}}");
    let container = drive.machine.named("demo-web-1").id.clone();
    let stop = Step::Stop { container, grace: std::time::Duration::ZERO };
    // The look is older than the end of the step.
    drive.memory.under_way.insert("service/web/1".parse().unwrap(), stop.clone());
    drive.machine.perform(&stop).unwrap();
    assert_eq!(drive.machine.named("demo-web-1").state.exit_code, 0);
    assert!(!drive.status().ready && !drive.plan().is_in_sync());
}
