//! What is told, how often, and what never is.

use crate::planning::testing::Named;
use std::time::Duration;

use super::*;
use crate::planning::condition;
use crate::planning::doubt::Doubt;
use crate::planning::memory::Stopper;
use crate::planning::plan::plan_world;
use crate::planning::testing::{Drive, desired};
use crate::state::commit::CommitId;
use crate::state::document::Document;
use crate::state::ids::{ContainerId, NetworkName};
use crate::state::observed::{Health, Status};
use crate::state::secret::Secret;
use crate::state::step::{Done, Failure, FailureKind, InsideFile, Step};
use crate::state::value::Value;

const WEB: &str =
    "services: {web: {image: 'web:1', restart: 'no', x-reconciler: {job: false}}}";

const CANARY: &str = "cuckoo-s3cret";

fn at(seconds: u64) -> EngineTime {
    EngineTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn record(events: &mut Events, message: &str, seconds: u64) {
    let happening = Happening::warning(&"service/web/1", "Failed", message);
    events.record(happening, at(seconds));
}

/// The events as lines, without times.
fn lines(events: &Events) -> Vec<String> {
    let line = |it: &Event| {
        let (kind, count) = (it.kind.as_str(), it.count);
        format!("{kind} {} {} x{count}: {}", it.object, it.reason, it.message)
    };
    events.iter().map(line).collect()
}

/// Looks, learns, and returns the events that are new since then.
fn news(drive: &mut Drive) -> Vec<String> {
    let before = lines(&drive.memory.events);
    let observed = drive.learn();
    let world = drive.world(&observed);
    let status = condition::status(&world, &plan_world(&world), None);
    condition::remember(&mut drive.memory, &status, drive.machine.now());
    let after = lines(&drive.memory.events);
    after.into_iter().filter(|line| !before.contains(line)).collect()
}

#[test]
fn the_same_within_ten_minutes_is_counted_and_later_told_anew() {
    let mut events = Events::default();
    record(&mut events, "no", 0);
    record(&mut events, "other", 10);
    record(&mut events, "no", 590);
    record(&mut events, "no", 1180);
    let no = events.iter().next_back().unwrap();
    assert_eq!((no.count, no.first, no.last), (3, at(0), at(1180)));
    record(&mut events, "no", 1780);
    assert_eq!(
        lines(&events),
        [
            "Warning service/web/1 Failed x1: other",
            "Warning service/web/1 Failed x3: no",
            "Warning service/web/1 Failed x1: no",
        ]
    );
    let ids: Vec<u64> = events.iter().map(|event| event.id).collect();
    assert_eq!(ids, [1, 0, 2]);
}

#[test]
fn too_many_different_messages_are_told_in_one() {
    let mut events = Events::default();
    for number in 0..25 {
        record(&mut events, &format!("port {number} is taken"), number);
    }
    assert_eq!(events.iter().count(), MOST_MESSAGES + 1);
    let last = events.iter().next_back().unwrap();
    assert_eq!(last.message, "(combined from similar events): port 24 is taken");
    assert_eq!((last.count, last.first, last.last), (15, at(10), at(24)));
    // One that is told by itself goes on to be counted.
    record(&mut events, "port 3 is taken", 30);
    assert_eq!(events.iter().next_back().unwrap().count, 2);
}

#[test]
fn a_long_message_is_cut_short() {
    let mut events = Events::default();
    for _ in 0..2 {
        record(&mut events, &"ü".repeat(5000), 0);
    }
    let event = events.iter().next().unwrap();
    assert_eq!((event.message.chars().count(), event.count), (1025, 2));
}

#[test]
fn the_oldest_go_first_when_there_are_too_many() {
    let mut events = Events::default();
    for number in 0..300 {
        record(&mut events, "no", number * 1000);
    }
    let times: Vec<EngineTime> = events.iter().map(|event| event.last).collect();
    assert_eq!((times.len(), times[0], times[255]), (MOST, at(44_000), at(299_000)));
    let again = Events::of_records(events.iter().rev().cloned().collect());
    assert_eq!(again, events);
}

#[test]
fn a_clock_that_was_put_back_keeps_the_order() {
    let mut events = Events::default();
    record(&mut events, "no", 1000);
    record(&mut events, "other", 10);
    record(&mut events, "no", 20);
    let last = events.iter().next_back().unwrap();
    assert_eq!((last.count, last.first, last.last), (2, at(1000), at(1000)));
}

#[test]
fn every_step_of_a_change_is_told() {
    let mut drive = Drive::new(desired(WEB));
    let mut told = Vec::new();
    for _ in 0..12 {
        told.extend(news(&mut drive));
        drive.one();
    }
    told.push("-- a new image".to_owned());
    drive.want(&WEB.replace("web:1", "web:2"));
    for _ in 0..24 {
        told.extend(news(&mut drive));
        drive.one();
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_others_do_is_told_and_what_we_do_is_not_taken_for_it() {
    let mut drive = Drive::settled(WEB);
    news(&mut drive);
    let web = drive.machine.named("demo-web-1").id.clone();
    drive.machine.named_mut("demo-web-1").state.restarts = 1;
    assert_eq!(
        news(&mut drive),
        [
            "Warning service/web/1 RestartedByEngine x1: the engine started demo-web-1 again after it ended"
        ]
    );
    let now = drive.machine.time() + Duration::from_secs(1);
    drive.machine.named_mut("demo-web-1").state.started = Some(now);
    assert_eq!(
        news(&mut drive)[0],
        "Warning service/web/1 StartedByOthers x1: demo-web-1 was started, and not by us"
    );
    drive.machine.advance(Duration::from_secs(2));
    drive.machine.named_mut("demo-web-1").state.status = Status::Paused;
    assert_eq!(
        news(&mut drive)[0],
        "Warning service/web/1 Paused x1: demo-web-1 was paused, and not by us"
    );
    drive.settle();
    drive.machine.crash("demo-web-1", 137);
    drive.machine.named_mut("demo-web-1").state.out_of_memory = true;
    assert!(news(&mut drive).contains(
        &"Warning service/web/1 Crashed x1: demo-web-1 ended with exit code 137: it was out of memory".to_owned()
    ));
    assert!(news(&mut drive).is_empty(), "an end is told once");
    drive.settle();
    news(&mut drive);
    for (stopper, told) in [
        (
            Stopper::Somebody,
            "Warning service/web/1 StoppedByHand x1: demo-web-1 was stopped, and not by us",
        ),
        (
            Stopper::Engine,
            "Normal service/web/1 StoppedByEngine x1: the engine stopped demo-web-1 when it ended or began",
        ),
    ] {
        drive.machine.crash("demo-web-1", 0);
        drive.memory.stopped.insert(web.clone(), stopper);
        assert_eq!(news(&mut drive)[0], told);
        drive.settle();
        news(&mut drive);
    }
}

#[test]
fn what_others_remove_is_told() {
    let mut drive = Drive::settled(WEB);
    news(&mut drive);
    let web = drive.machine.named("demo-web-1").id.clone();
    drive.machine.containers.remove(&web);
    assert_eq!(
        news(&mut drive)[0],
        "Warning service/web/1 Gone x1: the container demo-web-1 was removed, and not by us"
    );
    let network = NetworkName::new("demo_default");
    drive.settle();
    news(&mut drive);
    drive.machine.networks.remove(&network).unwrap();
    assert!(
        news(&mut drive).contains(
            &"Warning network/default Gone x1: the network was removed, and not by us"
                .to_owned()
        )
    );
}

#[test]
fn our_own_removal_is_not_taken_for_the_doing_of_others() {
    let mut drive = Drive::settled(WEB);
    drive.want(&WEB.replace("web:1", "web:2"));
    drive.settle();
    let told = lines(&drive.memory.events);
    assert!(told.iter().any(|line| line.contains("Removed")), "{told:#?}");
    assert!(!told.iter().any(|line| line.contains("Gone")), "{told:#?}");
    assert!(!told.iter().any(|line| line.contains("not by us")), "{told:#?}");
    // The removal is seen before the engine has answered.
    let id = drive.machine.named("demo-web-1").id.clone();
    let object = "service/web/1".parse().unwrap();
    drive.memory.under_way.insert(object, Step::Remove { container: id.clone() });
    drive.machine.containers.remove(&id);
    let told = news(&mut drive);
    assert!(!told.iter().any(|line| line.contains("Gone")), "{told:#?}");
}

#[test]
fn a_step_that_fails_over_and_over_is_one_event_with_a_count() {
    let mut drive = Drive::new(desired(WEB));
    drive.machine.faults.failing.insert("pull");
    for _ in 0..8 {
        drive.one();
        news(&mut drive);
    }
    insta::assert_snapshot!(lines(&drive.memory.events).join("\n"), @r"
    Normal stack NewGeneration x1: 499cf4d02b6f is the desired state now
    Normal network/default Created x1: created the network demo_default
    Warning service/web ImagePullBackOff x1: the engine is out of sorts
    Warning service/web/1 Failed x4: the engine is out of sorts
    ");
}

#[test]
fn a_probe_is_no_event() {
    let checked = "services: {web: {image: 'web:1', healthcheck: {test: [CMD, ready]}}}";
    let mut drive = Drive::settled(checked);
    assert!(drive.status().ready);
    assert!(!lines(&drive.memory.events).iter().any(|line| line.contains("prob")));
}

#[test]
fn conditions_are_told_when_they_flip_and_the_first_time_only_if_they_are_bad() {
    let mut drive = Drive::settled(WEB);
    news(&mut drive);
    drive.memory.conditions.clear();
    assert!(news(&mut drive).is_empty());
    drive.machine.named_mut("demo-web-1").state.health = Some(Health::Unhealthy);
    let invalid = |drive: &mut Drive, invalid: Option<&str>| {
        let observed = drive.learn();
        let world = drive.world(&observed);
        let status = {
            let doubt = invalid.map(Doubt::invalid);
            condition::status(&world, &plan_world(&world), doubt.as_ref())
        };
        condition::remember(&mut drive.memory, &status, drive.machine.now());
        lines(&drive.memory.events).pop().unwrap()
    };
    let message = "demo.yaml:3: unknown key";
    let bad = "Warning stack SpecInvalid x1: demo.yaml:3: unknown key";
    assert_eq!(invalid(&mut drive, Some(message)), bad);
    assert_eq!(invalid(&mut drive, Some(message)), bad);
    let good = "Normal stack SpecValid x1: the desired state is valid";
    assert_eq!(invalid(&mut drive, None), good);
    drive.memory.conditions.clear();
    assert_eq!(
        invalid(&mut drive, Some(message)),
        "Warning stack SpecInvalid x2: demo.yaml:3: unknown key"
    );
}

#[test]
fn the_documents_and_commands_of_steps_are_never_told() {
    let mut drive = Drive::settled(WEB);
    let container = ContainerId::new("0123456789abcdef");
    let mut document = Document::default();
    document.set("Config.Env", Value::text(CANARY));
    let file = InsideFile {
        path: "/run/secrets/a".to_owned(),
        content: Secret::new(CANARY),
        user: 0,
        group: 0,
        mode: 0o400,
    };
    let command = vec![Secret::new(CANARY)];
    let endpoint = Value::text(CANARY);
    let timeout = Duration::from_secs(1);
    let steps = [
        Step::CreateNetwork { name: "n".into(), document: document.clone() },
        Step::CreateVolume { name: "v".into(), document: document.clone() },
        Step::Create { name: "c".into(), document: document.clone(), platform: None },
        Step::CopyIn { container: container.clone(), files: vec![file] },
        Step::Connect { container: container.clone(), network: "n".into(), endpoint },
        Step::Update { container: container.clone(), document },
        Step::Probe { container, command, timeout },
    ];
    let failure = Failure { kind: FailureKind::Refused, message: "no".to_owned() };
    for result in [Ok(Done::Done), Err(failure)] {
        for step in &steps {
            let (object, step) = ("service/web/1".parse().unwrap(), step.clone());
            let outcome = Outcome { object, step, result: result.clone() };
            let before = drive.memory.clone();
            let observed = drive.machine.observe(&drive.desired);
            let (memory, now) = (&mut drive.memory, drive.machine.now());
            learnt(&before, memory, &drive.desired, &observed, &[outcome], now);
        }
    }
    let told = format!("{:?}", drive.memory.events);
    assert!(told.contains("updated 0123456789ab while it runs"), "{told}");
    assert!(!told.contains(CANARY), "{told}");
}

#[test]
fn a_commit_is_told_when_what_is_wanted_changes_with_it() {
    let mut memory = Memory { generation: Some("sha256:1".into()), ..Memory::default() };
    let before = memory.clone();
    let commit = Commit {
        id: CommitId::parse(&"a".repeat(40)).unwrap(),
        author: "Ada <ada@example.org>".to_owned(),
        subject: "Bump web".to_owned(),
        committed: EngineTime::default(),
    };
    committed(&before, &mut memory, Some(&commit), EngineTime::default());
    assert_eq!(lines(&memory.events), Vec::<String>::new());
    memory.generation = Some("sha256:2".into());
    committed(&before, &mut memory, None, EngineTime::default());
    assert_eq!(lines(&memory.events), Vec::<String>::new());
    committed(&before, &mut memory, Some(&commit), EngineTime::default());
    let line = lines(&memory.events).pop().unwrap();
    assert!(
        line.contains("commit aaaaaaaaaaaa by Ada <ada@example.org>: Bump web"),
        "{line}"
    );
}
