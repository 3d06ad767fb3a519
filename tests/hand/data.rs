//! Data that nobody named, on the real engine.

use std::process::Command;

use crate::product::Product;
use crate::real::{Corner, IMAGE};

#[track_caller]
fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_replacement_keeps_what_its_image_keeps_in_a_volume_without_a_name() {
    let Some(corner) = Corner::new("data").await else { return };
    if !corner.has(IMAGE).await {
        return;
    }
    let image = corner.name("image");
    let base = docker(&["create", "--name", &corner.name("base"), IMAGE]);
    docker(&["commit", "--change", "VOLUME /data", &base, &image]);
    docker(&["rm", &base]);
    let product = Product::new();
    let want = |level: &str| {
        let name = corner.project();
        let text = format!(
            "name: {name}
services:
  db:
    image: {image}
    command: [sleep, '900']
    init: true
    stop_grace_period: 1s
    environment: {{LEVEL: {level}}}
    volumes: [/extra]
"
        );
        product.write("stack.yaml", &text);
    };
    want("info");
    product.apply();
    product.assert_in_sync();
    let name = corner.name("db-1");
    docker(&["exec", &name, "sh", "-c", "echo kept > /data/a; echo too > /extra/b"]);
    let first = docker(&["inspect", "-f", "{{.Id}}", &name]);
    for level in ["debug", "trace"] {
        want(level);
        product.apply();
        product.assert_in_sync();
        assert_ne!(docker(&["inspect", "-f", "{{.Id}}", &name]), first);
        assert_eq!(docker(&["exec", &name, "cat", "/data/a", "/extra/b"]), "kept\ntoo");
    }
}
