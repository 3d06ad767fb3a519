//! The commands that need the engine, on a small stack.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::product::operator::Operator;
use crate::product::{CANARY, Ended, Product};
use crate::proxy::{Call, Proxy};
use crate::real::{Corner, IMAGE};

/// A stack of one's own; the engine is reached by a proxy that counts.
struct Scene {
    product: Product,
    proxy: Proxy,
    corner: Corner,
}

impl Scene {
    async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let proxy = Proxy::start();
        let mut product = Product::new();
        product.option(&["--host", &proxy.host()]);
        product.variable("PASSWORD", CANARY);
        let scene = Self { product, proxy, corner };
        scene.want("32M", 1);
        Some(scene)
    }

    fn want(&self, memory: &str, replicas: u32) {
        let name = self.corner.project();
        let text = format!(
            "name: {name}
services:
  db:
    image: {IMAGE}
    command: [sleep, \"600\"]
    init: true
    environment:
      DB_PASSWORD: ${{PASSWORD}}
    volumes: [\"data:/data\"]
    deploy: {{resources: {{limits: {{memory: {memory}}}}}}}
  web:
    image: {IMAGE}
    command: [sleep, \"600\"]
    init: true
    depends_on: [db]
    deploy: {{replicas: {replicas}}}
volumes:
  data:
"
        );
        self.product.write("stack.yaml", &text);
    }

    /// Returns a transcript in which nothing is of this run alone.
    fn transcript(&self, ended: &Ended) -> String {
        let text = self.product.transcript(ended);
        let text = text.replace(&self.corner.project(), "shop");
        let lines = text.lines().map(|line| match line.find("sha256:") {
            Some(at) => format!("{}sha256:…", &line[..at]),
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn names(&self, what: &[&str]) -> String {
        let filter =
            format!("label=com.docker.compose.project={}", self.corner.project());
        let format = ["--filter", &filter, "--format", "{{.Name}}"];
        docker(&[what, &format].concat())
    }
}

#[track_caller]
fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_dry_run_reads_like_a_plan_and_changes_nothing() {
    let Some(scene) = Scene::new("dry").await else { return };
    let product = &scene.product;
    let first = product.ends(1, &["diff"]);
    insta::assert_snapshot!(scene.transcript(&first));
    scene.proxy.assert_nothing_written();
    let status = product.ends(1, &["status"]);
    assert!(status.output.contains("not ready"), "{status}");
    product.apply();
    scene.proxy.forget();
    insta::assert_snapshot!(scene.transcript(&product.ends(0, &["diff"])));
    product.ends(0, &["status"]);
    scene.want("48M", 2);
    let second = product.ends(1, &["diff"]);
    insta::assert_snapshot!(scene.transcript(&second));
    let json = product.ends(1, &["diff", "-o", "json"]).json();
    let changes = &json["stacks"][0]["changes"];
    assert_eq!(json["stacks"][0]["in_sync"], false);
    assert_eq!(changes[0]["object"], "service/db/1");
    assert_eq!(changes[0]["action"], "update-in-place");
    let field = &changes[0]["fields"][0];
    assert_eq!(field["path"], "deploy.resources.limits.memory");
    assert_eq!(
        (&field["desired"], &field["observed"]),
        (&"50331648".into(), &"33554432".into())
    );
    scene.proxy.assert_nothing_written();
}

#[tokio::test]
async fn what_apply_does_is_said_line_by_line_and_its_result_is_the_status() {
    let Some(scene) = Scene::new("says").await else { return };
    let ended = scene.product.apply();
    assert_eq!(ended.output, "", "text for people goes to standard error");
    for line in ["service/db/1  started", "service/web/1  ready"] {
        assert!(ended.notices.lines().any(|it| it == line), "{line}: {ended}");
    }
    let json = scene.product.ends(0, &["apply", "-o", "json"]).json();
    assert_eq!(json["stacks"][0]["ready"], true);
    let json = scene.product.ends(0, &["status", "-o", "json"]).json();
    let stack = &json["stacks"][0];
    assert_eq!(stack["name"], scene.corner.project());
    assert_eq!(stack["generation"], stack["observed_generation"]);
    assert_eq!(stack["services"][0]["name"], "db");
    assert_eq!(stack["services"][0]["replicas"]["ready"], 1);
    let kinds = stack["conditions"].as_array().unwrap().iter().map(|it| &it["type"]);
    let kinds: Vec<_> = kinds.filter_map(|it| it.as_str()).collect();
    assert_eq!(kinds, ["SpecValid", "Synced", "Progressing", "Ready", "Degraded"]);
}

#[tokio::test]
async fn explain_names_every_field_and_no_secret() {
    let Some(scene) = Scene::new("explain").await else { return };
    scene.product.apply();
    let text = scene.product.ends(0, &["explain", "db"]).output;
    for word in ["FIELD", "deploy.resources.limits.memory", "33554432", "asked for"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|widest| widest < 400), "{widest:?}");
    let json = scene.product.ends(0, &["explain", "db", "-o", "json"]).json();
    let fields = json["fields"].as_array().unwrap();
    let of = |path: &str| fields.iter().find(|it| it["path"] == path).expect("a field");
    assert_eq!(of("deploy.resources.limits.memory")["verdict"], "same");
    assert_ne!(of("environment")["desired"], serde_json::Value::Null);
}

#[tokio::test]
async fn delete_asks_and_keeps_data_unless_told_otherwise() {
    let Some(scene) = Scene::new("delete").await else { return };
    let (product, project) = (&scene.product, scene.corner.project());
    product.apply();
    let stranger = scene.corner.name("stranger");
    docker(&["run", "-d", "--init", "--name", &stranger, IMAGE, "sleep", "600"]);
    scene.proxy.forget();
    for arguments in [&["delete"][..], &["delete", "--volumes"]] {
        let ended = product.ends(1, arguments);
        assert!(ended.notices.contains("nothing was deleted"), "{ended}");
    }
    scene.proxy.assert_nothing_written();
    let ended = product.ends(0, &["delete", "--yes"]);
    assert_eq!(ended.output, "");
    let said = format!("{project} is gone; its data stays in {project}_data\n");
    assert!(ended.notices.ends_with(&said), "{ended}");
    assert_eq!(scene.names(&["network", "ls"]), "");
    assert_eq!(scene.names(&["volume", "ls"]).trim(), format!("{project}_data"));
    // Once more: there is nothing to delete, and that is no error.
    product.ends(0, &["delete", "--yes"]);
    let ended = product.ends(0, &["delete", "--volumes", "--yes"]);
    assert!(
        ended.notices.contains(&format!("volume {project}_data is deleted")),
        "{ended}"
    );
    assert_eq!(scene.names(&["volume", "ls"]), "");
    let still = docker(&["inspect", "--format", "{{.State.Running}}", &stranger]);
    assert_eq!(still.trim(), "true");
}

#[tokio::test]
async fn apply_that_is_not_ready_in_time_says_what_it_waits_for() {
    let Some(scene) = Scene::new("late").await else { return };
    let name = scene.corner.project();
    let text = format!(
        "name: {name}\nservices:\n  a:\n    image: {IMAGE}\n    command: [sleep, \"600\"]\n    \
         init: true\n    healthcheck: {{test: [CMD, \"false\"], interval: 60s}}\n"
    );
    scene.product.write("stack.yaml", &text);
    let ended = scene.product.ends(1, &["apply", "--timeout", "4s"]);
    assert!(ended.notices.contains("is not ready after 4s"), "{ended}");
    assert!(ended.output.contains("its health command ended with 1"), "{ended}");
    scene.product.ends(1, &["status"]);
    scene.product.ends(0, &["apply", "--no-wait"]);
}

#[tokio::test]
async fn a_foreign_container_with_a_wanted_name_is_a_conflict_and_not_touched() {
    let Some(scene) = Scene::new("foreign").await else { return };
    let name = scene.corner.name("db-1");
    docker(&["run", "-d", "--init", "--name", &name, IMAGE, "sleep", "600"]);
    let before = docker(&["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", &name]);
    let ended = scene.product.ends(1, &["apply", "--timeout", "20s"]);
    assert!(ended.notices.contains(&name), "{ended}");
    let after = docker(&["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", &name]);
    assert_eq!(before, after);
    scene.product.ends(0, &["delete", "--yes"]);
    let after = docker(&["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", &name]);
    assert_eq!(before, after);
}

#[tokio::test]
async fn events_tell_what_was_done_and_outlive_the_command() {
    let Some(scene) = Scene::new("events").await else { return };
    let product = &scene.product;
    assert_eq!(product.ends(0, &["events"]).output, "No events.\n");
    product.apply();
    scene.proxy.forget();
    let json = product.ends(0, &["events", "-o", "json"]).json();
    assert_eq!(json["stacks"][0]["name"], scene.corner.project());
    let events = json["stacks"][0]["events"].as_array().unwrap().clone();
    let has = |object: &str, reason: &str| {
        events.iter().any(|it| it["object"] == object && it["reason"] == reason)
    };
    for (object, reason) in [
        ("network/default", "Created"),
        ("volume/data", "Created"),
        ("service/db/1", "Created"),
        ("service/db/1", "Started"),
        ("service/web", "Ready"),
        ("stack", "NewGeneration"),
        ("stack", "Ready"),
    ] {
        assert!(has(object, reason), "{object} {reason}: {events:#?}");
    }
    let times: Vec<&str> = events.iter().filter_map(|it| it["last"].as_str()).collect();
    assert!(times.is_sorted(), "the newest comes last: {times:?}");
    let text = product.ends(0, &["events", "db"]).output;
    assert!(text.starts_with("LAST SEEN"), "{text}");
    assert!(text.contains("service/db/1") && !text.contains("service/web"), "{text}");
    let ended = product.ends(2, &["events", "bd"]);
    assert!(ended.notices.contains("perhaps db was meant"), "{ended}");
    scene.proxy.assert_nothing_written();
}

#[tokio::test]
async fn watched_events_come_as_they_happen_and_stay_when_the_operator_has_ended() {
    let Some(scene) = Scene::new("happens").await else { return };
    let mut operator = Operator::start(&scene.product);
    operator.says_message("the stack is ready");
    let page = scene.product.path("page");
    let mut command = scene.product.command(None);
    command.args(["events", "db", "--watch"]);
    let mut watcher =
        command.stdout(std::fs::File::create(&page).unwrap()).spawn().unwrap();
    let shown = |word: &str| {
        for _ in 0..3000 {
            let text = std::fs::read_to_string(&page).unwrap();
            if text.contains(word) {
                return text;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{word} never comes: {:?}", std::fs::read_to_string(&page));
    };
    let before = shown("started").lines().count();
    docker(&["rm", "-f", &format!("{}-db-1", scene.corner.project())]);
    let text = shown("was removed, and not by us");
    assert!(text.lines().skip(before).any(|line| line.contains("Gone")), "{text}");
    let said: Vec<&str> = text.lines().filter(|it| it.contains("Created")).collect();
    assert!(said.len() <= 2, "each is told once: {text}");
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    drop(operator);
    let text = scene.product.ends(0, &["events", "db"]).output;
    assert!(text.contains("was removed, and not by us"), "{text}");
}

/// Every file below a folder, with what changes when it is written.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u64, u64, i64)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let (entry, path) = entry.map(|it| (it.metadata().unwrap(), it.path())).unwrap();
        if entry.is_dir() {
            found.extend(files(&path));
        }
        found.insert(path, (entry.ino(), entry.len(), entry.mtime_nsec()));
    }
    found
}

#[tokio::test]
async fn an_operator_with_nothing_to_do_writes_nothing_to_its_state_directory() {
    let Some(scene) = Scene::new("idle").await else { return };
    let mut operator = Operator::start(&scene.product);
    operator.says_message("the stack is ready");
    let look_again = |times: usize| {
        for _ in 0..times {
            scene.proxy.forget();
            operator.signal("HUP");
            let is_look = |it: &Call| it.bare_path().starts_with("/containers/json");
            let looked = (0..3000).any(|_| {
                std::thread::sleep(Duration::from_millis(20));
                scene.proxy.calls().iter().any(is_look)
            });
            assert!(looked, "it does not look again");
        }
    };
    // The first checks are an event, too.
    let is_checked = || {
        let status = scene.product.status();
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|it| it["type"] == "Healthy")
    };
    while !is_checked() {
        std::thread::sleep(Duration::from_millis(100));
    }
    let state = scene.product.path("state");
    // The second look begins when all of the first is over.
    look_again(2);
    let before = files(&state);
    assert!(before.keys().any(|path| path.ends_with("stacks")), "{before:?}");
    look_again(4);
    assert_eq!(files(&state), before);
}
