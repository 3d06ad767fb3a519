//! Without an operator, on a simulated engine: what the commands say, and how they end.

use std::collections::BTreeSet;

use crate::product::{CANARY, Product};

pub(crate) struct Scene {
    pub(crate) product: Product,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let mut product = Product::new();
        let engine = format!("sim:{}", product.path("engine.json").display());
        product.option(&["--host", &engine]);
        product.variable("PASSWORD", CANARY);
        let scene = Self { product };
        scene.want("web:1");
        scene
    }

    pub(crate) fn want(&self, web: &str) {
        let text = format!(
            "name: shop
services:
  db:
    image: db:1
    environment: {{DB_PASSWORD: \"${{PASSWORD}}\"}}
  web:
    image: {web}
    scale: 2
"
        );
        self.product.write("stack.yaml", &text);
    }

    /// Returns the images that containers of `web` were made from.
    pub(crate) fn image(&self) -> String {
        let state = std::fs::read_to_string(self.product.path("engine.json")).unwrap();
        let words = state.split(['"', '\\']);
        let images: BTreeSet<&str> = words
            .clone()
            .zip(words.skip(2))
            .filter(|(key, _)| *key == "Config.Image" || *key == "Image")
            .map(|(_, image)| image)
            .filter(|image| image.starts_with("web:"))
            .collect();
        images.into_iter().collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn a_pause_is_kept_told_and_ended() {
    let scene = Scene::new();
    let product = &scene.product;
    product.apply();
    let ended = product.ends(0, &["pause", "web"]);
    assert_eq!(
        ended.notices,
        "shop web is paused by hand; nothing is done about it until then, or \
         `reconciler resume`\n"
    );
    scene.want("web:2");
    let diff = product.ends(1, &["diff"]);
    assert!(diff.output.contains("waits for `reconciler resume`: it is paused by hand"));
    assert!(diff.output.contains("! shop  Paused: service/web is paused by hand"));
    let json = product.ends(1, &["diff", "-o", "json"]).json();
    let change = &json["stacks"][0]["changes"][0];
    assert_eq!(change["action"], "recreate");
    assert_eq!(change["gate"]["state"], "waiting");
    let status = product.ends(1, &["status"]);
    assert!(status.output.contains("Paused=True"), "{status}");
    // An apply does what is not paused, says what is, and does not wait for it.
    let ended = product.ends(1, &["apply", "--timeout", "60s"]);
    assert!(ended.notices.contains("unless somebody acts"), "{ended}");
    assert!(ended.notices.contains("`reconciler resume` goes on"), "{ended}");
    product.ends(0, &["resume", "web"]);
    let ended = product.ends(1, &["resume", "web"]);
    assert_eq!(ended.notices, "shop web is not paused\n");
    product.apply();
    product.assert_in_sync();
    let events = product.ends(0, &["events"]);
    assert!(events.output.contains("Paused"), "{events}");
    assert!(events.output.contains("Resumed"), "{events}");
}

#[test]
fn a_pause_with_an_end_says_when_and_what_is_paused_with_its_stack_says_so() {
    let scene = Scene::new();
    let product = &scene.product;
    let ended = product.ends(0, &["pause", "--for", "2h"]);
    assert!(ended.notices.starts_with("shop is paused until 20"), "{ended}");
    let ended = product.ends(1, &["apply"]);
    assert!(ended.notices.contains("the stack is paused until"), "{ended}");
    let ended = product.ends(1, &["resume", "web"]);
    assert!(ended.notices.contains("with its whole stack"), "{ended}");
    let ended = product.ends(2, &["pause", "wbe"]);
    assert!(ended.notices.contains("perhaps web was meant"), "{ended}");
    product.ends(0, &["resume"]);
    product.apply();
}

#[test]
fn a_restart_touches_its_service_alone_and_waits_for_it() {
    let scene = Scene::new();
    let product = &scene.product;
    product.apply();
    let starts = |product: &Product| {
        let events = product.ends(0, &["events", "-o", "json"]).json();
        let events = events["stacks"][0]["events"].as_array().cloned().unwrap();
        let started = events.iter().filter(|it| it["reason"] == "Started");
        started.map(|it| (it["object"].clone(), it["count"].clone())).collect::<Vec<_>>()
    };
    let text = std::fs::read_to_string(product.path("stack.yaml")).unwrap();
    product.write("stack.yaml", &text.replace("db:1", "db:2"));
    let ended = product.ends(0, &["restart", "web"]);
    assert!(ended.notices.ends_with("web is restarted and ready\n"), "{ended}");
    let twice = |number| (format!("service/web/{number}").into(), 2.into());
    let once = ("service/db/1".into(), 1.into());
    assert_eq!(starts(product), [once, twice(1), twice(2)]);
    let changes = product.changes();
    assert_eq!(changes.len(), 1, "the file's own change waits for an apply");
    let ended = product.ends(2, &["restart", "wbe"]);
    assert!(ended.notices.contains("perhaps web was meant"), "{ended}");
    product.ends(0, &["pause"]);
    let ended = product.ends(1, &["restart", "web"]);
    assert!(ended.notices.contains("cannot be restarted"), "{ended}");
    assert!(ended.notices.contains("waits for `reconciler resume`"), "{ended}");
}
