//! Healing, and who is stopped with whom, on the real engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]
#![allow(clippy::disallowed_methods, reason = "tests measure real time")]

mod product;
mod real;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use product::operator::Operator;
use product::{Product, measured};
use real::raw::inspected;
use real::{Corner, IMAGE};
use serde_json::Value as Json;

/// How often something is looked at that is waited for, and how often at most.
const TICK: Duration = Duration::from_millis(50);
const SOON: usize = 1800;

struct Scene {
    corner: Corner,
    product: Product,
}

impl Scene {
    /// Makes a stack of these services; each has a shell line and more lines of YAML.
    async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let product = Product::new();
        fs::create_dir(product.path("shared")).unwrap();
        // A folder that is suddenly empty would be taken for a disk that is gone.
        fs::write(product.path("shared/there"), "").unwrap();
        Some(Self { corner, product })
    }

    fn want(&self, services: &[(&str, &str, &str)]) {
        let mut text = format!("name: {}\nservices:\n", self.corner.project());
        for (name, script, more) in services {
            text.push_str(&format!(
                "  {name}:\n    image: {IMAGE}\n    command: [sh, -c, \"{script}\"]\n    \
                 init: true\n    stop_grace_period: 1s\n    network_mode: none\n    \
                 volumes: [./shared:/shared]\n"
            ));
            for line in more.lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
        self.product.write("stack.yaml", &text);
    }

    fn container(&self, service: &str) -> Json {
        inspected(&self.corner.project()).remove(service).unwrap_or_default()
    }

    /// Waits until this holds of a container.
    #[track_caller]
    fn until(&self, what: &str, service: &str, holds: impl Fn(&Json) -> bool) -> Json {
        for _ in 0..SOON {
            let container = self.container(service);
            if holds(&container) {
                return container;
            }
            std::thread::sleep(TICK);
        }
        panic!("{what}: never; {:#}", self.container(service)["State"]);
    }

    fn events(&self) -> String {
        self.product.run(&["events"]).output
    }
}

fn state<'a>(container: &'a Json, field: &str) -> &'a str {
    container["State"][field].as_str().unwrap_or_default()
}

fn is_healthy(container: &Json) -> bool {
    container["State"]["Health"]["Status"] == "healthy"
}

/// Returns one condition of the only service.
fn degraded(status: &Json) -> Json {
    let conditions = status["services"][0]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.find(|it| it["type"] == "Degraded").cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_is_unhealthy_is_restarted_then_made_again_and_then_said_to_be_degraded() {
    let Some(scene) = Scene::new("ladder").await else { return };
    let health = "healthcheck: {test: test -e /shared/ok, interval: 1s, timeout: 5s, retries: 2}\n\
                  restart: always";
    scene.product.write("shared/ok", "");
    scene.want(&[("web", "exec sleep 600", health)]);
    let _operator = Operator::start(&scene.product);
    let first = scene.until("it is healthy", "web", is_healthy);
    let began = Instant::now();
    fs::remove_file(scene.product.path("shared/ok")).unwrap();

    let second = scene.until("it is restarted", "web", |it| {
        let is_new = state(it, "StartedAt") > state(&first, "StartedAt");
        is_new && it["State"]["Running"] == true
    });
    assert_eq!(second["Id"], first["Id"], "a restart keeps the container");
    let restarted = began.elapsed();

    let third = scene.until("it is made again", "web", |it| {
        it["Id"].is_string() && it["Id"] != first["Id"] && it["State"]["Running"] == true
    });
    assert_eq!(third["HostConfig"]["RestartPolicy"]["Name"], "always");
    let made = began.elapsed();
    measured(&format!(
        "sick: restarted after {:.1} s, made again after {:.1} s",
        restarted.as_secs_f64(),
        made.as_secs_f64()
    ));

    let told = "healed 2 times in a row; waits for backoff";
    let mut said = Json::Null;
    for _ in 0..SOON {
        said = scene.product.status();
        if degraded(&said)["message"].as_str().is_some_and(|it| it.contains(told)) {
            break;
        }
        std::thread::sleep(TICK);
    }
    let degraded = degraded(&said);
    assert!(degraded["message"].as_str().unwrap().contains(told), "{said:#}");
    assert_eq!(
        (&degraded["reason"], &degraded["status"]),
        (&"Unhealthy".into(), &"True".into())
    );
    assert!(!said["services"][0]["backoff"]["next"].is_null(), "{said:#}");
    let events = scene.events();
    for told in ["is unhealthy and is restarted", "is unhealthy and is replaced"] {
        assert!(events.contains(told), "{events}");
    }

    // What gets well is left alone.
    scene.product.write("shared/ok", "");
    let last = scene.until("it is healthy again", "web", is_healthy);
    assert_eq!(last["Id"], third["Id"]);
    scene.product.ends(0, &["wait", "--timeout", "60s"]);
    assert!(scene.events().contains("Healed"), "{}", scene.events());
}

#[tokio::test]
async fn a_dependent_is_stopped_before_its_dependency_is_replaced_and_started_after_it() {
    let Some(scene) = Scene::new("along").await else { return };
    let script = "trap 'exit 0' TERM; touch /ready; while :; do sleep 0.1; done";
    let want = |setting: &str| {
        let db = format!(
            "environment: {{SETTING: {setting}}}\nrestart: always\nhealthcheck: {{test: test -e \
             /ready, interval: 5s, retries: 20}}"
        );
        let app = "restart: always\ndepends_on: {db: {condition: service_healthy, restart: true}}";
        scene.want(&[("app", script, app), ("db", script, &db)]);
    };
    want("one");
    scene.product.apply();
    let before = (scene.container("app"), scene.container("db"));
    want("two");
    scene.product.apply();
    scene.product.assert_in_sync();
    let (app, db) = (scene.container("app"), scene.container("db"));
    assert_eq!(app["Id"], before.0["Id"], "the dependent is restarted, not replaced");
    assert_ne!(db["Id"], before.1["Id"]);
    assert!(state(&app, "FinishedAt") < state(&db, "StartedAt"), "{app:#} {db:#}");
    assert!(state(&db, "StartedAt") < state(&app, "StartedAt"), "{app:#} {db:#}");
    assert_eq!(app["RestartCount"], 0);
    assert!(!scene.events().contains("Crashed"), "{}", scene.events());

    // The repair of one that died by itself takes nobody along.
    docker(&["kill", &scene.corner.name("db-1")]);
    scene.product.apply();
    let after = scene.container("app");
    assert_eq!(state(&after, "StartedAt"), state(&app, "StartedAt"));
}

#[tokio::test]
async fn a_job_that_is_done_is_not_run_again_although_its_container_is_gone() {
    let Some(scene) = Scene::new("done").await else { return };
    let needs = "depends_on: {migrate: {condition: service_completed_successfully}}";
    scene.want(&[
        ("app", "exec sleep 600", needs),
        ("migrate", "echo run >> /shared/runs", ""),
    ]);
    scene.product.apply();
    docker(&["rm", &scene.corner.name("migrate-1")]);
    docker(&["rm", "-f", &scene.corner.name("app-1")]);
    scene.product.apply();
    scene.product.assert_in_sync();
    let runs = fs::read_to_string(scene.product.path("shared/runs")).unwrap();
    assert_eq!(runs, "run\n");
    assert_eq!(scene.product.status()["ready"], true);
}

fn docker(arguments: &[&str]) {
    let mut docker = Command::new("docker");
    let status = docker.args(arguments).stdout(Stdio::null()).status();
    assert!(status.expect("docker runs").success(), "{arguments:?}");
}
