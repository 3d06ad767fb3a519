//! A bad file changes nothing, and the next good one converges.

use serde_json::Value as Json;

use crate::Scene;
use crate::behind_its_back::docker;
use crate::product::operator::Operator;
use crate::proxy::Proxy;

/// Waits until the operator says that the desired state is invalid; returns the problems.
#[track_caller]
fn refused(operator: &mut Operator) -> String {
    let is_refusal = |record: &Json| record["condition"] == "SpecValid=False";
    let record = operator.says("SpecValid=False", is_refusal);
    assert_eq!(record["level"], "ERROR", "{record}");
    record["problems"].as_str().expect("the problems").to_owned()
}

/// Asserts that a place stands before the problem: `…/stack.yaml:LINE:COLUMN: `.
#[track_caller]
fn assert_place(problems: &str, line: usize) {
    let place = problems.split_once("/stack.yaml:").expect("a file").1;
    let mut parts = place.splitn(3, ':');
    let mut number = || parts.next().and_then(|it| it.parse::<usize>().ok());
    assert_eq!(number(), Some(line), "{problems}");
    assert!(number().is_some_and(|column| column > 0), "{problems}");
}

#[tokio::test]
async fn nothing_changes_until_the_file_is_good_again() {
    let Some(mut scene) = Scene::new("bad").await else { return };
    let proxy = Proxy::start();
    scene.product.option(&["--host", &proxy.host()]);
    scene.product.write("stack.yaml", &scene.stack(32));
    scene.operate();
    scene.says("the stack is ready");
    let good = scene.stack(32);
    let before = scene.identities().await;
    let cut = good.find("mory: 32M").expect("the limit");
    let circle = good.replace(
        "    environment:",
        "    depends_on: {second: {condition: service_started}}\n    environment:",
    );
    let ports =
        good.replace("    init:", "    ports: [\"127.0.0.1:49999:80\"]\n    init:");
    let network = good.replacen("    init:", "    networks: [nowhere]\n    init:", 1);
    let bad = [
        ("invalid YAML", good.clone() + "x-more: [\n", 23),
        ("an empty file", String::new(), 1),
        ("a truncated file", good[..cut].to_owned(), 12),
        ("a circle", circle, 7),
        ("a port that is taken twice", ports, 17),
        ("an unknown network", network, 6),
    ];
    for (megabytes, (what, text, line)) in (40..).step_by(8).zip(bad) {
        proxy.forget();
        scene.product.write("stack.yaml", &text);
        assert_place(&refused(scene.operator()), line);
        // It goes on to look, and to keep what was good.
        scene.operator().signal("HUP");
        refused(scene.operator());
        proxy.assert_nothing_written();
        assert_eq!(scene.identities().await, before, "{what}");
        scene.product.write("stack.yaml", &scene.stack(megabytes));
        scene.until_memory(megabytes).await;
        assert_eq!(scene.identities().await, before, "after {what}");
    }
}

#[tokio::test]
async fn while_the_file_is_bad_or_gone_the_last_good_state_is_kept_up() {
    let Some(mut scene) = Scene::at_work("kept").await else { return };
    scene.product.write("stack.yaml", "services: [");
    refused(scene.operator());
    docker(&["rm", "-f", &scene.corner.name("second-1")]);
    scene.until("second", "back", |it| it["State"]["Running"] == true).await;
    scene.product.shell("rm stack.yaml");
    let is_gone = |record: &Json| record["condition"] == "SpecValid=Unknown";
    scene.operator().says("SpecValid=Unknown", is_gone);
    docker(&["rm", "-f", &scene.corner.name("second-1")]);
    scene.until("second", "back again", |it| it["State"]["Running"] == true).await;
    scene.until_memory(32).await;
    scene.product.write("stack.yaml", &scene.stack(40));
    scene.until_memory(40).await;
}

#[tokio::test]
async fn an_operator_that_is_started_while_the_file_is_bad_keeps_the_last_good_state() {
    let Some(mut scene) = Scene::at_work("reboot").await else { return };
    for bad in ["services: [", "", "services: {first: {imag: x}}"] {
        let before = scene.identities().await;
        scene.operator().signal("KILL");
        scene.operator().ended();
        scene.product.write("stack.yaml", bad);
        let status = scene.product.ends(1, &["status"]);
        assert!(status.output.contains("SpecValid=False"), "{status}");
        scene.operate();
        scene.says("the stack is ready");
        assert_eq!(scene.identities().await, before, "{bad}");
        docker(&["rm", "-f", &scene.corner.name("second-1")]);
        scene.until("second", "back", |it| it["State"]["Running"] == true).await;
        scene.product.write("stack.yaml", &scene.stack(32));
        scene.says("the desired state is valid again and the same");
        scene.product.ends(0, &["wait", "--timeout", "60s"]);
    }
}

#[tokio::test]
async fn a_second_file_in_the_folder_is_a_second_stack() {
    let Some(mut scene) = Scene::new("folder").await else { return };
    scene.product.write("stacks/one.yaml", &scene.stack(32));
    let mut product = crate::Product::bare();
    product.variable("DB_SECRET", crate::CANARY);
    let folder = scene.product.path("stacks").display().to_string();
    product.option(&["-f", &folder]);
    scene.operator = Some(Operator::start(&product));
    scene.says("the stack is ready");
    let before = scene.identities().await;
    let (name, second) = (scene.corner.project(), scene.corner.name("two"));
    let text =
        scene.stack(48).replace(&format!("name: {name}\n"), &format!("name: {second}\n"));
    scene.product.write("stacks/two.yaml", &text);
    let of_second =
        |it: &Json| it["message"] == "the stack is ready" && it["stack"] == *second;
    scene.operator().says("the second is ready", of_second);
    let there = crate::inspect(&format!("{second}-first-1")).await;
    assert_eq!(there["HostConfig"]["Memory"], 48 << 20);
    // A third file with the first one's name is an error for both, and changes neither.
    scene.product.write("stacks/three.yaml", &scene.stack(56));
    let problems = refused(scene.operator());
    assert!(problems.contains("is also that of"), "{problems}");
    scene.product.shell("rm stacks/three.yaml");
    scene.says("the desired state is valid again and the same");
    assert_eq!(scene.identities().await, before);
}
