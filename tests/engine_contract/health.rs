//! Health checks: when they run, and what becomes of a container that fails them.

use std::time::Duration;

use reconciler::state::document::Document;
use reconciler::state::observed::{Container, Health, Status};
use reconciler::state::step::Step;
use reconciler::state::value::Value;

use crate::stage::{Stage, with};
use crate::subject::{ByHand, Subject};

fn checked(document: Document, interval: &str, retries: i64) -> Document {
    let test = Value::texts(["CMD", "test", "-e", "/well"]);
    with(
        document,
        [
            ("Config.Healthcheck.Test", test),
            ("Config.Healthcheck.Interval", Value::text(interval)),
            ("Config.Healthcheck.Retries", Value::Int(retries)),
        ],
    )
}

fn is(health: Health) -> impl Fn(&Container) -> bool {
    move |container| container.state.health == Some(health)
}

pub(crate) async fn health_is_checked_an_interval_after_the_start_and_then_again(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.run("a", checked(stage.sleeper(), "1s", 1)).await;
    stage.by_hand(ByHand::Health(stage.name("a"), true)).await;
    assert_eq!(stage.inspect(&a).await.state.health, Some(Health::Starting));
    stage.told().await;
    let healthy = stage.until(&a, "is healthy", is(Health::Healthy)).await;
    let age = stage.now().await.duration_since(healthy.state.started.expect("a start"));
    assert!(age.as_secs_f64() >= 0.95, "{age:?}");
    stage.inspect(&a).await;
    stage.told().await;
    stage.by_hand(ByHand::Health(stage.name("a"), false)).await;
    stage.until(&a, "is unhealthy", is(Health::Unhealthy)).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.by_hand(ByHand::Health(stage.name("a"), true)).await;
    stage.until(&a, "is healthy", is(Health::Healthy)).await;
    stage.told().await;

    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    assert_eq!(stage.inspect(&a).await.state.status, Status::Exited);
    stage.told().await;
    stage.does(Step::Start { container: a.clone() }).await;
    assert_eq!(stage.inspect(&a).await.state.health, Some(Health::Starting));
    stage.told().await;
}

pub(crate) async fn so_many_failures_in_a_row_make_it_unhealthy(
    stage: &mut Stage<impl Subject>,
) {
    let fields =
        checked(stage.shell("sleep 600", &[("sim.health", "never")]), "300ms", 3);
    let a = stage.run("a", fields).await;
    let sick = stage.until(&a, "is unhealthy", is(Health::Unhealthy)).await;
    let age = stage.now().await.duration_since(sick.state.started.expect("a start"));
    assert!(age.as_secs_f64() >= 0.85, "{age:?}");
    stage.inspect(&a).await;
    stage.told().await;
}

pub(crate) async fn failures_in_the_start_period_do_not_count_until_it_was_healthy(
    stage: &mut Stage<impl Subject>,
) {
    let fields = checked(stage.sleeper(), "200ms", 1);
    let period = ("Config.Healthcheck.StartPeriod", Value::text("10m0s"));
    let a = stage.create("a", with(fields, [period])).await;
    stage.does(Step::Start { container: a.clone() }).await;
    stage.by_hand(ByHand::Health(stage.name("a"), false)).await;
    stage.pass(Duration::from_secs(1)).await;
    assert_eq!(stage.inspect(&a).await.state.health, Some(Health::Starting));
    stage.told().await;
    stage.by_hand(ByHand::Health(stage.name("a"), true)).await;
    stage.until(&a, "is healthy", is(Health::Healthy)).await;
    stage.by_hand(ByHand::Health(stage.name("a"), false)).await;
    stage.until(&a, "is unhealthy", is(Health::Unhealthy)).await;
    stage.told().await;
}
