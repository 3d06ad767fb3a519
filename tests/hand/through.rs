//! Beside an operator, on the real engine: all of it works through the control socket.

use std::time::Duration;

use crate::product::Product;
use crate::product::operator::Operator;
use crate::real::{Corner, IMAGE, client};

/// A stack of one's own, with files and state.
struct Scene {
    product: Product,
    corner: Corner,
}

impl Scene {
    async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let scene = Self { product: Product::new(), corner };
        scene.save(32);
        Some(scene)
    }

    /// Writes a stack whose two replicas may use so many MiB.
    fn save(&self, megabytes: u32) {
        let name = self.corner.project();
        let text = format!(
            "name: {name}
services:
  web:
    image: {IMAGE}
    command: [sleep, \"600\"]
    init: true
    scale: 2
    restart: always
    stop_grace_period: 1s
    healthcheck: {{test: [CMD, 'true'], interval: 1s}}
    mem_limit: {megabytes}m
"
        );
        self.product.write("stack.yaml", &text);
    }

    fn operate(&self) -> Operator {
        let mut operator = Operator::start(&self.product);
        operator.says_message("the stack is ready");
        operator
    }

    async fn memory(&self) -> Option<i64> {
        let there = client().inspect_container(&self.corner.name("web-1"), None).await;
        Some(there.ok()?.host_config?.memory? >> 20)
    }

    /// Waits until the limit is so many MiB.
    async fn becomes(&self, megabytes: i64) {
        for _ in 0..600 {
            if self.memory().await == Some(megabytes) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the limit stays {:?}", self.memory().await);
    }

    async fn start(&self, number: u32) -> String {
        let name = self.corner.name(&format!("web-{number}"));
        let there = client().inspect_container(&name, None).await.expect("a container");
        there.state.and_then(|it| it.started_at).expect("a start")
    }
}

#[tokio::test]
async fn a_pause_outlives_the_operator_and_ends_by_itself() {
    let Some(scene) = Scene::new("pause").await else { return };
    let mut operator = scene.operate();
    scene.product.ends(0, &["pause", "--for", "1h"]);
    scene.save(40);
    let ended = scene.product.ends(1, &["apply", "--timeout", "60s"]);
    assert!(ended.notices.contains("the stack is paused until"), "{ended}");
    assert_eq!(scene.memory().await, Some(32));
    operator.signal("KILL");
    operator.ended();
    let operator = Operator::start(&scene.product);
    let status = scene.product.ends(1, &["status"]);
    assert!(status.output.contains("Paused=True"), "{status}");
    assert_eq!(scene.memory().await, Some(32));
    let ended = scene.product.ends(0, &["resume"]);
    assert!(ended.notices.contains("by the running operator"), "{ended}");
    scene.becomes(40).await;
    // One that is short ends with nobody's help.
    scene.product.ends(0, &["pause", "web", "--for", "2s"]);
    scene.save(48);
    scene.becomes(48).await;
    drop(operator);
}

#[tokio::test]
async fn a_restart_goes_through_the_operator_replica_by_replica() {
    let Some(scene) = Scene::new("restart").await else { return };
    let _operator = scene.operate();
    let before = [scene.start(1).await, scene.start(2).await];
    let ended = scene.product.ends(0, &["restart", "web", "--timeout", "60s"]);
    assert!(ended.notices.contains("service/web/1  stopped"), "{ended}");
    let after = [scene.start(1).await, scene.start(2).await];
    assert!(after[0] > before[0] && after[1] > after[0], "{before:?} {after:?}");
    scene.product.ends(0, &["status"]);
}

#[tokio::test]
async fn a_rollback_goes_through_the_operator_and_outlives_it() {
    let Some(scene) = Scene::new("rollback").await else { return };
    let mut operator = scene.operate();
    scene.save(40);
    scene.becomes(40).await;
    scene.product.ends(0, &["wait", "--timeout", "60s"]);
    let ended = scene.product.ends(0, &["rollback", "--timeout", "60s"]);
    assert!(ended.notices.contains("is pinned to revision"), "{ended}");
    assert_eq!(scene.memory().await, Some(32));
    operator.signal("HUP");
    operator.says_message("asked to look again");
    operator.signal("TERM");
    operator.ended();
    let mut operator = scene.operate();
    assert_eq!(scene.memory().await, Some(32));
    scene.product.assert_in_sync();
    scene.save(48);
    scene.becomes(48).await;
    operator.says("the pin ends", |it| {
        it["message"] == "the file changed: no revision is pinned any more"
    });
    scene.product.ends(0, &["wait", "--timeout", "60s"]);
    scene.product.ends(0, &["rollback", "--timeout", "60s"]);
    assert_eq!(scene.memory().await, Some(32));
    scene.product.ends(0, &["resume"]);
    scene.becomes(48).await;
}
