//! The stack of `desired-state/monitoring.yaml` beside that of Milvus, with the lab's images.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value as Json;

use crate::product::operator::Operator;
use crate::product::{free_port, repository};
use crate::run::{Example, docker, until};

const FOLDER: &str = "desired-state/monitoring";
const PROMETHEUS: &str = "lab/prometheus:2.53.3";

/// What is told only once a client has used Milvus (`tests/lab/demo.sh` has one), once the
/// operator has changed something, and where the desired state comes from git.
const NOT_HERE: [&str; 10] = [
    "milvus_datacoord_stored_binlog_size",
    "milvus_proxy_insert_vectors_count",
    "milvus_proxy_mutation_latency_bucket",
    "milvus_proxy_req_count",
    "milvus_proxy_search_vectors_count",
    "milvus_proxy_sq_latency_bucket",
    "milvus_querynode_entity_num",
    "milvus_querynode_segment_num",
    "reconciler_changes_total",
    "reconciler_git_current",
];

/// Runs the tool of Prometheus on files of this repository; nothing where its image is not
/// there.
async fn promtool(arguments: &[&str]) -> Option<String> {
    let corner = crate::real::Corner::new("promtool").await?;
    if !corner.has(PROMETHEUS).await {
        return None;
    }
    let mount = format!("{}:/repository:ro", repository().display());
    let ended = Command::new("docker")
        .args(["run", "--rm", "--network=none", "--volume", &mount])
        .args(["--workdir=/repository", "--entrypoint=promtool", PROMETHEUS])
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&ended.stdout) + &text(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    Some(said)
}

#[tokio::test]
async fn alerts_and_scrape_jobs_are_as_prometheus_wants_them() {
    for file in
        ["desired-state/monitoring/prometheus.yml", "tests/lab/prometheus.lab.yml"]
    {
        // The rules and the token are where the stack puts them: only the syntax is looked at.
        let check = ["check", "config", "--syntax-only", file];
        let Some(_) = promtool(&check).await else { return };
    }
    let said = promtool(&["test", "rules", "tests/data/alerts_test.yml"]).await.unwrap();
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn every_alert_has_a_test() {
    let read = |name: &str| fs::read_to_string(repository().join(name)).unwrap();
    let alerts = read("desired-state/monitoring/alerts.yml");
    let tests = read("tests/data/alerts_test.yml");
    let names = alerts.lines().filter_map(|it| it.trim().strip_prefix("- alert: "));
    let names: Vec<&str> = names.collect();
    assert!(names.len() >= 10, "{names:?}");
    let is_tested = |name: &str| {
        let family = tests.split("alertname=~\"").skip(1);
        let mut families = family.filter_map(|it| it.split(".*").next());
        tests.contains(name) || families.any(|it| name.starts_with(it))
    };
    let untested: Vec<_> = names.iter().filter(|it| !is_tested(it)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

/// Returns the dashboards, with their names.
fn dashboards() -> Vec<(String, Json)> {
    let folder = repository().join(FOLDER).join("grafana/dashboards");
    let read = |path: &Path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    entries.map(|path| (name(&path), read(&path))).collect()
}

/// Returns the queries of a dashboard.
fn queries(dashboard: &Json) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|it| it["targets"].as_array().unwrap());
    targets.map(|it| it["expr"].as_str().unwrap().to_owned()).collect()
}

/// Returns the names of the metrics that a query is about.
fn metrics(query: &str) -> BTreeSet<String> {
    let words = query.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
    let words = words.filter(|it| it.contains('_') || *it == "up");
    let labels =
        ["function_name", "query_type", "msg_type", "segment_state", "grpc_method"];
    let words = words.filter(|it| *it != "histogram_quantile" && !labels.contains(it));
    words.map(str::to_owned).collect()
}

#[test]
fn dashboards_are_what_grafana_provisions() {
    let found = dashboards();
    assert!(found.len() >= 3, "{found:?}");
    for (name, dashboard) in &found {
        assert_eq!(dashboard["uid"], name.as_str());
        assert!(dashboard["title"].is_string() && dashboard["id"].is_null(), "{name}");
        for panel in dashboard["panels"].as_array().unwrap() {
            assert_eq!(panel["datasource"]["uid"], "prometheus", "{name}: {panel}");
            let place = &panel["gridPos"];
            let end = place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap();
            assert!(end <= 24, "{name}: {panel}");
        }
        for query in queries(dashboard) {
            assert!(!metrics(&query).is_empty(), "{name}: {query}");
        }
    }
    let provider = repository().join(FOLDER).join("grafana/datasources/prometheus.yml");
    assert!(fs::read_to_string(provider).unwrap().contains("uid: prometheus\n"));
}

/// What the stack of Milvus is asked of, and answers, in Prometheus' words.
struct Scene {
    milvus: Example,
    monitoring: Example,
    /// Where the operator of the first is asked for its metrics.
    listen: String,
}

impl Scene {
    async fn new() -> Option<Self> {
        let images = ["lab/etcd:3.5.16", "lab/s3-garage:2.5.0", "lab/milvus:2.3.5"];
        let files = ["desired-state/milvus.yaml", "tests/lab/milvus.lab.yaml"];
        let files = files.map(str::to_owned);
        let mut milvus =
            Example::of("milvus", &files, "tests/lab/lab.env", &images).await?;
        let images = [PROMETHEUS, "lab/nginx-exporter:0.11.0"];
        let files = ["desired-state/monitoring.yaml", "tests/lab/monitoring.lab.yaml"];
        let files = files.map(str::to_owned);
        let variables = "tests/lab/monitoring.env";
        let mut monitoring =
            Example::of("monitoring", &files, variables, &images).await?;
        let (name, data) = (milvus.corner.project(), milvus.product.path("data"));
        milvus.product.variable("LAB_NAME", &name);
        milvus.product.variable("DATA_DIR", &data.display().to_string());
        milvus.product.variable("MILVUS_PORT", &milvus.port.to_string());
        milvus.product.variable("MILVUS_METRICS_PORT", &free_port().to_string());
        monitoring.product.variable("LAB_NAME", &name);
        monitoring.product.variable("MILVUS_NETWORK", &name);
        monitoring.product.variable("PROMETHEUS_PORT", &monitoring.port.to_string());
        // The lab's configuration, with another port of the host.
        let port = free_port();
        let jobs = fs::read_to_string(repository().join("tests/lab/prometheus.lab.yml"));
        let jobs = jobs.unwrap().replace(":9180", &format!(":{port}"));
        monitoring.product.write("prometheus.yml", &jobs);
        let jobs = monitoring.product.path("prometheus.yml").display().to_string();
        monitoring.product.variable("LAB_PROMETHEUS_CONFIG", &jobs);
        // Where containers find this host; the engine knows.
        let ask = ["run", "--rm", "--network=none", "--add-host=host:host-gateway"];
        let hosts = [&ask[..], &["lab/busybox:1.35.0", "cat", "/etc/hosts"]].concat();
        let hosts = docker(&hosts);
        let gateway = hosts.lines().find_map(|it| it.strip_suffix("\thost")).unwrap();
        let listen = format!("{gateway}:{port}");
        Some(Self { milvus, monitoring, listen })
    }

    /// Starts an operator that tells its metrics to containers of this host that have the
    /// token of `tests/lab/monitoring.env`.
    fn operator(&self) -> Operator {
        let product = &self.milvus.product;
        product.write("token", "of-no-value-at-all\n");
        product.shell("chmod 600 token");
        let token = product.path("token").display().to_string();
        let options = ["--listen", &self.listen, "--listen-token-file", &token];
        Operator::with_options(product, &options)
    }

    /// Asks Prometheus; returns the results.
    fn ask(&self, query: &str) -> Vec<Json> {
        let query: String = url_encoded(query);
        let page = self.monitoring.get(&format!("/api/v1/query?query={query}"));
        let answer: Json = serde_json::from_str(&page).unwrap();
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }

    /// Returns the jobs that are up.
    fn jobs(&self) -> BTreeSet<String> {
        let up = self.ask("up == 1").into_iter();
        up.map(|it| it["metric"]["job"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns the metrics of the dashboards that Prometheus has never read.
    fn unknown(&self) -> Vec<String> {
        let page = self.monitoring.get("/api/v1/label/__name__/values");
        let page: Json = serde_json::from_str(&page).unwrap();
        let known: BTreeSet<&str> =
            page["data"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
        // Of the object store there is another one in the lab.
        let dashboards = dashboards().into_iter().filter(|(name, _)| name != "minio");
        let queries = dashboards.flat_map(|(_, it)| queries(&it));
        let all = queries.flat_map(|it| metrics(&it)).collect::<BTreeSet<_>>();
        let is_there = |it: &str| known.contains(it) || NOT_HERE.contains(&it);
        all.into_iter().filter(|it| !is_there(it)).collect()
    }

    /// Waits until these jobs are up.
    #[track_caller]
    fn until_up(&self, jobs: &BTreeSet<String>) {
        for _ in 0..300 {
            if self.jobs().is_superset(jobs) {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{}", self.monitoring.get("/api/v1/targets?state=active"));
    }

    /// Returns the alerts that fire: their names, and what about.
    fn firing(&self) -> BTreeSet<(String, String)> {
        let alerts = self.ask("ALERTS{alertstate=\"firing\"}").into_iter();
        let text =
            |it: &Json, key: &str| it["metric"][key].as_str().unwrap_or("").to_owned();
        alerts.map(|it| (text(&it, "alertname"), text(&it, "instance"))).collect()
    }
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn prometheus_sees_the_whole_milvus_stack_and_says_what_is_gone() {
    let Some(scene) = Scene::new().await else { return };
    // Without the other stack's network it waits, and says for what.
    let diff = scene.monitoring.product.ends(1, &["diff"]).output;
    let name = scene.milvus.corner.project();
    let waits =
        format!("waits for network/milvus ({name}), which somebody else must make");
    assert!(diff.contains(&waits), "{diff}");
    scene.milvus.converge();
    scene.monitoring.converge();
    let mut operator = scene.operator();
    let jobs = ["etcd", "milvus", "nginx", "prometheus", "reconciler", "s3-garage"];
    let jobs: BTreeSet<String> = jobs.map(str::to_owned).into();
    scene.until_up(&jobs);
    until("nginx is up", || scene.ask("nginx_up == 1").len() == 1);
    // What the first checks find comes after the first pass.
    until("every metric of the dashboards", || scene.unknown().is_empty());
    // What is paused is left alone, so that somebody has to be told.
    scene.milvus.product.ends(0, &["pause", "nginx"]);
    docker(&["stop", "-t", "1", &format!("{name}-nginx")]);
    let gone = ("NginxDown".to_owned(), "milvus-nginx".to_owned());
    until("the alert fires", || scene.firing().contains(&gone));
    scene.milvus.product.ends(0, &["resume", "nginx"]);
    until("the alert ends", || !scene.firing().contains(&gone));
    scene.monitoring.delete();
    operator.signal("TERM");
    assert!(operator.ended().success(), "{:#?}", operator.told());
    scene.milvus.product.ends(0, &["diff"]);
    scene.milvus.delete();
}
