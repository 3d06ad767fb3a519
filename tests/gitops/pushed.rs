//! A push on real servers, brought about on the real engine.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use serde_json::Value as Json;

use crate::forge::Forge;
use crate::product::operator::Operator;
use crate::product::{Product, free_port, measured};
use crate::real::{Corner, IMAGE};
use crate::{PATIENCE, TICK};

/// A forge, and a host that follows it, on the real engine.
pub(crate) struct Host {
    // Ends before its containers are taken away.
    operator: Option<Operator>,
    pub(crate) product: Product,
    pub(crate) forge: Forge,
    corner: Corner,
}

impl Host {
    /// Makes a host that is yet to follow; nothing where there is no engine.
    async fn new(what: &str, url: impl Fn(&Forge) -> String) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let forge = Forge::new();
        let mut product = Product::bare();
        product.option(&["--git", &url(&forge)]);
        product.variable("RECONCILER_GIT_INTERVAL", "1s");
        Some(Self { operator: None, product, forge, corner })
    }

    fn stack(&self, image: &str, version: u32) -> String {
        let name = self.corner.project();
        format!(
            "name: {name}\nservices:\n  web:\n    image: {image}\n    init: true\n    \
             command: [sleep, '{}']\n",
            6000 + version
        )
    }

    fn publish(&self, version: u32) {
        self.forge.publish(&[("web.yaml", &self.stack(IMAGE, version))]);
    }

    fn operate(&mut self) {
        self.operator = Some(Operator::start(&self.product));
    }

    /// Returns the container of the service: its id, and the version that it runs.
    fn running(&self) -> Option<(String, String)> {
        let name = format!("{}-web-1", self.corner.project());
        let output = Command::new("docker").args(["inspect", &name]).output().unwrap();
        let found: Json = serde_json::from_slice(&output.stdout).ok()?;
        let container = found.get(0)?;
        let version = container["Config"]["Cmd"][1].as_str()?.to_owned();
        let is_running = container["State"]["Running"] == true;
        is_running
            .then(|| (container["Id"].as_str().unwrap_or_default().to_owned(), version))
    }

    /// Waits until a version runs and is ready; returns how long that took.
    #[track_caller]
    fn until_version(&self, version: u32) -> f64 {
        let wanted = (6000 + version).to_string();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.running().is_some_and(|(_, version)| version == wanted) {
                return begun.elapsed().as_secs_f64();
            }
            std::thread::sleep(TICK);
        }
        panic!("version {version} never runs: {:?}", self.running());
    }

    /// Returns the reason of a condition of the service.
    fn reason(&self) -> String {
        let status = self.product.status();
        let conditions = status["services"][0]["conditions"].as_array().cloned();
        let degraded =
            conditions.into_iter().flatten().find(|it| it["type"] == "Degraded");
        degraded
            .map(|it| it["reason"].as_str().unwrap_or_default().to_owned())
            .unwrap_or_default()
    }

    /// Pushes a few versions, and tells how long each takes until it runs.
    #[track_caller]
    fn measure(&mut self, what: &str) {
        self.publish(1);
        self.operate();
        self.until_version(1);
        let mut times = Vec::new();
        for version in 2..6 {
            // The old container is kept for a while, and is no reason to wait.
            self.publish(version);
            times.push(self.until_version(version));
        }
        measured(&format!("{what}: push to running in {times:.2?} s, asked every 1 s"));
        let mut operator = self.operator.take().unwrap();
        operator.signal("TERM");
        assert!(operator.ended().success());
    }
}

#[tokio::test]
async fn a_push_over_http_with_a_token_is_brought_about() {
    let Some(mut host) = Host::new("http", Forge::http_url).await else { return };
    let token = host.forge.token_file().display().to_string();
    host.product.variable("RECONCILER_GIT_TOKEN_FILE", &token);
    host.measure("HTTP with a token");
}

#[tokio::test]
async fn a_push_over_ssh_with_a_key_is_brought_about() {
    let Some(mut host) = Host::new("ssh", Forge::ssh_url).await else { return };
    let (key, hosts) = (host.forge.ssh().key(), host.forge.ssh().known_hosts());
    host.product.variable("RECONCILER_GIT_SSH_KEY_FILE", &key.display().to_string());
    host.product
        .variable("RECONCILER_GIT_KNOWN_HOSTS_FILE", &hosts.display().to_string());
    host.measure("ssh with a key");
}

/// Tells the host of a push, as GitHub does; returns the status line of the answer.
fn tell(address: &str, secret: &str) -> String {
    let body = r#"{"ref":"refs/heads/main"}"#;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "POST /webhook/git HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\
         X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={signature}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_push_that_a_webhook_tells_of_is_brought_about_at_once() {
    const SECRET: &str = "a-secret-of-the-forge-and-the-host";
    let Some(mut host) = Host::new("hook", Forge::http_url).await else { return };
    let token = host.forge.token_file().display().to_string();
    let secret = host.forge.private("webhook-secret", SECRET).display().to_string();
    let address = format!("127.0.0.1:{}", free_port());
    for (name, value) in [
        ("GIT_TOKEN_FILE", token.as_str()),
        ("GIT_INTERVAL", "1h"),
        ("LISTEN", &address),
        ("WEBHOOK_SECRET_FILE", &secret),
    ] {
        host.product.variable(&format!("RECONCILER_{name}"), value);
    }
    host.publish(1);
    host.operate();
    host.until_version(1);
    let mut times = Vec::new();
    for version in 2..6 {
        host.publish(version);
        assert!(tell(&address, "another secret of no use").contains(" 401"), "no secret");
        assert!(tell(&address, SECRET).contains(" 202"), "taken");
        times.push(host.until_version(version));
    }
    measured(&format!("webhook: push to running in {times:.2?} s"));
}

#[tokio::test]
async fn an_image_that_cannot_be_had_does_not_block_its_own_fix() {
    let Some(mut host) = Host::new("image", Forge::http_url).await else { return };
    let token = host.forge.token_file().display().to_string();
    host.product.variable("RECONCILER_GIT_TOKEN_FILE", &token);
    host.publish(1);
    host.operate();
    host.until_version(1);
    let before = host.running();
    let missing = host.stack("127.0.0.1:1/nothing:1", 2);
    host.forge.publish(&[("web.yaml", &missing)]);
    let begun = Instant::now();
    while host.reason() != "ImagePullBackOff" {
        assert!(begun.elapsed() < PATIENCE, "{:#}", host.product.status());
        std::thread::sleep(TICK);
    }
    assert_eq!(host.running(), before, "the running container is untouched");
    host.publish(3);
    measured(&format!("after a missing image: {:.2} s", host.until_version(3)));
}
