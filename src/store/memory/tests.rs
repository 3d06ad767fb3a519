//! That nothing is lost on the way, and nothing goes along that must not.

use std::time::Duration;

use super::*;
use crate::planning::attribution::{Attributed, Outage};
use crate::planning::completed::Completed;
use crate::planning::data_path::DataPath;
use crate::planning::event::{Event, EventKind, Events, Seen};
use crate::planning::heal::{Healing, Healings, Remedy};
use crate::planning::immutable::{MadeValue, MadeWith};
use crate::planning::memory::{
    Crashes, Offered, Probing, ReadContent, Refused, Retry, RetryReason, Stopper, Watched,
};
use crate::planning::pause::{Pause, Pauses};
use crate::planning::rejection::Rejection;
use crate::planning::trial::{Trial, Verdict};
use crate::state::content::{Contents, Counted, Place};
use crate::state::desired::FailureAction;
use crate::state::document::Document;
use crate::state::ids::{
    ContainerId, Generation, ImageId, Object, ServiceName, SpecHash,
};
use crate::state::secret::Secret;
use crate::state::step::{InsideFile, Rehearsal, Step};
use crate::state::time::{EngineTime, Moment};
use crate::state::value::Value;

pub(in crate::store) const CANARY: &str = "cuckoo-s3cret";

fn time(text: &str) -> EngineTime {
    format!("2026-11-22T{text}Z").parse().unwrap()
}

/// Ten o'clock, after a process has run for so long.
fn after(seconds: u64) -> Now {
    Now { moment: Moment(Duration::from_secs(seconds)), engine: time("10:00:00.25") }
}

fn web() -> Object {
    "service/web/1".parse().unwrap()
}

#[allow(clippy::too_many_lines, reason = "a line for each field")]
/// A memory in which nothing is empty, with a secret in every step that can hold one.
#[expect(clippy::too_many_lines, reason = "one line for each field")]
pub(in crate::store) fn full(now: Now) -> Memory {
    let id = ContainerId::new("c1");
    let of_spec = (ServiceName::new("web"), SpecHash::new("sha256:2"));
    let retry = Retry {
        attempts: 3,
        not_before: now.moment.after(Duration::from_millis(2500)),
        reason: RetryReason::ImagePullBackOff,
        message: "no such image".to_owned(),
    };
    let crashes = Crashes {
        count: 2,
        last: (id.clone(), time("09:59:00.123456789")),
        not_before: now.moment.after(Duration::from_secs(40)),
        exit_code: Some(7),
        spec: Some(SpecHash::new("sha256:2")),
    };
    let probing = Probing {
        started: time("09:59:30"),
        count: 4,
        next: now.moment.after(Duration::from_millis(250)),
        last: Some("its health command ended with 1".to_owned()),
    };
    let watched = Watched {
        started: time("09:00:00"),
        is_well: Some(false),
        passed: 0,
        failed: 0,
        count: 0,
        next: now.moment,
        last: Some("refused".to_owned()),
    };
    let counted = Counted {
        place: Some(Place { device: 1, inode: 2 }),
        files: [(String::new(), "digest".to_owned())].into(),
        is_secret: true,
    };
    let contents = [("volumes./a".to_owned(), counted)].into();
    let offered = Offered { key: "key".to_owned(), contents };
    Memory {
        generation: Some(Generation::new("sha256:1")),
        proven: [(id.clone(), time("09:00:00"))].into(),
        probing: [(id.clone(), probing)].into(),
        retries: [(web(), retry)].into(),
        crashes: [(web(), crashes)].into(),
        under_way: steps(),
        filled: [id.clone()].into(),
        stopped: [(ContainerId::new("c2"), Stopper::Somebody)].into(),
        signalled: BTreeMap::new(),
        restarts: [(id.clone(), 3)].into(),
        wishes: [(web(), "sha256:5".to_owned())].into(),
        pulled: ["web:1".into()].into(),
        quirks: [(of_spec.clone(), [("dns".to_owned(), "sha256:3".to_owned())].into())]
            .into(),
        unequal: [(
            (of_spec.0, of_spec.1, "cpus".to_owned()),
            ("sha256:4".to_owned(), 2),
        )]
        .into(),
        conditions: [
            ("stack Ready".to_owned(), (Some(true), time("09:00:01"))),
            ("stack SpecValid".to_owned(), (None, time("09:00:02"))),
        ]
        .into(),
        down: Some(Generation::new("sha256:0")),
        trials: [(id.clone(), trial(now))].into(),
        rejections: [("web".into(), rejection(&id))].into(),
        offices: [(id.clone(), true)].into(),
        logged: [id.clone()].into(),
        unwatched: Some(time("09:30:00")),
        events: Events::of_records(vec![event(4, "09:40:00"), event(2, "09:59:00")]),
        seen: Seen::default(),
        contents: [(
            id.clone(),
            ReadContent { started: time("09:00:00"), read: offered.clone() },
        )]
        .into(),
        offered: [("web".into(), offered)].into(),
        watched: [(id.clone(), watched)].into(),
        tested: [(id, "sha256:8".to_owned())].into(),
        refused: [(
            "web".into(),
            Refused { content: "sha256:9".to_owned(), message: "no".to_owned() },
        )]
        .into(),
        completed: [(web(), completed())].into(),
        outages: [(ServiceName::new("db"), outage())].into(),
        attributed: [(web(), attributed())].into(),
        healings: [(web(), healings())].into(),
        pauses: pauses(),
        asked_to_restart: ["db".into()].into(),
        due_restarts: [(web(), (ContainerId::new("c1"), time("09:00:00")))].into(),
        only: None,
        rest: None,
        before_prune: ["web".into()].into(),
        adopted: [(ContainerId::new("c3"), "/srv/web.yaml".into())].into(),
        data_paths: [("/srv/data".to_owned(), data_path())].into(),
        made_with: [(ServiceName::new("web"), made_with())].into(),
        measured: BTreeMap::new(),
        checks: checks(),
    }
}

fn healings() -> Healings {
    let current = Some(Healing {
        remedy: Remedy::Recreate,
        container: ContainerId::new("c1"),
        since: time("09:50:00"),
    });
    let well_since = Some(time("09:51:00"));
    Healings { times: vec![time("09:50:00")], row: 2, well_since, current }
}

fn outage() -> Outage {
    Outage { began: time("09:20:00"), ended: Some(time("09:21:00")) }
}

fn attributed() -> Attributed {
    let last = (ContainerId::new("c1"), time("09:20:01"));
    Attributed { last, to: ServiceName::new("db") }
}

fn completed() -> Completed {
    Completed { spec: SpecHash::new("sha256:6"), image: ImageId::new("sha256:7") }
}

fn made_with() -> MadeWith {
    let value = MadeValue { digest: "sha256:8".to_owned(), shown: None };
    MadeWith { key: "k".to_owned(), values: [("image".to_owned(), value)].into() }
}

fn data_path() -> DataPath {
    DataPath {
        had_entries: true,
        mount: "/srv".to_owned(),
        container: ContainerId::new("c1"),
        started: time("09:00:00"),
    }
}

fn pauses() -> Pauses {
    let pause = Pause { since: time("09:50:00"), until: Some(time("11:50:00")) };
    let by_hand = Pause { until: None, ..pause };
    Pauses { stack: Some(by_hand), services: [("web".into(), pause)].into() }
}

fn trial(now: Now) -> Trial {
    Trial {
        spent: Duration::from_millis(1500),
        counted: now.moment,
        ready_since: None,
        in_office: true,
        exits: 2,
        ended: Some(time("09:59:00")),
        restarts: 1,
        verdict: Verdict::Failed("it ended twice".to_owned()),
        over: Some(now.moment),
    }
}

fn rejection(container: &ContainerId) -> Rejection {
    Rejection {
        specs: [SpecHash::new("sha256:9")].into(),
        action: FailureAction::Rollback,
        container: container.clone(),
        why: "it was not ready within 300 s".to_owned(),
    }
}

/// An event that happened twice.
pub(in crate::store) fn event(id: u64, last: &str) -> Event {
    Event {
        id,
        object: "service/web/1".to_owned(),
        kind: EventKind::Warning,
        reason: "Failed".to_owned(),
        message: format!("no {id}"),
        count: 2,
        first: time("09:10:00"),
        last: time(last),
    }
}

/// One step of every kind, each for an object of its own.
fn steps() -> BTreeMap<Object, Step> {
    let container = ContainerId::new("c1");
    let mut document = Document::default();
    document.set("Config.Env", Value::text(CANARY));
    let file = InsideFile {
        path: "/run/secrets/a".to_owned(),
        content: Secret::new(CANARY),
        user: 0,
        group: 0,
        mode: 0o400,
    };
    let endpoint = Value::text(CANARY);
    let rehearsed = document.clone();
    let command = vec![Secret::new(CANARY)];
    let timeout = Duration::from_secs(1);
    let all = [
        Step::Pull { image: "web:1".into(), platform: None },
        Step::CreateNetwork { name: "n".into(), document: document.clone() },
        Step::RemoveNetwork { id: "n1".into() },
        Step::CreateVolume { name: "v".into(), document: document.clone() },
        Step::Create { name: "c".into(), document: document.clone(), platform: None },
        Step::CopyIn { container: container.clone(), files: vec![file.clone()] },
        Step::Connect { container: container.clone(), network: "n".into(), endpoint },
        Step::Disconnect { container: container.clone(), network: "n1".into() },
        Step::Update { container: container.clone(), document },
        Step::Rename { container: container.clone(), to: "d".into() },
        Step::Start { container: container.clone() },
        Step::Unpause { container: container.clone() },
        Step::Stop { container: container.clone(), grace: timeout },
        Step::Remove { container: container.clone() },
        Step::ReadLog { container: container.clone() },
        Step::Measure { container: container.clone() },
        Step::Probe { container: container.clone(), command: command.clone(), timeout },
        Step::Signal {
            container: container.clone(),
            signal: "SIGHUP".to_owned(),
            content: Contents::new(),
        },
        Step::Test {
            container: container.clone(),
            command,
            timeout,
            content: "sha256:1".to_owned(),
        },
        Step::Rehearse(Box::new(Rehearsal {
            holder: container,
            name: "r".into(),
            document: rehearsed,
            platform: None,
            networks: Vec::new(),
            files: vec![file],
            timeout,
            content: "sha256:1".to_owned(),
        })),
    ];
    let object = |number| format!("service/web/{number}").parse().unwrap();
    (1_u32..).map(object).zip(all).collect()
}

fn sent(memory: &Memory, from: Now, to: Now) -> Memory {
    let text = to_json(memory, from).unwrap().to_string();
    from_json(serde_json::from_str(&text).unwrap(), to).unwrap()
}

#[test]
fn another_process_gets_everything_and_its_deadlines_by_its_own_clock() {
    let (here, there) = (after(5000), after(7));
    let received = sent(&full(here), here, there);
    let expected = Memory { under_way: received.under_way.clone(), ..full(there) };
    assert_eq!(received, expected);
    // What is the same on both sides needs no second look.
    assert_eq!(sent(&received, there, there), received);
}

#[test]
fn a_step_under_way_arrives_with_its_verb_and_subject_alone() {
    let now = after(10);
    let received = sent(&full(now), now, now);
    let words = |memory: &Memory| -> Vec<(Object, &'static str)> {
        memory.under_way.iter().map(|(object, it)| (object.clone(), it.verb())).collect()
    };
    assert_eq!(words(&received), words(&full(now)));
    let create = &received.under_way[&"service/web/5".parse().unwrap()];
    let document = Document::default();
    assert_eq!(*create, Step::Create { name: "c".into(), document, platform: None });
}

#[test]
fn no_secret_of_a_step_leaves_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.json");
    let memory = full(after(10));
    write(&path, &memory, after(10)).unwrap();
    let kept = std::fs::read_to_string(path).unwrap();
    let sent = to_json(&memory, after(10)).unwrap().to_string();
    assert!(sent.contains("copy-in") && !sent.contains(CANARY), "{sent}");
    assert!(kept.contains("no such image") && !kept.contains(CANARY), "{kept}");
}

#[test]
fn a_later_process_gets_what_it_can_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stacks/web.json");
    write(&path, &full(after(5000)), after(5000)).unwrap();
    let read = parse(&std::fs::read(&path).unwrap(), after(0)).unwrap();
    let mut expected = Memory {
        under_way: BTreeMap::new(),
        probing: BTreeMap::new(),
        unwatched: None,
        events: Events::default(),
        checks: BTreeMap::new(),
        ..full(after(0))
    };
    // It was being stopped: its end is no crash.
    expected.stopped.insert(ContainerId::new("c1"), Stopper::Somebody);
    assert_eq!(read, expected);
}

#[test]
fn a_deadline_that_passed_meanwhile_is_now_and_none_is_far_ahead() {
    let memory = full(after(100));
    let not_before = |engine: EngineTime| {
        let now = Now { moment: Moment(Duration::from_secs(3)), engine };
        sent(&memory, after(100), now).retries[&web()].not_before.since(now.moment)
    };
    assert_eq!(not_before(time("10:00:02")), Duration::from_millis(750));
    assert_eq!(not_before(time("10:00:09")), Duration::ZERO);
    // The engine's clock was put back by years.
    assert_eq!(not_before(EngineTime::UNIX_EPOCH), Duration::from_hours(1));
}

#[test]
fn rubbish_is_an_error_and_no_panic() {
    for rubbish in [
        &b""[..],
        b"{",
        b"\xff\xfe",
        b"{\"version\":2,\"retries\":{\"pod/web\":null}}",
        b"{\"version\":2,\"conditions\":{\"a\":{\"status\":true,\"since\":\"noon\"}}}",
    ] {
        assert!(matches!(parse(rubbish, after(0)), Err(MemoryError::Form(_))));
    }
    for other in [&b"{\"version\":99}"[..], b"[]", b"7"] {
        assert!(matches!(parse(other, after(0)), Err(MemoryError::Version(_))));
    }
}

#[test]
fn probing_most_steps_under_way_and_events_are_no_reason_to_write_memory() {
    let (mut one, now) = (full(after(10)), after(10));
    let stopping = one.clone();
    one.under_way.retain(|_, step| step.verb() != "stop");
    assert!(!is_same_to_others(&one, &stopping), "its end would be taken for a crash");
    let idle = Memory {
        under_way: BTreeMap::new(),
        probing: BTreeMap::new(),
        unwatched: None,
        events: Events::default(),
        ..one.clone()
    };
    assert!(is_same_to_others(&one, &idle));
    let changes: [fn(&mut Memory); 22] = [
        |it| it.generation = None,
        |it| it.down = None,
        |it| it.proven.clear(),
        |it| it.retries.clear(),
        |it| it.crashes.clear(),
        |it| it.filled.clear(),
        |it| it.stopped.clear(),
        |it| it.restarts.clear(),
        |it| it.wishes.clear(),
        |it| it.pulled.clear(),
        |it| it.quirks.clear(),
        |it| it.unequal.clear(),
        |it| it.conditions.clear(),
        |it| it.contents.clear(),
        |it| it.watched.clear(),
        |it| it.offered.clear(),
        |it| it.tested.clear(),
        |it| it.refused.clear(),
        |it| it.completed.clear(),
        |it| it.outages.clear(),
        |it| it.attributed.clear(),
        |it| it.healings.clear(),
    ];
    for change in changes {
        let mut other = full(now);
        other.under_way.clear();
        change(&mut other);
        assert!(!is_same_to_others(&one, &other), "{other:?}");
    }
}

/// The checks are sent to others, and no later process is told of them.
fn checks() -> crate::planning::check::history::CheckStates {
    use crate::planning::check::history::CheckState;
    use crate::planning::check::{CheckResult, Finding, Verdict};
    let finding = Finding {
        object: "service/web/1".to_owned(),
        verdict: Verdict::Fail,
        said: "refused".to_owned(),
    };
    let last = CheckResult {
        name: "front".into(),
        kind: "tcp".to_owned(),
        verdict: Verdict::Fail,
        found: "service/web/1: refused".to_owned(),
        next: Some("look".to_owned()),
        findings: vec![finding],
        time: time("09:59:00"),
        took: Duration::from_millis(7),
    };
    let state = CheckState { last, believed: Verdict::Unknown, row: 2 };
    [("front".into(), state)].into()
}
