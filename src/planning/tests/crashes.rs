//! What an end counts for, and what is said of it.

use std::time::Duration;

use crate::planning::memory::Stopper;
use crate::planning::testing::{Drive, Named, Software, desired};
use crate::state::ids::{Object, Replica};
use crate::state::observed::Status;
use crate::state::step::Step;

const ALWAYS: &str = "services: {web: {image: 'web:1', restart: always}}";
const NEVER: &str =
    "services: {web: {image: 'web:1', restart: 'no', x-reconciler: {job: false}}}";

fn web() -> Object {
    Object::Service(Replica { service: "web".into(), number: 1 })
}

/// It dies, and the engine's restart policy is about to start it again.
fn dies(drive: &mut Drive, code: i64) {
    drive.machine.end_by_hand("demo-web-1", code);
    let state = &mut drive.machine.named_mut("demo-web-1").state;
    (state.status, state.restarts) = (Status::Restarting, state.restarts + 1);
}

/// The engine starts it again: a running container has no exit code.
fn comes_back(drive: &mut Drive) {
    drive.machine.advance(Duration::from_secs(1));
    let time = drive.machine.time();
    let state = &mut drive.machine.named_mut("demo-web-1").state;
    (state.status, state.exit_code, state.started) = (Status::Running, 0, Some(time));
}

/// What is said of the service: reason and message of `Degraded`, and the attempts.
fn said(drive: &mut Drive) -> (bool, String, String) {
    let service = drive.status().services.remove(0);
    let degraded = &service.conditions[2];
    (degraded.status == Some(true), degraded.reason.clone(), degraded.message.clone())
}

fn count(drive: &mut Drive) -> u32 {
    drive.learn();
    drive.memory.crashes.get(&web()).map_or(0, |it| it.count)
}

fn is_ready(drive: &mut Drive) -> bool {
    drive.status().services[0].ready
}

#[test]
fn what_keeps_dying_is_said_to_also_while_it_runs_until_it_has_run_for_long_enough() {
    let mut drive = Drive::settled(ALWAYS);
    for _ in 0..3 {
        dies(&mut drive, 7);
        assert!(drive.plan().steps.is_empty(), "the engine starts it");
        comes_back(&mut drive);
        drive.learn();
    }
    drive.machine.advance(Duration::from_secs(2));
    insta::assert_snapshot!("runs", format!("{:#?}", drive.status().services[0]));
    assert!(drive.plan().steps.is_empty());
    // It has been made to wait for 20 s last.
    drive.machine.advance(Duration::from_secs(10));
    assert!(is_ready(&mut drive) && said(&mut drive).0);
    drive.machine.advance(Duration::from_secs(10));
    assert_eq!(said(&mut drive).1, "AsExpected");
    assert_eq!(count(&mut drive), 3, "the next one is the fourth");
    drive.machine.advance(Duration::from_mins(10));
    assert_eq!(count(&mut drive), 0);
    dies(&mut drive, 7);
    assert_eq!(count(&mut drive), 1, "the first of a new row");
}

#[test]
fn the_engines_own_delay_is_what_is_waited_for() {
    let mut drive = Drive::settled(ALWAYS);
    for _ in 0..2 {
        dies(&mut drive, 7);
        drive.learn();
    }
    let (is_degraded, reason, message) = said(&mut drive);
    assert!(is_degraded && reason == "CrashLoopBackOff");
    insta::assert_snapshot!(message, @"2 crashes in a row, the last with code 7; the engine's restart policy starts it again after a delay of its own");
    let plan = drive.plan();
    assert!(plan.steps.is_empty() && plan.is_moving && plan.wake.is_none());
}

#[test]
fn crashes_between_two_looks_are_all_counted() {
    let mut drive = Drive::settled(ALWAYS);
    for _ in 0..5 {
        dies(&mut drive, 1);
        comes_back(&mut drive);
    }
    assert_eq!(count(&mut drive), 5);
    assert_eq!(count(&mut drive), 5, "once");
}

#[test]
fn one_who_remembers_nothing_reads_the_crashes_off_the_engine() {
    let mut drive = Drive::settled(ALWAYS);
    for _ in 0..4 {
        dies(&mut drive, 1);
        comes_back(&mut drive);
    }
    drive.memory = crate::planning::memory::Memory::default();
    assert_eq!(count(&mut drive), 4);
    drive.machine.advance(Duration::from_mins(11));
    drive.memory = crate::planning::memory::Memory::default();
    assert_eq!(count(&mut drive), 0, "that was long ago");
    dies(&mut drive, 1);
    assert_eq!(count(&mut drive), 1);
}

#[test]
fn once_the_engine_has_given_up_our_own_delay_applies() {
    let yaml = ALWAYS.replace("always", "'on-failure:2'");
    let mut drive = Drive::settled(&yaml);
    for _ in 0..2 {
        dies(&mut drive, 1);
        comes_back(&mut drive);
        drive.learn();
    }
    drive.machine.end_by_hand("demo-web-1", 1);
    let plan = drive.plan();
    assert!(plan.steps.is_empty());
    let wait = plan.wake.unwrap().since(drive.machine.now().moment);
    assert!(wait > Duration::from_secs(15), "{wait:?}");
    assert_eq!(count(&mut drive), 3);
}

#[test]
fn a_container_that_keeps_crashing_is_not_ready_after_a_second() {
    let mut drive = Drive::settled(ALWAYS);
    dies(&mut drive, 1);
    comes_back(&mut drive);
    drive.learn();
    drive.machine.advance(Duration::from_secs(2));
    assert!(is_ready(&mut drive), "one crash may happen to anybody");
    dies(&mut drive, 1);
    comes_back(&mut drive);
    drive.learn();
    drive.machine.advance(Duration::from_secs(2));
    assert!(!is_ready(&mut drive));
    let wake = drive.plan().wake.unwrap();
    assert_eq!(wake.since(drive.machine.now().moment), Duration::from_secs(8));
    drive.machine.advance(Duration::from_secs(8));
    assert!(is_ready(&mut drive));
}

#[test]
fn what_ended_with_its_engine_is_no_crash_and_no_completion() {
    for (policy, code) in
        [("no", 137), ("no", 0), ("on-failure", 0), ("unless-stopped", 137)]
    {
        let yaml = format!("services: {{web: {{image: 'web:1', restart: '{policy}'}}}}");
        let mut drive = Drive::settled(&yaml);
        drive.memory.unwatched = Some(drive.machine.time());
        drive.machine.advance(Duration::from_secs(5));
        drive.machine.end_by_hand("demo-web-1", code);
        let plan = drive.plan();
        assert_eq!(plan.changes[0].reason, "it ended with its engine", "{policy} {code}");
        assert!(matches!(plan.steps[0].1, Step::Start { .. }), "{policy} {code}");
        assert!(drive.memory.crashes.is_empty() && drive.memory.unwatched.is_none());
        drive.settle();
        // From now on an end is one again.
        drive.machine.end_by_hand("demo-web-1", 1);
        assert_eq!(count(&mut drive), 1);
    }
}

#[test]
fn a_job_that_ended_well_while_nobody_watched_has_ended_well() {
    let job =
        "services: {web: {image: 'web:1', restart: 'no', x-reconciler: {job: true}}}";
    let awaited = "services: {web: {image: 'web:1', restart: 'no'}, app: {image: 'app:1', \
                   depends_on: {web: {condition: service_completed_successfully}}}}";
    for (yaml, code) in [(job, 0), (awaited, 0), (job, 137), (awaited, 137)] {
        let mut drive = Drive::new(desired(yaml));
        drive.until("start demo-web-1");
        drive.learn();
        drive.memory.unwatched = Some(drive.machine.time());
        drive.machine.advance(Duration::from_secs(5));
        drive.machine.end_by_hand("demo-web-1", code);
        drive.learn();
        assert_eq!(drive.memory.stopped.is_empty(), code == 0, "{yaml} {code}");
        assert!(drive.memory.crashes.is_empty());
    }
}

#[test]
fn what_ended_before_it_went_unwatched_did_crash() {
    let mut drive = Drive::settled(NEVER);
    drive.machine.end_by_hand("demo-web-1", 1);
    drive.machine.advance(Duration::from_secs(5));
    drive.memory.unwatched = Some(drive.machine.time());
    assert_eq!(count(&mut drive), 1);
}

#[test]
fn restarts_while_nobody_watched_are_no_crashes() {
    let mut drive = Drive::settled(ALWAYS);
    drive.memory.unwatched = Some(drive.machine.time());
    dies(&mut drive, 137);
    comes_back(&mut drive);
    assert_eq!(count(&mut drive), 0);
    // The engine's count begins anew with the engine.
    drive.machine.named_mut("demo-web-1").state.restarts = 0;
    drive.memory.unwatched = Some(drive.machine.time());
    assert_eq!(count(&mut drive), 0);
    dies(&mut drive, 1);
    assert_eq!(count(&mut drive), 1);
}

#[test]
fn what_somebody_stops_is_started_at_once_whatever_it_did_before() {
    let mut drive = Drive::settled(NEVER);
    for _ in 0..5 {
        drive.machine.end_by_hand("demo-web-1", 1);
        drive.settle();
    }
    assert_eq!(count(&mut drive), 5);
    let id = drive.machine.named("demo-web-1").id.clone();
    drive.memory.stopped.insert(id, Stopper::Somebody);
    drive.machine.end_by_hand("demo-web-1", 0);
    let plan = drive.plan();
    assert_eq!(plan.changes[0].reason, "it was stopped by somebody else");
    assert!(matches!(plan.steps[0].1, Step::Start { .. }));
    assert_eq!(count(&mut drive), 5);
}

#[test]
fn a_stop_that_takes_its_time_is_somebodys_all_the_same() {
    let mut drive = Drive::settled(NEVER);
    let id = drive.machine.named("demo-web-1").id.clone();
    drive.memory.stopped.insert(id, Stopper::Somebody);
    drive.learn();
    drive.machine.advance(Duration::from_secs(9));
    drive.learn();
    drive.machine.end_by_hand("demo-web-1", 0);
    // It is seen late.
    drive.machine.advance(Duration::from_mins(1));
    let plan = drive.plan();
    assert_eq!(plan.changes[0].reason, "it was stopped by somebody else");
    assert!(drive.memory.crashes.is_empty());
}

#[test]
fn a_harmless_signal_excuses_no_crash() {
    let mut drive = Drive::settled(NEVER);
    let id = drive.machine.named("demo-web-1").id.clone();
    drive.memory.stopped.insert(id, Stopper::Somebody);
    assert!(drive.plan().is_in_sync(), "it runs on");
    drive.machine.advance(Duration::from_mins(1));
    drive.machine.end_by_hand("demo-web-1", 1);
    assert_eq!(count(&mut drive), 1);
}

const TWO: &str = "services:
  a: {image: 'a:1', restart: 'no', x-reconciler: {job: false}, environment: {LEVEL: '1'}}
  b: {image: 'b:1', restart: 'no', x-reconciler: {job: false}}
";

#[test]
fn a_save_forgets_the_crashes_of_what_it_changes_and_of_nothing_else() {
    let mut drive = Drive::settled(TWO);
    for _ in 0..4 {
        for name in ["demo-a-1", "demo-b-1"] {
            drive.machine.end_by_hand(name, 1);
        }
        drive.settle();
    }
    for name in ["demo-a-1", "demo-b-1"] {
        drive.machine.end_by_hand(name, 1);
    }
    assert!(drive.plan().steps.is_empty());
    drive.want(&TWO.replace("LEVEL: '1'", "LEVEL: '2'"));
    let objects: Vec<String> =
        drive.plan().steps.iter().map(|(object, _)| object.to_string()).collect();
    assert_eq!(objects, ["service/a/1"], "at once, and alone");
    let b = Object::Service(Replica { service: "b".into(), number: 1 });
    assert_eq!(drive.memory.crashes[&b].count, 5);
}

#[test]
fn a_save_forgets_the_failures_of_what_it_changes_and_of_nothing_else() {
    let mut drive = Drive::new(desired(TWO));
    drive.machine.faults.failing.insert("pull");
    drive.pass();
    drive.pass();
    drive.learn();
    assert_eq!(drive.memory.retries.len(), 2);
    let before = drive.memory.retries.clone();
    drive.want(&TWO.replace("a:1", "a:2"));
    let plan = drive.plan();
    assert!(
        matches!(&plan.steps[..], [(_, Step::Pull { image, .. })] if image.as_str() == "a:2")
    );
    let b = Object::Service(Replica { service: "b".into(), number: 1 });
    assert_eq!(drive.memory.retries.get(&b), before.get(&b));
}

#[test]
fn a_failed_pull_of_what_is_no_longer_wanted_holds_nothing_back() {
    let mut drive = Drive::new(desired(NEVER));
    drive.machine.faults.failing.insert("pull");
    drive.pass();
    // It ends after the save.
    drive.want(&NEVER.replace("web:1", "web:2"));
    let plan = drive.plan();
    assert!(plan.steps.iter().any(|(_, step)| step.verb() == "pull"), "{}", drive.text());
    assert!(drive.memory.retries.is_empty());
}

#[test]
fn another_image_under_the_same_tag_has_crashed_never() {
    let mut drive = Drive::settled(NEVER);
    drive.machine.software.insert("web".into(), Software::ends(1));
    for _ in 0..5 {
        drive.machine.end_by_hand("demo-web-1", 1);
        drive.learn();
        drive.machine.advance(Duration::from_secs(1));
    }
    assert!(drive.plan().steps.is_empty());
    drive.machine.move_tag("web:1", 2);
    drive.machine.software.clear();
    let before = drive.machine.time();
    drive.until("start demo-web-1");
    assert!(drive.machine.time().duration_since(before).as_secs() < 1, "at once");
    drive.settle();
    assert!(drive.memory.crashes.is_empty());
}

#[test]
fn who_waits_for_a_dependency_says_why_that_is_not_ready() {
    let yaml = "services:
  app: {image: 'app:1', depends_on: {db: {condition: service_healthy}}}
  db: {image: 'db:1', restart: always}
";
    let mut drive = Drive::new(desired(yaml));
    drive.until("start demo-db-1");
    drive.until("create demo-app-1");
    for _ in 0..3 {
        drive.machine.end_by_hand("demo-db-1", 1);
        let state = &mut drive.machine.named_mut("demo-db-1").state;
        (state.status, state.restarts) = (Status::Restarting, state.restarts + 1);
        drive.learn();
    }
    let status = drive.status();
    let app = &status.services[0].conditions[0];
    assert_eq!(app.reason, "DependencyNotReady");
    insta::assert_snapshot!(app.message, @"it was never started; waits for service/db healthy (db: CrashLoopBackOff)");
}

#[test]
fn an_image_that_is_not_to_be_had_says_what_helps() {
    use crate::planning::learn::learn;
    use crate::state::step::{Failure, FailureKind, Outcome};
    let mut drive = Drive::new(desired(NEVER));
    let plan = drive.plan();
    let (object, step) = plan.steps.last().unwrap().clone();
    let failure =
        Failure { kind: FailureKind::NotFound, message: "no such manifest".to_owned() };
    let outcome = Outcome { object, step, result: Err(failure) };
    let observed = drive.machine.observe(&drive.desired);
    let now = drive.machine.now();
    drive.memory = learn(&drive.memory, &drive.desired, &observed, &[outcome], now);
    let service = drive.status().services.remove(0);
    assert!(service.next.is_some());
    insta::assert_snapshot!(service.conditions[0].message, @"no such manifest; this does not pass by itself: correct the image's name, push it, or log in to its registry");
}

#[test]
fn a_condition_is_dated_by_its_flip_alone() {
    let mut drive = Drive::settled(ALWAYS);
    let remember = |drive: &mut Drive| {
        let status = drive.status();
        crate::planning::condition::remember(
            &mut drive.memory,
            &status,
            drive.machine.now(),
        );
        status.services[0].conditions[2].since.unwrap()
    };
    remember(&mut drive);
    dies(&mut drive, 1);
    comes_back(&mut drive);
    dies(&mut drive, 1);
    let flipped = drive.machine.time();
    assert_eq!(remember(&mut drive), flipped, "it is degraded from now on");
    for _ in 0..3 {
        comes_back(&mut drive);
        assert_eq!(remember(&mut drive), flipped, "another message is no flip");
        dies(&mut drive, 2);
        assert_eq!(remember(&mut drive), flipped, "nor is another count");
    }
}

#[test]
fn one_that_fails_holds_up_nobody_among_twenty() {
    let good: String =
        (1..=20).map(|n| format!("  g{n:02}: {{image: 'good:1'}}\n")).collect();
    let bad = "  bad: {image: 'bad:1', restart: 'no', x-reconciler: {job: false}}\n";
    let lost = "  lost: {image: 'lost:1'}\n";
    let yaml =
        |bad: &str| format!("x-reconciler: {{max_parallel: 2}}\nservices:\n{bad}{good}");
    let passes = |yaml: &str| {
        let mut drive = Drive::new(desired(yaml));
        drive.machine.move_tag("good:1", 1);
        drive.machine.move_tag("bad:1", 1);
        drive.machine.software.insert("bad".into(), Software::ends(1));
        drive.machine.faults.failing.insert("pull");
        for pass in 1.. {
            drive.pass();
            let good = |name: &String| name.starts_with("demo-g");
            let names = drive.machine.names();
            let running =
                names.iter().filter(|(name, state)| good(name) && **state == "running");
            if running.count() == 20 {
                return pass;
            }
            assert!(pass < 100, "{names:?}");
            drive.machine.advance(Duration::from_millis(100));
        }
        unreachable!("a pass is counted")
    };
    let alone = passes(&yaml(""));
    let beside = passes(&yaml(&(bad.to_owned() + lost)));
    assert!(beside <= alone + 2, "{beside} passes beside a failing one, {alone} alone");
}
