//! The connections of the server, and what they may cost.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::api::Answers;
use super::listener::{Address, Listener, Stream};
use super::webhook::Webhook;

/// What a server answers.
pub(super) type Answer = Response<Full<Bytes>>;

/// What a connection may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many there are at once. Others wait in the queue of the system.
    pub(super) connections: usize,
    /// How long its headers may take.
    pub(super) headers: Duration,
    /// How long its request may take from then on.
    pub(super) request: Duration,
    /// How many bytes its body may have.
    pub(super) body: usize,
}

/// The longest delivery of a forge tells of many commits, and is a few hundred KiB; none is
/// read before it is known who sent it.
const LIMITS: Limits = Limits {
    connections: 32,
    headers: Duration::from_secs(5),
    request: Duration::from_secs(10),
    body: 1 << 20,
};

/// How many bytes of headers are read, and how many headers.
const HEADERS: (usize, usize) = (16 << 10, 64);

/// What is served.
#[derive(Debug, Default)]
pub struct Routes {
    /// `POST /webhook/git`; without it there is no such place.
    pub webhook: Option<Webhook>,
    /// The questions that may be asked; without it there is no place for them.
    pub answers: Option<Answers>,
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    routes: Arc<Routes>,
    limits: Limits,
}

impl Server {
    /// Listens at an address.
    ///
    /// # Errors
    /// The system's reason.
    pub async fn bind(address: &Address, routes: Routes) -> io::Result<Self> {
        let listener = Listener::bind(address).await?;
        Ok(Self { listener, routes: Arc::new(routes), limits: LIMITS })
    }

    #[cfg(test)]
    pub(super) fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Returns where it listens.
    ///
    /// # Errors
    /// The system's reason.
    pub fn address(&self) -> io::Result<Address> {
        self.listener.address()
    }

    /// Serves for ever.
    pub async fn serve(self) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let mut connections = JoinSet::new();
        loop {
            // The semaphore is never closed.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let attended = attend(stream, peer, self.routes.clone(), self.limits);
                    connections.spawn(async move {
                        attended.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the server takes no connection now");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

/// Serves one connection, for one request: a forge sends no more, and a connection that
/// rests would take the place of another.
async fn attend(
    stream: Box<dyn Stream>,
    peer: String,
    routes: Arc<Routes>,
    limits: Limits,
) {
    let asker = peer.clone();
    let service = service_fn(move |request| {
        let (routes, asker) = (routes.clone(), asker.clone());
        async move { Ok::<_, Infallible>(answer(&routes, request, &asker, limits).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(HEADERS.0)
        .max_headers(HEADERS.1)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // Twice the time of a request: its answer must be read, too.
    let deadline = limits.headers + 2 * limits.request;
    if let Ok(Err(error)) = tokio::time::timeout(deadline, connection).await {
        tracing::debug!(%peer, %error, "a connection has broken off");
    }
}

async fn answer(
    routes: &Routes,
    request: Request<Incoming>,
    peer: &str,
    limits: Limits,
) -> Answer {
    if let Some(answers) = &routes.answers {
        let (method, path) = (request.method(), request.uri().path());
        if let Some(answer) = answers.answer(method, path, request.headers()).await {
            return answer;
        }
    }
    let ("/webhook/git", Some(webhook)) = (request.uri().path(), &routes.webhook) else {
        return refused(StatusCode::NOT_FOUND, "there is nothing here");
    };
    if request.method() != Method::POST {
        let answer = refused(StatusCode::METHOD_NOT_ALLOWED, "only POST is understood");
        return with(answer, (ALLOW, "POST".to_owned()));
    }
    let (head, body) = request.into_parts();
    match tokio::time::timeout(limits.request, whole(body, limits.body)).await {
        Ok(Ok(body)) => webhook.answer(&head.headers, &body, peer),
        Ok(Err(refusal)) => refusal,
        Err(_) => refused(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
    }
}

/// Reads a body, up to a size.
async fn whole(body: Incoming, most: usize) -> Result<Bytes, Answer> {
    let too_large = || {
        let why = format!("the body is larger than {most} bytes");
        refused(StatusCode::PAYLOAD_TOO_LARGE, &why)
    };
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(refused(StatusCode::BAD_REQUEST, "the body broke off")),
    }
}

/// Says that a request is refused, and why.
pub(super) fn refused(status: StatusCode, why: &str) -> Answer {
    said(status, &serde_json::json!({ "error": why }))
}

/// Says that a request comes too early.
pub(super) fn refused_for(wait: Duration) -> Answer {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let answer = refused(StatusCode::TOO_MANY_REQUESTS, "too many requests");
    with(answer, (RETRY_AFTER, seconds.to_string()))
}

/// Says what became of a request.
pub(super) fn done(status: StatusCode, what: &str) -> Answer {
    said(status, &serde_json::json!({ "status": what }))
}

fn said(status: StatusCode, value: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::from(format!("{value}\n")));
    *answer.status_mut() = status;
    with(answer, (CONTENT_TYPE, "application/json".to_owned()))
}

/// Answers with a text of a kind.
pub(super) fn text(body: String, kind: &'static str) -> Answer {
    with(Response::new(Full::from(body)), (CONTENT_TYPE, kind.to_owned()))
}

/// Adds a header.
pub(super) fn with(
    mut answer: Answer,
    header: (hyper::header::HeaderName, String),
) -> Answer {
    // All values are digits and words.
    if let Ok(value) = header.1.parse() {
        answer.headers_mut().insert(header.0, value);
    }
    answer
}
