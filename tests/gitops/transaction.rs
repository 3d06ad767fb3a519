//! A commit is taken up as a whole, or not at all.

use crate::{Scene, stack, web};

#[test]
fn no_stack_of_a_bad_commit_acts_and_the_next_good_one_converges() {
    let mut scene = Scene::new();
    let log = |version| stack("log", version);
    scene.forge.publish(&[("stacks/web.yaml", &web(1)), ("stacks/log.yaml", &log(1))]);
    scene.operate();
    scene.until_image("web", "web:1");
    scene.until_image("log", "log:1");
    let before = scene.containers();
    let bad = "name: log\nservices:\n  log:\n    imagee: log:2\n";
    let commit =
        scene.forge.publish(&[("stacks/web.yaml", &web(2)), ("stacks/log.yaml", bad)]);
    for name in ["web", "log"] {
        let message = scene.until_condition(name, "False", "Invalid");
        assert!(message.contains("stacks/log.yaml:4:5"), "{message}");
        assert!(message.contains(&commit[..12]) && message.contains("Ada"), "{message}");
    }
    assert_eq!(scene.containers(), before, "nothing of it may act");
    // A command is told the same, and changes nothing either.
    scene.product.ends(0, &["diff"]);
    assert_eq!(scene.product.run(&["sync"]).code, 1);
    assert_eq!(scene.containers(), before);
    scene.forge.publish(&[("stacks/log.yaml", &log(2))]);
    scene.until_image("web", "web:2");
    scene.until_image("log", "log:2");
    scene.until_condition("log", "True", "Valid");
    scene.end();
}

#[test]
fn what_cannot_come_from_git_is_refused_with_its_place() {
    let scene = Scene::at_work();
    let service = |more: &str| {
        format!("{}    {more}\n", "name: web\nservices:\n  web:\n    image: web:2\n")
    };
    for (more, expected) in [
        ("volumes: ['./data:/data']", "a container would write into the files"),
        ("env_file: ../../../etc/secret.env", "leads out of the repository"),
        ("volumes: ['../../x:/x:ro']", "leads out of the repository"),
    ] {
        scene.forge.publish(&[("stacks/web.yaml", &service(more))]);
        let mut message = String::new();
        for _ in 0..200 {
            message = scene.until_condition("web", "False", "Invalid");
            if message.contains(expected) {
                break;
            }
            std::thread::sleep(crate::TICK);
        }
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("stacks/web.yaml:5"), "{message}");
    }
    // What leads nowhere else, and is only read, is fine.
    scene.forge.publish(&[
        ("common/web.conf", "x\n"),
        ("stacks/web.yaml", &service("volumes: ['../common/web.conf:/web.conf:ro']")),
    ]);
    scene.until_image("web", "web:2");
}

#[test]
fn the_files_of_a_host_are_merged_into_the_stacks() {
    let mut scene = Scene::new();
    let environment =
        |text: &str| format!("services: {{web: {{environment: {{{text}}}}}}}\n");
    scene.forge.publish(&[
        ("stacks/web.yaml", &web(1)),
        ("stacks/hosts/one/web.yaml", &environment("HOST: one")),
        ("stacks/hosts/one/own.yaml", &stack("own", 1)),
        ("stacks/hosts/two/web.yaml", &environment("HOST: two")),
        ("stacks/hosts/two/other.yaml", &stack("other", 1)),
    ]);
    scene.operate();
    scene.until_image("web", "web:1");
    scene.until_image("own", "own:1");
    let names: Vec<String> =
        scene.stacks().iter().map(|it| it["name"].to_string()).collect();
    assert_eq!(names, ["\"own\"", "\"web\""]);
    let config = scene.product.ends(0, &["config"]).output;
    assert!(config.contains("HOST: one") && !config.contains("HOST: two"), "{config}");
}

#[test]
fn files_that_somebody_edits_in_the_checkout_are_as_the_commit_says_again() {
    let mut scene = Scene::at_work();
    let before = scene.containers();
    let file = scene.product.path("state/git/checkout/stacks/web.yaml");
    for text in [web(9), "rubbish: [".to_owned()] {
        std::fs::write(&file, text).unwrap();
        // A reason to load at once does not make it a wish.
        scene.operator().signal("HUP");
        scene.operator().says("restored", |record| {
            let message = record["message"].as_str().unwrap_or_default();
            message.starts_with("the checkout was changed by somebody else")
        });
        assert_eq!(std::fs::read_to_string(&file).unwrap(), web(1));
    }
    scene.forge.publish(&[("stacks/web.yaml", &web(2))]);
    scene.until_image("web", "web:2");
    assert!(scene.containers().iter().all(|(_, _, image)| image != "web:9"));
    assert_ne!(scene.containers(), before);
}
