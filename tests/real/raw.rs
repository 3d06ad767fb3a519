//! What the engine says by itself: its JSON, past every client, so that nothing is lost.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value as Json;

/// Asks the engine over its socket.
pub(crate) fn ask(path: &str) -> Json {
    let mut socket = UnixStream::connect("/var/run/docker.sock").expect("the engine");
    // In HTTP/1.0 an answer has no chunks and ends with the connection.
    write!(socket, "GET /v1.41{path} HTTP/1.0\r\nHost: engine\r\n\r\n")
        .expect("a request");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {head}"))
}

/// Returns the inspection of every container of a project, by service.
pub(crate) fn inspected(project: &str) -> BTreeMap<String, Json> {
    let all = ask("/containers/json?all=1");
    let label = |container: &Json, name: &str| {
        container["Labels"][name].as_str().unwrap_or_default().to_owned()
    };
    all.as_array()
        .into_iter()
        .flatten()
        .filter(|container| label(container, "com.docker.compose.project") == project)
        .map(|container| {
            let id = container["Id"].as_str().unwrap_or_default();
            let service = label(container, "com.docker.compose.service");
            (service, ask(&format!("/containers/{id}/json")))
        })
        .collect()
}
