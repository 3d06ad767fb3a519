//! Git's smart HTTP: `git http-backend` behind a small server that wants a token.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As it should.
    Well,
    /// It takes requests, and never answers.
    Hang,
    /// It answers, begins to send objects, and then no more comes.
    HangMidPack,
    /// It lets nobody in.
    Deny,
    /// It has an error of its own.
    Broken,
    /// It closes the connection in the middle of the objects.
    CutMidPack,
    /// It leads to another port of this host, where somebody waits for a token.
    Redirect(u16),
}

/// A server on loopback; it ends with the value.
pub(crate) struct Http {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    root: PathBuf,
    backend: PathBuf,
    shared: Mutex<Shared>,
}

struct Shared {
    mood: Mood,
    token: Option<String>,
    /// Every `Authorization` that was sent.
    shown: BTreeSet<String>,
    requests: usize,
    is_over: bool,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Http {
    /// Serves the repositories in a folder.
    pub(crate) fn new(root: &Path, token: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let path = Command::new("git").arg("--exec-path").output().expect("git");
        let path = String::from_utf8(path.stdout).expect("a path");
        let shared = Shared {
            mood: Mood::Well,
            token: token.map(str::to_owned),
            shown: BTreeSet::new(),
            requests: 0,
            is_over: false,
        };
        let state = Arc::new(State {
            root: root.to_owned(),
            backend: Path::new(path.trim()).join("git-http-backend"),
            shared: Mutex::new(shared),
        });
        let served = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&served);
                if state.shared().is_over {
                    return;
                }
                if let Ok(stream) = stream {
                    thread::spawn(move || serve(&state, &stream).unwrap_or_default());
                }
            }
        });
        Self { address, state }
    }

    /// Returns the address of a repository.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Behaves in another way from now on; whoever waits for a hanging answer gets none.
    pub(crate) fn be(&self, mood: Mood) {
        self.state.shared().mood = mood;
    }

    /// Wants another token from now on.
    pub(crate) fn want_token(&self, token: &str) {
        self.state.shared().token = Some(token.to_owned());
    }

    /// Returns every `Authorization` that was sent so far.
    pub(crate) fn shown(&self) -> BTreeSet<String> {
        self.state.shared().shown.clone()
    }

    /// Returns how many requests came so far.
    pub(crate) fn requests(&self) -> usize {
        self.state.shared().requests
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.state.shared().is_over = true;
        // It notices with the next connection.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mood(&self) -> Mood {
        self.shared().mood
    }

    /// Returns once the server behaves in another way, or is gone.
    fn wait_while(&self, mood: Mood) {
        while self.mood() == mood && !self.shared().is_over {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn serve(state: &State, mut stream: &TcpStream) -> io::Result<()> {
    let Some(request) = read_request(stream)? else { return Ok(()) };
    let authorization = request.header("authorization").map(str::to_owned);
    let mood = {
        let mut shared = state.shared();
        shared.requests += 1;
        shared.shown.extend(authorization.clone());
        shared.mood
    };
    match mood {
        Mood::Hang => {
            state.wait_while(mood);
            return Ok(());
        }
        Mood::Deny => return answer(stream, "403 Forbidden", "", b"not you"),
        Mood::Broken => return answer(stream, "500 Internal Server Error", "", b"oh"),
        Mood::Redirect(port) => {
            let Request { path, query, .. } = &request;
            let to = format!("Location: http://127.0.0.1:{port}{path}?{query}\r\n");
            return answer(stream, "302 Found", &to, b"");
        }
        Mood::Well | Mood::CutMidPack | Mood::HangMidPack => {}
    }
    let token = state.shared().token.clone();
    if token.is_some_and(|token| !is_shown(authorization.as_deref(), &token)) {
        let ask = "WWW-Authenticate: Basic realm=\"forge\"\r\n";
        return answer(stream, "401 Unauthorized", ask, b"who are you?");
    }
    let (head, body) = state.backend(&request)?;
    let is_pack = body.windows(4).any(|it| it == b"PACK");
    stream.write_all(&head)?;
    if is_pack && mood != Mood::Well {
        stream.write_all(&body[..body.len() / 2])?;
        if mood == Mood::HangMidPack {
            state.wait_while(mood);
        }
        return Ok(());
    }
    stream.write_all(&body)
}

/// Tells whether a token is shown: as the password of any user, or as it is.
fn is_shown(authorization: Option<&str>, token: &str) -> bool {
    match authorization.and_then(|it| it.split_once(' ')) {
        Some(("Bearer", shown)) => shown == token,
        Some(("Basic", shown)) => BASE64_STANDARD
            .decode(shown)
            .ok()
            .and_then(|it| String::from_utf8(it).ok())
            .and_then(|it| it.split_once(':').map(|(_, password)| password == token))
            .unwrap_or(false),
        Some(_) | None => false,
    }
}

fn answer(
    mut stream: &TcpStream,
    status: &str,
    headers: &str,
    body: &[u8],
) -> io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\n{headers}\r\n"
    )?;
    stream.write_all(body)
}

impl State {
    /// Asks `git http-backend`; returns the head and the body of the answer.
    fn backend(&self, request: &Request) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let mut child = Command::new(&self.backend)
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or(""))
            .env(
                "HTTP_CONTENT_ENCODING",
                request.header("content-encoding").unwrap_or(""),
            )
            .env("CONTENT_TYPE", request.header("content-type").unwrap_or(""))
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("REQUEST_METHOD", &request.method)
            .env("QUERY_STRING", &request.query)
            .env("PATH_INFO", &request.path)
            .env("REMOTE_ADDR", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut stdin = child.stdin.take().expect("a pipe");
        let body = request.body.clone();
        let writer = thread::spawn(move || stdin.write_all(&body).unwrap_or_default());
        let output = child.wait_with_output()?.stdout;
        writer.join().expect("a writer");
        let end = output.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(0);
        let (head, body) = output.split_at((end + 4).min(output.len()));
        let head = String::from_utf8_lossy(head);
        let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
        let mut answer = format!(
            "HTTP/1.1 {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            status.unwrap_or("200 OK"),
            body.len()
        );
        for line in head.lines().filter(|it| !it.is_empty() && !it.starts_with("Status:"))
        {
            answer.push_str(line);
            answer.push_str("\r\n");
        }
        answer.push_str("\r\n");
        Ok((answer.into_bytes(), body.to_vec()))
    }
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn read_request(mut stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut from = BufReader::new(stream);
    let mut line = String::new();
    from.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let is_chunked = request.header("transfer-encoding") == Some("chunked");
    request.body = if is_chunked {
        read_chunks(&mut from)?
    } else {
        let length = request.header("content-length").and_then(|it| it.parse().ok());
        let mut body = Vec::new();
        from.take(length.unwrap_or(0)).read_to_end(&mut body)?;
        body
    };
    Ok(Some(request))
}

fn read_chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).unwrap_or(0);
        if length == 0 {
            return Ok(body);
        }
        from.by_ref().take(length).read_to_end(&mut body)?;
        from.read_line(&mut String::new())?;
    }
}
