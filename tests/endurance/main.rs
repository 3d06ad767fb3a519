//! `reconciler run` left alone: with services that fail, engines that restart, its own
//! sudden end, and nothing to do.

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

mod engine_restarts;
mod footprint;
mod killed;
mod one_fails;
mod own_engine;
#[path = "../product/mod.rs"]
mod product;
#[path = "../proxy/mod.rs"]
mod proxy;
#[path = "../real/mod.rs"]
mod real;
mod replacements_killed;
mod taken_back;

use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};

use product::Product;
use product::operator::Operator;
use real::{Corner, IMAGE};
use serde_json::Value as Json;

/// How often is asked for what is waited for.
const TICK: Duration = Duration::from_millis(50);

/// Each test has the machine for itself: what is measured is not what others do.
static ALONE: Mutex<()> = Mutex::const_new(());

async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// A stack of one's own on the engine, and an operator that keeps it.
struct Scene {
    // Ends before its containers are taken away.
    operator: Option<Operator>,
    product: Product,
    corner: Corner,
    _alone: MutexGuard<'static, ()>,
}

impl Scene {
    /// Makes a scene without an operator; nothing where there is no engine.
    async fn new(what: &str) -> Option<Self> {
        let alone = alone().await;
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        Some(Self { operator: None, product: Product::new(), corner, _alone: alone })
    }

    /// Writes the stack: the name of the project, and services.
    fn write(&self, services: &str) {
        let name = self.corner.project();
        self.product.write("stack.yaml", &format!("name: {name}\n{services}"));
    }

    fn operate(&mut self) {
        self.operator = Some(Operator::start(&self.product));
    }

    fn operator(&mut self) -> &mut Operator {
        self.operator.as_mut().expect("an operator")
    }

    /// Returns the inspections of the project's containers, by name.
    fn containers(&self) -> Vec<Json> {
        let project = self.corner.project();
        let label = format!("%22com.docker.compose.project={project}%22");
        let list = format!("/containers/json?all=1&filters=%7B%22label%22:[{label}]%7D");
        let all = real::raw::ask(&list);
        let ids = all.as_array().into_iter().flatten();
        let inspect = |it: &Json| {
            let id = it["Id"].as_str().unwrap_or_default();
            real::raw::ask(&format!("/containers/{id}/json"))
        };
        // One that is removed meanwhile has no name.
        let mut found: Vec<Json> =
            ids.map(inspect).filter(|it| it["Name"].is_string()).collect();
        found.sort_by_key(|it| it["Name"].to_string());
        found
    }
}

/// What no look and no repair of another may move: id, start and restart count.
fn identity(container: &Json) -> [Json; 4] {
    let state = &container["State"];
    [
        &container["Name"],
        &container["Id"],
        &state["StartedAt"],
        &container["RestartCount"],
    ]
    .map(Clone::clone)
}

/// Waits until the function finds something.
#[track_caller]
fn until<T>(what: &str, patience: Duration, mut find: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(begin.elapsed() < patience, "not in {patience:?}: {what}");
        std::thread::sleep(TICK);
    }
}
