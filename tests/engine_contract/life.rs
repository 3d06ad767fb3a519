//! Create, start, stop, end, remove.

use std::time::Duration;

use reconciler::state::observed::Status;
use reconciler::state::secret::Secret;
use reconciler::state::step::{Done, FailureKind, InsideFile, Step};

use crate::stage::Stage;
use crate::subject::{ByHand, Subject};

/// A shell line of a server: it takes note of the signal, and ends.
const SERVER: &str = "trap 'exit 0' TERM; touch /well; sleep 600 & wait";

pub(crate) async fn a_container_lives_from_create_to_remove_and_every_step_may_be_repeated(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.create("a", stage.sleeper()).await;
    let made = stage.inspect(&a).await;
    assert_eq!(made.state.status, Status::Created);
    stage.told().await;

    stage.does_twice(Step::Start { container: a.clone() }).await;
    assert_eq!(stage.inspect(&a).await.state.status, Status::Running);
    stage.told().await;

    let to = stage.name("b").as_str().into();
    stage.does_twice(Step::Rename { container: a.clone(), to }).await;
    stage.refuses(Step::Remove { container: a.clone() }, FailureKind::Conflict).await;
    let grace = Duration::ZERO;
    stage.does_twice(Step::Stop { container: a.clone(), grace }).await;
    let stopped = stage.inspect(&a).await.state;
    assert_eq!((stopped.status, stopped.exit_code), (Status::Exited, 137));
    stage.told().await;

    stage.does(Step::Start { container: a.clone() }).await;
    let running = stage.inspect(&a).await.state;
    assert_eq!((running.status, running.exit_code), (Status::Running, 0));
    assert!(running.finished < running.started, "{running:?}");
    stage.does(Step::Stop { container: a.clone(), grace }).await;
    stage.told().await;

    stage.does_twice(Step::Remove { container: a.clone() }).await;
    assert!(!stage.look().await.containers.contains_key(&a));
    stage.told().await;
    stage.refuses(Step::Start { container: a }, FailureKind::NotFound).await;
}

pub(crate) async fn what_a_container_wrote_can_be_read_until_it_is_removed(
    stage: &mut Stage<impl Subject>,
) {
    let a =
        stage.create("a", stage.shell("echo boom; exit 3", &[("sim.exits", "3")])).await;
    let read = Step::ReadLog { container: a.clone() };
    assert!(matches!(stage.ask(read.clone()).await, Ok(Done::Log { .. })));
    stage.does(Step::Start { container: a.clone() }).await;
    stage.until(&a, "has exited", |it| it.state.status == Status::Exited).await;
    let answer = stage.ask(read.clone()).await;
    assert!(matches!(answer, Ok(Done::Log { .. })), "{answer:?}");
    stage.does(Step::Remove { container: a }).await;
    stage.refuses(read, FailureKind::NotFound).await;
}

pub(crate) async fn what_ends_by_itself_is_not_told_as_stopped(
    stage: &mut Stage<impl Subject>,
) {
    let fields =
        stage.shell("sleep 0.2; exit 3", &[("sim.exits", "3"), ("sim.after", "200ms")]);
    let a = stage.run("a", fields).await;
    stage.until(&a, "has exited", |it| it.state.status == Status::Exited).await;
    assert_eq!(stage.inspect(&a).await.state.exit_code, 3);
    let told = stage.told().await;
    assert!(
        !told.iter().any(|it| it.contains("stop") || it.contains("kill")),
        "{told:?}"
    );
    // Stopping what has ended is nothing.
    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    stage.told().await;
}

/// Runs a server, and waits until it is ready for its signal.
async fn serve<S: Subject>(stage: &mut Stage<S>) -> reconciler::state::ids::ContainerId {
    let fields = stage.shell(SERVER, &[]);
    let a = stage.run("a", fields).await;
    while stage.try_probe(&a, &["test", "-e", "/well"]).await
        != Ok(Done::Probed { exit_code: 0 })
    {
        stage.pass(Duration::from_millis(10)).await;
    }
    stage.told().await;
    a
}

pub(crate) async fn what_is_stopped_by_hand_is_told_as_what_is_stopped_by_us(
    stage: &mut Stage<impl Subject>,
) {
    let a = serve(stage).await;
    let grace = Duration::from_secs(60);
    stage.does(Step::Stop { container: a.clone(), grace }).await;
    assert_eq!(stage.inspect(&a).await.state.exit_code, 0);
    let ours = stage.told().await;
    stage.does(Step::Remove { container: a }).await;
    stage.told().await;

    let a = serve(stage).await;
    stage.by_hand(ByHand::Stop(stage.name("a"))).await;
    stage.inspect(&a).await;
    let theirs = stage.told().await;
    assert_eq!(ours, theirs);
}

pub(crate) async fn what_is_killed_by_hand_is_told_as_killed(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.run("a", stage.sleeper()).await;
    stage.told().await;
    stage.by_hand(ByHand::Kill(stage.name("a"))).await;
    stage.until(&a, "has exited", |it| it.state.status == Status::Exited).await;
    assert_eq!(stage.inspect(&a).await.state.exit_code, 137);
    let told = stage.told().await;
    assert!(!told.iter().any(|it| it.contains("stop")), "{told:?}");
}

pub(crate) async fn what_is_removed_by_force_and_renamed_by_hand_is_told(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.run("a", stage.sleeper()).await;
    stage.told().await;
    stage.by_hand(ByHand::Rename(stage.name("a"), stage.name("b"))).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.by_hand(ByHand::RemoveByForce(stage.name("b"))).await;
    assert!(stage.look().await.containers.is_empty());
    stage.told().await;
}

pub(crate) async fn a_process_that_ignores_its_signal_is_killed_after_the_grace_period(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.run("a", stage.sleeper()).await;
    stage.told().await;
    let before = stage.now().await;
    let grace = Duration::from_secs(1);
    stage.does(Step::Stop { container: a.clone(), grace }).await;
    let stopped = stage.inspect(&a).await.state;
    let took = stopped.finished.expect("an end").duration_since(before);
    assert!(took.as_secs_f64() >= 0.9, "{took:?}");
    assert_eq!(stopped.exit_code, 137);
    stage.told().await;
}

pub(crate) async fn files_are_copied_into_what_was_not_started_yet(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.create("a", stage.sleeper()).await;
    stage.told().await;
    let file = InsideFile {
        path: "/run/configs/greeting".to_owned(),
        content: Secret::new("hello"),
        user: 0,
        group: 0,
        mode: 0o444,
    };
    let step = Step::CopyIn { container: a.clone(), files: vec![file] };
    stage.does_twice(step).await;
    stage.does(Step::Start { container: a.clone() }).await;
    stage.inspect(&a).await;
    let there = ["test", "-e", "/run/configs/greeting"];
    assert_eq!(stage.try_probe(&a, &there).await, Ok(Done::Probed { exit_code: 0 }));
    stage.told().await;
}
