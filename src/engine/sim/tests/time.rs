use std::pin::pin;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

use super::{checked, engine, id, labels, policy, run};
use crate::engine::sim::{CallFault, LookFault, Losses, Scope, Sim, Wakeup, stored};
use crate::engine::{Engine, EngineError};
use crate::state::ids::{ImageReference, ProjectName};
use crate::state::observed::labels as names;
use crate::state::step::{FailureKind, Step};

fn demo() -> ProjectName {
    ProjectName::new("demo")
}

fn scope() -> Scope {
    Scope {
        project: demo(),
        images: [ImageReference::new("x:1")].into(),
        paths: std::collections::BTreeSet::new(),
    }
}

fn actions(wakeups: impl Iterator<Item = Wakeup>) -> Vec<String> {
    let text = |wakeup| match wakeup {
        Wakeup::Container { action, .. } | Wakeup::Other { action, .. } => action,
        Wakeup::Endpoint { action, .. } => format!("endpoint {action}"),
        Wakeup::Lost { reason } | Wakeup::Relist { reason } => reason,
    };
    wakeups.map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn time_passes_by_itself_and_what_happens_wakes_whoever_watches() {
    let sim = Sim::new(engine());
    let project = demo();
    let mut wakeups = pin!(sim.wakeups(&project));
    let first = wakeups.next().await.unwrap();
    assert!(matches!(first, Wakeup::Relist { .. }), "{first:?}");
    let ours = labels(&[(names::PROJECT, "demo")]);
    sim.with(|world| run(world, "a", &[ours, checked()])).unwrap();
    sim.with(|world| run(world, "theirs", &[checked()])).unwrap();
    let begun = Instant::now();
    let mut seen = Vec::new();
    while !seen.iter().any(|it: &String| it.contains("health_status")) {
        seen.push(actions(wakeups.next().await.into_iter()).remove(0));
    }
    let told = ["create", "endpoint connect", "start", "endpoint connect"];
    assert_eq!(seen[..4], told);
    assert_eq!(seen[4..], ["health_status: healthy"]);
    assert_eq!(begun.elapsed().as_secs(), 30, "an interval");
    assert!(wakeups.next().now_or_never().is_none());
    sim.with(super::World::restart_engine).unwrap();
    assert!(matches!(wakeups.next().await, Some(Wakeup::Lost { .. })));
    assert!(matches!(wakeups.next().await, Some(Wakeup::Relist { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_its_time_while_others_go_on() {
    let sim = Sim::new(engine());
    let slow = labels(&[("sim.stops", "7s")]);
    let container = sim.with(|world| run(world, "a", &[slow])).unwrap();
    let (progress, _pulls) = unbounded_channel();
    let begun = Instant::now();
    let stop = Step::Stop { container, grace: Duration::from_secs(10) };
    let mut stopping = pin!(sim.perform(&stop, &progress));
    assert!(stopping.as_mut().now_or_never().is_none());
    sim.perform(&Step::Pull { image: "y:1".into(), platform: None }, &progress)
        .await
        .unwrap();
    assert_eq!(begun.elapsed().as_secs(), 0);
    stopping.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_goes_wrong_once_and_as_it_was_told_to() {
    let sim = Sim::new(engine());
    let (progress, _pulls) = unbounded_channel();
    let pull = |name: &str| Step::Pull { image: name.into(), platform: None };
    let script = [
        (1, CallFault::Before),
        (2, CallFault::After),
        (3, CallFault::Hangs(Duration::from_mins(2))),
    ];
    sim.with(|world| {
        world
            .faults
            .calls
            .extend(script.map(|(number, fault)| (("pull", number), fault)));
        world.faults.looks.extend([(1, LookFault::Fails), (3, LookFault::Stale(1))]);
    })
    .unwrap();
    let mut kinds = Vec::new();
    let begun = Instant::now();
    for name in ["a:1", "b:1", "c:1"] {
        let done = sim.perform(&pull(name), &progress).await;
        kinds.push(
            done.map_err(|failure| failure.kind).map(|_| begun.elapsed().as_secs()),
        );
    }
    assert_eq!(kinds, [Err(FailureKind::Failed), Err(FailureKind::Unknown), Ok(120)]);
    let there =
        sim.with(|world| ["a:1", "b:1", "c:1"].map(|it| world.images.contains_key(it)));
    assert_eq!(there.unwrap(), [false, true, true]);
    let failed = sim.look(&scope()).await;
    assert!(matches!(failed, Err(EngineError::Failed { .. })));
    let count = async || sim.look(&scope()).await.unwrap().containers.len();
    assert_eq!(count().await, 0);
    let ours = labels(&[(names::PROJECT, "demo")]);
    sim.with(|world| run(world, "a", &[ours])).unwrap();
    assert_eq!(count().await, 0, "as it was before");
    assert_eq!(count().await, 1);
}

#[test]
fn events_get_lost_doubled_and_late() {
    let mut world = engine();
    let mut watch = super::super::Watch::new(demo());
    watch.take(&world);
    let ours = labels(&[(names::PROJECT, "demo")]);
    let next = world.events().count() as u64;
    world.faults.events = Losses {
        lost: [next + 1].into(),
        doubled: [next + 2].into(),
        late: [next + 3].into(),
    };
    run(&mut world, "a", &[ours]);
    let seen = actions(watch.take(&world).into_iter());
    assert_eq!(seen, ["endpoint connect", "endpoint connect"]);
    assert!(watch.holds_back());
    assert_eq!(actions(watch.take(&world).into_iter()), ["start"]);
    for _ in 0..200 {
        world.crash("a", 0);
        let container = id(&world, "a");
        world.perform(&Step::Start { container }).unwrap();
    }
    let seen = actions(watch.take(&world).into_iter());
    assert_eq!(seen, ["events were forgotten before they were read"]);
}

#[test]
fn a_world_reads_back_from_its_file_as_it_was_written() {
    let mut world = engine();
    let ends = labels(&[("sim.exits", "1"), (names::PROJECT, "demo")]);
    run(&mut world, "a", &[checked(), policy("always")]);
    run(&mut world, "b", &[policy("always"), ends]);
    world.advance(Duration::from_secs(31));
    world.pause("a");
    let json = stored::write(&world);
    let mut again = stored::read(json.to_string().as_bytes()).unwrap();
    assert_eq!(stored::write(&again), json);
    assert_eq!(again.containers, world.containers);
    // And it goes on as the other does.
    for it in [&mut world, &mut again] {
        it.advance(Duration::from_secs(7));
    }
    assert_eq!(again.containers, world.containers);
    assert!(stored::read(b"{}").unwrap_err().contains("missing field"));
}
