//! What may be asked, and by whom.

use std::sync::Mutex;

use tokio::net::UnixStream;

use super::*;
use crate::serve::api::{Answers, Api, Door, LEAST_TOKEN, MetricsForm, Question};

const TOKEN: &str = "a token of the tests";

/// Knows its questions, and when it is ready.
#[derive(Debug, Default)]
struct Parrot {
    refusal: Mutex<Option<String>>,
    /// What stands behind every answer.
    more: String,
}

impl Api for Parrot {
    fn readiness(&self) -> Result<(), String> {
        self.refusal.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn answer(&self, question: Question) -> Result<String, String> {
        self.readiness().map(|()| format!("{question:?}{}", self.more))
    }
}

fn routes(parrot: &Arc<Parrot>, door: Door) -> Routes {
    Routes { webhook: None, answers: Some(Answers::new(parrot.clone(), door)) }
}

async fn near(parrot: &Arc<Parrot>) -> (SocketAddr, JoinHandle<()>) {
    started(routes(parrot, Door::Near), LIMITS).await
}

fn asked(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:1\r\n{headers}\r\n")
}

async fn get(address: SocketAddr, path: &str) -> String {
    sent(address, asked("GET", path, "").as_bytes()).await
}

#[tokio::test]
async fn each_place_has_its_answer_and_head_gives_none_of_it() {
    let parrot = Arc::new(Parrot::default());
    let (address, _served) = near(&parrot).await;
    for (path, expected, kind) in [
        ("/livez", r#"{"status":"alive"}"#, "application/json"),
        ("/readyz", r#"{"status":"ready"}"#, "application/json"),
        ("/metrics", "Metrics(Prometheus)", "text/plain; version=0.0.4; charset=utf-8"),
        ("/api/v1/status", "Status", "application/json"),
        ("/api/v1/diff", "Diff", "application/json"),
        ("/api/v1/events?x=y", "Events", "application/json"),
        ("/api/v1/history", "History", "application/json"),
    ] {
        let answer = get(address, path).await;
        assert_eq!((status(&answer), body(&answer)), (200, expected), "{path}");
        assert!(answer.contains(&format!("content-type: {kind}\r\n")), "{answer}");
        let head = sent(address, asked("HEAD", path, "").as_bytes()).await;
        assert_eq!((status(&head), body(&head)), (200, ""), "{path}");
    }
    let accepts =
        "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n";
    let open = sent(address, asked("GET", "/metrics", accepts).as_bytes()).await;
    assert_eq!(body(&open), format!("{:?}", Question::Metrics(MetricsForm::OpenMetrics)));
    for path in ["/api/v1/status", "/metrics", "/livez"] {
        let answer = sent(address, asked("POST", path, "").as_bytes()).await;
        assert_eq!(status(&answer), 405, "{path}");
        assert!(answer.contains("allow: GET, HEAD"), "{answer}");
    }
    for path in ["/", "/api", "/api/v1", "/api/v1/status/", "/Metrics", "/webhook/git"] {
        assert_eq!(status(&get(address, path).await), 404, "{path}");
    }
}

#[tokio::test]
async fn who_is_not_ready_is_alive_and_says_why() {
    let parrot = Arc::new(Parrot::default());
    *parrot.refusal.lock().unwrap() = Some("no engine".to_owned());
    let (address, _served) = near(&parrot).await;
    assert_eq!(status(&get(address, "/livez").await), 200);
    for path in ["/readyz", "/api/v1/status"] {
        let answer = get(address, path).await;
        assert_eq!((status(&answer), body(&answer)), (503, r#"{"error":"no engine"}"#));
    }
}

#[tokio::test]
async fn with_a_token_only_who_knows_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    write_secret(&path, TOKEN);
    let parrot = Arc::new(Parrot::default());
    let door = Door::Token(SecretFile::new(&path, LEAST_TOKEN));
    let (address, _served) = started(routes(&parrot, door), LIMITS).await;
    let with = |value: &str| {
        let header = format!("Authorization: {value}\r\n");
        asked("GET", "/api/v1/status", &header)
    };
    let right = format!("Bearer {TOKEN}");
    for (value, expected) in [
        (&*right, 200),
        (&right.replace("Bearer", "bEARER"), 200),
        ("Bearer a token of the test", 401),
        ("Bearer ", 401),
        ("Basic dTpw", 401),
        (TOKEN, 401),
        ("", 401),
    ] {
        let answer = sent(address, with(value).as_bytes()).await;
        assert_eq!(status(&answer), expected, "{value}: {answer}");
        assert_eq!(answer.contains("www-authenticate: Bearer"), expected == 401);
        assert!(!answer.contains(TOKEN), "{answer}");
    }
    assert_eq!(status(&get(address, "/metrics").await), 401);
    for open in ["/livez", "/readyz"] {
        assert_eq!(status(&get(address, open).await), 200, "{open}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let answer = sent(address, with(&right).as_bytes()).await;
    assert_eq!(status(&answer), 503, "others may read it: {answer}");
    assert!(!answer.contains(path.to_str().unwrap()), "{answer}");
}

#[tokio::test]
async fn without_a_token_no_page_in_a_browser_can_ask_under_a_name_of_its_own() {
    let parrot = Arc::new(Parrot::default());
    let (address, _served) = near(&parrot).await;
    for (host, expected) in [
        ("127.0.0.1:9180", 200),
        ("[::1]:9180", 200),
        ("LocalHost:9180", 200),
        ("localhost", 200),
        ("rebound.example:9180", 421),
        ("localhost.example", 421),
    ] {
        let request = format!("GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(status(&sent(address, request.as_bytes()).await), expected, "{host}");
    }
}

#[tokio::test]
async fn where_there_is_only_a_webhook_nothing_can_be_asked() {
    let parrot = Arc::new(Parrot::default());
    let (address, _served) = started(routes(&parrot, Door::Shut), LIMITS).await;
    let answer = get(address, "/api/v1/status").await;
    assert_eq!(status(&answer), 403, "{answer}");
    assert!(body(&answer).contains("--listen-token-file"), "{answer}");
    assert_eq!(status(&get(address, "/livez").await), 200);
}

#[tokio::test]
async fn who_asks_too_often_waits_and_who_proves_nothing_keeps_out_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    write_secret(&path, TOKEN);
    let parrot = Arc::new(Parrot::default());
    let door = Door::Token(SecretFile::new(&path, LEAST_TOKEN));
    let rare = Rate { burst: 2, every: LONG * 10 };
    let answers = Answers::new(parrot.clone(), door).rated(rare);
    let routes = Routes { webhook: None, answers: Some(answers) };
    let (address, _served) = started(routes, LIMITS).await;
    for expected in [401, 401, 429] {
        assert_eq!(status(&get(address, "/metrics").await), expected);
    }
    let header = format!("Authorization: Bearer {TOKEN}\r\n");
    for expected in [200, 200, 429] {
        let request = asked("GET", "/metrics", &header);
        let answer = sent(address, request.as_bytes()).await;
        assert_eq!(status(&answer), expected);
        assert_eq!(answer.contains("retry-after: "), expected == 429, "{answer}");
    }
    assert_eq!(status(&get(address, "/livez").await), 200);
}

#[tokio::test]
async fn a_reader_that_is_slow_is_cut_off_and_holds_nobody_up() {
    let more = "x".repeat(16 << 20);
    let parrot = Arc::new(Parrot { more, ..Parrot::default() });
    let short = Duration::from_millis(300);
    let limits = Limits { connections: 4, headers: short, request: short, body: 64 };
    let (address, _served) = started(routes(&parrot, Door::Near), limits).await;
    let mut sleepers = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = asked("GET", "/api/v1/status", "");
        stream.write_all(request.as_bytes()).await.unwrap();
        sleepers.push(stream);
    }
    // One place is left for others meanwhile, and then all are again.
    for _ in 0..5 {
        assert_eq!(status(&get(address, "/livez").await), 200);
    }
    tokio::time::sleep(5 * short).await;
    for mut stream in sleepers {
        let mut answer = Vec::new();
        let read = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
        read.expect("the server hangs up").unwrap_or_default();
        assert!(answer.len() < 16 << 20, "{} bytes", answer.len());
    }
}

#[tokio::test]
async fn a_socket_answers_as_an_address_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let parrot = Arc::new(Parrot::default());
    let address = Address::Socket(path.clone());
    let server = Server::bind(&address, routes(&parrot, Door::Socket)).await.unwrap();
    assert_eq!(server.address().unwrap(), address);
    let task = tokio::spawn(server.serve());
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let request = "GET /api/v1/diff HTTP/1.1\r\nHost: anything\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!((status(&answer), body(&answer)), (200, "Diff"));
    task.abort();
    task.await.unwrap_err();
    assert!(!path.exists(), "its file goes with it");
}
