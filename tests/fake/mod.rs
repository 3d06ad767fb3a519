//! An engine made of canned answers, for what a real one cannot be made to say.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
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

/// An engine on a socket of its own.
pub(crate) struct Fake {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Starts an engine that answers each request, such as `GET /v1.41/info`, as the
    /// function says.
    pub(crate) fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the socket");
        let listener =
            UnixListener::bind(folder.path().join("engine.sock")).expect("a socket");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || serve(&client, &*answer, &log));
            }
        });
        Self { folder, asked }
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
    mut client: &UnixStream,
    answer: &dyn Fn(&str) -> Answer,
    log: &Mutex<Vec<String>>,
) {
    let mut lines = BufReader::new(client).lines().map_while(Result::ok);
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
    client.write_all(reply.as_bytes()).unwrap_or_default();
}
