//! Probes from outside: what a container answers over the network.
//!
//! No TLS is spoken: what speaks nothing else is asked by `tcp`, or by `exec`.

mod grpc;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What a container answered, in a few words: the error says why it is not well.
pub type Answer = Result<String, String>;

/// Asks over HTTP/1.1: a status from 200 to 399 is well.
pub async fn http(host: &str, port: u16, path: &str, timeout: Duration) -> Answer {
    within(timeout, async {
        let stream = connect(host, port).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| words(&error))?;
        let connection = Connection(tokio::spawn(async move {
            connection.await.unwrap_or_default();
        }));
        let request = Request::get(path)
            .header(header::HOST, authority(host, port))
            .header(header::USER_AGENT, concat!("reconciler/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new());
        let request = request.map_err(|error| words(&error))?;
        let answer = sender.send_request(request).await.map_err(|error| words(&error))?;
        drop(connection);
        let status = answer.status();
        let said = format!("GET {path} on port {port} answered {}", status.as_u16());
        if status.is_success() || status.is_redirection() { Ok(said) } else { Err(said) }
    })
    .await
}

/// Asks whether a connection is taken.
pub async fn tcp(host: &str, port: u16, timeout: Duration) -> Answer {
    within(timeout, async {
        connect(host, port).await?;
        Ok(format!("port {port} takes connections"))
    })
    .await
}

/// Asks by the health protocol of gRPC, over HTTP/2 without TLS.
pub async fn grpc(host: &str, port: u16, service: &str, timeout: Duration) -> Answer {
    within(timeout, grpc::check(host, port, service)).await
}

/// Ends the task of a connection with the probe.
struct Connection(tokio::task::JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn within(timeout: Duration, asking: impl Future<Output = Answer>) -> Answer {
    tokio::time::timeout(timeout, asking).await.unwrap_or_else(|_| {
        Err(format!("there was no answer in {} s", timeout.as_secs_f64()))
    })
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    if host.is_empty() {
        return Err("it has no address that can be reached".to_owned());
    }
    let stream = TcpStream::connect((host, port)).await;
    stream.map_err(|error| format!("{}: {}", authority(host, port), words(&error)))
}

/// Writes a host and a port as they stand in a URL.
fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Returns an error with its reason.
fn words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
