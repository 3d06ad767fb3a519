//! A file that a commit takes away is a stack that nobody asks for any more.

use crate::{Scene, stack, web};

/// Two stacks, of which a commit has taken one away.
fn one_gone() -> Scene {
    let mut scene = Scene::new();
    let log = stack("log", 1);
    scene.forge.publish(&[("stacks/web.yaml", &web(1)), ("stacks/log.yaml", &log)]);
    scene.operate();
    scene.until_image("web", "web:1");
    scene.until_image("log", "log:1");
    scene.forge.remove("stacks/log.yaml");
    scene.forge.commit_all("No log");
    scene.forge.push();
    scene
}

fn images(scene: &Scene) -> Vec<String> {
    scene.containers().into_iter().map(|(_, _, image)| image).collect()
}

#[test]
fn it_goes_on_until_a_person_allows_its_removal() {
    let mut scene = one_gone();
    let message = scene.until_condition("log", "Unknown", "FileGone");
    assert!(message.contains("sync --allow-prune"), "{message}");
    assert!(scene.stack("log").is_some_and(|it| it["ready"] == true));
    // A later commit, and a later operator, keep it up too.
    scene.forge.publish(&[("stacks/web.yaml", &web(2))]);
    scene.until_image("web", "web:2");
    scene.end();
    std::fs::remove_file(scene.product.path("engine.json")).unwrap();
    scene.operate();
    scene.until_image("log", "log:1");
    scene.until_image("web", "web:2");
    scene.product.ends(0, &["sync", "--allow-prune"]);
    scene.operator().says_message("the stack is gone");
    assert_eq!(images(&scene), ["web:2"]);
    let is_gone = |scene: &Scene| scene.stack("log").is_none();
    assert!((0..200).any(|_| is_gone(&scene) || {
        std::thread::sleep(crate::TICK);
        false
    }));
    // Its file may come back.
    scene.forge.publish(&[("stacks/log.yaml", &stack("log", 1))]);
    scene.until_image("log", "log:1");
    scene.until_condition("log", "True", "Valid");
}

#[test]
fn it_is_taken_down_at_once_where_that_is_allowed_always() {
    let mut scene = Scene::new();
    scene.product.variable("RECONCILER_ALLOW_PRUNE", "true");
    scene
        .forge
        .publish(&[("stacks/web.yaml", &web(1)), ("stacks/log.yaml", &stack("log", 1))]);
    scene.operate();
    scene.until_image("web", "web:1");
    scene.until_image("log", "log:1");
    scene.forge.remove("stacks/log.yaml");
    scene.forge.commit_all("No log");
    scene.forge.push();
    scene.operator().says_message("the stack is gone");
    assert_eq!(images(&scene), ["web:1"]);
    scene.end();
}

#[test]
fn a_file_under_another_name_is_the_same_stack() {
    let scene = Scene::at_work();
    let before = scene.containers();
    scene.forge.git(&["mv", "stacks/web.yaml", "stacks/site.yaml"]);
    scene.forge.publish(&[("stacks/other.yaml", &stack("other", 1))]);
    scene.until_image("other", "other:1");
    scene.until_condition("web", "True", "Valid");
    let web = |all: Vec<(String, String, String)>| -> Vec<String> {
        all.into_iter().filter(|it| it.2 == "web:1").map(|it| it.1).collect()
    };
    assert_eq!(web(scene.containers()), web(before));
}

#[test]
fn a_commit_without_any_stack_is_refused() {
    let scene = Scene::at_work();
    let before = scene.containers();
    scene.forge.remove("stacks/web.yaml");
    scene.forge.commit(&[("README.md", "nothing\n")]);
    scene.forge.push();
    let message = scene.until_condition("web", "False", "Invalid");
    assert!(message.contains("stacks"), "{message}");
    assert_eq!(scene.containers(), before);
}
