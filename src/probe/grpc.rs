//! `grpc.health.v1.Health/Check`: one request of one field, one answer of one field.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::{HeaderMap, Request, header};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{Answer, Connection, authority, connect, words};

/// How long an answer may be.
const LONGEST: usize = 4096;

/// `SERVING` of `grpc.health.v1.HealthCheckResponse`.
const SERVING: u8 = 1;

pub(super) async fn check(host: &str, port: u16, service: &str) -> Answer {
    let stream = connect(host, port).await?;
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|error| words(&error))?;
    let _connection = Connection(tokio::spawn(async move {
        connection.await.unwrap_or_default();
    }));
    let uri = format!("http://{}/grpc.health.v1.Health/Check", authority(host, port));
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(Full::new(Bytes::from(message(service))));
    let request = request.map_err(|error| words(&error))?;
    let answer = sender.send_request(request).await.map_err(|error| words(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("port {port} answered {} to gRPC", status.as_u16()));
    }
    let headers = answer.headers().clone();
    let body = Limited::new(answer.into_body(), LONGEST).collect().await;
    let body = body.map_err(|error| words(&*error))?;
    let trailers = body.trailers().cloned();
    refusal(trailers.as_ref().unwrap_or(&headers), service)?;
    match serving(&body.to_bytes()) {
        Some(SERVING) => Ok(format!("gRPC on port {port} is serving")),
        Some(other) => Err(format!("gRPC on port {port} is {}", state(other))),
        None => Err(format!("port {port} did not answer with a health message")),
    }
}

/// The status of the call, which stands beside the answer.
fn refusal(headers: &HeaderMap, service: &str) -> Result<(), String> {
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    match text("grpc-status") {
        None | Some("0") => Ok(()),
        Some("5") => Err(format!("gRPC knows no health of the service `{service}`")),
        Some("12") => Err("gRPC has no health service here".to_owned()),
        Some(code) => {
            let message = text("grpc-message").unwrap_or_default();
            Err(format!("gRPC refused with status {code}: {message}"))
        }
    }
}

fn state(serving: u8) -> &'static str {
    match serving {
        2 => "not serving",
        3 => "of no such service",
        _ => "in no known state",
    }
}

/// Writes a `HealthCheckRequest` as a message of gRPC: not compressed, its length, and its
/// first field, the name of the service.
fn message(service: &str) -> Vec<u8> {
    let mut field = Vec::new();
    if !service.is_empty() {
        field.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            field.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        field.push(u8::try_from(length).unwrap_or_default());
        field.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(field.len()).unwrap_or_default();
    let mut message = vec![0];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend(field);
    message
}

/// Reads the state of a `HealthCheckResponse`; its first field is left out when it is zero.
fn serving(message: &[u8]) -> Option<u8> {
    let body = message.get(5..)?;
    match body {
        [] => Some(0),
        [0x08, state, ..] => Some(*state),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_service_and_an_answer_its_state() {
        assert_eq!(message(""), [0, 0, 0, 0, 0]);
        assert_eq!(message("ab"), [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        let long = message(&"x".repeat(200));
        assert_eq!(&long[..8], [0, 0, 0, 0, 203, 0x0a, 0xc8, 1]);
        assert_eq!(serving(&[0, 0, 0, 0, 2, 8, 1]), Some(1));
        assert_eq!(serving(&[0, 0, 0, 0, 0]), Some(0));
        assert_eq!(serving(b"<html>"), None);
        assert_eq!(serving(b""), None);
    }
}
