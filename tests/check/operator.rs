//! The checks that `run` makes again and again.

use crate::Scene;
use crate::product::operator::Operator;
use crate::real::IMAGE;

#[tokio::test]
async fn run_makes_the_checks_beside_its_work_and_tells_when_one_flips() {
    let Some(scene) = Scene::new("check-run", &[IMAGE]).await else { return };
    // Somebody who takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    scene.product.write("shared/ok", "");
    let want = |setting: &str| {
        scene.want(&format!(
            "
services:
  web:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    environment: {{SETTING: {setting}}}
    volumes: ['./shared:/shared']
    stop_grace_period: 1s
x-reconciler:
  checks:
    interval: 1s
    quick: {{exec: [test, -e, /shared/ok], in: web, failures: 2}}
    slow: {{http: 'http://127.0.0.1:{port}/', timeout: 3s, severity: warn, failures: 1}}
"
        ));
    };
    want("one");
    let mut operator = Operator::start(&scene.product);
    operator.says_message("the stack is ready");
    operator.says("a warning", |it| it["check"] == "slow" && it["level"] == "WARN");
    let status = scene.product.status();
    let healthy = |status: &serde_json::Value| {
        let all = status["conditions"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|it| it["type"] == "Healthy").unwrap_or_default()
    };
    assert_eq!(healthy(&status)["status"], "True", "{status:#}");
    assert_eq!(healthy(&status)["reason"], "ChecksWarn", "{status:#}");
    let quick = status["checks"].as_array().expect("checks").iter();
    let quick = { quick }.find(|it| it["last"]["name"] == "quick").expect("quick");
    assert_eq!(quick["state"], "pass", "{status:#}");
    assert!(quick["last"]["milliseconds"].is_u64(), "{status:#}");

    // While one is waited for, the loop goes on.
    want("two");
    operator.says_message("a new desired state");
    operator.says_message("the stack is ready");

    scene.product.shell("rm shared/ok");
    let failed =
        operator.says("it fails", |it| it["check"] == "quick" && it["level"] == "ERROR");
    assert!(failed["message"].to_string().contains("service/web/1"), "{failed}");
    let status = scene.product.status();
    assert_eq!(healthy(&status)["status"], "False", "{status:#}");
    assert_eq!(healthy(&status)["reason"], "ChecksFailed", "{status:#}");
    assert_eq!(status["ready"], true, "what is ready stays ready: {status:#}");
    let text = scene.product.run(&["status"]).output;
    assert!(text.contains("checks: ") && text.contains("quick"), "{text}");

    scene.product.write("shared/ok", "");
    operator.says_message("the check passes again");
    let events = scene.product.run(&["events"]).output;
    assert!(events.contains("CheckFailed") && events.contains("check/quick"), "{events}");
    assert!(events.contains("CheckPassed"), "{events}");
    drop(silent);
}
