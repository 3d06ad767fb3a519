//! Gates: nothing is started before what it depends on is ready, and the reason is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod product;
mod real;

use std::fs;

use product::Product;
use real::raw::inspected;
use real::{Corner, IMAGE};
use serde_json::Value as Json;

/// A corner, the product, and a folder that every service can write to.
struct Scene {
    corner: Corner,
    product: Product,
}

impl Scene {
    async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let product = Product::new();
        fs::create_dir(product.path("shared")).unwrap();
        Some(Self { corner, product })
    }

    /// Writes a stack of services: name, shell script, more lines of YAML.
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

    /// Returns what the services left in a file of the folder; nothing when it is not there.
    fn left(&self, name: &str) -> String {
        fs::read_to_string(self.product.path("shared").join(name)).unwrap_or_default()
    }

    /// Returns when a service was started; the engine's zero time sorts before any other.
    fn started(&self, service: &str) -> String {
        let containers = inspected(&self.corner.project());
        let container = containers.get(service);
        let started = container.map(|it| it["State"]["StartedAt"].clone());
        started.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// Returns one condition of a service.
fn condition(status: &Json, service: &str, kind: &str) -> Json {
    let named = |list: &Json, key: &str, name: &str| {
        let mut items = list.as_array().into_iter().flatten();
        items.find(|item| item[key] == name).cloned().unwrap_or_default()
    };
    let service = named(&status["services"], "name", service);
    named(&service["conditions"], "type", kind)
}

const CHAIN: [&str; 5] = ["alpha", "beta", "gamma", "delta", "omega"];

#[tokio::test]
async fn no_link_of_a_chain_starts_before_the_one_before_it_is_ready() {
    let Some(scene) = Scene::new("chain").await else { return };
    // Every service tells whether its dependency was ready when it began, and becomes
    // ready itself only a while later.
    let scripts: Vec<(String, String)> = (0..CHAIN.len())
        .map(|place| {
            let own = CHAIN[place];
            let (before, dependency) = match place.checked_sub(1).map(|it| CHAIN[it]) {
                Some(other) => (
                    format!("test -e /shared/{other}.ready"),
                    format!("depends_on: {{{other}: {{condition: service_healthy}}}}\n"),
                ),
                None => ("true".to_owned(), String::new()),
            };
            let script = format!(
                "{before} && echo {own} >> /shared/in-order || echo {own} >> /shared/early; \
                 sleep 1.5; touch /shared/{own}.ready; exec sleep 600"
            );
            let more = format!(
                "{dependency}healthcheck: {{test: test -e /shared/{own}.ready, \
                 interval: 5s, timeout: 5s, retries: 20}}"
            );
            (script, more)
        })
        .collect();
    // The order of the file is not that of the chain.
    let mut services: Vec<(&str, &str, &str)> = CHAIN
        .iter()
        .zip(&scripts)
        .map(|(name, (script, more))| (*name, script.as_str(), more.as_str()))
        .collect();
    services.reverse();
    scene.want(&services);
    scene.product.apply();
    assert_eq!(scene.left("early"), "");
    assert_eq!(scene.left("in-order").split_whitespace().collect::<Vec<_>>(), CHAIN);
    let started: Vec<String> = CHAIN.iter().map(|name| scene.started(name)).collect();
    assert!(started.is_sorted(), "{started:?}");
    scene.product.assert_in_sync();
}

#[tokio::test]
async fn a_job_runs_once_and_what_needs_it_starts_after_its_end() {
    let Some(scene) = Scene::new("job").await else { return };
    let dependent = "test -e /shared/done && echo yes > /shared/after; exec sleep 600";
    let needs = "depends_on: {migrate: {condition: service_completed_successfully}}";
    let want = |variable: &str| {
        let environment = format!("environment: {{SETTING: {variable}}}");
        scene.want(&[
            ("app", dependent, needs),
            (
                "migrate",
                "echo run >> /shared/runs; sleep 3; touch /shared/done",
                environment.as_str(),
            ),
        ]);
    };
    want("one");
    scene.product.apply();
    assert_eq!(
        (scene.left("runs").as_str(), scene.left("after").as_str()),
        ("run\n", "yes\n")
    );
    let started = scene.started("app");

    scene.product.assert_in_sync();
    scene.product.apply();
    assert_eq!(scene.left("runs"), "run\n", "a job that is done is not run again");
    assert_eq!(scene.started("app"), started);

    want("two");
    scene.product.ends(1, &["diff"]);
    scene.product.apply();
    assert_eq!(scene.left("runs"), "run\nrun\n", "a changed job is another job");
    scene.product.assert_in_sync();
}

#[tokio::test]
async fn what_depends_on_a_job_that_fails_is_not_started_and_says_why() {
    let Some(scene) = Scene::new("fails").await else { return };
    scene.want(&[
        (
            "app",
            "touch /shared/app; exec sleep 600",
            "depends_on: {migrate: {condition: service_completed_successfully}}",
        ),
        (
            "last",
            "touch /shared/last; exec sleep 600",
            "depends_on: {app: {condition: service_started}}",
        ),
        ("migrate", "exit 3", ""),
        ("other", "exec sleep 600", ""),
    ]);
    let ended = scene.product.ends(1, &["apply", "--timeout", "8s"]);
    assert!(ended.output.contains("service/migrate completed"), "{ended}");
    let status = scene.product.status();
    assert_eq!(status["ready"], false);
    for (service, on) in [("app", "service/migrate completed"), ("last", "service/app")] {
        let ready = condition(&status, service, "Ready");
        assert_eq!(ready["status"], "False", "{service}: {ready}");
        assert_eq!(ready["reason"], "DependencyNotReady", "{service}: {ready}");
        let message = ready["message"].as_str().unwrap_or_default();
        assert!(message.contains(on), "{service}: {message}");
    }
    let job = condition(&status, "migrate", "Ready");
    assert!(job["message"].as_str().unwrap().contains("code 3"), "{job}");
    assert_eq!(condition(&status, "other", "Ready")["status"], "True");
    for name in ["app", "last"] {
        assert!(scene.started(name).starts_with("0001-"), "{name} was never started");
        assert!(!scene.product.path("shared").join(name).exists());
    }
}

#[tokio::test]
async fn a_dependency_that_is_not_required_may_be_missing_and_a_required_one_not() {
    let Some(scene) = Scene::new("required").await else { return };
    let want = |required: bool| {
        let needs = format!(
            "depends_on: {{extra: {{condition: service_healthy, required: {required}}}}}"
        );
        scene.want(&[
            ("app", "exec sleep 600", needs.as_str()),
            ("extra", "exec sleep 600", "profiles: [more]"),
        ]);
    };
    want(true);
    let ended = scene.product.ends(2, &["apply", "--timeout", "60s"]);
    assert!(ended.notices.contains("extra"), "{ended}");
    assert!(inspected(&scene.corner.project()).is_empty());

    want(false);
    scene.product.apply();
    scene.product.assert_in_sync();
    let services: Vec<String> = inspected(&scene.corner.project()).into_keys().collect();
    assert_eq!(services, ["app"]);
}

#[tokio::test]
async fn a_change_of_a_chain_goes_through_it_one_by_one() {
    let Some(scene) = Scene::new("rolling").await else { return };
    let want = |setting: &str| {
        let common = format!("environment: {{SETTING: {setting}}}");
        let first = format!(
            "{common}\nhealthcheck: {{test: test -e /ready, interval: 5s, retries: 20}}"
        );
        let second =
            format!("{first}\ndepends_on: {{a: {{condition: service_healthy}}}}");
        let script = "sleep 0.5; touch /ready; exec sleep 600";
        scene.want(&[("a", script, &first), ("b", script, &second)]);
    };
    want("one");
    scene.product.apply();
    want("two");
    scene.product.apply();
    scene.product.assert_in_sync();
    let containers = inspected(&scene.corner.project());
    assert_eq!(containers.len(), 2, "nothing is left over");
    assert!(scene.started("a") < scene.started("b"), "first what others depend on");
    for (service, container) in &containers {
        let variables = container["Config"]["Env"].as_array().unwrap();
        assert!(variables.contains(&"SETTING=two".into()), "{service}: {variables:?}");
    }
}
