//! One that fails is said to, waits by itself, and holds up nobody else.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::product::measured;
use crate::{IMAGE, Scene, identity, until};

const GOOD: usize = 20;

/// Twenty good services, and five that are not; or those corrected.
fn stack(is_corrected: bool) -> String {
    let good: String = (1..=GOOD)
        .map(|n| {
            format!(
                "  good{n:02}: {{image: {IMAGE}, command: [sleep, '600'], init: true}}\n"
            )
        })
        .collect();
    let (image, crash, health) = if is_corrected {
        (IMAGE, "sleep 600", "'true'")
    } else {
        ("localhost:1/rtest-missing:1", "sleep 0.2; exit 7", "'false'")
    };
    format!(
        "services:
{good}  missing: {{image: '{image}', command: [sleep, '600'], init: true}}
  crashing: {{image: {IMAGE}, command: [sh, -c, '{crash}'], init: true}}
  restarted: {{image: {IMAGE}, command: [sh, -c, '{crash}'], init: true, restart: always}}
  sick:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    healthcheck: {{test: [CMD, {health}], interval: 300ms, retries: 2}}
  dependent:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    depends_on: {{sick: {{condition: service_healthy}}}}
"
    )
}

/// Returns the reason for which a service is not ready, and how often it was tried.
fn said<'a>(status: &'a Json, name: &str) -> (&'a str, u64, &'a Json) {
    let services = status["services"].as_array().expect("services");
    let service = services.iter().find(|it| it["name"] == name).expect("a service");
    let reason = service["conditions"][0]["reason"].as_str().expect("a reason");
    (reason, service["backoff"]["attempts"].as_u64().unwrap_or_default(), service)
}

fn good(scene: &Scene) -> Vec<[Json; 4]> {
    let containers = scene.containers();
    let is_good = |it: &&Json| it["Name"].as_str().is_some_and(|it| it.contains("-good"));
    containers.iter().filter(is_good).map(identity).collect()
}

#[tokio::test]
async fn among_twenty_those_that_fail_say_why_and_hold_up_nobody() {
    let Some(mut scene) = Scene::new("fails").await else { return };
    scene.write(&stack(false));
    let begin = Instant::now();
    scene.operate();
    let is_ready = |status: &Json| {
        (1..=GOOD).all(|n| said(status, &format!("good{n:02}")).2["ready"] == true)
    };
    until("the good ones are ready", Duration::from_mins(1), || {
        is_ready(&scene.product.status()).then_some(())
    });
    measured(&format!(
        "20 good ones beside 5 that fail: ready in {:.1} s",
        begin.elapsed().as_secs_f64()
    ));
    let before = good(&scene);
    assert_eq!(before.len(), GOOD);
    let expected = [
        ("missing", "ImagePullBackOff", 2),
        ("crashing", "CrashLoopBackOff", 3),
        ("restarted", "CrashLoopBackOff", 3),
        ("sick", "Unhealthy", 0),
        ("dependent", "DependencyNotReady", 0),
    ];
    let status = until("what fails says so", Duration::from_mins(2), || {
        let status = scene.product.status();
        let holds = expected.iter().all(|(name, reason, attempts)| {
            let (found, tried, _) = said(&status, name);
            found == *reason && tried >= *attempts
        });
        // Long enough to tell a wait from none.
        let next = said(&status, "missing").2["backoff"]["next"].as_str();
        let next = next.and_then(|it| it.parse::<jiff::Timestamp>().ok());
        let ahead = next.map(|it| it.duration_since(jiff::Timestamp::now()).as_secs());
        (holds && ahead.is_some_and(|it| it >= 8)).then_some(status)
    });
    assert_eq!(status["ready"], false);
    for name in ["missing", "crashing"] {
        let service = said(&status, name).2;
        assert!(service["backoff"]["next"].is_string(), "{service:#}");
    }
    let why = said(&status, "dependent").2["conditions"][0]["message"].to_string();
    assert!(why.contains("(sick: Unhealthy)"), "{why}");
    assert_eq!(good(&scene), before, "the good ones were touched");

    // A correction waits for no backoff: those of before have many seconds to run yet.
    scene.write(&stack(true));
    let saved = Instant::now();
    until("everything is ready after the correction", Duration::from_mins(1), || {
        (scene.product.status()["ready"] == true).then_some(())
    });
    let took = saved.elapsed();
    measured(&format!("corrected save: everything ready in {:.1} s", took.as_secs_f64()));
    assert_eq!(good(&scene), before, "the good ones were touched by the correction");
    let next = said(&status, "missing").2["backoff"]["next"].as_str().expect("a time");
    let told = scene.operator().told();
    let is_early = |it: &Json| {
        let created = it["Created"].as_str().unwrap_or_default();
        created.parse::<jiff::Timestamp>().expect("a time")
            < next.parse::<jiff::Timestamp>().expect("a time")
    };
    let containers = scene.containers();
    let missing =
        containers.iter().find(|it| it["Name"].to_string().contains("-missing-"));
    assert!(missing.is_some_and(is_early), "it waited for {next}: {told:#?}");
}
