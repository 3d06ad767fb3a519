//! Stacks that `docker compose` made, on the real engine: taken over with the same ids and
//! starts, and `docker compose` goes on working on them.

use std::path::PathBuf;
use std::process::Command;

use crate::product::{Product, measured, repository};
use crate::real::{Corner, IMAGE, client};

/// A stack in everyday dress.
const STACK: &str = "
services:
  db:
    image: IMAGE
    command: [sleep, '900']
    init: true
    restart: always
    stop_grace_period: 1s
    volumes: ['data:/data']
    healthcheck: {test: [CMD, 'true'], interval: 1s, timeout: 2s, retries: 5}
    logging: {driver: json-file, options: {max-size: 10m, max-file: '3'}}
    ulimits: {nofile: {soft: 1024, hard: 2048}}
    environment: {LEVEL: info, DB_PASSWORD: canary-that-nobody-may-print}
    deploy: {resources: {limits: {cpus: '0.5', memory: 64M}, reservations: {memory: 32M}}}
  app:
    image: IMAGE
    command: ['sh', '-c', 'echo it runs; exec sleep 900']
    init: true
    stop_grace_period: 1s
    depends_on: {db: {condition: service_healthy}}
    secrets: [token]
    networks: {default: {aliases: [application]}, back: {}}
    tmpfs: [/run/x]
    cap_add: [NET_ADMIN]
    extra_hosts: ['a.example:10.0.0.1']
  web:
    image: IMAGE
    command: [sleep, '900']
    init: true
    container_name: PROJECT-front
    stop_grace_period: 1s
    depends_on: [app]
    volumes: ['./site:/site:ro']
    labels: {team: web}
  worker:
    image: IMAGE
    command: [sleep, '900']
    init: true
    stop_grace_period: 1s
    user: '1000:1000'
    read_only: true
volumes: {data: {}}
networks: {back: {}}
secrets: {token: {file: ./token}}
";

struct Scene {
    product: Product,
    corner: Corner,
    compose: PathBuf,
}

impl Scene {
    /// A stack that was started by this `docker compose`.
    async fn new(what: &str, compose: PathBuf, is_v1: bool) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let mut product = Product::new();
        product.option(&["-p", &corner.project()]);
        product.write("site/index.html", "hello\n");
        product.write("token", "canary-that-nobody-may-print\n");
        let scene = Self { product, corner, compose };
        let version = if is_v1 { "version: '3.8'\n" } else { "" };
        scene.want(&format!("{version}{STACK}"));
        scene.compose(&["up", "-d"]);
        Some(scene)
    }

    fn want(&self, text: &str) {
        let text = text.replace("IMAGE", IMAGE);
        let text = text.replace("PROJECT", &self.corner.project());
        self.product.write("stack.yaml", &text);
    }

    /// Runs `docker compose`; it must succeed.
    fn compose(&self, arguments: &[&str]) -> String {
        let file = self.product.path("stack.yaml");
        let mut command = Command::new(&self.compose);
        command.args(["-p", &self.corner.project(), "-f"]).arg(file).args(arguments);
        let output = command.output().expect("docker compose runs");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Returns id, start and name of every container.
    async fn containers(&self) -> Vec<(String, String, String)> {
        let filter = format!("com.docker.compose.project={}", self.corner.project());
        let options = bollard::query_parameters::ListContainersOptions {
            all: true,
            filters: Some([("label".to_owned(), vec![filter])].into()),
            ..Default::default()
        };
        let listed = client().list_containers(Some(options)).await.expect("a list");
        let mut found = Vec::new();
        for id in listed.into_iter().filter_map(|it| it.id) {
            let there = client().inspect_container(&id, None).await.expect("a container");
            let start = there.state.and_then(|it| it.started_at).unwrap_or_default();
            found.push((id, start, there.name.unwrap_or_default()));
        }
        found.sort();
        found
    }

    async fn starts(&self) -> Vec<(String, String)> {
        let all = self.containers().await.into_iter();
        all.map(|(id, start, _)| (id, start)).collect()
    }

    /// What people do with `docker compose` every day, also after we changed something.
    fn compose_goes_on_working(&self) {
        let listed = self.compose(&["ps"]);
        for service in ["db-1", "app-1", "front"] {
            assert!(listed.contains(service), "{service} in {listed}");
        }
        let inside = self.compose(&["exec", "-T", "db", "echo", "inside"]);
        assert!(inside.contains("inside"), "{inside}");
        assert!(self.compose(&["logs", "app"]).contains("it runs"));
    }
}

fn v2() -> Option<PathBuf> {
    let made = repository().join(".cache/lab/bin/docker-compose");
    let told = std::env::var_os("RECONCILER_ORACLE").map(PathBuf::from);
    told.or_else(|| made.exists().then_some(made))
}

/// The first `docker compose`, where the host still has it.
fn v1() -> Option<PathBuf> {
    let path = PathBuf::from("/usr/bin/docker-compose");
    let output = Command::new(&path).args(["version", "--short"]).output().ok()?;
    output.stdout.starts_with(b"1.").then_some(path)
}

#[tokio::test]
async fn a_stack_of_compose_v2_is_in_sync_and_stays_untouched() {
    let Some(compose) = v2() else { return };
    let Some(scene) = Scene::new("adopt", compose, false).await else { return };
    let product = &scene.product;
    let before = scene.starts().await;
    product.assert_in_sync();
    product.apply();
    assert_eq!(scene.starts().await, before, "the same ids and starts");
    measured(&format!("{} containers taken over, none of them touched", before.len()));
    let events = product.ends(0, &["events"]);
    assert!(events.output.contains("Adopted"), "{events}");
    // A change of one service touches that one alone, whoever made it.
    let changed =
        STACK.replace("memory: 64M", "memory: 48M").replace("team: web", "team: b");
    scene.want(&changed);
    let diff = product.ends(1, &["diff"]);
    assert!(diff.output.contains("service/db/1  update in place"), "{diff}");
    assert!(diff.output.contains("service/web/1  recreate"), "{diff}");
    product.apply();
    product.assert_in_sync();
    let after = scene.starts().await;
    assert_eq!(before.iter().filter(|it| after.contains(it)).count(), 3);
    scene.compose_goes_on_working();
    // What was taken over may leave the file.
    let worker = changed.find("  worker:").unwrap();
    let volumes = changed.find("volumes: {data").unwrap();
    scene.want(&format!("{}{}", &changed[..worker], &changed[volumes..]));
    product.apply();
    assert_eq!(scene.containers().await.len(), 3);
    scene.compose(&["down"]);
    assert_eq!(scene.containers().await, []);
}

#[tokio::test]
async fn a_stack_of_compose_v1_gets_new_names_and_keeps_its_ids_and_starts() {
    let Some(compose) = v1() else { return };
    let Some(scene) = Scene::new("adopt1", compose, true).await else { return };
    let product = &scene.product;
    let before = scene.starts().await;
    let changes = product.changes();
    for change in &changes {
        assert_eq!(change["action"], "update-in-place", "{change}");
        assert_eq!(change["fields"][0]["path"], "container_name", "{change}");
        assert_eq!(change["fields"].as_array().map(Vec::len), Some(1), "{change}");
    }
    assert_eq!(changes.len(), 3);
    product.apply();
    assert_eq!(scene.starts().await, before, "the same ids and starts");
    product.assert_in_sync();
    // Their new names are found by the others.
    let name = scene.corner.name("db-1");
    let found = scene.compose(&["exec", "-T", "app", "nslookup", &name]);
    assert!(found.contains("Address"), "{found}");
    scene.compose_goes_on_working();
    scene.compose(&["down"]);
    assert_eq!(scene.containers().await, []);
}
