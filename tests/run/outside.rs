//! Probes from outside on the real engine, of images that have nothing to ask with.

use std::time::Duration;

use serde_json::Value as Json;

use crate::proxy::Proxy;
use crate::{Scene, TICK};

const ETCD: &str = "lab/etcd:3.5.16";
const NGINX: &str = "lab/nginx:1.22";

fn stack(project: &str, settings: &str) -> String {
    format!(
        "name: {project}
services:
  etcd:
    image: {ETCD}
    command: [etcd, '--listen-client-urls=http://0.0.0.0:2379', '--advertise-client-urls=http://etcd:2379', '--data-dir=/tmp/etcd']
    x-reconciler: {{probe: {{grpc: 2379, interval: 200ms}}}}
  tcp:
    image: {ETCD}
    command: [etcd, '--listen-client-urls=http://0.0.0.0:2379', '--advertise-client-urls=http://etcd:2379', '--data-dir=/tmp/etcd']
    x-reconciler: {{probe: {{tcp: 2379, interval: 200ms}}}}
  web:
    image: {NGINX}
    stop_signal: SIGQUIT
    depends_on: {{etcd: {{condition: service_healthy}}, tcp: {{condition: service_healthy}}}}
    x-reconciler: {{heal: false, probe: {{{settings}, interval: 200ms, timeout: 500ms}}}}
"
    )
}

fn reason(status: &Json, service: &str) -> String {
    let services = status["services"].as_array().cloned().unwrap_or_default();
    let found = services.into_iter().find(|it| it["name"] == service);
    let conditions = found.map(|it| it["conditions"].clone()).unwrap_or_default();
    let conditions = conditions.as_array().cloned().unwrap_or_default();
    let ready = conditions.into_iter().find(|it| it["type"] == "Ready");
    let text = |it: &Json| it.as_str().unwrap_or_default().to_owned();
    let shown = |it: Json| format!("{} {}", text(&it["reason"]), text(&it["message"]));
    ready.map(shown).unwrap_or_default()
}

#[tokio::test]
async fn grpc_tcp_and_http_open_gates_and_tell_what_is_unhealthy() {
    let Some(mut scene) = Scene::new("outside").await else { return };
    if !scene.corner.has(ETCD).await || !scene.corner.has(NGINX).await {
        return;
    }
    let project = scene.corner.project();
    scene.product.write("stack.yaml", &stack(&project, "http: ':80/nothing'"));
    scene.operate();
    // It listens, and has no such page.
    let mut said = String::new();
    for _ in 0..1000 {
        said = reason(&scene.product.status(), "web");
        if said.contains("answered 404") {
            break;
        }
        std::thread::sleep(TICK);
    }
    assert!(said.contains("GET /nothing on port 80 answered 404"), "{said}");
    scene.product.write("stack.yaml", &stack(&project, "http: ':80/'"));
    scene.says("the stack is ready");
    scene.product.assert_in_sync();
    scene.product.ends(0, &["status"]);
    // What hangs does not answer.
    let pid =
        crate::inspect(&scene.corner.name("web-1")).await["State"]["Pid"].to_string();
    let to_all = |signal: &str| {
        let children = format!("$(cat /proc/{pid}/task/{pid}/children)");
        scene.product.shell(&format!("kill -s {signal} {pid} {children}"));
    };
    to_all("STOP");
    let said = until(&scene, "Unhealthy");
    assert!(said.contains("its probe fails: there was no answer in 0.5 s"), "{said}");
    to_all("CONT");
    until(&scene, "Ready");
    let before = scene.container("web").await["State"]["StartedAt"].clone();
    scene.product.assert_in_sync();
    assert_eq!(scene.container("web").await["State"]["StartedAt"], before);
}

/// Waits until the service `web` is ready, or is not for this reason; returns the message.
fn until(scene: &Scene, wanted: &str) -> String {
    let mut said = String::new();
    for _ in 0..1000 {
        said = reason(&scene.product.status(), "web");
        if said.starts_with(wanted) {
            return said;
        }
        std::thread::sleep(TICK);
    }
    panic!("{wanted} never comes: {said}");
}

#[tokio::test]
async fn steady_probes_ask_the_engine_for_nothing() {
    let Some(mut scene) = Scene::new("steady").await else { return };
    if !scene.corner.has(NGINX).await {
        return;
    }
    let project = scene.corner.project();
    let proxy = Proxy::start();
    scene.product.option(&["--host", &proxy.host()]);
    let yaml = format!(
        "name: {project}
services:
  web:
    image: {NGINX}
    x-reconciler: {{probe: {{http: ':80/', interval: 100ms}}}}
"
    );
    scene.product.write("stack.yaml", &yaml);
    scene.operate();
    scene.says("the stack is ready");
    tokio::time::sleep(Duration::from_millis(500)).await;
    proxy.forget();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let calls = proxy.calls();
    assert!(calls.is_empty(), "{calls:#?}");
}
