//! Least privilege: every command works with an engine that answers 403 to whatever the
//! documentation does not list for it, and everything that is listed is needed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "what cannot go on ends the test, and a scenario is long"
)]

mod container;
#[path = "../forge/mod.rs"]
mod forge;
mod image;
#[path = "../product/mod.rs"]
mod product;
#[path = "../proxy/mod.rs"]
mod proxy;
#[path = "../real/mod.rs"]
mod real;
mod source;
mod table;
mod through_nginx;
#[allow(dead_code, reason = "it is also for sops")]
#[path = "../canary/tools.rs"]
mod tools;
mod unit;
mod ward;

use image::docker_does;
use product::operator::Operator;
use real::{Corner, registry};
use ward::Ward;

const FACTS: &str = "events pause resume retry";
const LOOKS: &str = "diff status explain wait";
const CHECK: &str = "check";
const LOGS: &str = "logs";
const DRY: &str = "run --dry-run";
const ACTS: &str = "apply run restart rollback";
const DELETE: &str = "delete";
const DELETE_VOLUMES: &str = "delete --volumes";

#[tokio::test]
async fn every_command_needs_what_the_documentation_lists_for_it_and_nothing_else() {
    let Some(corner) = Corner::new("least").await else { return };
    if !corner.has(real::IMAGE).await || !corner.has(registry::IMAGE).await {
        return;
    }
    let image = registry::publish(&corner).await;
    let ward = Ward::new(&corner, &image);

    // From nothing: everything that can be made.
    ward.want("32M", "one");
    ward.ends(LOOKS, 1, &["diff"]);
    ward.ends(LOOKS, 1, &["status"]);
    ward.applies();
    ward.ends(LOOKS, 0, &["diff"]);
    ward.ends(LOOKS, 0, &["status"]);
    ward.ends(LOOKS, 0, &["explain", "app"]);
    ward.ends(LOOKS, 0, &["wait"]);
    ward.ends(CHECK, 0, &["check"]);
    ward.ends(LOGS, 0, &["logs", "--tail", "5"]);

    // Changed content: tested inside, then apart, and taken up.
    ward.product.write("app.conf", "two\n");
    ward.applies();
    ward.product.shell("sed -i s/two/three/ app.conf");
    ward.applies();

    // In place: limits, up and down; what was paused by hand; a network that goes.
    ward.want("48M", "one");
    ward.applies();
    ward.want("24M", "one");
    ward.applies();
    docker_does(&["pause", &corner.name("app-1")]);
    ward.applies();

    // Another container, one that fails, and the way back.
    ward.want("24M", "two");
    ward.applies();
    ward.want_one_that_fails();
    ward.ends(ACTS, 1, &["apply", "--timeout", "60s"]);
    ward.ends(FACTS, 0, &["retry"]);
    ward.want("24M", "two");
    ward.applies();
    ward.ends(ACTS, 0, &["rollback"]);
    ward.ends(ACTS, 0, &["restart", "app"]);

    // Fewer services and networks; what a person says about it meanwhile.
    ward.ends(FACTS, 0, &["pause"]);
    ward.ends(FACTS, 0, &["resume"]);
    ward.want_an_alias();
    ward.applies();
    ward.want_little();
    ward.applies();
    ward.ends(FACTS, 0, &["events"]);

    // An operator, one that only looks beside it, and commands that work through the first.
    let mut operator =
        Operator::with_options(&ward.product, &["--host", &ward.host(ACTS)]);
    operator.says_message("the stack is ready");
    let own = ["--dry-run", "--host", &ward.host(DRY)];
    let mut watcher = Operator::with_options(&ward.product, &own);
    watcher.says_message("the stack is ready");
    let mut reader = ward.reads_logs(LOGS);
    ward.want("32M", "three");
    operator.says("a new container", |it| it["message"] == "created");
    ward.applies();
    ward.ends(FACTS, 0, &["pause", "app"]);
    ward.ends(FACTS, 0, &["resume", "app"]);
    reader.kill().unwrap();
    reader.wait().unwrap();
    for one in [&mut watcher, &mut operator] {
        one.signal("TERM");
        assert_eq!(one.ended().code(), Some(0));
    }

    ward.ends(DELETE, 0, &["delete", "--yes"]);
    ward.applies();
    ward.ends(DELETE_VOLUMES, 0, &["delete", "--volumes", "--yes"]);

    // Without an engine at all.
    for command in
        [&["validate"][..], &["config"], &["completions", "bash"], &["history"]]
    {
        let mut nowhere = command.to_vec();
        if command[0] != "completions" {
            nowhere.extend(["--host", "unix:///nowhere/engine.sock"]);
        }
        ward.product.ends(0, &nowhere);
    }
    ward.assert_everything_listed_was_needed();
}
