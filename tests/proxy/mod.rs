//! A proxy before the engine's socket that counts what goes through it.
//!
//! Requests are understood just as far as it takes to find the next one on a connection
//! that is kept alive; answers, streams and upgraded connections are passed on as they are.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// One request that went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// `GET`, `POST`, ….
    pub(crate) method: String,
    /// The path with its version, without the query.
    pub(crate) path: String,
}

/// What a call does to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It asks.
    Read,
    /// It runs a health command, or anything else by exec.
    Probe,
    /// It changes something.
    Write,
}

impl Call {
    /// Returns what the call does.
    pub(crate) fn effect(&self) -> Effect {
        let path = self.path.as_str();
        match self.method.as_str() {
            "GET" | "HEAD" => Effect::Read,
            "POST" if path.ends_with("/exec") || path.contains("/exec/") => Effect::Probe,
            _ => Effect::Write,
        }
    }

    /// Returns the endpoint as the engine's documentation writes it, without the version:
    /// `GET /containers/{id}/json`.
    pub(crate) fn endpoint(&self) -> String {
        let parts: Vec<&str> = self.bare_path().trim_matches('/').split('/').collect();
        let path = match parts.as_slice() {
            // The name of an image may have any number of parts.
            ["images", _, .., last] => format!("images/{{name}}/{last}"),
            [kind @ ("containers" | "networks" | "volumes" | "exec"), it, rest @ ..]
                if !matches!(*it, "json" | "create" | "prune") =>
            {
                let id = if *kind == "volumes" { "{name}" } else { "{id}" };
                [&[*kind, id], rest].concat().join("/")
            }
            parts => parts.join("/"),
        };
        format!("{} /{path}", self.method)
    }

    /// Returns the path without the API version.
    pub(crate) fn bare_path(&self) -> &str {
        let versioned = self.path.strip_prefix("/v1.").and_then(|it| it.split_once('/'));
        versioned.map_or(self.path.as_str(), |(version, _)| {
            self.path.get("/v1.".len() + version.len()..).unwrap_or_default()
        })
    }
}

/// A proxy; nothing new comes through once the value is dropped.
pub(crate) struct Proxy {
    folder: tempfile::TempDir,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    calls: Mutex<Vec<Call>>,
    /// The only endpoints that are let through; all, if nothing.
    allowed: Option<BTreeSet<String>>,
    clients: Mutex<Vec<UnixStream>>,
}

impl State {
    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clients(&self) -> MutexGuard<'_, Vec<UnixStream>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Starts a proxy before the engine's own socket.
    pub(crate) fn start() -> Self {
        Self::before(Path::new("/var/run/docker.sock"))
    }

    /// Starts a proxy that answers 403 to everything but some endpoints.
    pub(crate) fn allowing(endpoints: BTreeSet<String>) -> Self {
        let allowed = Some(endpoints);
        let state = State { allowed, ..State::default() };
        Self::with(Path::new("/var/run/docker.sock"), state)
    }

    /// Starts a proxy before some socket.
    pub(crate) fn before(socket: &Path) -> Self {
        Self::with(socket, State::default())
    }

    fn with(socket: &Path, state: State) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the socket");
        let listener =
            UnixListener::bind(folder.path().join("engine.sock")).expect("a socket");
        let state = Arc::new(state);
        let (shared, socket) = (Arc::clone(&state), socket.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                shared.clients().extend(client.try_clone());
                let (shared, socket) = (Arc::clone(&shared), socket.clone());
                // Either side may go away at any time.
                thread::spawn(move || {
                    serve(&client, &socket, &shared).unwrap_or_default();
                });
            }
        });
        Self { folder, state }
    }

    /// Returns the proxy's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// Returns the proxy's address for `--host` and `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Returns the calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.calls().clone()
    }

    /// Returns the calls so far that have an effect.
    pub(crate) fn calls_that(&self, effect: Effect) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.effect() == effect);
        calls
    }

    /// Returns the endpoints that were asked for so far.
    pub(crate) fn endpoints(&self) -> BTreeSet<String> {
        self.calls().iter().map(Call::endpoint).collect()
    }

    /// Forgets the calls so far.
    pub(crate) fn forget(&self) {
        self.state.calls().clear();
    }

    /// Ends all connections, as a restart of the engine would.
    pub(crate) fn hang_up(&self) {
        for client in self.state.clients().drain(..) {
            // It may have ended by itself.
            client.shutdown(Shutdown::Both).unwrap_or_default();
        }
    }

    /// Asserts that nothing was changed through the proxy since it last forgot.
    #[track_caller]
    pub(crate) fn assert_nothing_written(&self) {
        let writes = self.calls_that(Effect::Write);
        assert!(writes.is_empty(), "the engine was written to: {writes:#?}");
    }
}

const DENIED: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\
Connection: close\r\nContent-Length: 26\r\n\r\n{\"message\":\"not allowed\"}\n";

/// Passes one connection on until either side ends it.
fn serve(client: &UnixStream, socket: &Path, state: &State) -> io::Result<()> {
    let engine = UnixStream::connect(socket)?;
    let (mut from_engine, mut to_client) = (engine.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || {
        // An end of either side ends both directions.
        io::copy(&mut from_engine, &mut to_client).unwrap_or_default();
        to_client.shutdown(Shutdown::Both).unwrap_or_default();
    });
    let mut requests = BufReader::new(client.try_clone()?);
    let ended = pass_requests(&mut requests, client, &engine, state);
    engine.shutdown(Shutdown::Write).unwrap_or_default();
    answers.join().unwrap_or_default();
    ended
}

fn pass_requests(
    requests: &mut BufReader<UnixStream>,
    mut client: &UnixStream,
    mut engine: &UnixStream,
    state: &State,
) -> io::Result<()> {
    while let Some(head) = Head::read(requests)? {
        let endpoint = head.call.endpoint();
        let is_allowed = state.allowed.as_ref().is_none_or(|it| it.contains(&endpoint));
        state.calls().push(head.call);
        if !is_allowed {
            // What else is on the connection is not looked at.
            return client.write_all(DENIED);
        }
        engine.write_all(&head.bytes)?;
        match head.body {
            Body::Length(length) => {
                io::copy(&mut requests.take(length), &mut engine)?;
            }
            Body::Chunks => pass_chunks(requests, engine)?,
            Body::UntilEnd => {
                io::copy(requests, &mut engine)?;
            }
        }
    }
    Ok(())
}

/// How the end of a request is found.
enum Body {
    Length(u64),
    Chunks,
    /// The connection changes its protocol.
    UntilEnd,
}

struct Head {
    call: Call,
    bytes: Vec<u8>,
    body: Body,
}

impl Head {
    /// Reads up to the empty line; nothing when the connection has ended.
    fn read(requests: &mut BufReader<UnixStream>) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let mut line = read_line(requests)?;
        if line.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        let mut words = text.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let mut body = Body::Length(0);
        loop {
            bytes.extend_from_slice(&line);
            if matches!(line.as_slice(), b"\r\n" | b"\n" | b"") {
                return Ok(Some(Self { call: Call { method, path }, bytes, body }));
            }
            line = read_line(requests)?;
            let header = String::from_utf8_lossy(&line).to_ascii_lowercase();
            let (name, value) = header.split_once(':').unwrap_or_default();
            match (name, value.trim()) {
                ("upgrade", _) => body = Body::UntilEnd,
                ("transfer-encoding", "chunked") if !matches!(body, Body::UntilEnd) => {
                    body = Body::Chunks;
                }
                ("content-length", length) if matches!(body, Body::Length(_)) => {
                    body = Body::Length(length.parse().map_err(io::Error::other)?);
                }
                _ => {}
            }
        }
    }
}

/// Passes a chunked body on, its trailers included.
fn pass_chunks(
    requests: &mut BufReader<UnixStream>,
    mut engine: &UnixStream,
) -> io::Result<()> {
    loop {
        let line = read_line(requests)?;
        engine.write_all(&line)?;
        let text = String::from_utf8_lossy(&line).into_owned();
        let size = text.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            break;
        }
        io::copy(&mut requests.take(size), &mut engine)?;
        engine.write_all(&read_line(requests)?)?;
    }
    loop {
        let line = read_line(requests)?;
        engine.write_all(&line)?;
        if matches!(line.as_slice(), b"\r\n" | b"\n" | b"") {
            return Ok(());
        }
    }
}

fn read_line(requests: &mut BufReader<UnixStream>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    requests.read_until(b'\n', &mut line)?;
    Ok(line)
}
