//! `run --git --dry-run`: commits are taken up, and nothing is done about them.

use crate::product::operator::Operator;
use crate::{Scene, web};

#[test]
fn it_follows_the_repository_and_tells_what_a_commit_would_change() {
    let scene = Scene::new();
    scene.forge.publish(&[("stacks/web.yaml", &web(1))]);
    let mut watcher = Operator::with_options(&scene.product, &["--dry-run"]);
    watcher.says("a drift", |it| it["message"] == "drift" && it["action"] == "create");
    scene.forge.publish(&[("stacks/web.yaml", &web(2))]);
    watcher.says_message("a new desired state");
    watcher.signal("TERM");
    assert_eq!(watcher.ended().code(), Some(0));
    assert_eq!(scene.containers(), []);
    assert!(!scene.product.path("state/stacks").exists(), "no stack is remembered");
    assert!(!scene.product.path("state/revisions").exists(), "nor is a revision");
}

#[test]
fn beside_an_operator_it_watches_the_checkout_that_that_one_keeps() {
    let mut scene = Scene::at_work();
    let mut watcher = Operator::with_options(&scene.product, &["--dry-run"]);
    watcher.says_message("the checkout is watched as it is");
    watcher.says("in sync", |it| it["condition"] == "Synced=True");
    scene.forge.publish(&[("stacks/web.yaml", &web(2))]);
    scene.until_image("web", "web:2");
    watcher.says_message("a new desired state");
    watcher.signal("TERM");
    assert_eq!(watcher.ended().code(), Some(0));
    scene.end();
}
