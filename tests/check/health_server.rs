//! A server that speaks the health protocol of gRPC, and asks for a password as Milvus does.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// The server; it ends with its test.
pub(crate) struct HealthServer {
    pub(crate) port: u16,
    serves: Arc<AtomicBool>,
}

impl HealthServer {
    /// Starts one in a thread of its own: tests wait for programs without ever yielding.
    pub(crate) async fn start(user: &str, password: &str) -> Self {
        let login = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let serves = Arc::new(AtomicBool::new(true));
        let shared = serves.clone();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let port = listener.local_addr().expect("an address").port();
                sender.send(port).expect("a test");
                serve(listener, login, shared).await;
            });
        });
        Self { port: receiver.await.expect("a port"), serves }
    }

    /// Says from now on that it serves, or that it does not.
    pub(crate) fn serves(&self, serves: bool) {
        self.serves.store(serves, Ordering::SeqCst);
    }
}

async fn serve(listener: TcpListener, login: String, serves: Arc<AtomicBool>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (login, serves) = (login.clone(), serves.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let state = if serves.load(Ordering::SeqCst) { 1 } else { 2 };
            let given = request.headers().get("authorization");
            let is_known = given.is_some_and(|it| it.as_bytes() == login.as_bytes());
            async move { Ok::<_, Infallible>(answer(is_known, state)) }
        });
        let builder = http2::Builder::new(TokioExecutor::new());
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
    }
}

type Body = StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Framed>>>;
type Framed = Result<Frame<Bytes>, Infallible>;

fn answer(is_known: bool, state: u8) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    let mut frames = Vec::new();
    if is_known {
        trailers.insert("grpc-status", "0".parse().expect("a value"));
        frames.push(Ok(Frame::data(Bytes::from(vec![0, 0, 0, 0, 2, 8, state]))));
    } else {
        trailers.insert("grpc-status", "16".parse().expect("a value"));
        trailers.insert("grpc-message", "auth check failure".parse().expect("a value"));
    }
    frames.push(Ok(Frame::trailers(trailers)));
    Response::new(StreamBody::new(futures_util::stream::iter(frames)))
}
