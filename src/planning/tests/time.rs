//! When something is tried, and when again.

use std::time::Duration;

use crate::planning::testing::{Drive, Named, Software, desired};
use crate::state::ids::{Object, Replica};
use crate::state::observed::Status;
use crate::state::step::Step;

const WEB: &str =
    "services: {web: {image: 'web:1', restart: 'no', x-reconciler: {job: false}}}";

const CHECKED: &str =
    "services: {web: {image: 'web:1', healthcheck: {test: [CMD, ready]}}}";

fn web() -> Object {
    Object::Service(Replica { service: "web".into(), number: 1 })
}

/// Returns how long the plan waits.
fn wait(drive: &mut Drive) -> Duration {
    let plan = drive.plan();
    assert!(plan.steps.is_empty(), "{}", drive.text());
    plan.wake.expect("a time to wake").since(drive.machine.now().moment)
}

fn assert_about(found: Duration, seconds: u64) {
    let (found, exact) =
        (found.as_secs_f64(), Duration::from_secs(seconds).as_secs_f64());
    assert!((found - exact).abs() <= exact / 5.0, "{found} is not about {exact}");
}

#[test]
fn a_container_is_probed_at_once_and_then_at_growing_distances() {
    let mut drive = Drive::new(desired(CHECKED));
    drive.machine.software.insert("web".into(), Software::sick());
    drive.until("start demo-web-1");
    for millis in [250, 500, 1000, 1000, 1000] {
        assert_eq!(drive.pass().steps[0].1.verb(), "probe");
        let wait = wait(&mut drive);
        assert_eq!(wait, Duration::from_millis(millis));
        drive.machine.advance(wait);
    }
}

#[test]
fn one_probe_of_a_container_runs_at_a_time() {
    let mut drive = Drive::new(desired(CHECKED));
    drive.until("start demo-web-1");
    let plan = drive.plan();
    let (object, step) = plan.steps[0].clone();
    drive.memory.under_way.insert(object, step);
    assert!(drive.plan().steps.is_empty());
    assert!(drive.plan().is_moving);
}

#[test]
fn four_probes_run_at_a_time() {
    let service = |number| {
        format!("  s{number}: {{image: 'x:1', healthcheck: {{test: [CMD, ready]}}}}\n")
    };
    let services = (1..=6).map(service).collect::<Vec<String>>().concat();
    let mut drive = Drive::new(desired(&format!("services:\n{services}")));
    while !drive.plan().steps.iter().any(|(_, step)| step.verb() == "probe") {
        drive.pass();
    }
    assert_eq!(drive.plan().steps.len(), 4);
}

#[test]
fn a_container_without_a_health_check_is_ready_after_a_second() {
    let mut drive = Drive::new(desired(WEB));
    drive.until("start demo-web-1");
    assert!(!drive.status().ready);
    let wait = wait(&mut drive);
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
    drive.machine.advance(wait);
    assert!(drive.status().ready);
}

#[test]
fn a_probe_counts_for_the_start_that_it_was_for() {
    let mut drive = Drive::settled(CHECKED);
    assert!(drive.status().ready);
    drive.machine.software.insert("web".into(), Software::sick());
    drive.machine.end_by_hand("demo-web-1", 1);
    drive.until("start demo-web-1");
    assert!(!drive.status().ready);
    assert_eq!(drive.pass().steps[0].1.verb(), "probe");
}

#[test]
fn a_container_that_crashes_is_started_at_once_and_then_later_and_later() {
    let mut drive = Drive::settled(WEB);
    drive.machine.end_by_hand("demo-web-1", 1);
    assert_eq!(drive.pass().steps[0].1.verb(), "start");
    for seconds in [10, 20, 40, 80, 160, 300, 300] {
        drive.learn();
        drive.machine.advance(Duration::from_secs(2));
        drive.machine.end_by_hand("demo-web-1", 1);
        let wait = wait(&mut drive);
        assert_about(wait, seconds);
        drive.machine.advance(wait);
        assert_eq!(drive.pass().steps[0].1.verb(), "start");
    }
    insta::assert_snapshot!("crashes", {
        drive.learn();
        drive.machine.advance(Duration::from_secs(2));
        drive.machine.end_by_hand("demo-web-1", 1);
        let service = drive.status().services.remove(0);
        format!("{:#?} attempts {}", service.conditions[2], service.attempts)
    });
}

#[test]
fn crashes_are_forgotten_after_ten_minutes_of_readiness() {
    let mut drive = Drive::settled(WEB);
    for _ in 0..2 {
        drive.machine.end_by_hand("demo-web-1", 1);
        drive.settle();
    }
    assert_eq!(drive.memory.crashes[&web()].count, 2);
    drive.machine.advance(Duration::from_secs(580));
    drive.learn();
    assert_eq!(drive.memory.crashes[&web()].count, 2);
    drive.machine.advance(Duration::from_secs(20));
    drive.learn();
    assert!(drive.memory.crashes.is_empty());
}

#[test]
fn our_own_stops_are_no_crashes() {
    let mut drive = Drive::settled(WEB);
    let plan_stop = Step::Stop {
        container: drive.machine.named("demo-web-1").id.clone(),
        grace: Duration::from_secs(10),
    };
    drive.memory.under_way.insert(web(), plan_stop);
    drive.machine.end_by_hand("demo-web-1", 0);
    drive.learn();
    assert!(drive.memory.crashes.is_empty());
}

#[test]
fn what_the_engines_own_policy_restarts_is_left_to_it() {
    let mut drive = Drive::settled("services: {web: {image: 'web:1', restart: always}}");
    drive.machine.end_by_hand("demo-web-1", 1);
    let state = &mut drive.machine.named_mut("demo-web-1").state;
    (state.status, state.restarts) = (Status::Restarting, 1);
    let plan = drive.plan();
    assert!(plan.steps.is_empty() && plan.is_moving);
    let status = drive.status();
    assert_eq!(status.services[0].conditions[0].reason, "CrashLoopBackOff");
    assert_eq!(status.services[0].next, None, "when is the engine's affair");
}

#[test]
fn a_step_that_fails_is_tried_again_later_and_later_until_it_succeeds() {
    let mut drive = Drive::new(desired(WEB));
    drive.until("pull web:1");
    drive.machine.faults.failing.insert("create");
    drive.pass();
    for seconds in [1, 2, 4, 8] {
        let wait = wait(&mut drive);
        assert_about(wait, seconds);
        drive.machine.advance(wait);
        drive.pass();
    }
    drive.learn();
    insta::assert_snapshot!("retry", drive.text());
    assert_eq!(drive.status().services[0].conditions[2].reason, "RetryBackOff");
    drive.machine.faults.failing.clear();
    drive.settle();
    assert!(drive.memory.retries.is_empty());
}

#[test]
fn a_pull_that_fails_waits_longer_and_holds_back_nobody_else() {
    let file = "services: {a: {image: 'a:1'}, b: {image: 'b:1'}}";
    let mut drive = Drive::new(desired(file));
    drive.machine.images.insert("b:1".to_owned(), crate::engine::sim::image("b:1", 1));
    drive.machine.faults.failing.insert("pull");
    drive.until("start demo-b-1");
    drive.machine.advance(Duration::from_secs(1));
    let wait = wait(&mut drive) + Duration::from_secs(1);
    assert!(wait > Duration::from_secs(7), "{wait:?}");
    let reasons = drive.status().services.remove(0).conditions.remove(0).reason;
    assert_eq!(reasons, "ImagePullBackOff");
}

#[test]
fn a_new_generation_waits_for_nothing_that_the_old_one_waited_for() {
    let mut drive = Drive::settled(WEB);
    for _ in 0..4 {
        drive.machine.end_by_hand("demo-web-1", 1);
        drive.settle();
    }
    drive.machine.end_by_hand("demo-web-1", 1);
    assert!(wait(&mut drive) > Duration::from_secs(10));
    drive.want(&WEB.replace("job: false", "job: false, ready_deadline: 5m"));
    assert_eq!(drive.plan().steps.len(), 1);

    let mut drive = Drive::new(desired(WEB));
    drive.until("pull web:1");
    drive.machine.faults.failing.insert("create");
    drive.pass();
    drive.pass();
    assert!(drive.plan().steps.is_empty());
    drive.want(&WEB.replace("job: false", "job: false, ready_deadline: 5m"));
    assert_eq!(drive.plan().steps.len(), 1);
}

#[test]
fn a_step_that_is_given_up_counts_for_nothing() {
    use crate::planning::learn::learn;
    use crate::state::step::{Failure, FailureKind, Outcome};
    let mut drive = Drive::new(desired(WEB));
    let plan = drive.plan();
    let (object, step) = plan.steps[0].clone();
    drive.memory.under_way.insert(object.clone(), step.clone());
    let failure = Failure { kind: FailureKind::Abandoned, message: String::new() };
    let outcome = Outcome { object, step, result: Err(failure) };
    let observed = drive.machine.observe(&drive.desired);
    let now = drive.machine.now();
    let memory = learn(&drive.memory, &drive.desired, &observed, &[outcome], now);
    assert!(memory.retries.is_empty() && memory.under_way.is_empty());
}
