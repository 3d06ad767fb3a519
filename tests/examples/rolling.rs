//! A rolling update under load: no request fails, whether the new version works or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::product::measured;
use crate::run::Example;

/// How many clients ask at once.
const CLIENTS: usize = 8;

/// How many requests an update should see at least, so that the test means something.
const ENOUGH: usize = 1_000;

/// A steady load on a port of this host.
struct Load {
    is_over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<(usize, Vec<String>)>>,
}

impl Load {
    fn begin(port: u16) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let clients = (0..CLIENTS).map(|_| {
            let is_over = is_over.clone();
            std::thread::spawn(move || ask(port, &is_over))
        });
        Self { clients: clients.collect(), is_over }
    }

    /// Returns how many requests were made, and what went wrong with some.
    fn end(self) -> (usize, Vec<String>) {
        self.is_over.store(true, Ordering::Relaxed);
        let (mut requests, mut failed) = (0, Vec::new());
        for client in self.clients {
            let (asked, wrong) = client.join().expect("a client");
            requests += asked;
            failed.extend(wrong);
        }
        (requests, failed)
    }
}

/// Asks over one connection after another, each kept for as long as the server likes.
fn ask(port: u16, is_over: &AtomicBool) -> (usize, Vec<String>) {
    let (mut requests, mut failed) = (0, Vec::new());
    let mut connection = None;
    while !is_over.load(Ordering::Relaxed) {
        requests += 1;
        let open = connection.take().map_or_else(|| connect(port), Ok);
        match open.and_then(page) {
            Ok(kept) => connection = kept,
            Err(error) => failed.push(error.to_string()),
        }
    }
    (requests, failed)
}

fn connect(port: u16) -> std::io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Gets a page; returns the connection if the server keeps it.
fn page(
    mut connection: BufReader<TcpStream>,
) -> std::io::Result<Option<BufReader<TcpStream>>> {
    connection.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let (mut length, mut is_kept) = (0, true);
    let mut status = String::new();
    connection.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().map_err(std::io::Error::other)?;
        }
        is_kept &= line != "connection: close";
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    if !status.contains(" 200 ") || !body.starts_with(b"served by ") {
        return Err(std::io::Error::other(format!("{status} {body:?}")));
    }
    Ok(is_kept.then_some(connection))
}

#[tokio::test]
async fn a_rolling_update_loses_no_request_and_neither_does_one_that_fails() {
    let example = Example::new("web-replicas", "WEB_PORT", &["lab/nginx:1.22"]).await;
    let Some(mut example) = example else { return };
    example.product.apply();
    let before = example.ids("web");

    let load = Load::begin(example.port());
    example.product.variable("WEB_RELEASE", "2");
    example.product.ends(0, &["apply", "--timeout", "240s"]);
    let (requests, failed) = load.end();
    measured(&format!("rolling update: {} of {requests} requests failed", failed.len()));
    assert!(failed.is_empty(), "{failed:?}");
    assert!(requests >= ENOUGH, "{requests}");
    let updated = example.ids("web");
    assert!(updated.len() == 2 && updated.is_disjoint(&before), "{updated:?}");

    let load = Load::begin(example.port());
    example.product.variable("WEB_HEALTH", "503");
    example.product.variable("WEB_DEADLINE", "8s");
    let ended = example.product.ends(1, &["apply", "--timeout", "240s"]);
    let (requests, failed) = load.end();
    measured(&format!(
        "a failing update: {} of {requests} requests failed",
        failed.len()
    ));
    assert!(failed.is_empty(), "{failed:?}");
    assert!(requests >= ENOUGH, "{requests}");
    assert_eq!(example.ids("web"), updated, "those that serve were not touched");
    let said = format!("{}{}", ended.output, ended.notices);
    assert!(said.contains("it was not ready within 8 s"), "{said}");
    let status = example.product.status();
    let web = &status["services"][1];
    assert_eq!(web["name"], "web");
    assert_eq!(web["conditions"][2]["reason"], "RolledBack", "{web:#}");
    example.delete();
}
