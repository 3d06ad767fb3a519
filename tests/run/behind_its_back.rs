//! What is changed by hand is put right.

use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::Scene;
use crate::product::measured;

/// Runs the engine's own client, as a person would.
#[track_caller]
pub(crate) fn docker(arguments: &[&str]) {
    let mut docker = Command::new("docker");
    let status = docker.args(arguments).stdout(Stdio::null()).status();
    assert!(status.expect("docker runs").success(), "{arguments:?}");
}

fn is_running(container: &Json) -> bool {
    container["State"]["Running"] == true
}

#[tokio::test]
async fn what_is_done_by_hand_is_undone() {
    let Some(mut scene) = Scene::at_work("hand").await else { return };
    let first = scene.corner.name("first-1");
    let network = scene.corner.project() + "_default";
    let deeds: [(&str, Vec<&str>); 5] = [
        ("docker stop", vec!["stop", "-t", "1", &first]),
        ("docker rm -f", vec!["rm", "-f", &first]),
        (
            "docker rename",
            vec!["rename", &first, &*Box::leak(scene.corner.name("x").into())],
        ),
        ("docker network disconnect", vec!["network", "disconnect", &network, &first]),
        (
            "docker update",
            vec!["update", "--memory", "100m", "--memory-swap", "200m", &first],
        ),
    ];
    for (what, arguments) in deeds {
        docker(&arguments);
        let clock = reconciler::clock::Clock::new();
        let is_right = |it: &Json| {
            is_running(it)
                && it["HostConfig"]["Memory"] == 32 << 20
                && it["NetworkSettings"]["Networks"][&network].is_object()
        };
        scene.until("first", &format!("right after {what}"), is_right).await;
        measured(&format!(
            "{what}: repaired in {:.2} s",
            clock.now().moment.0.as_secs_f64()
        ));
    }
}

#[tokio::test]
async fn after_the_event_stream_was_cut_it_is_found_again() {
    let Some(mut scene) = Scene::new("cut").await else { return };
    let proxy = crate::proxy::Proxy::start();
    scene.product.option(&["--host", &proxy.host()]);
    scene.product.write("stack.yaml", &scene.stack(32));
    scene.operate();
    scene.says("the stack is ready");
    for _ in 0..2 {
        proxy.hang_up();
        let first = scene.corner.name("first-1");
        docker(&["rm", "-f", &first]);
        scene.until("first", "back", is_running).await;
    }
    proxy.hang_up();
    scene.product.write("stack.yaml", &scene.stack(40));
    scene.until_memory(40).await;
}
