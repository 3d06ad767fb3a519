//! What is frozen.

use std::time::Duration;

use reconciler::state::document::Document;
use reconciler::state::observed::Status;
use reconciler::state::secret::Secret;
use reconciler::state::step::{FailureKind, Step};
use reconciler::state::value::Value;

use crate::stage::{Stage, with};
use crate::subject::{ByHand, Subject};

pub(crate) async fn what_is_paused_can_be_stopped_and_little_else(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.run("a", stage.sleeper()).await;
    stage.told().await;
    stage.by_hand(ByHand::Pause(stage.name("a"))).await;
    assert_eq!(stage.inspect(&a).await.state.status, Status::Paused);
    stage.told().await;
    stage.refuses(Step::Start { container: a.clone() }, FailureKind::Conflict).await;
    let command = vec![Secret::new("true")];
    let timeout = Duration::from_secs(5);
    let probe = Step::Probe { container: a.clone(), command, timeout };
    stage.refuses(probe, FailureKind::Conflict).await;
    stage.refuses(Step::Remove { container: a.clone() }, FailureKind::Conflict).await;
    let to = stage.name("b").as_str().into();
    stage.does(Step::Rename { container: a.clone(), to }).await;
    let document = Document::from_iter([("HostConfig.PidsLimit", Value::Int(10))]);
    stage.does(Step::Update { container: a.clone(), document }).await;
    stage.told().await;
    // It is thawed by the signal, some time after it.
    let grace = Duration::from_secs(1);
    stage.does(Step::Stop { container: a.clone(), grace }).await;
    assert_eq!(stage.inspect(&a).await.state.status, Status::Exited);
    stage.told().await;
}

pub(crate) async fn what_is_thawed_goes_on(stage: &mut Stage<impl Subject>) {
    let test = Value::texts(["CMD", "test", "-e", "/well"]);
    let fields = with(
        stage.sleeper(),
        [
            ("Config.Healthcheck.Test", test),
            ("Config.Healthcheck.Interval", Value::text("300ms")),
        ],
    );
    let a = stage.run("a", fields).await;
    stage.by_hand(ByHand::Health(stage.name("a"), true)).await;
    let healthy = Some(reconciler::state::observed::Health::Healthy);
    stage.until(&a, "is healthy", |it| it.state.health == healthy).await;
    stage.told().await;
    stage.by_hand(ByHand::Pause(stage.name("a"))).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.does_twice(Step::Unpause { container: a.clone() }).await;
    let thawed = stage.inspect(&a).await.state;
    assert_eq!(thawed.status, Status::Running);
    stage.until(&a, "is healthy", |it| it.state.health == healthy).await;
    stage.told().await;
}
