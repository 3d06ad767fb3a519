//! `preflight` on this machine: what is really in the way is found, and nothing is changed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

#[path = "../product/mod.rs"]
mod product;
#[path = "../real/mod.rs"]
mod real;

use std::net::TcpListener;
use std::process::Command;

use product::{Product, free_port};
use real::Corner;
use serde_json::Value as Json;

/// Returns the findings of a stack's preflight, which must end so.
#[track_caller]
fn findings(product: &Product, code: i32) -> Vec<Json> {
    let json = product.ends(code, &["preflight", "-o", "json"]).json();
    assert_eq!(json["pass"], code == 0, "{json}");
    json["findings"].as_array().expect("findings").clone()
}

fn of<'a>(findings: &'a [Json], check: &str, about: &str) -> Option<&'a Json> {
    findings.iter().find(|it| it["check"] == check && it["about"] == about)
}

fn scene(service: &str) -> Product {
    let product = Product::new();
    product.write("stack.yaml", &format!("name: pre\nservices:\n  web: {service}\n"));
    product
}

#[tokio::test]
async fn a_port_that_somebody_has_and_a_limit_above_the_host_fail() {
    if Corner::new("preflight").await.is_none() {
        return;
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let product = scene(&format!(
        "{{image: 'no/such:1', ports: ['127.0.0.1:{port}:80'], mem_limit: 9000g, cpus: 9000}}"
    ));
    let found = findings(&product, 1);
    for check in ["port-in-use", "memory", "cpus"] {
        let finding = of(&found, check, "pre/web").unwrap_or_else(|| panic!("{found:?}"));
        assert_eq!(finding["grade"], "fail");
        assert_ne!(finding["fix"], "");
    }
    assert!(of(&found, "image", "pre/web").is_some(), "{found:?}");
    drop(taken);
    let product = scene(&format!(
        "{{image: 'no/such:1', ports: ['127.0.0.1:{}:80']}}",
        free_port()
    ));
    let found = findings(&product, 0);
    assert!(of(&found, "port-in-use", "pre/web").is_none(), "{found:?}");
    let text = product.ends(0, &["preflight"]).output;
    assert!(text.contains("pass: "), "{text}");
}

#[tokio::test]
async fn a_folder_that_is_missing_and_a_disk_that_is_full_are_found_and_left_alone() {
    if Corner::new("preflight").await.is_none() {
        return;
    }
    let product =
        scene("{image: 'no/such:1', volumes: ['./disk/data:/data', './no:/b']}");
    product.write("disk/keep", "");
    let disk = product.path("disk");
    let mount = |program: &str, words: &[&str]| {
        Command::new(program).args(words).arg(&disk).status().is_ok_and(|it| it.success())
    };
    if !mount("mount", &["-t", "tmpfs", "-o", "size=1m", "preflight"]) {
        // Only root may mount a disk.
        return;
    }
    std::fs::create_dir(disk.join("data")).unwrap();
    let found = findings(&product, 1);
    assert!(mount("umount", &[]));
    let full = found.iter().find(|it| {
        it["check"] == "disk-full"
            && it["message"].as_str().unwrap_or_default().contains("/disk/data")
    });
    assert_eq!(full.unwrap_or_else(|| panic!("{found:?}"))["grade"], "fail");
    let missing = of(&found, "data-folder", "pre/web").unwrap();
    assert!(missing["fix"].as_str().unwrap().starts_with("install -d "), "{missing}");
    assert!(!product.path("no").exists(), "it was only looked at");
}

#[tokio::test]
async fn without_a_stack_the_host_is_checked_and_without_an_engine_nothing() {
    if Corner::new("preflight").await.is_none() {
        return;
    }
    let product = Product::bare();
    let ended = product.run(&["preflight", "-o", "json"]);
    assert!(ended.code == 0 || ended.code == 1, "{ended:?}");
    assert!(ended.notices.contains("only the host is checked"), "{ended:?}");
    let nowhere = "unix:///no/such/socket";
    product.ends(3, &["--host", nowhere, "preflight"]);
}
