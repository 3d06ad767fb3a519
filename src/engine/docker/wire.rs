//! The connection: bollard's client, with the API version in every request, and a way to
//! send and read plain JSON through it.
//!
//! Two gaps of bollard 0.21.1 are closed here and nowhere else. It negotiates a version
//! but sends none, so that the engine would answer in its newest one: every request is
//! rewritten to `/v1.NN/…`. And its typed answers fail as a whole on one enum value that
//! they do not know, and have no room for fields that they do not know: what carries a
//! document is sent and read as JSON, through the one call of bollard that hands out the
//! bytes of a body (`export_container`), its request rewritten.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker as Client};
use futures_util::TryStreamExt;
use serde_json::Value as Json;

use super::address::Address;
use super::error::CallError;
use crate::engine::EngineError;

/// How long the engine may take to answer a question.
const READING: Duration = Duration::from_secs(30);
/// How long the engine may take to do something: a create may copy a whole image folder
/// into a new volume.
const WRITING: Duration = Duration::from_mins(10);
/// The oldest API that is spoken: that of Docker Engine 20.10.
const OLDEST: u32 = 41;

/// A connection to one engine; clones share the negotiated version.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    host: String,
    client: Client,
    is_local: bool,
    /// The minor number of the API version that is spoken; 0 until it is negotiated.
    minor: Arc<AtomicU32>,
}

impl Wire {
    /// Prepares a connection; nothing is sent yet.
    pub(super) fn open(host: &str) -> Result<Self, EngineError> {
        let minor = Arc::new(AtomicU32::new(0));
        let address = Address::parse(host)?;
        let is_local = matches!(address, Address::Socket(_));
        let client = match address {
            Address::Socket(path) => Client::connect_with_unix(
                &path.to_string_lossy(),
                WRITING.as_secs(),
                API_DEFAULT_VERSION,
            ),
            Address::Port(port) => {
                Client::connect_with_http(&port, WRITING.as_secs(), API_DEFAULT_VERSION)
            }
        }
        .map_err(|error| CallError::from(error).looking(host, "connect"))?;
        let shared = Arc::clone(&minor);
        let client = client.with_request_modifier(move |request| {
            let path = path_of(&request);
            rewritten(request, &versioned(&path, shared.load(Ordering::Relaxed)))
        });
        Ok(Self { host: host.to_owned(), client, is_local, minor })
    }

    /// Asks the engine for its versions and speaks the newest that both sides know.
    pub(super) async fn negotiate(&self) -> Result<(), EngineError> {
        // Asked in no version: the engine may have been replaced by an older one.
        let asked = within(READING, self.send("GET", "/version".to_owned(), None)).await;
        let answer = asked.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        let answer = answer.map_err(|error| self.error(error, "tell its version"))?;
        let minor = negotiated(&self.host, &answer)?;
        self.minor.store(minor, Ordering::Relaxed);
        Ok(())
    }

    /// Tells whether the engine is reached by a socket of this host, so that the files that it
    /// mounts are this host's.
    pub(super) const fn is_local(&self) -> bool {
        self.is_local
    }

    /// Returns the API version that is spoken.
    pub(super) fn api(&self) -> (u32, u32) {
        (1, self.minor.load(Ordering::Relaxed))
    }

    /// Returns bollard's client, for the calls that carry no document.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Returns a client that waits longer by so much, for calls that take as long as the
    /// stack says.
    pub(super) fn patient_client(&self, longer: Duration) -> Client {
        self.client.clone().with_timeout(WRITING.saturating_add(longer))
    }

    /// Turns an error into that of a look.
    pub(super) fn error(&self, error: CallError, what: &str) -> EngineError {
        error.looking(&self.host, what)
    }

    /// Reads one resource as JSON.
    pub(super) async fn get(&self, path: &str) -> Result<Json, CallError> {
        let bytes = within(READING, self.send("GET", self.versioned(path), None)).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Sends a document; the answer is left alone.
    pub(super) async fn post(&self, path: &str, body: &Json) -> Result<(), CallError> {
        let body = serde_json::to_vec(body)?;
        let path = self.versioned(path);
        within(WRITING, self.send("POST", path, Some(body))).await.map(|_| ())
    }

    fn versioned(&self, path: &str) -> String {
        versioned(path, self.minor.load(Ordering::Relaxed))
    }

    /// Sends one request and collects the bytes of its answer.
    async fn send(
        &self,
        method: &'static str,
        path: String,
        body: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, CallError> {
        let client = self.client.clone().with_request_modifier(move |request| {
            let mut request = rewritten(request, &path);
            if let Ok(method) = method.parse() {
                *request.method_mut() = method;
            }
            if let Some(body) = &body {
                *request.body_mut() = bollard::body_full(body.clone().into());
            }
            request
        });
        let mut chunks = client.export_container("any");
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Gives a call a time limit.
async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    tokio::time::timeout(limit, call)
        .await
        .unwrap_or_else(|_| Err(CallError::TimedOut(limit)))
}

/// Puts the API version before a path.
fn versioned(path: &str, minor: u32) -> String {
    if minor == 0 { path.to_owned() } else { format!("/v1.{minor}{path}") }
}

fn path_of(request: &BollardRequest) -> String {
    request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned()
}

/// Gives a request another path and query; scheme and host stay.
fn rewritten(mut request: BollardRequest, path: &str) -> BollardRequest {
    let uri = request.uri();
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = uri.authority().map_or("", |authority| authority.as_str());
    // Every path is made of literals and of names that `encoded` was applied to.
    if let Ok(uri) = format!("{scheme}://{host}{path}").parse() {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns the minor number of the API version that both sides speak.
fn negotiated(host: &str, answer: &Json) -> Result<u32, EngineError> {
    let minor = |key| answer.get(key).and_then(Json::as_str).and_then(minor_of);
    let name =
        answer.get("Version").and_then(Json::as_str).unwrap_or("an unknown version");
    let unsupported = |why: String| EngineError::Unsupported {
        reason: format!("the Docker Engine at {host} ({name}) {why}"),
    };
    let Some(newest) = minor("ApiVersion") else {
        return Err(unsupported("does not tell which API it speaks".to_owned()));
    };
    let ours = u32::try_from(API_DEFAULT_VERSION.minor_version).unwrap_or(OLDEST);
    if newest < OLDEST {
        return Err(unsupported(format!(
            "speaks API 1.{newest} at most, and reconciler needs 1.{OLDEST}: upgrade it to Docker Engine 20.10 or newer"
        )));
    }
    match minor("MinAPIVersion") {
        Some(oldest) if oldest > ours => Err(unsupported(format!(
            "speaks API 1.{oldest} at least, and reconciler 1.{ours} at most: upgrade reconciler"
        ))),
        Some(_) | None => Ok(newest.min(ours)),
    }
}

fn minor_of(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.parse().ok()
}

/// Encodes a name for a path or a query.
pub(super) fn encoded(name: &str) -> String {
    use std::fmt::Write;

    name.bytes().fold(String::with_capacity(name.len()), |mut text, byte| {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'/'
            | b':'
            | b'@' => text.push(byte.into()),
            // Writing to a String cannot fail.
            _ => drop(write!(text, "%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn version(newest: &str, oldest: &str) -> Result<u32, EngineError> {
        let answer =
            json!({"Version": "9.9", "ApiVersion": newest, "MinAPIVersion": oldest});
        negotiated("unix:///a.sock", &answer)
    }

    #[test]
    fn the_newest_version_that_both_know_is_spoken() {
        assert_eq!(version("1.41", "1.12").unwrap(), 41);
        assert_eq!(version("1.45", "1.24").unwrap(), 45);
        assert_eq!(version("1.99", "1.44").unwrap(), 53);
    }

    #[test]
    fn an_engine_that_is_too_old_or_too_new_is_refused_with_a_way_out() {
        for (newest, oldest, words) in [
            ("1.40", "1.12", "upgrade it to Docker Engine 20.10"),
            ("1.99", "1.80", "upgrade reconciler"),
            ("2.0", "2.0", "does not tell"),
        ] {
            let error = version(newest, oldest).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("9.9"), "{error}");
        }
    }

    #[test]
    fn names_are_encoded_so_that_they_stay_one_part_of_a_path() {
        assert_eq!(encoded("quay.io/a/b:v1@sha256:ab"), "quay.io/a/b:v1@sha256:ab");
        assert_eq!(encoded("a b?c#d%"), "a%20b%3Fc%23d%25");
        assert_eq!(encoded("ü"), "%C3%BC");
    }
}
