//! An operator that is killed: nothing is lost, and nothing is half done.

use std::time::Duration;

use crate::{Scene, stack, web};

#[test]
fn whenever_it_is_killed_the_next_one_brings_the_commit_about() {
    let mut scene = Scene::at_work();
    for round in 2..14_u32 {
        let files: Vec<(String, String)> = (0..30)
            .map(|it| (format!("stacks/files/{it}"), format!("{round} {it}\n")))
            .collect();
        let mut all: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let (web, log) = (web(round), stack("log", round));
        all.extend([("stacks/web.yaml", web.as_str()), ("stacks/log.yaml", &log)]);
        scene.forge.publish(&all);
        // From before it asks to after it has begun to replace containers.
        std::thread::sleep(Duration::from_millis(u64::from(round) * 110));
        scene.operator().signal("KILL");
        scene.operator().ended();
        scene.operate();
        if round % 4 == 0 {
            scene.until_image("web", &format!("web:{round}"));
            scene.until_image("log", &format!("log:{round}"));
            for (name, text) in &files {
                let path = scene.product.path("state/git/checkout").join(name);
                assert_eq!(std::fs::read_to_string(path).unwrap(), *text);
            }
        }
    }
    scene.until_image("web", "web:13");
    scene.end();
}

#[test]
fn a_second_process_does_not_touch_the_checkout() {
    let mut scene = Scene::at_work();
    let mut second = crate::Operator::start(&scene.product);
    assert_eq!(second.ended().code(), Some(4), "{:#?}", second.told());
    // Through the socket of the first it may ask.
    let commit = scene.forge.publish(&[("stacks/web.yaml", &web(2))]);
    let ended = scene.product.ends(0, &["sync"]);
    assert!(ended.output.contains(&commit[..12]), "{ended}");
    scene.until_image("web", "web:2");
    scene.end();
    // Without an operator it is fetched, and acted on when a person says so.
    let commit = scene.forge.publish(&[("stacks/web.yaml", &web(3))]);
    let ended = scene.product.ends(0, &["sync", "-o", "json"]).json();
    assert_eq!(ended["in_force"]["id"], commit.as_str());
    assert!(scene.containers().iter().any(|(_, _, image)| image == "web:2"));
    scene.product.apply();
    scene.until_image("web", "web:3");
}

#[test]
fn a_cache_that_is_lost_or_spoilt_is_made_anew() {
    let mut scene = Scene::at_work();
    for (version, damage) in (2..).zip([
        "rm -r state/git/repository.git",
        "rm -r state/git/repository.git/objects",
        "rm -r state/git/staged",
        "rm -r state/git/checkout",
    ]) {
        scene.end();
        scene.product.shell(damage);
        scene.operate();
        scene.until_image("web", &format!("web:{}", version - 1));
        scene.forge.publish(&[("stacks/web.yaml", &web(version))]);
        scene.until_image("web", &format!("web:{version}"));
    }
}
