//! Changed content on the real engine: nginx takes it up by a signal where it can see it,
//! after a restart where it cannot, and not at all when its own test refuses it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reconciler::clock::Clock;
use serde_json::Value as Json;

use crate::product::{free_port, measured};
use crate::{PATIENCE, Scene, TICK};

const NGINX: &str = "lab/nginx:1.22";

/// How soon a change must be live.
const LIVE: Duration = Duration::from_secs(2);

/// A file of nginx that makes it answer with a word.
fn server(word: &str) -> String {
    format!("server {{ listen 80; location / {{ return 200 \"{word}\\n\"; }} }}\n")
}

fn main_file(word: &str) -> String {
    format!(
        "events {{}}\nhttp {{\n  include /etc/nginx/conf.d/*.conf;\n  server {{ listen 81; \
         location / {{ return 200 \"{word}\\n\"; }} }}\n}}\n"
    )
}

struct Web {
    scene: Scene,
    ports: [u16; 2],
}

impl Web {
    /// Makes a stack of an nginx with a mounted folder and a mounted file.
    async fn new(what: &str, reload: &str) -> Option<Self> {
        let scene = Scene::new(what).await?;
        if !scene.corner.has(NGINX).await {
            return None;
        }
        let ports = [free_port(), free_port()];
        let name = scene.corner.project();
        let [folder, file] = ports;
        scene.product.write("conf.d/site.conf", &server("one"));
        scene.product.write("nginx.conf", &main_file("one"));
        scene.product.write(
            "stack.yaml",
            &format!(
                "name: {name}
services:
  web:
    image: {NGINX}
    environment:
      DB_PASSWORD: ${{DB_SECRET}}
    volumes:
      - ./conf.d:/etc/nginx/conf.d:ro
      - ./nginx.conf:/etc/nginx/nginx.conf:ro
    ports: [\"127.0.0.1:{folder}:80\", \"127.0.0.1:{file}:81\"]
    stop_grace_period: 5s
{reload}"
            ),
        );
        Some(Self { scene, ports })
    }

    async fn at_work(what: &str) -> Option<Self> {
        let reload = "    x-reconciler: {reload: {signal: HUP, test: [nginx, -t]}}\n";
        let mut web = Self::new(what, reload).await?;
        web.scene.operate();
        web.scene.says("the stack is ready");
        Some(web)
    }

    /// Waits until one of the two servers answers with a word; returns the seconds.
    async fn answers(&mut self, server: usize, word: &str) -> f64 {
        let clock = Clock::new();
        let waited = tokio::time::timeout(PATIENCE, async {
            while answer(self.ports[server]).as_deref() != Some(word) {
                tokio::time::sleep(TICK).await;
            }
        });
        let is_so = waited.await.is_ok();
        let told =
            self.scene.operator.as_mut().map(crate::product::operator::Operator::told);
        assert!(is_so, "{server} never says {word}: {told:#?}");
        clock.now().moment.0.as_secs_f64()
    }

    /// Saves, and asserts that it is live soon.
    async fn is_live(
        &mut self,
        how: &str,
        server: usize,
        word: &str,
        save: impl FnOnce(&Scene),
    ) {
        save(&self.scene);
        let seconds = self.answers(server, word).await;
        measured(&format!("{how}: live after {seconds:.2} s"));
        assert!(seconds < LIVE.as_secs_f64(), "{how}: {seconds}");
    }

    async fn identity(&self) -> [Json; 2] {
        let it = self.scene.container("web").await;
        [it["Id"].clone(), it["State"]["StartedAt"].clone()]
    }
}

/// Asks a server; nothing when it does not answer.
fn answer(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text.split("\r\n\r\n").nth(1)?.trim().to_owned())
}

#[tokio::test]
async fn a_changed_file_is_live_within_two_seconds_without_a_restart() {
    let Some(mut web) = Web::at_work("reload").await else { return };
    let before = web.identity().await;
    assert_eq!(answer(web.ports[0]).as_deref(), Some("one"));
    web.is_live("a write in a mounted folder", 0, "two", |scene| {
        scene.product.write("conf.d/site.conf", &server("two"));
    })
    .await;
    web.is_live("sed -i in a mounted folder", 0, "three", |scene| {
        scene.product.shell("sed -i s/two/three/ conf.d/site.conf");
    })
    .await;
    web.is_live("a write in place of a mounted file", 1, "two", |scene| {
        scene.product.write("nginx.conf", &main_file("two"));
    })
    .await;
    assert_eq!(web.identity().await, before);
    web.scene.product.assert_in_sync();
    let events = web.scene.product.run(&["events"]).output;
    assert!(events.contains("Reloaded"), "{events}");
}

#[tokio::test]
async fn after_a_save_that_renames_a_mounted_file_it_is_tested_and_restarted() {
    let Some(mut web) = Web::at_work("renamed").await else { return };
    let [id, started] = web.identity().await;
    let clock = Clock::new();
    web.scene.product.shell("sed -i s/one/two/ nginx.conf");
    web.answers(1, "two").await;
    let seconds = clock.now().moment.0.as_secs_f64();
    measured(&format!(
        "a save that renames, tested and restarted: live after {seconds:.2} s"
    ));
    let after = web.identity().await;
    assert_eq!(after[0], id);
    assert_ne!(after[1], started);
    // The container that tested it is gone; the next write in place needs no restart.
    let scene = &web.scene;
    let tested = crate::inspect(&scene.corner.name("web-1.test-")).await;
    assert_eq!(tested, Json::Null);
    web.is_live("a write after a restart", 1, "three", |scene| {
        scene.product.write("nginx.conf", &main_file("three"));
    })
    .await;
    assert_eq!(web.identity().await, after);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_nginx_has_the_word() {
    let Some(mut web) = Web::at_work("broken").await else { return };
    let before = web.identity().await;
    let refused = |web: &mut Web| {
        for _ in 0..500 {
            let status = web.scene.product.status();
            let conditions = status["services"][0]["conditions"].as_array().cloned();
            let degraded = conditions
                .unwrap_or_default()
                .into_iter()
                .find(|it| it["type"] == "Degraded" && it["reason"] == "ContentRefused");
            if let Some(degraded) = degraded {
                return degraded["message"].as_str().unwrap_or_default().to_owned();
            }
            std::thread::sleep(TICK);
        }
        panic!("it is never refused: {:#?}", web.scene.operator().told());
    };
    // In a mounted folder: tested inside. What nginx says would tell the secret.
    let secret = crate::CANARY;
    web.scene.product.write("conf.d/site.conf", &format!("{secret} on;\n"));
    let message = refused(&mut web);
    assert!(message.contains("[emerg]"), "{message}");
    assert!(message.contains("unknown directive"), "{message}");
    assert!(message.contains("conf.d/site.conf:1"), "{message}");
    assert!(!message.contains(secret), "{message}");
    let ended = web.scene.product.ends(1, &["apply", "--timeout", "30s"]);
    assert!(ended.notices.contains("[emerg]"), "{ended}");
    assert_eq!(answer(web.ports[0]).as_deref(), Some("one"));
    assert_eq!(web.identity().await, before);
    // Back: nothing is to be done.
    web.scene.product.write("conf.d/site.conf", &server("one"));
    web.scene.product.apply();
    web.scene.product.assert_in_sync();
    // By a save that renames a mounted file: tested apart.
    web.scene.product.shell("sed -i s/listen/lisssten/ nginx.conf");
    let message = refused(&mut web);
    assert!(message.contains("unknown directive \"lisssten\""), "{message}");
    assert_eq!(answer(web.ports[1]).as_deref(), Some("one"));
    assert_eq!(web.identity().await, before);
    // The next good one is taken up.
    web.scene.product.shell("sed -i 's/lisssten/listen/; s/one/good/' nginx.conf");
    web.answers(1, "good").await;
    web.scene.product.apply();
    web.scene.product.assert_in_sync();
    let events = web.scene.product.run(&["events"]).output;
    assert!(events.contains("ContentRefused"), "{events}");
}

#[tokio::test]
async fn apply_takes_changed_content_up_by_a_restart_where_nothing_else_is_said() {
    let Some(web) = Web::new("content", "").await else { return };
    web.scene.product.apply();
    let [id, started] = web.identity().await;
    web.scene.product.write("conf.d/site.conf", &server("two"));
    // A folder counts only where a reload takes it up.
    web.scene.product.assert_in_sync();
    web.scene.product.write("nginx.conf", &main_file("two"));
    let changes = web.scene.product.changes();
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(changes[0]["action"], "restart");
    assert_eq!(changes[0]["fields"][0]["path"], "volumes./etc/nginx/nginx.conf");
    web.scene.product.apply();
    let after = web.identity().await;
    assert_eq!(after[0], id);
    assert_ne!(after[1], started);
    assert_eq!(answer(web.ports[1]).as_deref(), Some("two"));
    web.scene.product.assert_in_sync();
}
