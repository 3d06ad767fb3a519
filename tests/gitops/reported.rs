//! What people learn of the commits: history, events and notifications.

use std::net::TcpListener;

use serde_json::Value as Json;

use crate::forge::Forge;
use crate::receiver::Receiver;
use crate::{Scene, stack, web};

/// Makes a version of the stack that names whom to tell.
fn telling(version: u32, url: &str) -> String {
    format!("{}x-reconciler: {{notify: [{{url: '{url}'}}]}}\n", web(version))
}

/// Publishes a version; returns its commit.
fn publish(forge: &Forge, text: &str, message: &str) -> String {
    forge.write("stacks/web.yaml", text.as_bytes());
    let commit = forge.commit_all(message);
    forge.push();
    commit
}

fn history(scene: &Scene) -> Vec<Json> {
    let ended = scene.product.ends(0, &["history", "-o", "json"]);
    ended.json()["stacks"][0]["revisions"].as_array().cloned().unwrap()
}

#[test]
fn history_says_who_wanted_what_and_how_it_ended() {
    let mut scene = Scene::new();
    let first = publish(&scene.forge, &web(1), "Web, at last");
    scene.operate();
    scene.until_image("web", "web:1");
    scene.operator().says_message("the stack is ready");
    let second = publish(&scene.forge, &stack("web", 2), "Web 2\n\nWith a body.");
    scene.until_image("web", "web:2");
    scene.operator().says_message("the stack is ready");
    let revisions = history(&scene);
    let of = |revision: &Json| {
        let commit = &revision["commit"];
        let text = |key: &str| commit[key].as_str().unwrap_or_default().to_owned();
        (text("id"), text("author"), text("message"))
    };
    let ada = || "Ada <ada@example.com>".to_owned();
    let said: Vec<_> = revisions.iter().map(of).collect();
    let expected =
        [(second, ada(), "Web 2".to_owned()), (first, ada(), "Web, at last".to_owned())];
    assert_eq!(said, expected, "{revisions:#?}");
    for (revision, action) in revisions.iter().zip(["recreate", "create"]) {
        assert_eq!(revision["result"], "converged", "{revision}");
        assert!(revision["duration_seconds"].is_number(), "{revision}");
        assert!(revision["ended"].is_string(), "{revision}");
        let changes = revision["changes"].as_array().unwrap();
        let web = changes.iter().find(|it| it["object"] == "service/web/1").unwrap();
        assert_eq!(web["action"], action, "{revision}");
    }
    assert_eq!(revisions[0]["current"], true);
    let changes = revisions[0]["changes"].as_array().unwrap();
    assert_eq!(changes[0]["fields"], serde_json::json!(["image"]), "{changes:?}");
}

#[test]
fn who_is_told_hears_of_every_commit_that_was_refused_or_made_and_holds_nothing_up() {
    let receiver = Receiver::plain("200 OK");
    let mut scene = Scene::new();
    let url = receiver.url();
    let first = publish(&scene.forge, &telling(1, &url), "Web");
    scene.operate();
    let told = receiver.next();
    assert_eq!(
        (&told["reason"], &told["severity"]),
        (&"converged".into(), &"info".into())
    );
    assert_eq!(told["commit"]["id"], first.as_str(), "{told}");
    assert_eq!(told["commit"]["author"], "Ada <ada@example.com>");
    let bad = publish(&scene.forge, "name: web\nservices: {web: {imag: x}}\n", "Oops");
    let told = receiver.next();
    assert_eq!((&told["reason"], &told["object"]), (&"refused".into(), &"stack".into()));
    let message = told["message"].as_str().unwrap();
    assert!(message.contains(&bad[..12]) && message.contains("web.yaml:2:"), "{told}");
    let missing = telling(1, &url).replace("web:1", "missing:1");
    publish(&scene.forge, &missing, "An image that is not there");
    let told = receiver.next();
    assert_eq!(
        (&told["reason"], &told["object"]),
        (&"failed".into(), &"service/web".into())
    );
    // Now they are told who never takes it.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = format!("http://{}", hanging.local_addr().unwrap());
    publish(&scene.forge, &telling(2, &hangs), "To one that hangs");
    scene.until_image("web", "web:2");
    publish(&scene.forge, &telling(3, &hangs), "And on");
    scene.until_image("web", "web:3");
    scene.end();
    let events = scene.product.ends(0, &["events", "-o", "json"]);
    assert!(events.output.contains("Invalid"), "{}", events.output);
}
