//! A stack with a bit of everything, and an engine that lets each command do only what the
//! documentation lists for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::product::{Ended, Product};
use crate::proxy::Proxy;
use crate::real::{Corner, IMAGE};
use crate::table;

/// A stack, and a proxy for each column of the table.
pub(crate) struct Ward {
    pub(crate) product: Product,
    project: String,
    image: String,
    proxies: BTreeMap<String, Proxy>,
}

impl Ward {
    pub(crate) fn new(corner: &Corner, image: &str) -> Self {
        let columns = table::columns().into_iter();
        let product = Product::new();
        product.write("app.conf", "one\n");
        product.write("key", "a secret\n");
        Self {
            product,
            project: corner.project(),
            image: image.to_owned(),
            proxies: columns
                .map(|(it, allowed)| (it, Proxy::allowing(allowed)))
                .collect(),
        }
    }

    /// Returns the address of the engine for the commands of a column.
    pub(crate) fn host(&self, column: &str) -> String {
        self.proxies[column].host()
    }

    /// Runs a command of a column, and asserts how it ends.
    #[track_caller]
    pub(crate) fn ends(&self, column: &str, code: i32, command: &[&str]) -> Ended {
        let host = self.host(column);
        let ended = self.product.ends(code, &[command, &["--host", &host]].concat());
        self.assert_nothing_was_denied();
        ended
    }

    #[track_caller]
    pub(crate) fn applies(&self) {
        self.ends(crate::ACTS, 0, &["apply", "--timeout", "120s"]);
    }

    /// Follows the logs, once the engine is asked for events.
    pub(crate) fn reads_logs(&self, column: &str) -> std::process::Child {
        let mut command = self.product.command(None);
        command.args(["logs", "-f", "--host", &self.host(column)]);
        let mut reader = command.spawn().expect("the binary runs");
        let is_asked = (0..600).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            self.proxies[column].endpoints().contains("GET /events")
        });
        if !is_asked {
            reader.kill().unwrap_or_default();
            reader.wait().expect("it ends");
            panic!("events are never asked for");
        }
        reader
    }

    /// Wants a stack with a bit of everything.
    pub(crate) fn want(&self, memory: &str, level: &str) {
        self.write(
            memory,
            level,
            "true",
            &format!(
                "  job: {{image: '{IMAGE}', command: ['true'], network_mode: none}}
  extra: {{image: '{IMAGE}', command: [sleep, '600'], init: true}}
"
            ),
            "second: {}",
        );
    }

    /// Wants a container that ends at once.
    pub(crate) fn want_one_that_fails(&self) {
        self.write("24M", "two", "exit 3", "", "second: {}");
    }

    /// Wants another name on a network.
    pub(crate) fn want_an_alias(&self) {
        self.write("24M", "two", "true", "", "second: {aliases: [other]}");
    }

    /// Wants no more than the service.
    pub(crate) fn want_little(&self) {
        self.write("24M", "two", "true", "", "");
    }

    fn write(&self, memory: &str, level: &str, first: &str, others: &str, network: &str) {
        let (project, image) = (&self.project, &self.image);
        let networks = if network.is_empty() { "" } else { "second: {}" };
        let text = format!(
            "name: {project}
services:
  app:
    image: {image}
    command: [sh, -c, '{first}; trap : HUP; trap \"exit 0\" TERM; while :; do sleep 0.1; done']
    stop_grace_period: 2s
    healthcheck: {{test: [CMD, 'true'], interval: 1s}}
    environment: {{LEVEL: '{level}'}}
    configs: [settings]
    secrets: [key]
    volumes: ['data:/data', './app.conf:/etc/app.conf:ro']
    networks: {{default: {{}}, {network}}}
    deploy: {{resources: {{limits: {{memory: {memory}}}}}}}
    x-reconciler:
      reload: {{signal: HUP, test: [test, -s, /etc/app.conf]}}
      ready_deadline: 10s
{others}networks: {{{networks}}}
volumes: {{data: {{}}}}
configs: {{settings: {{content: 'a = 1'}}}}
secrets: {{key: {{file: ./key}}}}
x-reconciler: {{prune: always, checks: {{run: {{exec: ['true'], in: app}}}}}}
"
        );
        self.product.write("stack.yaml", &text);
    }

    #[track_caller]
    fn assert_nothing_was_denied(&self) {
        for (column, listed) in table::columns() {
            let seen = self.proxies[&column].endpoints();
            let denied: BTreeSet<&String> = seen.difference(&listed).collect();
            assert!(denied.is_empty(), "{column} needs more than is listed: {denied:#?}");
        }
    }

    /// Asserts that the documentation lists nothing that no command has asked for.
    #[track_caller]
    pub(crate) fn assert_everything_listed_was_needed(&self) {
        self.assert_nothing_was_denied();
        for (column, listed) in table::columns() {
            let seen = self.proxies[&column].endpoints();
            let unused: BTreeSet<&String> = listed.difference(&seen).collect();
            assert!(unused.is_empty(), "{column} was never seen to need: {unused:#?}");
        }
    }
}
