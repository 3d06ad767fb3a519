//! How an operator is told to look, and to end.

use serde_json::Value as Json;

use crate::Scene;
use crate::product::CANARY;
use crate::product::operator::Operator;
use crate::proxy::{Effect, Proxy};

#[tokio::test]
async fn it_ends_when_it_is_asked_to_and_leaves_everything_running() {
    let Some(mut scene) = Scene::at_work("ends").await else { return };
    let before = scene.identities().await;
    let proxy = Proxy::start();
    scene.product.option(&["--host", &proxy.host()]);
    for signal in ["TERM", "INT"] {
        scene.operator().signal(signal);
        let status = scene.operator().ended();
        assert_eq!(status.code(), Some(0), "{signal}");
        assert_eq!(scene.identities().await, before, "{signal}");
        // The next one takes over without touching anything.
        scene.operate();
        scene.says("the stack is ready");
        proxy.assert_nothing_written();
    }
    assert_eq!(scene.identities().await, before);
}

#[tokio::test]
async fn it_looks_again_when_it_is_asked_to() {
    let Some(mut scene) = Scene::new("hup").await else { return };
    let proxy = Proxy::start();
    scene.product.option(&["--host", &proxy.host()]);
    scene.product.write("stack.yaml", &scene.stack(32));
    scene.operate();
    scene.says("the stack is ready");
    proxy.forget();
    scene.operator().signal("HUP");
    scene.says("asked to look again");
    let is_look = |call: &crate::proxy::Call| call.bare_path() == "/containers/json";
    while !proxy.calls_that(Effect::Read).iter().any(is_look) {
        tokio::time::sleep(crate::TICK).await;
    }
    proxy.assert_nothing_written();
}

#[tokio::test]
async fn a_log_beside_the_watched_file_does_not_keep_it_busy() {
    let Some(mut scene) = Scene::new("beside").await else { return };
    scene.product.write("stack.yaml", &scene.stack(32));
    let log = scene.product.path("run.log");
    scene.operator = Some(Operator::logging_to(&scene.product, &log));
    scene.says("the stack is ready");
    scene.product.write("stack.yaml", &scene.stack(40));
    scene.until_memory(40).await;
    scene.operator().signal("TERM");
    assert_eq!(scene.operator().ended().code(), Some(0));
}

#[tokio::test]
async fn its_log_tells_what_was_done_and_why_and_no_secret() {
    let Some(mut scene) = Scene::at_work("log").await else { return };
    let there = scene.container("first").await.to_string();
    assert!(there.contains(CANARY), "the container has the secret");
    scene.product.write("stack.yaml", &scene.stack(40));
    scene.until_memory(40).await;
    let is_update =
        |it: &Json| it["message"] == "updated" && it["object"] == "service/first/1";
    let updated = scene.operator().says("the update", is_update);
    assert_eq!(updated["level"], "INFO");
    assert_eq!(updated["stack"], scene.corner.project());
    assert_eq!(updated["reason"], "deploy.resources.limits.memory changes");
    // Another container takes the place of the first: its end is no crash.
    let other = scene.stack(40).replacen("\"600\"", "\"700\"", 1);
    scene.product.write("stack.yaml", &other);
    scene.says("stopped");
    scene.says("the stack is ready");
    scene.operator().signal("TERM");
    scene.operator().ended();
    // Reading them asserts that each is JSON and free of secrets.
    for record in scene.operator().records() {
        for field in ["timestamp", "level", "target", "message"] {
            assert!(record[field].is_string(), "{record}");
        }
    }
    let told = scene.operator().told();
    for line in ["INFO the operator is running", "INFO created", "INFO started"] {
        assert!(told.iter().any(|it| it == line), "{line} in {told:#?}");
    }
    assert!(!told.iter().any(|it| it.starts_with("WARN")), "{told:#?}");
}
