//! The server, with real sockets.

mod api;

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::listener::Address;
use super::server::{Limits, Routes, Server};
use super::webhook::{LEAST_SECRET, Webhook};
use crate::planning::rate::Rate;
use crate::source::secret_file::SecretFile;
use crate::state::digest::hexadecimal;

const SECRET: &str = "a secret of the tests";

/// Far more than any machine needs.
const LONG: Duration = Duration::from_secs(60);

const LIMITS: Limits =
    Limits { connections: 32, headers: LONG, request: LONG, body: 1 << 20 };

const OFTEN: Rate = Rate { burst: 1000, every: LONG };

/// A server under test.
struct Stage {
    address: SocketAddr,
    pushes: Arc<Notify>,
    folder: tempfile::TempDir,
    served: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.served.abort();
    }
}

impl Stage {
    async fn new(limits: Limits, rate: Rate) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write_secret(&path, SECRET);
        let pushes = Arc::new(Notify::new());
        let secret = SecretFile::new(path, LEAST_SECRET);
        let webhook = Some(Webhook::new(secret, pushes.clone()).rated(rate));
        let (address, served) = started(Routes { webhook, answers: None }, limits).await;
        Self { address, pushes, folder, served }
    }

    async fn usual() -> Self {
        Self::new(LIMITS, OFTEN).await
    }

    /// Posts a body to the webhook; returns the whole answer.
    async fn post(&self, headers: &[(&str, &str)], body: &str) -> String {
        sent(self.address, request(headers, body).as_bytes()).await
    }

    async fn signed(&self, body: &str) -> String {
        let signature = format!("sha256={}", signature(SECRET, body));
        self.post(&[("X-Hub-Signature-256", &signature)], body).await
    }

    /// Takes the word that somebody has pushed, if it was given.
    async fn was_pushed(&self) -> bool {
        let none = Duration::from_millis(1);
        tokio::time::timeout(none, self.pushes.notified()).await.is_ok()
    }
}

fn write_secret(path: &std::path::Path, secret: &str) {
    fs::write(path, format!("{secret}\n")).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

async fn started(routes: Routes, limits: Limits) -> (SocketAddr, JoinHandle<()>) {
    let server = Server::bind(&"127.0.0.1:0".parse().unwrap(), routes).await.unwrap();
    let server = server.limited(limits);
    let Address::Network(address) = server.address().unwrap() else { unreachable!() };
    (address, tokio::spawn(server.serve()))
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hexadecimal(&mac.finalize().into_bytes())
}

fn request(headers: &[(&str, &str)], body: &str) -> String {
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!(
        "POST /webhook/git HTTP/1.1\r\nHost: here\r\nContent-Length: {length}\r\n\
         {headers}\r\n{body}"
    )
}

/// Sends bytes and reads until the server hangs up.
async fn sent(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has heard enough hangs up.
    stream.write_all(bytes).await.unwrap_or_default();
    answered(&mut stream).await
}

async fn answered(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
    read.expect("the server hangs up").unwrap_or_default();
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1).unwrap_or_default();
    word.parse().unwrap_or_else(|_| panic!("no answer: {answer:?}"))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1.trim_end()
}

#[tokio::test]
async fn the_signed_delivery_of_each_forge_announces_a_push() {
    let stage = Stage::usual().await;
    let json = r#"{"ref":"refs/heads/main"}"#;
    let bare = signature(SECRET, json);
    let github = format!("sha256={bare}");
    let forges = [
        [("X-GitHub-Event", "push"), ("X-Hub-Signature-256", &*github)],
        [("X-Gitea-Event", "push"), ("X-Gitea-Signature", &*bare)],
        [("X-Forgejo-Event", "push"), ("X-Forgejo-Signature", &*bare)],
        [("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", SECRET)],
    ];
    for headers in forges {
        let answer = stage.post(&headers, json).await;
        assert_eq!(status(&answer), 202, "{headers:?}: {answer}");
        assert_eq!(body(&answer), r#"{"status":"accepted"}"#);
        assert!(stage.was_pushed().await, "{headers:?}");
    }
}

#[tokio::test]
async fn a_signing_token_of_gitlab_signs_the_time_too() {
    let stage = Stage::usual().await;
    write_secret(&stage.folder.path().join("secret"), "whsec_MDEyMzQ1Njc4OWFiY2RlZg==");
    for (now, expected) in [(crate::clock::host_time().as_second(), 202), (0, 401)] {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"0123456789abcdef").unwrap();
        mac.update(format!("one.{now}.{{}}").as_bytes());
        let digest = mac.finalize().into_bytes();
        let engine = &base64::engine::general_purpose::STANDARD;
        let signature = format!("v1,{}", base64::Engine::encode(engine, digest));
        let now = now.to_string();
        let headers = [
            ("webhook-id", "one"),
            ("webhook-timestamp", &*now),
            ("webhook-signature", &*signature),
        ];
        let answer = stage.post(&headers, "{}").await;
        assert_eq!(status(&answer), expected, "{answer}");
    }
}

#[tokio::test]
async fn whoever_does_not_know_the_secret_announces_nothing() {
    let stage = Stage::usual().await;
    let wrong = format!("sha256={}", signature("another secret", "{}"));
    let other = format!("sha256={}", signature(SECRET, "{ }"));
    let sha1 = "sha1=0123456789abcdef0123456789abcdef01234567";
    for headers in [
        &[][..],
        &[("X-Hub-Signature-256", &*wrong)],
        &[("X-Hub-Signature-256", &*other)],
        &[("X-Hub-Signature", sha1)],
        &[("X-Gitlab-Token", "a secret of the test")],
    ] {
        let answer = stage.post(headers, "{}").await;
        assert_eq!(status(&answer), 401, "{headers:?}: {answer}");
        assert!(!answer.contains(SECRET), "{answer}");
    }
    assert!(!stage.was_pushed().await);
}

#[tokio::test]
async fn the_same_delivery_again_is_taken_and_many_are_told_as_one() {
    let stage = Stage::usual().await;
    for _ in 0..5 {
        assert_eq!(status(&stage.signed("{}").await), 202);
    }
    assert!(stage.was_pushed().await);
    assert!(!stage.was_pushed().await);
}

#[tokio::test]
async fn a_ping_that_proves_itself_is_answered_and_announces_nothing() {
    let stage = Stage::usual().await;
    let bare = signature(SECRET, "{}");
    let ping = ("X-GitHub-Event", "ping");
    let signature = format!("sha256={bare}");
    let answer = stage.post(&[ping, ("X-Hub-Signature-256", &signature)], "{}").await;
    assert_eq!((status(&answer), body(&answer)), (200, r#"{"status":"pong"}"#));
    assert_eq!(status(&stage.post(&[ping], "{}").await), 401);
    assert!(!stage.was_pushed().await);
}

#[tokio::test]
async fn nothing_else_is_served_and_without_a_secret_nothing_at_all() {
    let stage = Stage::usual().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n");
    for path in ["/", "/webhook", "/webhook/git/", "/WEBHOOK/GIT", "/metrics", "//"] {
        let answer = sent(stage.address, get(path).as_bytes()).await;
        assert_eq!(status(&answer), 404, "{path}");
        assert_eq!(body(&answer), r#"{"error":"there is nothing here"}"#);
    }
    let answer = sent(stage.address, get("/webhook/git").as_bytes()).await;
    assert_eq!(status(&answer), 405);
    assert!(answer.contains("allow: POST"), "{answer}");
    let (address, served) = started(Routes::default(), LIMITS).await;
    let answer = sent(address, request(&[], "{}").as_bytes()).await;
    assert_eq!(status(&answer), 404);
    served.abort();
}

#[tokio::test]
async fn the_secret_is_read_anew_and_a_bad_one_shuts_the_door() {
    let stage = Stage::usual().await;
    let path = stage.folder.path().join("secret");
    write_secret(&path, "another secret of the tests");
    assert_eq!(status(&stage.signed("{}").await), 401);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let answer = stage.signed("{}").await;
    assert_eq!(status(&answer), 503);
    assert!(!answer.contains(path.to_str().unwrap()), "{answer}");
    write_secret(&path, SECRET);
    assert_eq!(status(&stage.signed("{}").await), 202);
}

#[tokio::test]
async fn a_large_body_is_refused_before_and_while_it_is_read() {
    let stage = Stage::new(Limits { body: 64, ..LIMITS }, OFTEN).await;
    assert_eq!(status(&stage.signed(&"x".repeat(64)).await), 202);
    let announced =
        "POST /webhook/git HTTP/1.1\r\nHost: here\r\nContent-Length: 65\r\n\r\n";
    let answer = sent(stage.address, announced.as_bytes()).await;
    assert_eq!(status(&answer), 413);
    let chunked = format!(
        "POST /webhook/git HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n\
         40\r\n{}\r\n1\r\nx\r\n",
        "x".repeat(64)
    );
    assert_eq!(status(&sent(stage.address, chunked.as_bytes()).await), 413);
}

#[tokio::test]
async fn a_client_that_dawdles_is_cut_off_and_holds_nobody_up() {
    let short = Duration::from_millis(200);
    let limits = Limits { connections: 4, headers: short, request: short, body: 64 };
    let stage = Stage::new(limits, OFTEN).await;
    let mut dawdlers = Vec::new();
    for begun in [
        "POST /webhook/git HTTP/1.1\r\nHost: ",
        "",
        "POST /webhook/git HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nx",
        "POST /webhook/git HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(stage.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        dawdlers.push(stream);
    }
    // All places are taken until those are cut off.
    assert_eq!(status(&stage.signed("{}").await), 202);
    for (place, mut stream) in dawdlers.into_iter().enumerate() {
        let answer = answered(&mut stream).await;
        let expected = if place < 2 { "" } else { "HTTP/1.1 408 Request Timeout" };
        assert!(answer.starts_with(expected), "{place}: {answer}");
    }
}

#[tokio::test]
async fn rubbish_and_what_is_piped_after_a_request_is_not_served() {
    let stage = Stage::usual().await;
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1000));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    for rubbish in
        ["\0\u{1}\u{2}\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &many, &long]
    {
        let answer = sent(stage.address, rubbish.as_bytes()).await;
        let is_refused = answer.is_empty() || (400..500).contains(&status(&answer));
        assert!(is_refused, "{answer}");
    }
    let good = format!("sha256={}", signature(SECRET, "{}"));
    let good = request(&[("X-Hub-Signature-256", &good)], "{}");
    let answer = sent(stage.address, format!("{good}{good}rubbish").as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    let both = "POST /webhook/git HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\
                Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = sent(stage.address, both.as_bytes()).await;
    assert!((400..500).contains(&status(&answer)), "{answer}");
    assert_eq!(status(&stage.signed("{}").await), 202);
}

#[tokio::test]
async fn too_many_deliveries_wait_and_wrong_ones_keep_out_no_right_one() {
    let stage = Stage::new(LIMITS, Rate { burst: 2, every: LONG * 10 }).await;
    for expected in [401, 401, 429] {
        assert_eq!(status(&stage.post(&[], "{}").await), expected);
    }
    for expected in [202, 202, 429] {
        let answer = stage.signed("{}").await;
        assert_eq!(status(&answer), expected);
        let says_when = answer.contains("retry-after: ");
        assert_eq!(says_when, expected == 429, "{answer}");
    }
}
