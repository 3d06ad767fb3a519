//! A GET over HTTP/1.1: its status, and the beginning of its body.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, StatusCode, header};
use hyper_util::rt::TokioIo;

use super::{Connection, Place, connect, unwell};
use crate::state::ask::Trouble;

/// How much of a body is read.
const LONGEST: usize = 64 << 10;

/// Asks for a path, with more headers, and reads the answer. A body that is longer than
/// what is read of it counts as what was read.
pub(super) async fn get(
    place: Place<'_>,
    path: &str,
    more: HeaderMap,
) -> Result<(StatusCode, Bytes), Trouble> {
    let (answer, connection) = answer(place, path, more).await?;
    let status = answer.status();
    let mut body = Limited::new(answer.into_body(), LONGEST);
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { break };
        if let Some(data) = frame.data_ref() {
            read.extend_from_slice(data);
        }
    }
    drop(connection);
    Ok((status, read.into()))
}

/// Asks for a path and returns its status; the body is not read.
pub(super) async fn status(place: Place<'_>, path: &str) -> Result<StatusCode, Trouble> {
    let (answer, connection) = answer(place, path, HeaderMap::new()).await?;
    drop(connection);
    Ok(answer.status())
}

async fn answer(
    place: Place<'_>,
    path: &str,
    more: HeaderMap,
) -> Result<(hyper::Response<Incoming>, Connection), Trouble> {
    let stream = connect(place).await?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(unwell)?;
    let connection = Connection(tokio::spawn(async move {
        connection.await.unwrap_or_default();
    }));
    let mut request = Request::get(path)
        .header(header::HOST, place.authority())
        .header(header::USER_AGENT, concat!("reconciler/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(unwell)?;
    request.headers_mut().extend(more);
    let answer = sender.send_request(request).await.map_err(unwell)?;
    Ok((answer, connection))
}
