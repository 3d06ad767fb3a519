//! The whole way of a stack on a simulated engine: a person who has no Docker at all.

use crate::product::{CANARY, Ended, Product};

struct Scene {
    product: Product,
}

impl Scene {
    fn new() -> Self {
        let mut product = Product::new();
        let engine = format!("sim:{}", product.path("engine.json").display());
        product.option(&["--host", &engine]);
        product.variable("PASSWORD", CANARY);
        Self { product }
    }

    fn want(&self, memory: &str, web: &str) {
        let text = format!(
            "name: shop
services:
  db:
    image: db:1
    environment:
      DB_PASSWORD: ${{PASSWORD}}
    healthcheck: {{test: [CMD, ready], interval: 1s}}
    volumes: [\"data:/data\"]
    deploy: {{resources: {{limits: {{memory: {memory}}}}}}}
  web:
    {web}
    depends_on: {{db: {{condition: service_healthy}}}}
volumes:
  data:
"
        );
        self.product.write("stack.yaml", &text);
    }

    /// Returns a transcript in which nothing is of this run alone.
    fn transcript(&self, ended: &Ended) -> String {
        let text = self.product.transcript(ended);
        let lines = text.lines().map(|line| match line.find("sha256:") {
            Some(at) => format!("{}sha256:…", &line[..at]),
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn a_stack_is_made_changed_and_taken_down_without_an_engine() {
    let scene = Scene::new();
    let product = &scene.product;
    scene.want("32M", "image: web:1");
    insta::assert_snapshot!(scene.transcript(&product.ends(1, &["diff"])));
    product.apply();
    product.assert_in_sync();
    product.ends(0, &["status"]);
    let status = product.status();
    assert_eq!(status["ready"], true);
    let db = &status["services"][0]["containers"][0];
    assert_eq!((&db["name"], &db["state"]), (&"shop-db-1".into(), &"running".into()));

    scene.want("48M", "image: web:2");
    insta::assert_snapshot!(scene.transcript(&product.ends(1, &["diff"])));
    product.apply();
    product.assert_in_sync();
    let after = &product.status()["services"][0]["containers"][0];
    assert_eq!(after["id"], db["id"], "a limit changes in place");

    let deleted = product.ends(0, &["delete", "--yes"]);
    assert!(deleted.notices.ends_with("its data stays in shop_data\n"), "{deleted}");
    let deleted = product.ends(0, &["delete", "--volumes", "--yes"]);
    assert!(deleted.notices.contains("volume shop_data is deleted"), "{deleted}");
    product.ends(1, &["diff"]);
}

#[test]
fn what_must_not_change_under_data_does_not_until_a_person_says_that_it_is_meant() {
    let scene = Scene::new();
    let product = &scene.product;
    let want = |mq: &str| {
        let text = format!(
            "name: shop
services:
  db:
    image: db:1
    environment: {{MQ_TYPE: {mq}}}
    x-reconciler: {{immutable: [environment.MQ_TYPE]}}
"
        );
        product.write("stack.yaml", &text);
    };
    want("woodpecker");
    product.apply();
    want("rocksmq");
    insta::assert_snapshot!(scene.transcript(&product.ends(1, &["diff"])));
    product.ends(1, &["apply"]);
    let why = product.ends(0, &["explain", "db"]).output;
    assert!(why.contains("--accept-immutable db") && why.contains("refused"), "{why}");
    assert_eq!(product.status()["services"][0]["ready"], true);
    // The data stays, and so does what is known of it.
    product.ends(0, &["delete", "--yes"]);
    product.ends(1, &["apply"]);
    product.ends(2, &["apply", "--accept-immutable", "bd"]);
    product.ends(0, &["apply", "--accept-immutable", "db"]);
    product.assert_in_sync();
}

#[test]
fn labels_choose_what_goes_wrong() {
    let scene = Scene::new();
    let product = &scene.product;
    for (web, reason) in [
        ("image: missing:1", "ImagePullBackOff"),
        (
            "{image: web:1, restart: always, labels: {sim.exits: \"1\"}}",
            "CrashLoopBackOff",
        ),
    ] {
        scene.want("32M", web);
        if web.starts_with('{') {
            let text = std::fs::read_to_string(product.path("stack.yaml")).unwrap();
            let inside = &web[1..web.len() - 1].replace(", ", "\n    ");
            product.write("stack.yaml", &text.replace(web, inside));
        }
        product.ends(1, &["apply", "--timeout", "3s"]);
        let ended = product.run(&["status", "-o", "json"]);
        assert!(ended.output.contains(reason), "{reason}: {ended}");
    }
}

#[test]
fn an_engine_without_a_file_ends_with_its_command() {
    let scene = Scene::new();
    scene.want("32M", "image: web:1");
    for _ in 0..2 {
        let ended = scene.product.ends(1, &["diff", "--host", "sim:"]);
        assert!(ended.output.contains("4 to create"), "{ended}");
        scene.product.ends(0, &["apply", "--host", "sim:", "--timeout", "120s"]);
    }
}

#[test]
fn a_spoilt_file_is_left_alone_and_named_with_a_way_out() {
    let scene = Scene::new();
    scene.want("32M", "image: web:1");
    scene.product.write("engine.json", "{\"what\": \"something else\"}");
    for command in ["diff", "apply", "status"] {
        let ended = scene.product.ends(3, &[command]);
        assert!(ended.notices.contains("delete the file to begin"), "{ended}");
        assert!(ended.notices.contains("engine.json"), "{ended}");
    }
    let text = std::fs::read_to_string(scene.product.path("engine.json")).unwrap();
    assert!(text.contains("something else"));
}
