//! Probes from outside: what a container answers over the network, and how full a disk is.
//!
//! No TLS is spoken: what speaks nothing else is asked by `tcp`, or by `exec`.

mod disk;
mod etcd;
mod grpc;
mod http;
mod message;
mod s3;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

pub use s3::S3Request;

use crate::state::ask::{DiskUse, Trouble, TroubleKind};
use crate::state::secret::Secret;

/// What a container answered, in a few words: the error says why it is not well.
pub type Answer = Result<String, String>;

/// How soon a connection is closed again that nobody stands behind: a port that the engine
/// publishes takes connections for a container that does not listen.
const SOON: Duration = Duration::from_millis(300);

/// Where something is asked.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The name or address of the host.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

impl Place<'_> {
    /// Writes it as it stands in a URL.
    fn authority(self) -> String {
        let Self { host, port } = self;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }
}

/// What the page of a check has to be.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The path, with its query.
    pub path: &'a str,
    /// These statuses are good; 200 to 399, if there are none.
    pub status: &'a BTreeSet<u16>,
    /// What stands somewhere in the body.
    pub body: Option<&'a str>,
}

/// Asks over HTTP/1.1: a status from 200 to 399 is well.
pub async fn http(host: &str, port: u16, path: &str, timeout: Duration) -> Answer {
    let asking = http::status(Place { host, port }, path);
    let status = within(timeout, asking).await.map_err(said)?;
    let said = format!("GET {path} on port {port} answered {}", status.as_u16());
    if status.is_success() || status.is_redirection() { Ok(said) } else { Err(said) }
}

/// Asks whether a connection is taken.
pub async fn tcp(host: &str, port: u16, timeout: Duration) -> Answer {
    within(timeout, connect(Place { host, port })).await.map_err(said)?;
    Ok(format!("port {port} takes connections"))
}

/// Asks by the health protocol of gRPC, over HTTP/2 without TLS.
pub async fn grpc(host: &str, port: u16, service: &str, timeout: Duration) -> Answer {
    let asking = grpc::check(Place { host, port }, service, HeaderMap::new());
    within(timeout, asking).await.map_err(said)
}

/// Asks for a page, and holds it against what it has to be.
///
/// # Errors
/// It is not, or is not to be had.
pub async fn page(
    place: Place<'_>,
    page: Page<'_>,
    timeout: Duration,
) -> Result<String, Trouble> {
    let Page { path, status: good, body: wanted } = page;
    let asking = http::get(place, path, HeaderMap::new());
    let (status, body) = within(timeout, asking).await?;
    let code = status.as_u16();
    let said = format!("GET {path} on port {} answered {code}", place.port);
    let is_good = if good.is_empty() {
        status.is_success() || status.is_redirection()
    } else {
        good.contains(&code)
    };
    if !is_good {
        let is_denied = matches!(code, 401 | 403);
        let kind = if is_denied { TroubleKind::Denied } else { TroubleKind::Unwell };
        return Err(Trouble::new(kind, said));
    }
    let text = String::from_utf8_lossy(&body);
    match wanted.filter(|wanted| !text.contains(wanted)) {
        Some(wanted) => {
            let said = format!("{said}, without `{wanted}` in its body");
            Err(Trouble::new(TroubleKind::Unwell, said))
        }
        None => Ok(said),
    }
}

/// Asks whether a connection is taken, and not closed at once.
///
/// # Errors
/// It is not taken, or closed.
pub async fn listens(place: Place<'_>, timeout: Duration) -> Result<String, Trouble> {
    let port = place.port;
    within(timeout, async {
        let mut stream = connect(place).await?;
        match tokio::time::timeout(SOON, stream.read(&mut [0; 1])).await {
            Ok(Ok(1..)) | Err(_) => Ok(format!("port {port} takes connections")),
            Ok(Ok(0) | Err(_)) => {
                let said = format!(
                    "port {port} takes connections and closes them at once: nothing \
                     answers behind it"
                );
                Err(Trouble::new(TroubleKind::Unwell, said))
            }
        }
    })
    .await
}

/// Asks by the health protocol of gRPC. A user and a password go along as Milvus takes them.
///
/// # Errors
/// It does not say that it serves.
pub async fn health(
    place: Place<'_>,
    service: &str,
    login: Option<(&str, &Secret)>,
    timeout: Duration,
) -> Result<String, Trouble> {
    let mut metadata = HeaderMap::new();
    if let Some((user, password)) = login {
        let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
        let mut value = HeaderValue::from_str(&pair).map_err(unwell)?;
        value.set_sensitive(true);
        metadata.insert(AUTHORIZATION, value);
    }
    within(timeout, grpc::check(place, service, metadata)).await
}

/// Asks an etcd for its alarms.
///
/// # Errors
/// There are some, or it does not tell.
pub async fn etcd_alarms(
    place: Place<'_>,
    login: Option<(&str, &Secret)>,
    timeout: Duration,
) -> Result<String, Trouble> {
    within(timeout, etcd::alarms(place, login)).await
}

/// Asks an S3 server for what it holds, by a signed request.
///
/// # Errors
/// It does not tell.
pub async fn s3(
    place: Place<'_>,
    request: S3Request<'_>,
    timeout: Duration,
) -> Result<String, Trouble> {
    within(timeout, s3::list(place, request)).await
}

/// Asks how full the file system of a folder of this host is.
///
/// # Errors
/// There is no such folder, or the system does not tell in time.
pub async fn disk(path: &str, timeout: Duration) -> Result<DiskUse, Trouble> {
    let asking = disk::Asking::about(path)?;
    within(timeout, async {
        let asked = tokio::task::spawn_blocking(move || asking.asked()).await;
        asked.map_err(|error| Trouble::new(TroubleKind::Unknown, words(&error)))?
    })
    .await
}

/// Ends the task of a connection with the probe.
struct Connection(tokio::task::JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn within<T>(
    timeout: Duration,
    asking: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    tokio::time::timeout(timeout, asking).await.unwrap_or_else(|_| {
        let said = format!("there was no answer in {} s", timeout.as_secs_f64());
        Err(Trouble::new(TroubleKind::Silent, said))
    })
}

async fn connect(place: Place<'_>) -> Result<TcpStream, Trouble> {
    let Place { host, port } = place;
    let unreachable = |said: String| Trouble::new(TroubleKind::Unreachable, said);
    if host.is_empty() {
        return Err(unreachable("it has no address that can be reached".to_owned()));
    }
    let stream = TcpStream::connect((host, port)).await;
    stream
        .map_err(|error| unreachable(format!("{}: {}", place.authority(), words(&error))))
}

fn said(trouble: Trouble) -> String {
    trouble.said
}

/// Says what somebody who speaks otherwise, or breaks off, has done.
fn unwell(error: impl std::error::Error) -> Trouble {
    Trouble::new(TroubleKind::Unwell, words(&error))
}

/// Returns an error with its reason.
fn words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
