//! An engine made of canned answers, for what a real one cannot be made to say.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What the engine says to a request.
pub(crate) enum Answer {
    /// A status and a body.
    Body(u16, String),
    /// Lines of a stream; then the connection ends.
    Lines(Vec<String>),
    /// Nothing: the connection ends.
    HangUp,
}

/// An engine on a socket of its own, and on a port.
pub(crate) struct Fake {
    folder: tempfile::TempDir,
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Starts an engine that answers each request, such as `GET /v1.41/info`, as the
    /// function says.
    pub(crate) fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the socket");
        let socket =
            UnixListener::bind(folder.path().join("engine.sock")).expect("a socket");
        let ports = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = ports.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<dyn Fn(&str) -> Answer + Send + Sync> = Arc::new(answer);
        let (log, reply) = (Arc::clone(&asked), Arc::clone(&answer));
        thread::spawn(move || {
            for client in socket.incoming().flatten() {
                let (log, reply) = (Arc::clone(&log), Arc::clone(&reply));
                thread::spawn(move || serve(client, &*reply, &log));
            }
        });
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for client in ports.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || serve(client, &*answer, &log));
            }
        });
        Self { folder, port, asked }
    }

    /// Returns the address of the port for `--host`.
    pub(crate) fn port(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// Returns the address for `--host`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("engine.sock").display())
    }

    /// Returns the requests so far, with their queries.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    client: impl Read + Write,
    answer: &dyn Fn(&str) -> Answer,
    log: &Mutex<Vec<String>>,
) {
    let mut client = BufReader::new(client);
    let mut lines = client.by_ref().lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let request = first.trim_end_matches(" HTTP/1.1").to_owned();
    for _ in lines.take_while(|line| !line.is_empty()) {}
    log.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let bare = request.split('?').next().unwrap_or_default();
    let reply = match answer(bare) {
        Answer::Body(status, body) => format!(
            "HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
        Answer::Lines(lines) => format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
             Connection: close\r\n\r\n{}\n",
            lines.join("\n")
        ),
        Answer::HangUp => return,
    };
    // The client may be gone.
    client.get_mut().write_all(reply.as_bytes()).unwrap_or_default();
}
