//! A client that is not the product's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value as Json;

/// What was answered.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Asked {
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// Asks at an address; one that does not answer has the status 0.
pub(crate) fn get(address: &str, path: &str, token: Option<&str>) -> Asked {
    let header = token.map(|it| format!("Authorization: Bearer {it}\r\n"));
    let header = header.unwrap_or_default();
    match TcpStream::connect(address) {
        Ok(stream) => talk(stream, &format!("Host: {address}\r\n{header}"), path),
        Err(error) => Asked { status: 0, body: error.to_string() },
    }
}

/// Asks at a socket.
pub(crate) fn ask(socket: &Path, path: &str) -> Asked {
    let stream = UnixStream::connect(socket).expect("a server");
    talk(stream, "Host: localhost\r\n", path)
}

fn talk(mut stream: impl Read + Write, headers: &str, path: &str) -> Asked {
    let request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).expect("a server");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    Asked { status: status.expect("a status"), body: body.to_owned() }
}
