//! `reconciler run --listen`: metrics, the API and the probes, asked as others ask them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "what cannot go on ends the test, tests measure real time and tell long stories"
)]

mod http;
#[path = "../product/mod.rs"]
mod product;
#[path = "../real/mod.rs"]
mod real;
mod scrape;

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use http::{Asked, ask};
use product::operator::Operator;
use product::{Product, free_port};
use real::{Corner, IMAGE};
use serde_json::Value as Json;

/// Asks until an answer is as it is waited for.
#[track_caller]
fn until(
    what: &str,
    mut get: impl FnMut() -> Asked,
    holds: impl Fn(&Asked) -> bool,
) -> Asked {
    for _ in 0..600 {
        let asked = get();
        if holds(&asked) {
            return asked;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what} never comes: {:?}", get());
}

fn stack(project: &str, command: &str) -> String {
    format!(
        "name: {project}
services:
  web:
    image: {IMAGE}
    command: {command}
    init: true
    scale: 2
    environment: {{DB_PASSWORD: {}}}
  db: {{image: '{IMAGE}', command: [sleep, '600'], init: true}}
",
        product::CANARY
    )
}

#[test]
fn who_waits_for_the_engine_is_alive_and_not_ready() {
    let product = Product::new();
    product.write("stack.yaml", "services: {a: {image: 'a:1'}}\n");
    let socket = product.path("a.sock");
    let listen = format!("unix:{}", socket.display());
    let options = ["--host", "unix:///nowhere/engine.sock", "--listen", &listen];
    let mut operator = Operator::with_options(&product, &options);
    operator.says("listening", |it| it["message"].to_string().contains("/metrics"));
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(ask(&socket, "/livez").status, 200);
    for path in ["/readyz", "/api/v1/status", "/api/v1/diff"] {
        let asked = ask(&socket, path);
        assert_eq!(asked.status, 503, "{path}");
        assert_eq!(asked.json()["error"], "the engine has not answered yet");
    }
    let metrics = ask(&socket, "/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("reconciler_build_info{version="), "{metrics:?}");
    assert!(!metrics.body.contains("stack="), "{metrics:?}");
    operator.signal("TERM");
    assert_eq!(operator.ended().code(), Some(0));
    assert!(!socket.exists(), "the socket goes with the operator");
}

#[test]
fn what_others_could_reach_needs_a_token_and_is_refused_without() {
    let product = Product::new();
    product.write("stack.yaml", "services: {a: {image: 'a:1'}}\n");
    product.write("token", "a token of the tests");
    let token = product.path("token").display().to_string();
    let refused = |options: &[&str], words: &str| {
        let all = [&["run", "--host", "sim:"], options].concat();
        let ended = product.ends(2, &all);
        assert!(ended.notices.contains(words), "{words}: {ended}");
    };
    let open = format!("0.0.0.0:{}", free_port());
    refused(&["--listen", &open], "--listen-token-file FILE");
    product.shell("chmod 644 token");
    refused(&["--listen", &open, "--listen-token-file", &token], "chmod 600");
    product.shell("chmod 600 token");
    product.write("token", "short");
    refused(&["--listen", &open, "--listen-token-file", &token], "it needs 16");
    product.write("token", "a token of the tests");
    refused(&["--listen-token-file", &token], "needs --listen");
    let near = format!("127.0.0.1:{}", free_port());
    refused(
        &["--listen", &near, "--webhook-secret-file", &token],
        "without --git nothing is pulled",
    );
    refused(&["--listen", "localhost:1"], "127.0.0.1:9180");
    refused(&["--listen", "unix:a.sock"], "begins with /");
    product.write("there", "something");
    let there = format!("unix:{}", product.path("there").display());
    refused(&["--listen", &there], "something else than a socket");

    let options = ["--host", "sim:", "--listen", &open, "--listen-token-file", &token];
    let mut operator = Operator::with_options(&product, &options);
    operator.says("listening", |it| it["message"].to_string().contains("/metrics"));
    let address = open.replace("0.0.0.0", "127.0.0.1");
    until("ready", || http::get(&address, "/readyz", None), |it| it.status == 200);
    assert_eq!(http::get(&address, "/metrics", None).status, 401);
    assert_eq!(http::get(&address, "/metrics", Some("a token of the test")).status, 401);
    let metrics = http::get(&address, "/metrics", Some("a token of the tests"));
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("reconciler_stack_ready{"), "{metrics:?}");
}

/// Takes out of JSON what is told of two moments.
fn without_times(mut json: Json) -> Json {
    fn clear(json: &mut Json) {
        match json {
            Json::Object(map) => {
                map.retain(|key, _| !matches!(key.as_str(), "until" | "next"));
                map.values_mut().for_each(clear);
            }
            Json::Array(items) => items.iter_mut().for_each(clear),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    clear(&mut json);
    json
}

#[tokio::test]
async fn the_answers_are_those_of_the_commands_and_metrics_follow_the_stack() {
    let Some(corner) = Corner::new("listen").await else { return };
    if !corner.has(IMAGE).await {
        return;
    }
    let product = Product::new();
    product.write("stack.yaml", &stack(&corner.project(), "[sleep, '600']"));
    let address = format!("127.0.0.1:{}", free_port());
    let mut operator = Operator::with_options(&product, &["--listen", &address]);
    let get = |path: &str| http::get(&address, path, None);
    operator.says_message("the stack is ready");
    let metrics = || get("/metrics");
    let project = corner.project();
    let line = |it: &Asked, text: &str| {
        let text = text.replace("STACK", &project);
        it.body.lines().any(|line| line == text)
    };
    until("ready", metrics, |it| line(it, "reconciler_stack_ready{stack=\"STACK\"} 1"));
    let checked = "reconciler_check{stack=\"STACK\",check=\"memory\",result=\"pass\"} 1";
    until("checked", metrics, |it| line(it, checked));
    assert_eq!(get("/readyz").status, 200);
    for command in ["status", "diff", "events", "history"] {
        let asked = get(&format!("/api/v1/{command}"));
        assert_eq!(asked.status, 200, "{command}");
        assert!(!asked.body.contains(product::CANARY), "{command}: {asked:?}");
        let told = product.run(&[command, "-o", "json"]).json();
        assert_eq!(without_times(asked.json()), without_times(told), "{command}");
    }
    let asked = metrics();
    for text in [
        "reconciler_service_replicas_ready{stack=\"STACK\",service=\"web\"} 2",
        "reconciler_drift_objects{stack=\"STACK\"} 0",
        "reconciler_changes_total{stack=\"STACK\",action=\"create\",result=\"done\"} 4",
        "reconciler_engine_up{stack=\"STACK\"} 1",
        "reconciler_generation_observed{stack=\"STACK\"} 1",
    ] {
        assert!(line(&asked, text), "{text}: {}", asked.body);
    }
    assert!(!asked.body.contains(product::CANARY), "{asked:?}");
    assert!(
        asked
            .body
            .contains("reconciler_engine_call_duration_seconds_count{call=\"start\"}")
    );

    // A service that leaves the file leaves the metrics; what fails is told.
    let text = stack(&project, "[sh, -c, exit 3]");
    let text = text.lines().filter(|it| !it.starts_with("  db:")).collect::<Vec<_>>();
    product.write("stack.yaml", &(text.join("\n") + "\nx-reconciler: {prune: always}\n"));
    let asked = until("a failure", metrics, |it| {
        line(it, "reconciler_stack_ready{stack=\"STACK\"} 0")
            && !it.body.contains("service=\"db\"")
    });
    assert!(line(
        &asked,
        "reconciler_condition{stack=\"STACK\",type=\"Ready\",status=\"True\"} 0"
    ));
    let asked = get("/api/v1/diff");
    assert_eq!(asked.json()["stacks"][0]["in_sync"], false, "{asked:?}");
    operator.signal("TERM");
    assert_eq!(operator.ended().code(), Some(0));
    product.ends(0, &["delete", "--yes"]);
}
