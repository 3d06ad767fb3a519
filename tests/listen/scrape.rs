//! A real Prometheus that scrapes, and its own check of the text.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::http;
use crate::product::operator::Operator;
use crate::product::{Product, free_port};
use crate::real::{Corner, IMAGE};
use crate::{stack, until};

const PROMETHEUS: &str = "lab/prometheus:2.53.3";

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `promtool check metrics`; returns what it says.
fn promtool(metrics: &str) -> (bool, String) {
    let mut command = Command::new("docker");
    command.args(["run", "--rm", "-i", "--entrypoint", "promtool", PROMETHEUS]);
    command.args(["check", "metrics"]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("docker runs");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(metrics.as_bytes()).expect("a pipe");
    drop(input);
    let output = child.wait_with_output().expect("docker runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn prometheus_scrapes_what_promtool_finds_good() {
    let Some(corner) = Corner::new("scrape").await else { return };
    if !corner.has(IMAGE).await || !corner.has(PROMETHEUS).await {
        return;
    }
    let product = Product::new();
    product.write("stack.yaml", &stack(&corner.project(), "[sleep, '600']"));
    product.write("token", "a token of the tests");
    product.shell("chmod 600 token");
    let (own, its) = (free_port(), free_port());
    let (address, token) =
        (format!("127.0.0.1:{own}"), product.path("token").display().to_string());
    let options = ["--listen", &address, "--listen-token-file", &token];
    let mut operator = Operator::with_options(&product, &options);
    operator.says_message("the stack is ready");
    let metrics = http::get(&address, "/metrics", Some("a token of the tests"));
    let (is_good, said) = promtool(&metrics.body);
    assert!(is_good && said.trim().is_empty(), "{said}\n{}", metrics.body);

    let text = format!(
        "global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: reconciler
    authorization: {{credentials: a token of the tests}}
    static_configs: [{{targets: ['{address}']}}]
"
    );
    product.write("prometheus.yml", &text);
    product.shell("chmod 755 .");
    let (name, file) =
        (corner.name("prometheus"), product.path("prometheus.yml").display().to_string());
    let mount = format!("{file}:/etc/prometheus/prometheus.yml:ro");
    let listen = format!("--web.listen-address=127.0.0.1:{its}");
    let started = ["run", "-d", "--name", &name, "--network", "host", "-v", &mount];
    let command = [
        PROMETHEUS,
        "--config.file=/etc/prometheus/prometheus.yml",
        "--storage.tsdb.path=/tmp/p",
        &listen,
    ];
    docker(&[&started[..], &command[..]].concat());
    let asked = |query: &str| {
        let path = format!("/api/v1/query?query={query}");
        http::get(&format!("127.0.0.1:{its}"), &path, None)
    };
    let holds = |text: &'static str| move |it: &http::Asked| it.body.contains(text);
    until("up", || asked("up"), holds("\"1\"]"));
    let ready = until("ready", || asked("reconciler_stack_ready"), holds("\"1\"]"));
    assert!(ready.body.contains(&corner.project()), "{ready:?}");
    until(
        "passes",
        || asked("histogram_quantile(0.9,reconciler_pass_duration_seconds_bucket)"),
        holds("\"value\""),
    );
    docker(&["rm", "-f", "-v", &name]);
    operator.signal("TERM");
    operator.ended();
    product.ends(0, &["delete", "--yes"]);
}
