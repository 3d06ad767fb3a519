//! Data that nobody named, folders whose disk is gone, and memory in use, on the real engine.

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

/// One service with these lines.
fn want(product: &Product, corner: &Corner, lines: &str) {
    let name = corner.project();
    let text = format!(
        "name: {name}
services:
  db:
    image: {IMAGE}
    init: true
    restart: always
    stop_grace_period: 1s
    {lines}
"
    );
    product.write("stack.yaml", &text);
}

#[tokio::test]
async fn a_folder_that_is_empty_now_is_not_started_on_until_a_person_says_so() {
    let Some(corner) = Corner::new("path").await else { return };
    if !corner.has(IMAGE).await {
        return;
    }
    let product = Product::new();
    let lines = "command: [sleep, '900']\n    volumes: ['./data:/data']";
    want(&product, &corner, lines);
    product.write("data/file", "data");
    product.apply();
    product.assert_in_sync();
    let name = corner.name("db-1");
    docker(&["stop", "-t", "1", &name]);
    product.shell("mv data/file kept");
    for _ in 0..2 {
        let ended = product.ends(1, &["apply", "--timeout", "60s"]);
        assert!(ended.output.contains("DataPathChanged"), "{ended}");
        assert!(ended.output.contains("it is empty"), "{ended}");
        let running = docker(&["inspect", "-f", "{{.State.Running}}", &name]);
        assert_eq!(running, "false");
    }
    // The disk is back.
    product.shell("mv kept data/file");
    product.apply();
    docker(&["stop", "-t", "1", &name]);
    product.shell("rm data/file");
    product.ends(1, &["apply", "--timeout", "60s"]);
    product.ends(0, &["apply", "--accept-data-path", "--timeout", "60s"]);
    product.assert_in_sync();
}

#[tokio::test]
async fn a_limit_below_the_memory_in_use_waits_until_there_is_room() {
    let Some(corner) = Corner::new("shrink").await else { return };
    if !corner.has(IMAGE).await {
        return;
    }
    let product = Product::new();
    let lines = |limit: &str| {
        let script = "dd if=/dev/zero of=/dev/shm/a bs=1M count=30; exec sleep 900";
        format!("command: ['sh', '-c', '{script}']\n    mem_limit: {limit}")
    };
    want(&product, &corner, &lines("64m"));
    product.apply();
    let name = corner.name("db-1");
    let id = docker(&["inspect", "-f", "{{.Id}}", &name]);
    let limit = || docker(&["inspect", "-f", "{{.HostConfig.Memory}}", &name]);
    for _ in 0..200 {
        let size = docker(&["exec", &name, "sh", "-c", "du -m /dev/shm/a || true"]);
        if size.starts_with("30") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    want(&product, &corner, &lines("16m"));
    let ended = product.ends(1, &["apply", "--timeout", "60s"]);
    assert!(ended.output.contains("MemoryInUse"), "{ended}");
    assert!(ended.output.contains("--allow-shrink"), "{ended}");
    assert_eq!(limit(), (64 << 20).to_string());
    docker(&["exec", &name, "rm", "/dev/shm/a"]);
    product.apply();
    assert_eq!(limit(), (16 << 20).to_string());
    assert_eq!(docker(&["inspect", "-f", "{{.Id}}", &name]), id, "it lived on");
}
