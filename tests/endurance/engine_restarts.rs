//! The engine is restarted under the operator.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::own_engine::OwnEngine;
use crate::product::operator::Operator;
use crate::product::{Product, measured};
use crate::{IMAGE, until};

const STACK: &str = "name: rtest-restart
services:
  always: {image: IMAGE, command: [sleep, '600'], init: true, restart: always}
  checked:
    image: IMAGE
    command: [sleep, '600']
    init: true
    restart: always
    healthcheck: {test: [CMD, 'true'], interval: 1s}
  unless: {image: IMAGE, command: [sleep, '600'], init: true, restart: unless-stopped}
  never: {image: IMAGE, command: [sleep, '600'], init: true, restart: 'no'}
  polite: {image: IMAGE, command: [sh, -c, 'trap \"exit 0\" TERM; sleep 600 & wait'], restart: 'no'}
  last:
    image: IMAGE
    command: [sleep, '600']
    init: true
    restart: 'no'
    depends_on: {checked: {condition: service_healthy}}
";

/// What people were told, with everything about it.
fn told(operator: &mut Operator) -> Vec<String> {
    let records = operator.records().iter();
    records
        .filter(|it| it["level"] != "DEBUG" && it["level"] != "TRACE")
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_engine_that_is_restarted_is_found_again_and_nothing_has_crashed() {
    let _alone = crate::ALONE.blocking_lock();
    let Some(mut engine) = OwnEngine::start() else { return };
    engine.load(IMAGE);
    let mut product = Product::new();
    product.option(&["--host", &engine.host()]);
    product.write("stack.yaml", &STACK.replace("IMAGE", IMAGE));
    let mut operator = Operator::start(&product);
    operator.says_message("the stack is ready");
    let before: Vec<Json> =
        engine.containers().iter().map(|it| it["Id"].clone()).collect();
    for signal in ["TERM", "KILL", "TERM"] {
        engine.shut_down(signal);
        engine.boot();
        let back = Instant::now();
        until("everything is ready again", Duration::from_mins(1), || {
            let all = engine.containers();
            let is_up = all.len() == before.len()
                && all.iter().all(|it| it["State"]["Running"] == true);
            (is_up && product.status()["ready"] == true).then_some(())
        });
        measured(&format!(
            "engine restarted by {signal}: everything ready {:.1} s after it answered again",
            back.elapsed().as_secs_f64()
        ));
        let after: Vec<Json> =
            engine.containers().iter().map(|it| it["Id"].clone()).collect();
        assert_eq!(after, before, "containers were replaced");
        let status = product.status();
        for service in status["services"].as_array().expect("services") {
            let told: Vec<String> = told(&mut operator);
            assert_eq!(service["backoff"]["attempts"], 0, "{service:#}: {told:#?}");
        }
    }
    let records: Vec<String> =
        operator.records().iter().map(ToString::to_string).collect();
    let crash = records.iter().find(|it| {
        !it.contains("\"TRACE\"") && !it.contains("\"DEBUG\"") && it.contains("CrashLoop")
    });
    assert_eq!(crash, None);
    let restarted = records.iter().filter(|it| it.contains("it ended with its engine"));
    assert!(restarted.count() > 0, "{:#?}", operator.told());
    operator.signal("TERM");
    assert_eq!(operator.ended().code(), Some(0));
}
