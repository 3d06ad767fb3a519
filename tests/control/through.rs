//! Commands that work through a running operator.

use serde_json::Value as Json;

use crate::{Scene, client};

/// Waits until something holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn an_apply_beside_an_operator_works_through_it() {
    let Some(scene) = Scene::new("through").await else { return };
    let mut operator = scene.operate();
    scene.save(40);
    let ended = scene.product.apply();
    assert_eq!(scene.memory().await, Some(40 << 20));
    assert!(ended.notices.contains("service/web/1  updated"), "{ended}");
    assert!(ended.notices.contains("is ready"), "{ended}");
    operator
        .says("it was asked", |it| it["message"] == "asked through the control socket");
    // The result is the same as without an operator.
    let json = scene.product.ends(0, &["apply", "-o", "json"]).json();
    assert_eq!(json["stacks"][0]["ready"], true);
}

#[tokio::test]
async fn an_apply_that_cannot_succeed_says_so_and_ends_in_time() {
    let Some(scene) = Scene::new("late").await else { return };
    let _operator = scene.operate();
    let text = scene.stack(32).replace("lab/busybox:latest", "lab/missing:1");
    scene.product.write("stack.yaml", &text);
    let ended = scene.product.ends(1, &["apply", "--timeout", "2s"]);
    assert!(ended.notices.contains("is not ready after 2s"), "{ended}");
    assert!(ended.output.contains("ImagePullBackOff"), "{ended}");
}

#[tokio::test]
async fn an_invalid_file_is_refused_before_the_operator_is_asked() {
    let Some(scene) = Scene::new("invalid").await else { return };
    let _operator = scene.operate();
    scene.product.write("stack.yaml", "services: [");
    scene.product.ends(2, &["apply"]);
    assert_eq!(scene.memory().await, Some(32 << 20));
}

#[tokio::test]
async fn a_variable_that_the_operator_does_not_have_is_told_of_and_nothing_changes() {
    let Some(mut scene) = Scene::new("variable").await else { return };
    let text = scene.stack(32).replace("32M", "${MEMORY:-32M}");
    scene.product.write("stack.yaml", &text);
    let _operator = scene.operate();
    scene.product.variable("MEMORY", "48M");
    let ended = scene.product.ends(4, &["apply"]);
    assert!(ended.notices.contains("other options or variables"), "{ended}");
    assert_eq!(scene.memory().await, Some(32 << 20));
}

#[tokio::test]
async fn what_is_deleted_through_an_operator_stays_down_until_it_is_wanted_again() {
    let Some(scene) = Scene::new("down").await else { return };
    let mut operator = scene.operate();
    let ended = scene.product.ends(0, &["delete", "--yes"]);
    assert!(ended.notices.contains("keeps"), "{ended}");
    assert!(!scene.is_there().await);
    // Neither a look again nor another operator brings it back.
    operator.signal("HUP");
    operator.says_message("asked to look again");
    operator.signal("TERM");
    operator.ended();
    let operator = crate::Operator::start(&scene.product);
    let ended = scene.product.ends(1, &["status"]);
    assert!(ended.output.contains("Down"), "{ended}");
    assert!(!scene.is_there().await);
    scene.product.apply();
    assert!(scene.is_there().await);
    scene.product.ends(0, &["delete", "--yes"]);
    assert!(!scene.is_there().await);
    scene.save(48);
    scene.product.ends(0, &["wait", "--timeout", "60s"]);
    assert_eq!(scene.memory().await, Some(48 << 20));
    drop(operator);
}

#[tokio::test]
async fn a_retry_waits_for_no_backoff() {
    let Some(scene) = Scene::new("retry").await else { return };
    let text = scene.stack(32).replace("lab/busybox:latest", "lab/missing:1");
    scene.product.write("stack.yaml", &text);
    let mut operator = crate::Operator::start(&scene.product);
    let is_failure = |it: &Json| it["message"] == "failed" && it["level"] == "WARN";
    operator.says("the pull fails", is_failure);
    let backoff = || scene.product.status()["services"][0]["backoff"].clone();
    until("it backs off", || !backoff()["next"].is_null()).await;
    scene.product.ends(0, &["retry", "web"]);
    operator.says("the pull fails again", is_failure);
    assert_eq!(backoff()["attempts"], 1, "and is counted from one");
    let ended = scene.product.ends(2, &["retry", "wbe"]);
    assert!(ended.notices.contains("perhaps web was meant"), "{ended}");
}

#[tokio::test]
async fn status_and_diff_tell_what_the_operator_knows() {
    let Some(scene) = Scene::new("knows").await else { return };
    let text = scene.stack(32).replace("lab/busybox:latest", "lab/missing:1");
    scene.product.write("stack.yaml", &text);
    let mut operator = crate::Operator::start(&scene.product);
    operator.says("the pull fails", |it| it["message"] == "failed");
    let is_known = || {
        let conditions = scene.product.status()["services"][0]["conditions"].to_string();
        conditions.contains("ImagePullBackOff")
    };
    until("it is known", is_known).await;
    let changes = scene.product.changes();
    let gate = changes.iter().find(|it| it["object"] == "service/web/1").expect("web");
    assert_eq!(gate["gate"]["state"], "waiting", "{gate}");
    assert!(gate["gate"]["until"].is_string(), "{gate}");
    // It is stored too, for those who come later.
    operator.signal("KILL");
    operator.ended();
    assert!(is_known());
}

#[tokio::test]
async fn a_wait_ends_when_the_stack_is_ready_or_time_is_up() {
    let Some(scene) = Scene::new("wait").await else { return };
    let ended = scene.product.ends(1, &["wait", "--timeout", "1s"]);
    assert!(ended.notices.contains("not ready after 1s"), "{ended}");
    let _operator = crate::Operator::start(&scene.product);
    scene.product.ends(0, &["wait", "--for=ready", "--timeout", "60s"]);
    assert!(scene.is_there().await);
    let name = scene.corner.name("web-1");
    let there = client().inspect_container(&name, None).await.expect("the container");
    assert_eq!(there.state.and_then(|it| it.running), Some(true));
}
