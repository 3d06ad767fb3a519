//! `run --dry-run`: what differs is told as it comes and goes, and nothing is ever done.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value as Json;

use crate::behind_its_back::docker;
use crate::product::Product;
use crate::product::operator::Operator;
use crate::proxy::{Effect, Proxy};
use crate::{IMAGE, Scene};

/// Somebody who only looks, through a proxy that counts.
struct Watcher {
    operator: Operator,
    proxy: Proxy,
}

impl Watcher {
    fn new(product: &Product, options: &[&str]) -> Self {
        let proxy = Proxy::start();
        let host = proxy.host();
        let own = [&["--dry-run", "--host", &host], options].concat();
        Self { operator: Operator::with_options(product, &own), proxy }
    }

    /// Waits until it tells of a drift; returns the record.
    #[track_caller]
    fn tells(&mut self, object: &str, action: &str) -> Json {
        self.operator.says(&format!("{object} {action}"), |it| {
            it["message"] == "drift" && it["object"] == object && it["action"] == action
        })
    }

    #[track_caller]
    fn tells_the_end(&mut self, object: &str) {
        self.operator.says(&format!("the end of {object}"), |it| {
            it["message"] == "the drift is gone" && it["object"] == object
        });
    }

    /// Ends it, and asserts that nothing was changed, nor anything run inside a container.
    #[track_caller]
    fn ends_without_a_trace(mut self, signal: &str) {
        self.operator.signal(signal);
        assert_eq!(self.operator.ended().code(), Some(0));
        self.proxy.assert_nothing_written();
        assert_eq!(self.proxy.calls_that(Effect::Probe), []);
        assert!(!self.proxy.calls_that(Effect::Read).is_empty(), "it looked");
    }
}

/// Everything in a folder: which file it is, when it was written, and what stands in it.
fn contents(folder: &Path) -> BTreeMap<String, (u64, SystemTime, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, about) = (entry.path(), entry.metadata().unwrap());
        if about.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap_or_default();
            let file = (about.ino(), about.modified().unwrap(), bytes);
            found.insert(path.display().to_string(), file);
        }
    }
    found
}

#[tokio::test]
async fn it_tells_what_is_missing_changed_and_gone_and_never_acts() {
    let Some(scene) = Scene::new("dry").await else { return };
    scene.product.write("stack.yaml", &scene.stack(32));
    let mut watcher = Watcher::new(&scene.product, &[]);
    watcher.tells("service/first/1", "create");
    let synced = watcher.operator.says("not in sync", |it| it["condition"].is_string());
    assert_eq!(
        (&synced["condition"], &synced["reason"]),
        (&"Synced=False".into(), &"Drift".into())
    );
    assert!(scene.container("first").await.is_null(), "nothing was made");

    // Somebody else deploys, with the same state directory, past the proxy.
    scene.product.apply();
    watcher.tells_the_end("service/first/1");
    watcher.operator.says("in sync", |it| it["condition"] == "Synced=True");
    let state = contents(&scene.product.path("state"));

    let first = scene.corner.name("first-1");
    docker(&["update", "--memory", "100m", "--memory-swap", "200m", &first]);
    let drift = watcher.tells("service/first/1", "update-in-place");
    let fields = drift["fields"].as_str().unwrap_or_default();
    assert!(
        fields.contains("deploy.resources.limits.memory: 104857600 → 33554432"),
        "{drift}"
    );
    assert_eq!(drift["level"], "WARN");
    docker(&["update", "--memory", "32m", "--memory-swap", "64m", &first]);
    watcher.tells_the_end("service/first/1");
    scene.product.write("stack.yaml", &scene.stack(48));
    watcher.tells("service/first/1", "update-in-place");
    docker(&["rm", "-f", &first]);
    watcher.tells("service/first/1", "create");
    scene.product.write("stack.yaml", "services: [");
    watcher.operator.says("an invalid file", |it| it["condition"] == "SpecValid=False");
    watcher.proxy.hang_up();
    docker(&["pause", &scene.corner.name("second-1")]);
    watcher.tells("service/second/1", "restart");
    docker(&["unpause", &scene.corner.name("second-1")]);
    watcher.tells_the_end("service/second/1");
    assert!(scene.container("first").await.is_null(), "nothing was made again");
    assert_eq!(contents(&scene.product.path("state")), state, "nothing was kept");
    let told = watcher.operator.told();
    let drifts = told.iter().filter(|line| line.contains("drift")).count();
    watcher.ends_without_a_trace("TERM");
    assert!(drifts < 20, "each is told once: {told:#?}");
}

#[tokio::test]
async fn it_may_run_beside_an_operator_and_knows_what_that_one_knows() {
    let Some(mut scene) = Scene::at_work("beside-dry").await else { return };
    let before = scene.identities().await;
    let mut watcher = Watcher::new(&scene.product, &[]);
    watcher.operator.says_message("the stack is ready");
    // A pause is known to the operator alone.
    scene.product.ends(0, &["pause"]);
    scene.product.write("stack.yaml", &scene.stack(64));
    let drift = watcher.tells("service/first/1", "update-in-place");
    assert!(drift["reason"].is_string(), "{drift}");
    scene.product.ends(1, &["status"]);
    scene.product.ends(0, &["resume"]);
    scene.until_memory(64).await;
    watcher.tells_the_end("service/first/1");
    watcher.ends_without_a_trace("INT");
    assert_eq!(scene.identities().await, before, "one of them acted, and in place");
    scene.operator().signal("TERM");
    assert_eq!(scene.operator().ended().code(), Some(0));
}

#[tokio::test]
async fn it_needs_no_state_directory_that_can_be_written() {
    let Some(scene) = Scene::new("dry-read-only").await else { return };
    scene.product.write("stack.yaml", &scene.stack(32));
    // Nobody makes a folder here, not even root.
    let mut watcher = Watcher::new(&scene.product, &["--state-dir", "/proc/reconciler"]);
    watcher.tells("service/first/1", "create");
    scene.product.write(
        "stack.yaml",
        &format!(
            "name: {}\nservices: {{first: {{image: '{IMAGE}'}}}}\n",
            scene.corner.project()
        ),
    );
    watcher.tells_the_end("service/second/1");
    watcher.ends_without_a_trace("TERM");
}
