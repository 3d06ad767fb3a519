//! `reconciler check` with real software: every check passes, then something is broken, and
//! it fails with the object, what was found, and what to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod health_server;
mod measured;
mod operator;
#[path = "../product/mod.rs"]
mod product;
#[path = "../real/mod.rs"]
mod real;
mod servers;

use std::process::{Command, Stdio};

use product::{Ended, Product};
use real::Corner;
use serde_json::Value as Json;

/// A stack of one test.
struct Scene {
    corner: Corner,
    product: Product,
}

impl Scene {
    /// Makes a scene whose stack runs these images; nothing where they cannot be had.
    async fn new(what: &str, images: &[&str]) -> Option<Self> {
        let corner = Corner::new(what).await?;
        for image in images {
            if !corner.has(image).await {
                return None;
            }
        }
        Some(Self { corner, product: Product::new() })
    }

    /// Writes the stack: its services and its checks.
    fn want(&self, text: &str) {
        let text = format!("name: {}\n{text}", self.corner.project());
        self.product.write("stack.yaml", &text);
    }

    /// Returns the name of the first container of a service.
    fn container(&self, service: &str) -> String {
        self.corner.name(&format!("{service}-1"))
    }

    /// Asserts that all checks pass, also with `--strict`.
    #[track_caller]
    fn passes(&self) -> Json {
        let ended = self.product.run(&["check", "--strict", "-o", "json"]);
        assert_eq!(ended.code, 0, "{ended}");
        let stack = ended.json()["stacks"][0].take();
        assert_eq!(stack["healthy"], true, "{ended}");
        stack
    }

    /// Asserts that a check fails, and that text and JSON have these words; returns the check.
    #[track_caller]
    fn fails(&self, check: &str, words: &[&str]) -> Json {
        let ended: Ended = self.product.ends(1, &["check", check, "-o", "json"]);
        let stack = ended.json()["stacks"][0].take();
        let found = stack["checks"][0].clone();
        assert_eq!((&found["name"], &found["result"]), (&check.into(), &"fail".into()));
        assert_eq!(stack["healthy"], false);
        assert!(found["next"].is_string(), "nothing to do: {ended}");
        let text = self.product.ends(1, &["check", check]);
        assert!(text.output.contains("WHAT TO DO NEXT"), "{text}");
        for word in words {
            assert!(found.to_string().contains(word), "{word}: {found:#}");
            assert!(text.output.contains(word), "{word}: {text}");
        }
        product::measured(&format!("{check}: {}", found["found"]));
        found
    }
}

#[track_caller]
fn docker(arguments: &[&str]) {
    let mut docker = Command::new("docker");
    let ended = docker.args(arguments).stdin(Stdio::null()).output();
    let ended = ended.expect("docker runs");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{arguments:?}: {said}");
}

/// Runs a line of shell in a container.
#[track_caller]
fn inside(container: &str, line: &str) {
    docker(&["exec", container, "sh", "-c", line]);
}

/// Tries something until it works: software takes its time to notice.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{what}: never");
}
