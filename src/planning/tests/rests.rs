//! Rest: everything stops in reverse order, nothing starts, and all of it comes back.

use std::time::Duration;

use crate::planning::plan::plan_world;
use crate::planning::rest::{Evidence, Rest, is_at_rest, obstacle};
use crate::planning::testing::{Drive, Kill, Software};
use crate::state::observed::Status;

const CHECKED: &str = "restart: always, healthcheck: {test: [CMD, ready], interval: 1s}";

fn three() -> String {
    format!(
        "services:\n  db: {{image: 'db:1', stop_grace_period: 90s, {CHECKED}}}\n  \
         store: {{image: 'store:1', {CHECKED}}}\n  \
         web: {{image: 'web:1', {CHECKED}, depends_on: {{db: {{condition: \
         service_healthy, restart: true}}, store: {{condition: service_healthy}}}}}}\n"
    )
}

fn rest(drive: &mut Drive) {
    drive.memory.rest = Some(Rest::BackingUp);
    go_on(drive);
}

/// Goes on for a while: a rest has no end of its own.
fn go_on(drive: &mut Drive) {
    for _ in 0..20 {
        drive.pass();
        drive.machine.advance(Duration::from_secs(1));
    }
}

fn why_not(drive: &mut Drive) -> Option<String> {
    let observed = drive.learn();
    let world = drive.world(&observed);
    obstacle(&world, &plan_world(&world))
}

#[test]
fn a_stack_that_rests_is_stopped_in_reverse_order_and_started_in_order() {
    let mut drive = Drive::settled(&three());
    assert_eq!(why_not(&mut drive), None);
    rest(&mut drive);
    let observed = drive.machine.observe(&drive.desired);
    assert!(is_at_rest(&drive.memory, &observed));
    let status = drive.status();
    let ready = status.conditions.iter().find(|it| it.kind == "Ready").unwrap();
    assert_eq!((ready.status, ready.reason.as_str()), (Some(false), "Resting"));
    insta::assert_snapshot!(drive.text());
    drive.memory.rest = None;
    drive.settle();
    assert!(drive.status().ready);
    assert!(drive.memory.crashes.is_empty(), "a stop by us is no crash");
    drive.history.retain(|it| !it.starts_with("probe"));
    insta::assert_snapshot!(drive.history.join("\n"));
}

#[test]
fn nothing_is_healed_or_started_while_a_stack_rests() {
    let mut drive = Drive::settled(&three());
    rest(&mut drive);
    drive.history.clear();
    drive.machine.advance(Duration::from_hours(1));
    go_on(&mut drive);
    assert_eq!(drive.history, [""; 0]);
}

#[test]
fn what_somebody_starts_meanwhile_is_stopped_again_and_known() {
    let mut drive = Drive::settled(&three());
    rest(&mut drive);
    let evidence = Evidence::of(&drive.machine.observe(&drive.desired));
    let now = drive.machine.observe(&drive.desired);
    assert_eq!(evidence.disturbed(&now), None);
    drive.machine.advance(Duration::from_secs(5));
    drive.machine.restart_engine();
    go_on(&mut drive);
    let observed = drive.machine.observe(&drive.desired);
    assert!(is_at_rest(&drive.memory, &observed), "what the engine started is stopped");
    let told = evidence.disturbed(&observed).unwrap();
    assert!(told.contains("was started meanwhile"), "{told}");
}

#[test]
fn a_stack_comes_back_wherever_the_process_is_killed_while_it_goes_to_rest() {
    let mut whole = Drive::settled(&three());
    whole.calls = 0;
    rest(&mut whole);
    assert_eq!(whole.calls, 3);
    for at in 0..=whole.calls {
        for (has_its_effect, forgets, restarts_engine) in [
            (false, false, false),
            (true, false, false),
            (true, true, false),
            (true, false, true),
        ] {
            let mut drive = Drive::settled(&three());
            drive.calls = 0;
            drive.kill = Some(Kill { at, has_its_effect, forgets, restarts_engine });
            rest(&mut drive);
            // At rest nothing is called, so that one dies without a call.
            drive.memory = std::mem::take(&mut drive.memory).lasting();
            assert_eq!(drive.memory.rest, None);
            drive.kill = None;
            drive.settle();
            assert!(drive.status().ready, "{at}");
            assert!(drive.memory.rejections.is_empty());
        }
    }
}

#[test]
fn a_stack_that_is_being_changed_or_is_paused_is_not_put_to_rest() {
    let mut told = Vec::new();
    let mut drive = Drive::settled(&three());
    drive.want(&three().replace("db:1", "db:2"));
    told.extend(why_not(&mut drive));
    drive.pass();
    drive.pass();
    told.extend(why_not(&mut drive));
    let mut drive = Drive::settled(&three());
    let pause = crate::planning::pause::Pause::new(drive.machine.now(), None);
    drive.memory.pauses.begin(None, pause);
    told.extend(why_not(&mut drive));
    let mut drive = Drive::settled(&three());
    drive.allowed.only_looks = true;
    told.extend(why_not(&mut drive));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_stack_that_is_ill_may_be_put_to_rest() {
    let mut drive = Drive::settled(&three());
    drive.machine.software.insert("web".into(), Software::ends(1));
    drive.machine.end_by_hand("demo-web-1", 1);
    drive.pass();
    assert_eq!(why_not(&mut drive), None);
    rest(&mut drive);
    let web = drive.machine.find("demo-web-1").unwrap();
    assert_eq!(web.state.status, Status::Exited);
}
