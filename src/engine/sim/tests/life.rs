use std::time::Duration;

use super::{at, checked, create, engine, id, labels, policy, run, start, stop, told};
use crate::state::observed::Health::{Healthy, Starting, Unhealthy};
use crate::state::observed::Status;
use crate::state::step::Step;
use crate::state::value::Value;

#[test]
fn a_life_is_told_in_the_order_in_which_the_real_engine_tells_it() {
    let mut world = engine();
    let mut since = 0;
    assert_eq!(told(&world, &mut since), ["network create", "image pull"]);
    let id = run(&mut world, "a", &[checked(), policy("always")]);
    assert_eq!(told(&world, &mut since), ["create", "network connect", "start"]);
    world.advance(Duration::from_secs(31));
    assert_eq!(told(&world, &mut since), ["health_status: healthy"]);
    world.pause("a");
    stop(&mut world, &id, 1);
    let stopped = ["pause", "kill", "unpause", "die", "network disconnect", "stop"];
    assert_eq!(told(&world, &mut since), stopped);
    start(&mut world, &id).unwrap();
    world.perform(&Step::Rename { container: id.clone(), to: "b".into() }).unwrap();
    assert_eq!(told(&world, &mut since), ["network connect", "start", "rename"]);
    world.crash("b", 1);
    world.advance(Duration::from_millis(100));
    let again = ["die", "network disconnect", "network connect", "start"];
    assert_eq!(told(&world, &mut since), again);
    world.remove_by_force("b");
    let removed = ["kill", "die", "network disconnect", "destroy"];
    assert_eq!(told(&world, &mut since), removed);
}

#[test]
fn what_ends_by_itself_is_started_again_later_and_later() {
    let mut world = engine();
    let ends = labels(&[("sim.exits", "3")]);
    let id = run(&mut world, "a", &[policy("always"), ends]);
    for (millis, count) in [(99, 1), (1, 2), (200, 3), (400, 4), (799, 4), (1, 5)] {
        world.advance(Duration::from_millis(millis));
        assert_eq!(at(&world, &id).state.restarts, count, "after {millis} ms more");
        assert_eq!(at(&world, &id).state.status, Status::Restarting);
    }
    world.advance(Duration::from_hours(1));
    let before = at(&world, &id).state.restarts;
    world.advance(Duration::from_mins(10));
    assert_eq!(at(&world, &id).state.restarts, before + 10, "once a minute");
    // Somebody stops it between two runs, and starts it again.
    stop(&mut world, &id, 1);
    assert_eq!(at(&world, &id).state.status, Status::Exited);
    start(&mut world, &id).unwrap();
    assert_eq!(at(&world, &id).state.restarts, 1, "the count begins anew");
}

#[test]
fn a_long_run_lets_the_restart_manager_begin_anew() {
    let mut world = engine();
    let ends = labels(&[("sim.exits", "0"), ("sim.after", "11s")]);
    let id = run(&mut world, "a", &[policy("unless-stopped"), ends]);
    for count in 1..5 {
        world.advance(Duration::from_millis(11_000));
        assert_eq!(at(&world, &id).state.restarts, count);
        world.advance(Duration::from_millis(100));
        assert_eq!(at(&world, &id).state.status, Status::Running);
    }
}

#[test]
fn on_failure_is_about_failures_and_may_be_limited() {
    let mut world = engine();
    let most = ("HostConfig.RestartPolicy.MaximumRetryCount", Value::Int(2));
    let code = |code| labels(&[("sim.exits", code)]);
    let bad = run(&mut world, "bad", &[policy("on-failure"), most, code("1")]);
    let good = run(&mut world, "good", &[policy("on-failure"), code("0")]);
    world.advance(Duration::from_mins(1));
    for (id, restarts) in [(bad, 2), (good, 0)] {
        let state = &at(&world, &id).state;
        assert_eq!((state.status, state.restarts), (Status::Exited, restarts));
    }
}

#[test]
fn what_was_stopped_by_hand_stays_down_until_the_engine_is_started_again() {
    // As it was measured on 20.10: of those never started, stopped, killed and running.
    const AFTER: [(&str, [bool; 4]); 4] = [
        ("no", [false; 4]),
        ("on-failure", [false, false, true, false]),
        ("unless-stopped", [false, false, false, true]),
        ("always", [false, true, true, true]),
    ];
    let mut world = engine();
    let mut ids = Vec::new();
    for (name, _) in AFTER {
        create(&mut world, &format!("{name}-created"), &[policy(name)]).unwrap();
        let created = id(&world, &format!("{name}-created"));
        let stopped = run(&mut world, &format!("{name}-stopped"), &[policy(name)]);
        let killed = run(&mut world, &format!("{name}-killed"), &[policy(name)]);
        let running = run(&mut world, &format!("{name}-running"), &[policy(name)]);
        stop(&mut world, &stopped, 1);
        world.end_by_hand(&format!("{name}-killed"), 137);
        ids.push([created, stopped, killed, running]);
    }
    let runs = |world: &super::World| {
        let is_up = |id| at(world, id).state.status == Status::Running;
        ids.iter().map(|ids| ids.each_ref().map(is_up)).collect::<Vec<_>>()
    };
    world.advance(Duration::from_hours(1));
    assert_eq!(runs(&world), [[false, false, false, true]; 4]);
    world.restart_engine();
    assert_eq!(runs(&world), AFTER.map(|(_, after)| after));
}

#[test]
fn attempts_that_are_used_up_are_used_up_after_a_restart_of_the_engine_too() {
    let mut world = engine();
    let most = ("HostConfig.RestartPolicy.MaximumRetryCount", Value::Int(1));
    let ends = labels(&[("sim.exits", "3")]);
    let failed = run(&mut world, "failed", &[policy("on-failure"), most, ends.clone()]);
    let crashing = run(&mut world, "crashing", &[policy("always"), ends]);
    world.advance(Duration::from_secs(1));
    world.restart_engine();
    let of = |id| (at(&world, id).state.status, at(&world, id).state.restarts);
    assert_eq!(of(&failed), (Status::Exited, 1));
    assert_eq!(of(&crashing).0, Status::Running, "it is counted anew");
    world.advance(Duration::from_millis(400));
    assert_eq!(at(&world, &crashing).state.restarts, 3);
}

#[test]
fn health_takes_its_time() {
    let mut world = engine();
    let every = ("Config.Healthcheck.Interval", Value::text("10s"));
    let retries = ("Config.Healthcheck.Retries", Value::Int(2));
    let period = ("Config.Healthcheck.StartPeriod", Value::text("25s"));
    let well = run(&mut world, "well", &[checked(), every.clone()]);
    let sick = labels(&[("sim.health", "never")]);
    let sick =
        run(&mut world, "sick", &[checked(), every.clone(), retries.clone(), sick]);
    let slow = labels(&[("sim.health", "never")]);
    let slow = run(&mut world, "slow", &[checked(), every, retries, period, slow]);
    let none = run(&mut world, "none", &[]);
    let healths = |world: &super::World| {
        [&well, &sick, &slow, &none].map(|id| at(world, id).state.health)
    };
    let starting = Some(Starting);
    world.advance(Duration::from_millis(9_900));
    assert_eq!(healths(&world), [starting, starting, starting, None]);
    world.advance(Duration::from_secs(1));
    assert_eq!(healths(&world), [Some(Healthy), starting, starting, None]);
    world.advance(Duration::from_secs(10));
    assert_eq!(healths(&world), [Some(Healthy), Some(Unhealthy), starting, None]);
    world.advance(Duration::from_secs(20));
    assert_eq!(healths(&world)[2], Some(Unhealthy));
    world.pause("well");
    assert_eq!(healths(&world)[0], Some(Unhealthy), "measured");
}

#[test]
fn a_stop_takes_as_long_as_the_software_and_no_longer_than_its_grace() {
    let mut world = engine();
    for (label, seconds, code) in [("3s", 3, 0), ("never", 10, 137), ("20s", 10, 137)] {
        let id = run(&mut world, label, &[labels(&[("sim.stops", label)])]);
        let before = world.uptime();
        stop(&mut world, &id, 10);
        assert_eq!(world.uptime().saturating_sub(before).as_secs(), seconds, "{label}");
        assert_eq!(at(&world, &id).state.exit_code, code, "{label}");
    }
}

#[test]
fn what_is_done_already_is_done() {
    let mut world = engine();
    let id = run(&mut world, "a", &[]);
    let before = world.events().count();
    let network = at(&world, &id).attached["net"].clone();
    start(&mut world, &id).unwrap();
    for step in [
        Step::Unpause { container: id.clone() },
        Step::Rename { container: id.clone(), to: "a".into() },
        Step::Connect {
            container: id.clone(),
            network: "net".into(),
            endpoint: Value::Null,
        },
    ] {
        world.perform(&step).unwrap();
    }
    assert_eq!(world.events().count(), before);
    stop(&mut world, &id, 1);
    let before = world.events().count();
    stop(&mut world, &id, 1);
    assert_eq!(world.events().count(), before);
    for _ in 0..2 {
        for step in [
            Step::Disconnect { container: id.clone(), network: network.clone() },
            Step::Remove { container: id.clone() },
            Step::RemoveNetwork { id: network.clone() },
        ] {
            world.perform(&step).unwrap();
        }
    }
    assert!(world.containers.is_empty() && world.networks.is_empty());
}

#[test]
fn a_frozen_process_does_not_age() {
    let mut world = engine();
    let ends = labels(&[("sim.exits", "0"), ("sim.after", "5s")]);
    run(&mut world, "a", &[ends]);
    let id = id(&world, "a");
    world.advance(Duration::from_secs(3));
    world.pause("a");
    world.advance(Duration::from_mins(1));
    world.perform(&Step::Unpause { container: id.clone() }).unwrap();
    world.advance(Duration::from_secs(1));
    assert_eq!(at(&world, &id).state.status, Status::Running);
    world.advance(Duration::from_secs(1));
    assert_eq!(at(&world, &id).state.status, Status::Exited);
}
