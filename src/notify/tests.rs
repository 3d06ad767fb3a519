//! What arrives, at real servers, and what does not hold anybody up.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::planning::testing::desired_with;
use crate::state::notice::NoticeKind;

/// Far more than any machine needs.
const LONG: Duration = Duration::from_secs(60);

/// A server that answers every request with a line, and tells what it got.
struct Receiver {
    address: SocketAddr,
    got: mpsc::UnboundedReceiver<String>,
    served: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.served.abort();
    }
}

impl Receiver {
    async fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, got) = mpsc::unbounded_channel();
        let served = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                while !is_whole(&request) {
                    let count = stream.read(&mut buffer).await.unwrap_or(0);
                    request.extend(&buffer[..count]);
                }
                sender.send(String::from_utf8(request).unwrap()).unwrap_or_default();
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap_or_default();
            }
        });
        Self { address, got, served }
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(LONG, self.got.recv()).await.unwrap().unwrap()
    }

    fn url(&self) -> String {
        format!("http://{}/hooks/canary-in-the-path", self.address)
    }
}

/// Tells whether a request has its body, of which no test has more than one object.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
    length.is_none_or(|it| body.len() >= it.parse().unwrap())
}

fn json(request: &str) -> serde_json::Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn wanted(notify: &str) -> Wanted {
    let yaml = format!(
        "services: {{web: {{image: 'web:1', environment: {{DB_PASSWORD: $PASSWORD}}}}}}\n\
         x-reconciler: {{notify: {notify}}}"
    );
    Wanted::new(desired_with(&yaml, &[("PASSWORD", "canary-of-the-stack")]))
}

fn notice(kind: NoticeKind, message: &str) -> Notice {
    Notice {
        kind,
        object: "service/web".to_owned(),
        cause: message.to_owned(),
        message: message.to_owned(),
    }
}

fn tell(notifier: &Notifier, wanted: &Wanted, kind: NoticeKind, message: &str) {
    notifier.tell(wanted, vec![notice(kind, message)], EngineTime::default());
}

fn notifier() -> Notifier {
    Notifier::new(Vec::new(), "db-1".to_owned())
}

#[tokio::test]
async fn what_happens_arrives_as_one_json_object_without_secrets() {
    let mut receiver = Receiver::answering("200 OK").await;
    let (notifier, wanted) =
        (notifier(), wanted(&format!("{{url: '{}'}}", receiver.url())));
    let said = "it said canary-of-the-stack";
    tell(&notifier, &wanted, NoticeKind::Degraded, said);
    let request = receiver.next().await;
    assert!(
        request.starts_with("POST /hooks/canary-in-the-path HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains(&format!("host: {}\r\n", receiver.address)), "{request}");
    let body = json(&request);
    assert_eq!(
        body["text"],
        "[error] demo on db-1 degraded service/web: it said (sensitive)"
    );
    assert_eq!(
        (&body["severity"], &body["reason"]),
        (&"error".into(), &"degraded".into())
    );
    assert!(!body.to_string().contains("canary"), "{body}");
    assert!(!format!("{notifier:?} {wanted:?}").contains("canary"));
}

#[tokio::test]
async fn each_is_told_what_it_wants_to_know_and_once_if_it_is_named_twice() {
    let mut all = Receiver::answering("204 No Content").await;
    let mut errors = Receiver::answering("204 No Content").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, all.url()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let always = NotifySettings {
        to: Address::File(file.clone()),
        severity: crate::state::notice::Severity::Info,
        on: BTreeSet::new(),
    };
    let notifier = Notifier::new(vec![always], "db-1".to_owned());
    let wanted = wanted(&format!(
        "[{{url_file: '{}'}}, {{url: '{}', severity: error}}]",
        file.display(),
        errors.url()
    ));
    tell(&notifier, &wanted, NoticeKind::Converged, "good");
    tell(&notifier, &wanted, NoticeKind::Failed, "bad");
    let reasons = [json(&all.next().await), json(&all.next().await)];
    let reasons = reasons.map(|it| it["reason"].as_str().unwrap().to_owned());
    assert_eq!(reasons, ["converged", "failed"]);
    assert_eq!(json(&errors.next().await)["reason"], "failed");
    notifier.finish(LONG).await;
    assert!(all.got.try_recv().is_err() && errors.got.try_recv().is_err());
}

#[tokio::test]
async fn a_receiver_that_fails_is_tried_again_and_one_that_refuses_is_not() {
    let mut failing = Receiver::answering("500 Internal Server Error").await;
    let mut moved =
        Receiver::answering("302 Found\r\nlocation: http://127.0.0.1:1/").await;
    let (failing_url, moved_url) = (failing.url(), moved.url());
    let wanted = wanted(&format!("[{{url: '{failing_url}'}}, {{url: '{moved_url}'}}]"));
    let notifier = notifier();
    tell(&notifier, &wanted, NoticeKind::Failed, "bad");
    assert_eq!(json(&failing.next().await)["message"], "bad");
    assert_eq!(json(&failing.next().await)["message"], "bad");
    moved.next().await;
    assert!(moved.got.try_recv().is_err());
}

#[tokio::test]
async fn whoever_hangs_or_is_not_there_holds_nobody_up() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone_address = gone.local_addr().unwrap();
    drop(gone);
    let mut well = Receiver::answering("200 OK").await;
    let (well_url, hangs) = (well.url(), hanging.local_addr().unwrap());
    let wanted = wanted(&format!(
        "[{{url: 'http://{hangs}'}}, {{url: 'http://{gone_address}'}}, \
         {{url: '{well_url}'}}, {{url_file: /nowhere}}]"
    ));
    let notifier = notifier();
    for number in 0..1000 {
        tell(&notifier, &wanted, NoticeKind::Failed, &number.to_string());
    }
    assert_eq!(json(&well.next().await)["stack"], "demo");
    // The hanging one takes 10 s, and the end does not wait for that.
    let end = notifier.finish(Duration::from_millis(200));
    tokio::time::timeout(LONG, end).await.unwrap();
}

#[tokio::test]
async fn at_the_end_what_waits_goes_as_one() {
    let mut receiver = Receiver::answering("200 OK").await;
    let (notifier, wanted) =
        (notifier(), wanted(&format!("{{url: '{}'}}", receiver.url())));
    for number in 0..20 {
        tell(&notifier, &wanted, NoticeKind::Failed, &number.to_string());
    }
    notifier.finish(LONG).await;
    let (mut told, mut last) = (0, serde_json::Value::Null);
    while let Ok(request) = receiver.got.try_recv() {
        last = json(&request);
        told += 1 + last["more"].as_u64().unwrap();
    }
    assert_eq!(told, 20);
    assert_eq!(last["message"], "19");
}
