//! `run --git` and `sync`: the host pulls its desired state, and says what it did.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "tests measure real time, and list many cases"
)]

mod dry_run;
mod endless;
#[path = "../forge/mod.rs"]
mod forge;
mod gone;
mod host;
mod interrupted;
#[path = "../product/mod.rs"]
mod product;
#[path = "../proxy/mod.rs"]
mod proxy;
mod pushed;
#[path = "../real/mod.rs"]
mod real;
#[path = "../notify/receiver.rs"]
#[allow(dead_code, reason = "some of it is for TLS")]
mod receiver;
mod refused;
mod reported;
mod transaction;

use std::time::{Duration, Instant};

use forge::Forge;
use product::Product;
use product::operator::Operator;
use serde_json::Value as Json;

/// How often something is looked at that is waited for.
const TICK: Duration = Duration::from_millis(50);
/// Long enough for a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// A forge, and a host that follows it, on a simulated engine.
struct Scene {
    // Ends before its folders do.
    operator: Option<Operator>,
    product: Product,
    forge: Forge,
}

impl Scene {
    /// Makes a host that is yet to follow the forge: `stacks/` of `main` by HTTP, every
    /// second.
    fn new() -> Self {
        let forge = Forge::new();
        let mut product = Product::bare();
        let engine = format!("sim:{}", product.path("engine.json").display());
        let url = forge.http_url();
        product.option(&["--host", &engine, "--git", &url, "--path", "stacks"]);
        product.option(&["--host-name", "one"]);
        let token = forge.token_file().display().to_string();
        product.variable("RECONCILER_GIT_TOKEN_FILE", &token);
        product.variable("RECONCILER_GIT_INTERVAL", "1s");
        Self { operator: None, product, forge }
    }

    /// As [`Scene::new`], with an operator that has made the stack `web`.
    fn at_work() -> Self {
        let mut scene = Self::new();
        scene.forge.publish(&[("stacks/web.yaml", &web(1))]);
        scene.operate();
        scene.until_image("web", "web:1");
        scene
    }

    fn operate(&mut self) {
        self.operator = Some(Operator::start(&self.product));
    }

    fn operator(&mut self) -> &mut Operator {
        self.operator.as_mut().expect("an operator")
    }

    /// Ends the operator as a system does that wants it to end.
    fn end(&mut self) {
        let mut operator = self.operator.take().expect("an operator");
        operator.signal("TERM");
        assert!(operator.ended().success(), "{:#?}", operator.told());
    }

    /// Returns the status of all stacks, by name.
    #[track_caller]
    fn stacks(&self) -> Vec<Json> {
        let ended = self.product.run(&["status", "-o", "json"]);
        if ended.code == 2 {
            // No commit is in force yet.
            return Vec::new();
        }
        ended.json()["stacks"].as_array().cloned().expect("stacks")
    }

    fn stack(&self, name: &str) -> Option<Json> {
        self.stacks().into_iter().find(|stack| stack["name"] == name)
    }

    /// Returns the containers of the engine: names, ids and images.
    fn containers(&self) -> Vec<(String, String, String)> {
        let text = std::fs::read_to_string(self.product.path("engine.json"));
        let engine: Json =
            serde_json::from_str(&text.unwrap_or_default()).unwrap_or(Json::Null);
        let all = engine["containers"].as_array().cloned().unwrap_or_default();
        let mut found: Vec<_> = all
            .into_iter()
            .map(|it| {
                let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
                (text(&it["name"]), text(&it["id"]), text(&it["body"]["Image"]))
            })
            .collect();
        found.sort();
        found
    }

    /// Waits until a condition of a stack has a status and a reason; returns its message.
    #[track_caller]
    fn until_condition(&self, stack: &str, status: &str, reason: &str) -> String {
        let mut last = None;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            last = self.stack(stack);
            let conditions = last.as_ref().and_then(|it| it["conditions"].as_array());
            let found = conditions.into_iter().flatten().find(|it| {
                it["type"] == "SpecValid"
                    && it["status"] == status
                    && it["reason"] == reason
            });
            if let Some(found) = found {
                return found["message"].as_str().unwrap_or_default().to_owned();
            }
            std::thread::sleep(TICK);
        }
        panic!("never SpecValid={status} {reason}: {last:#?}");
    }

    /// Waits until the stack is ready, and its one service has an image.
    #[track_caller]
    fn until_image(&self, stack: &str, image: &str) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let ready = self.stack(stack).is_some_and(|it| it["ready"] == true);
            if ready && self.containers().iter().any(|(_, _, it)| it == image) {
                return;
            }
            std::thread::sleep(TICK);
        }
        panic!(
            "{stack} never has {image}: {:#?} {:#?}",
            self.stacks(),
            self.containers()
        );
    }
}

/// A stack of one service, of a version.
fn web(version: u32) -> String {
    stack("web", version)
}

fn stack(name: &str, version: u32) -> String {
    format!("name: {name}\nservices: {{{name}: {{image: '{name}:{version}'}}}}\n")
}
