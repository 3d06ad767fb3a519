//! `reconciler run` on the real engine: saves, bad input, drift behind its back, its end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    reason = "tests measure real time, list many cases, and match what they expect"
)]

mod bad_input;
mod behind_its_back;
mod content;
mod dry_run;
mod life;
mod outside;
#[path = "../product/mod.rs"]
mod product;
#[path = "../proxy/mod.rs"]
mod proxy;
#[path = "../real/mod.rs"]
mod real;
mod saves;

use std::time::Duration;

use product::operator::Operator;
use product::{CANARY, Product};
use real::{Corner, IMAGE, client};
use serde_json::Value as Json;

/// How often the engine is asked for what is waited for.
const TICK: Duration = Duration::from_millis(20);
/// Long enough for a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// A stack of one's own on the engine, and an operator that keeps it.
struct Scene {
    // Ends before its containers are taken away.
    operator: Option<Operator>,
    product: Product,
    corner: Corner,
}

impl Scene {
    /// Makes a scene without an operator; nothing where there is no engine.
    async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let mut product = Product::new();
        product.variable("DB_SECRET", CANARY);
        Some(Self { operator: None, product, corner })
    }

    /// Makes a scene whose operator has made the stack of [`Scene::stack`] with 32 MiB.
    async fn at_work(what: &str) -> Option<Self> {
        let mut scene = Self::new(what).await?;
        scene.product.write("stack.yaml", &scene.stack(32));
        scene.operate();
        scene.says("the stack is ready");
        Some(scene)
    }

    /// Returns a stack of two services; the first may use so many MiB, the second depends
    /// on it.
    fn stack(&self, megabytes: u32) -> String {
        let name = self.corner.project();
        format!(
            "name: {name}
services:
  first:
    image: {IMAGE}
    command: [sleep, \"600\"]
    init: true
    environment:
      DB_PASSWORD: ${{DB_SECRET}}
    deploy:
      resources:
        limits:
          memory: {megabytes}M
  second:
    image: {IMAGE}
    command: [sleep, \"600\"]
    init: true
    healthcheck:
      test: [CMD, \"true\"]
      interval: 5s
    depends_on:
      first:
        condition: service_started
"
        )
    }

    fn operate(&mut self) {
        self.operator = Some(Operator::start(&self.product));
    }

    fn operator(&mut self) -> &mut Operator {
        self.operator.as_mut().expect("an operator")
    }

    #[track_caller]
    fn says(&mut self, message: &str) -> Json {
        self.operator().says_message(message)
    }

    /// Returns what the engine says about a container of the stack; null without it.
    async fn container(&self, service: &str) -> Json {
        inspect(&self.corner.name(&format!("{service}-1"))).await
    }

    /// Returns what no change in place moves: id and start of both containers.
    async fn identities(&self) -> Vec<Json> {
        let mut all = Vec::new();
        for service in ["first", "second"] {
            let there = self.container(service).await;
            assert!(there["Id"].is_string(), "{service} is not there");
            all.extend([there["Id"].clone(), there["State"]["StartedAt"].clone()]);
        }
        all
    }

    /// Waits until a container is as the function says.
    async fn until(&mut self, service: &str, what: &str, holds: impl Fn(&Json) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !holds(&self.container(service).await) {
                tokio::time::sleep(TICK).await;
            }
        });
        let is_so = waited.await.is_ok();
        let told = self.operator.as_mut().map(Operator::told);
        assert!(is_so, "{service} is not {what}: {told:#?}");
    }

    /// Waits until the first container may use so many MiB.
    async fn until_memory(&mut self, megabytes: u32) {
        let bytes = u64::from(megabytes) << 20;
        let is_so = |it: &Json| it["HostConfig"]["Memory"] == bytes;
        self.until("first", &format!("at {megabytes} MiB"), is_so).await;
    }
}

/// Returns what the engine says about a container; null when it is not there.
async fn inspect(name: &str) -> Json {
    let there = client().inspect_container(name, None).await;
    there.map_or(Json::Null, |there| serde_json::to_value(there).unwrap_or_default())
}
