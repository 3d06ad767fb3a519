//! What may be asked with a GET, and who may ask.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::header::{
    ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderName, WWW_AUTHENTICATE,
};
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::server::{Answer, done, refused, refused_for, text, with};
use crate::clock::Clock;
use crate::planning::rate::{Bucket, Rate};
use crate::source::secret_file::SecretFile;
use crate::state::secret::Secret;

/// How many bytes a token must have.
pub const LEAST_TOKEN: usize = 16;

/// How many questions are answered.
const QUESTIONS: Rate = Rate { burst: 50, every: Duration::from_millis(100) };

/// How many that prove nothing are told so. A flood of those keeps out no right one.
const REFUSALS: Rate = Rate { burst: 10, every: Duration::from_secs(1) };

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Everything that is measured.
    Metrics(MetricsForm),
    /// How the stacks are.
    Status,
    /// What is to change.
    Diff,
    /// What happened.
    Events,
    /// What was wanted, and when.
    History,
}

/// The forms of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsForm {
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl MetricsForm {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    /// `OpenMetrics` for whoever names it at all, as scrapers do.
    fn accepted(headers: &HeaderMap) -> Self {
        let accepts = headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok());
        let mut kinds = accepts.flat_map(|it| it.split(','));
        if kinds.any(|it| it.trim().starts_with("application/openmetrics-text")) {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }
}

/// Whoever knows the answers.
pub trait Api: Debug + Send + Sync {
    /// Tells whether the operator is ready.
    ///
    /// # Errors
    /// It is not; why, for everyone to read.
    fn readiness(&self) -> Result<(), String>;

    /// Answers a question; called on a thread of its own.
    ///
    /// # Errors
    /// There is no answer now; why.
    fn answer(&self, question: Question) -> Result<String, String>;
}

/// What is answered to who may not ask, or not now.
type Refusal = Box<Answer>;

/// Who may ask.
#[derive(Debug)]
pub enum Door {
    /// Whoever can reach it: processes of this host.
    Near,
    /// Whoever may open the socket.
    Socket,
    /// Whoever knows the token in a file.
    Token(SecretFile),
    /// Nobody: there is a webhook, and no more.
    Shut,
}

/// The routes for those who ask.
#[derive(Debug)]
pub struct Answers {
    api: Arc<dyn Api>,
    door: Door,
    clock: Clock,
    counts: Mutex<(Bucket, Bucket)>,
}

impl Answers {
    /// Answers with what the `api` knows whoever comes through the `door`.
    pub fn new(api: Arc<dyn Api>, door: Door) -> Self {
        let counts = Mutex::new((Bucket::new(QUESTIONS), Bucket::new(REFUSALS)));
        Self { api, door, clock: Clock::new(), counts }
    }

    #[cfg(test)]
    pub(super) fn rated(self, rate: Rate) -> Self {
        let counts = Mutex::new((Bucket::new(rate), Bucket::new(rate)));
        Self { counts, ..self }
    }

    /// Answers a request; nothing when there is no such place.
    pub(super) async fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<Answer> {
        let question = match path {
            "/livez" | "/readyz" => None,
            "/metrics" => Some(Question::Metrics(MetricsForm::accepted(headers))),
            "/api/v1/status" => Some(Question::Status),
            "/api/v1/diff" => Some(Question::Diff),
            "/api/v1/events" => Some(Question::Events),
            "/api/v1/history" => Some(Question::History),
            _ => return None,
        };
        if method != Method::GET && method != Method::HEAD {
            let why = "only GET and HEAD are understood";
            let answer = refused(StatusCode::METHOD_NOT_ALLOWED, why);
            return Some(with(answer, (hyper::header::ALLOW, "GET, HEAD".to_owned())));
        }
        Some(match question {
            None if path == "/livez" => done(StatusCode::OK, "alive"),
            None => match self.api.readiness() {
                Ok(()) => done(StatusCode::OK, "ready"),
                Err(why) => refused(StatusCode::SERVICE_UNAVAILABLE, &why),
            },
            Some(question) => match self.admit(headers) {
                Err(refusal) => *refusal,
                Ok(()) => self.say(question).await,
            },
        })
    }

    /// Has the answer made beside the loop, which it must not hold up.
    async fn say(&self, question: Question) -> Answer {
        let api = self.api.clone();
        let made = tokio::task::spawn_blocking(move || api.answer(question)).await;
        match made.unwrap_or_else(|error| Err(format!("an internal error: {error}"))) {
            Ok(body) => text(
                body,
                match question {
                    Question::Metrics(form) => form.content_type(),
                    Question::Status
                    | Question::Diff
                    | Question::Events
                    | Question::History => "application/json",
                },
            ),
            Err(why) => refused(StatusCode::SERVICE_UNAVAILABLE, &why),
        }
    }

    /// Lets those in who may ask, and not too often.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let proven = match &self.door {
            Door::Near => is_meant(headers),
            Door::Socket => Ok(()),
            Door::Token(file) => token(file, headers),
            Door::Shut => {
                let why =
                    "there is no token here (--listen-token-file), only the webhook";
                Err(refused(StatusCode::FORBIDDEN, why).into())
            }
        };
        let now = self.clock.now().moment;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (questions, refusals) = &mut *counts;
        let bucket = if proven.is_ok() { questions } else { refusals };
        bucket.take(now).map_err(|wait| Box::new(refused_for(wait)))?;
        proven
    }
}

/// Refuses what a browser was made to ask under a foreign name: a name that somebody lets
/// point to this host would let pages of theirs read what is here.
fn is_meant(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(host) = headers.get(HOST) else { return Ok(()) };
    let host = host.to_str().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_own = bare.parse::<IpAddr>().is_ok() || bare.eq_ignore_ascii_case("localhost");
    if is_own || bare.is_empty() {
        return Ok(());
    }
    let why = "without a token only an address or localhost is answered as Host";
    Err(refused(StatusCode::MISDIRECTED_REQUEST, why).into())
}

fn token(file: &SecretFile, headers: &HeaderMap) -> Result<(), Refusal> {
    let secret = file.read().map_err(|error| {
        tracing::warn!(%error, "nobody can prove to know the token");
        let why = "the operator cannot read its token";
        Refusal::new(refused(StatusCode::SERVICE_UNAVAILABLE, why))
    })?;
    let given = headers.get(AUTHORIZATION).and_then(|it| bearer(it.as_bytes()));
    let why = match given {
        None => "a token is needed: `Authorization: Bearer TOKEN`",
        Some(given) if is_same(given, &secret) => return Ok(()),
        Some(_) => "the token does not match",
    };
    let answer = refused(StatusCode::UNAUTHORIZED, why);
    let challenge: (HeaderName, String) = (WWW_AUTHENTICATE, "Bearer".to_owned());
    Err(with(answer, challenge).into())
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Compares digests, all bytes of them: the time that it takes tells nothing of the secret.
fn is_same(given: &[u8], secret: &Secret) -> bool {
    let (given, secret) = (Sha256::digest(given), Sha256::digest(secret.expose()));
    given.iter().zip(&secret).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}
