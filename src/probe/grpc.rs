//! Calls of gRPC with one message each way, over HTTP/2 without TLS; among them
//! `grpc.health.v1.Health/Check`.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::{HeaderMap, Request, header};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::message::{Fields, text_field};
use super::{Connection, Place, connect, unwell, words};
use crate::state::ask::{Trouble, TroubleKind};

/// How long an answer may be.
const LONGEST: usize = 64 << 10;

/// `SERVING` of `grpc.health.v1.HealthCheckResponse`.
const SERVING: u64 = 1;

/// Asks for the health of a service, or of the whole server.
pub(super) async fn check(
    place: Place<'_>,
    service: &str,
    metadata: HeaderMap,
) -> Result<String, Trouble> {
    let path = "/grpc.health.v1.Health/Check";
    let answer = call(place, path, &text_field(1, service), metadata).await;
    let answer = answer.map_err(|trouble| about_health(trouble, service))?;
    let port = place.port;
    match Fields(&answer).number(1).unwrap_or_default() {
        SERVING => Ok(format!("gRPC on port {port} is serving")),
        other => {
            let said = format!("gRPC on port {port} is {}", state(other));
            Err(Trouble::new(TroubleKind::Unwell, said))
        }
    }
}

/// Says what two statuses mean when it is health that is asked about.
fn about_health(trouble: Trouble, service: &str) -> Trouble {
    let said = if trouble.said.starts_with("gRPC refused with status 5:") {
        format!("gRPC knows no health of the service `{service}`")
    } else if trouble.said.starts_with("gRPC refused with status 12:") {
        "gRPC has no health service here".to_owned()
    } else {
        return trouble;
    };
    Trouble { said, ..trouble }
}

/// Makes one call, and returns the message that is the answer.
pub(super) async fn call(
    place: Place<'_>,
    path: &str,
    message: &[u8],
    metadata: HeaderMap,
) -> Result<Vec<u8>, Trouble> {
    let stream = connect(place).await?;
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(unwell)?;
    let _connection = Connection(tokio::spawn(async move {
        connection.await.unwrap_or_default();
    }));
    let mut request = Request::post(format!("http://{}{path}", place.authority()))
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(Full::new(Bytes::from(framed(message))))
        .map_err(unwell)?;
    request.headers_mut().extend(metadata);
    let answer = sender.send_request(request).await.map_err(unwell)?;
    let (port, status) = (place.port, answer.status());
    if !status.is_success() {
        let said = format!("port {port} answered {} to gRPC", status.as_u16());
        return Err(Trouble::new(TroubleKind::Unwell, said));
    }
    let headers = answer.headers().clone();
    let body = Limited::new(answer.into_body(), LONGEST).collect().await;
    let body = body.map_err(|error| Trouble::new(TroubleKind::Unwell, words(&*error)))?;
    let trailers = body.trailers().cloned();
    refusal(trailers.as_ref().unwrap_or(&headers))?;
    unframed(&body.to_bytes()).ok_or_else(|| {
        let said = format!("port {port} did not answer with a message of gRPC");
        Trouble::new(TroubleKind::Unwell, said)
    })
}

/// The status of the call, which stands beside the answer.
fn refusal(headers: &HeaderMap) -> Result<(), Trouble> {
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    let code = text("grpc-status").unwrap_or("0");
    if code == "0" {
        return Ok(());
    }
    // Permission denied, and unauthenticated.
    let is_denied = matches!(code, "7" | "16");
    let kind = if is_denied { TroubleKind::Denied } else { TroubleKind::Unwell };
    let message = text("grpc-message").unwrap_or_default();
    Err(Trouble::new(kind, format!("gRPC refused with status {code}: {message}")))
}

fn state(serving: u64) -> &'static str {
    match serving {
        2 => "not serving",
        3 => "of no such service",
        _ => "in no known state",
    }
}

/// Writes a message as gRPC sends it: not compressed, its length, and itself.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or_default();
    let mut framed = vec![0];
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

/// Reads the one message of an answer, which must not be compressed.
fn unframed(answer: &[u8]) -> Option<Vec<u8>> {
    let (head, message) = answer.split_at_checked(5)?;
    let [0, length @ ..] = head else { return None };
    let length = u32::from_be_bytes(length.try_into().ok()?);
    message.get(..usize::try_from(length).ok()?).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_out_and_comes_back_with_its_length() {
        assert_eq!(framed(&[]), [0, 0, 0, 0, 0]);
        assert_eq!(framed(b"ab"), [0, 0, 0, 0, 2, b'a', b'b']);
        assert_eq!(unframed(&framed(b"ab")), Some(b"ab".to_vec()));
        assert_eq!(unframed(&[0, 0, 0, 0, 0]), Some(Vec::new()));
        for bytes in [&b"<html>"[..], b"", &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 9, 1]] {
            assert_eq!(unframed(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_call_that_is_refused_says_by_its_status_whether_we_may_not_ask() {
        let refused = |code: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", code.parse().unwrap());
            headers.insert("grpc-message", "why".parse().unwrap());
            refusal(&headers)
        };
        assert_eq!(refused("0"), Ok(()));
        for (code, kind) in [
            ("16", TroubleKind::Denied),
            ("7", TroubleKind::Denied),
            ("14", TroubleKind::Unwell),
        ] {
            let said = format!("gRPC refused with status {code}: why");
            assert_eq!(refused(code), Err(Trouble::new(kind, said)));
        }
    }
}
