//! Wake-ups from the real engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod proxy;
mod real;

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use proxy::Proxy;
use real::stage::Stage;
use reconciler::engine::docker::Docker;
use reconciler::engine::{Engine, Wakeup};
use reconciler::state::ids::ContainerId;
use reconciler::state::secret::Secret;
use reconciler::state::step::Step;
use reconciler::state::value::Value;

/// Returns the wake-ups up to the first one of this container and action.
async fn until(
    wakeups: &mut (impl Stream<Item = Wakeup> + Unpin),
    container: &ContainerId,
    word: &str,
) -> Vec<Wakeup> {
    let mut seen = Vec::new();
    let wait = async {
        while let Some(wakeup) = wakeups.next().await {
            let found = matches!(&wakeup, Wakeup::Container { id, action }
                if id == container && action.starts_with(word));
            seen.push(wakeup);
            if found {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert!(waited.is_ok(), "no {word} of {container} among {seen:#?}");
    seen
}

#[tokio::test]
async fn the_life_of_our_containers_wakes_and_what_strangers_and_probes_do_does_not() {
    let Some(stage) = Stage::new("events").await else { return };
    let mut wakeups = Box::pin(stage.docker.wakeups(&stage.scope.project));
    let first = wakeups.next().await;
    assert!(matches!(first, Some(Wakeup::Relist { .. })), "{first:?}");
    let mut document = stage.sleeper();
    document.set("Config.Labels", Value::Null);
    let name = stage.corner.name("stranger").as_str().into();
    stage.perform(Step::Create { name, document, platform: None }).await.unwrap();

    let container = stage.create("a", stage.sleeper()).await.id;
    until(&mut wakeups, &container, "create").await;
    stage.perform(Step::Start { container: container.clone() }).await.unwrap();
    let probe = Step::Probe {
        container: container.clone(),
        command: vec![Secret::new("true")],
        timeout: Duration::from_secs(5),
    };
    stage.perform(probe).await.unwrap();
    let grace = Duration::ZERO;
    stage.perform(Step::Stop { container: container.clone(), grace }).await.unwrap();
    let mut seen = until(&mut wakeups, &container, "die").await;
    stage.perform(Step::Remove { container: container.clone() }).await.unwrap();
    seen.extend(until(&mut wakeups, &container, "destroy").await);
    for wakeup in seen {
        if let Wakeup::Container { id, action } = wakeup {
            assert_eq!(id, container, "{action}");
            assert!(!action.starts_with("exec_"), "{action}");
        }
    }
}

#[tokio::test]
async fn a_lost_event_stream_comes_back_with_a_relist() {
    let Some(stage) = Stage::new("relist").await else { return };
    let proxy = Proxy::start();
    let docker = Docker::connect(Some(&proxy.host())).await.unwrap();
    let mut wakeups = Box::pin(docker.wakeups(&stage.scope.project));
    assert!(matches!(wakeups.next().await, Some(Wakeup::Relist { .. })));
    let first = stage.create("a", stage.sleeper()).await.id;
    until(&mut wakeups, &first, "create").await;
    proxy.hang_up();
    let relisted =
        async { while !matches!(wakeups.next().await, Some(Wakeup::Relist { .. })) {} };
    tokio::time::timeout(Duration::from_secs(30), relisted).await.expect("a relist");
    let second = stage.create("b", stage.sleeper()).await.id;
    until(&mut wakeups, &second, "create").await;
}
