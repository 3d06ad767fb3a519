//! Who may write to a stack.

use std::process::Stdio;

use crate::Scene;
use crate::product::{Product, is_root};

#[tokio::test]
async fn a_second_operator_is_refused_with_the_name_of_the_first() {
    let Some(scene) = Scene::new("second").await else { return };
    let mut first = scene.operate();
    let others = [scene.somebody_else(), copy(&scene)];
    for product in [&scene.product, &others[0], &others[1]] {
        let ended = product.ends(4, &["run"]);
        let holder = format!("{} is held by `reconciler run`", scene.corner.project());
        assert!(ended.notices.contains(&holder), "{ended}");
        assert!(ended.notices.contains("stack.yaml"), "{ended}");
    }
    first.signal("TERM");
    assert_eq!(first.ended().code(), Some(0));
    scene.operate();
}

/// The same project, in a file that is somewhere else.
fn copy(scene: &Scene) -> Product {
    let product = Product::new();
    product.write("stack.yaml", &scene.stack(64));
    product
}

#[tokio::test]
async fn what_another_source_asks_for_is_refused_and_changes_nothing() {
    let Some(scene) = Scene::new("source").await else { return };
    let _operator = scene.operate();
    let other = copy(&scene);
    for command in [&["apply"][..], &["delete", "--yes"]] {
        let ended = other.ends(4, command);
        assert!(ended.notices.contains("belongs to the `reconciler run` of"), "{ended}");
    }
    assert_eq!(scene.memory().await, Some(32 << 20));
    scene.product.assert_in_sync();
}

#[tokio::test]
async fn an_operator_that_was_killed_locks_nobody_out() {
    let Some(scene) = Scene::new("killed").await else { return };
    let mut first = scene.operate();
    first.signal("KILL");
    first.ended();
    scene.save(40);
    scene.product.apply();
    assert_eq!(scene.memory().await, Some(40 << 20));
    scene.operate();
}

#[tokio::test]
async fn two_that_apply_at_once_come_one_after_the_other() {
    let Some(scene) = Scene::new("both").await else { return };
    let mut first = scene.product.command(None);
    first.args(["apply", "--timeout", "60s"]);
    let first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut first = first.expect("the binary runs");
    scene.product.apply();
    assert!(first.wait().expect("an end").success());
    scene.product.assert_in_sync();
}

#[tokio::test]
async fn nothing_is_left_of_locks_and_sockets_after_an_end() {
    let Some(scene) = Scene::new("left").await else { return };
    let files = || {
        let folder = std::fs::read_dir("/run/reconciler").into_iter().flatten();
        let names = folder.flatten().map(|it| it.file_name());
        names
            .filter(|it| it.to_string_lossy().starts_with(&scene.corner.project()))
            .count()
    };
    let mut operator = scene.operate();
    if !is_root() {
        return;
    }
    assert_eq!(files(), 2);
    operator.signal("TERM");
    operator.ended();
    assert_eq!(files(), 0);
    scene.product.apply();
    assert_eq!(files(), 0);
}
