//! One writer for each stack, and other commands that work through it: lock, control
//! socket, service manager.

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
mod service_manager;
mod through;
mod writer;

use product::operator::Operator;
use product::{CANARY, Product};
use real::{Corner, IMAGE, client};

/// A stack of one's own, with files and state.
struct Scene {
    product: Product,
    corner: Corner,
}

impl Scene {
    async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let scene = Self { product: Product::new(), corner };
        scene.save(32);
        Some(scene)
    }

    /// Writes a stack whose one service may use so many MiB.
    fn save(&self, megabytes: u32) {
        self.product.write("stack.yaml", &self.stack(megabytes));
    }

    fn stack(&self, megabytes: u32) -> String {
        let name = self.corner.project();
        format!(
            "name: {name}
services:
  web:
    image: {IMAGE}
    command: [sleep, \"600\"]
    init: true
    stop_grace_period: 1s
    environment:
      DB_PASSWORD: {CANARY}
    deploy:
      resources:
        limits:
          memory: {megabytes}M
"
        )
    }

    /// Starts an operator and waits until the stack is ready.
    fn operate(&self) -> Operator {
        let mut operator = Operator::start(&self.product);
        operator.says_message("the stack is ready");
        operator
    }

    /// Returns the same files, looked at by somebody with another state directory.
    fn somebody_else(&self) -> Product {
        let mut other = Product::bare();
        other.option(&["-f", &self.product.path("stack.yaml").display().to_string()]);
        other
    }

    async fn memory(&self) -> Option<i64> {
        let there = client().inspect_container(&self.corner.name("web-1"), None).await;
        there.ok()?.host_config?.memory
    }

    async fn is_there(&self) -> bool {
        client().inspect_container(&self.corner.name("web-1"), None).await.is_ok()
    }
}
