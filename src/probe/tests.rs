//! Against servers of this host.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::server::conn::{http1 as http1_server, http2 as http2_server};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::*;

const SOON: Duration = Duration::from_secs(5);

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Serves one status for `/healthz`, and 404 for everything else.
async fn web(status: u16) -> u16 {
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service =
                service_fn(move |request: Request<hyper::body::Incoming>| async move {
                    let is_health = request.uri().path() == "/healthz";
                    let status = if is_health { status } else { 404 };
                    let body = Full::new(Bytes::from_static(b"ok"));
                    Ok::<_, Infallible>(
                        Response::builder().status(status).body(body).unwrap(),
                    )
                });
            let served = http1_server::Builder::new();
            served
                .serve_connection(TokioIo::new(stream), service)
                .await
                .unwrap_or_default();
        }
    });
    port
}

#[tokio::test]
async fn a_status_from_200_to_399_is_well() {
    for (status, is_well) in
        [(200, true), (204, true), (302, true), (404, false), (503, false)]
    {
        let port = web(status).await;
        let answer = http("127.0.0.1", port, "/healthz?x=1", SOON).await;
        assert_eq!(answer.is_ok(), is_well, "{status}: {answer:?}");
        let said = answer.unwrap_or_else(|said| said);
        assert!(said.contains(&format!("answered {status}")), "{said}");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_not_well_and_says_why() {
    let (closed, port) = listener().await;
    assert!(tcp("127.0.0.1", port, SOON).await.is_ok());
    drop(closed);
    for answer in [
        tcp("127.0.0.1", port, SOON).await,
        http("127.0.0.1", port, "/", SOON).await,
        grpc("127.0.0.1", port, "", SOON).await,
    ] {
        let said = answer.unwrap_err();
        assert!(said.contains("refused"), "{said}");
    }
    let said = tcp("", 80, SOON).await.unwrap_err();
    assert_eq!(said, "it has no address that can be reached");
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let (silent, port) = listener().await;
    let short = Duration::from_millis(50);
    for answer in [
        http("127.0.0.1", port, "/", short).await,
        grpc("127.0.0.1", port, "", short).await,
    ] {
        assert_eq!(answer.unwrap_err(), "there was no answer in 0.05 s");
    }
    drop(silent);
}

#[tokio::test]
async fn who_speaks_something_else_is_not_well() {
    use tokio::io::AsyncWriteExt;
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"220 mail\r\n").await.unwrap();
        }
    });
    assert!(http("127.0.0.1", port, "/", SOON).await.is_err());
    assert!(grpc("127.0.0.1", port, "", SOON).await.is_err());
}

/// Serves `grpc.health.v1` with a state of the service `db`.
async fn health(state: u8) -> u16 {
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service =
                service_fn(move |request: Request<hyper::body::Incoming>| async move {
                    assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
                    let asked = request.into_body().collect().await.unwrap().to_bytes();
                    let is_known = asked.len() == 5 || asked.ends_with(b"db");
                    let mut trailers = HeaderMap::new();
                    let code = if is_known { "0" } else { "5" };
                    trailers.insert("grpc-status", code.parse().unwrap());
                    let data = Bytes::from(vec![0, 0, 0, 0, 2, 8, state]);
                    let frames = [Frame::data(data), Frame::trailers(trailers)];
                    let frames = frames.into_iter().skip(usize::from(!is_known));
                    let frames = frames.map(Ok::<_, Infallible>);
                    let body = StreamBody::new(futures_util::stream::iter(frames));
                    Ok::<_, Infallible>(Response::new(body))
                });
            let served = http2_server::Builder::new(TokioExecutor::new());
            tokio::spawn(served.serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}

#[tokio::test]
async fn grpc_is_well_when_it_says_that_it_serves() {
    let port = health(1).await;
    for service in ["", "db"] {
        let answer = grpc("127.0.0.1", port, service, SOON).await;
        assert_eq!(answer, Ok(format!("gRPC on port {port} is serving")));
    }
    let answer = grpc("127.0.0.1", port, "other", SOON).await;
    assert_eq!(answer.unwrap_err(), "gRPC knows no health of the service `other`");
    let port = health(2).await;
    let answer = grpc("127.0.0.1", port, "", SOON).await;
    assert_eq!(answer.unwrap_err(), format!("gRPC on port {port} is not serving"));
}
