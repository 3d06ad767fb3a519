//! What went wrong with a call, in the words of the two floors above: an [`EngineError`]
//! for a look, a [`Failure`] for a step.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use bollard::errors::Error as ClientError;

use crate::engine::EngineError;
use crate::state::step::{Failure, FailureKind};

/// Why a call brought no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The engine refused, or could not be spoken to.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It did not answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It answered, with something that is not what was asked for.
    #[error("the answer is not understood; the engine may be newer than this reconciler")]
    Answer(#[from] serde_json::Error),
}

/// A reason with advice.
#[derive(Debug, thiserror::Error)]
#[error("{advice}")]
struct Advised {
    advice: &'static str,
    source: CallError,
}

impl CallError {
    /// Returns the HTTP status and the engine's own words, if it answered with an error.
    pub(super) fn answer(&self) -> Option<(u16, &str)> {
        if let Self::Client(ClientError::DockerResponseServerError {
            status_code,
            message,
        }) = self
        {
            Some((*status_code, message.trim()))
        } else {
            None
        }
    }

    /// Tells whether the engine says that there is no such thing.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.answer(), Some((404, _)))
    }

    /// Tells whether the engine's words contain these.
    pub(super) fn says(&self, words: &str) -> bool {
        self.answer().is_some_and(|(_, message)| message.contains(words))
    }

    /// Tells whether the engine answered at all, be it with an error.
    fn is_answer(&self) -> bool {
        self.answer().is_some()
            || matches!(
                self,
                Self::Answer(_) | Self::Client(ClientError::JsonDataError { .. })
            )
    }

    /// Turns it into the error of a look at the engine.
    pub(super) fn looking(self, host: &str, what: &str) -> EngineError {
        if self.is_answer() {
            return EngineError::Failed { what: what.to_owned(), source: Box::new(self) };
        }
        let host = host.to_owned();
        match self.advice() {
            Some(advice) => EngineError::Unreachable {
                host,
                source: Box::new(Advised { advice, source: self }),
            },
            None => EngineError::Unreachable { host, source: Box::new(self) },
        }
    }

    /// Turns it into the failure of a step; `about` is what the step was to do.
    pub(super) fn failing(self, about: &str) -> Failure {
        let Some((status, message)) = self.answer() else {
            return Failure {
                kind: FailureKind::Unknown,
                message: format!("{about}: {}", self.chain()),
            };
        };
        Failure { kind: kind(status, message), message: format!("{about}: {message}") }
    }

    /// Says what to do when nothing answers.
    fn advice(&self) -> Option<&'static str> {
        const ADVICE: [(ErrorKind, &str); 3] = [
            (
                ErrorKind::NotFound,
                "there is no socket; is the Docker Engine installed and running, and is --host (or DOCKER_HOST) right?",
            ),
            (
                ErrorKind::PermissionDenied,
                "this user may not use the socket; is it in the group docker? Otherwise run as root",
            ),
            (
                ErrorKind::ConnectionRefused,
                "nothing listens there; is the Docker Engine running?",
            ),
        ];
        let found = self.io_kind()?;
        ADVICE.iter().find(|(kind, _)| *kind == found).map(|(_, advice)| *advice)
    }

    /// Returns the kind of the system's error at the bottom, if there is one.
    fn io_kind(&self) -> Option<ErrorKind> {
        if matches!(self, Self::Client(ClientError::SocketNotFoundError(_))) {
            return Some(ErrorKind::NotFound);
        }
        // A transparent error is not among its own causes.
        if let Self::Client(ClientError::IOError { err }) = self {
            return Some(err.kind());
        }
        let mut error: Option<&(dyn StdError + 'static)> = Some(self);
        while let Some(current) = error {
            if let Some(io) = current.downcast_ref::<std::io::Error>() {
                return Some(io.kind());
            }
            error = current.source();
        }
        None
    }

    /// Returns the error and what caused it, in one line.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut error = self.source();
        while let Some(current) = error {
            let words = current.to_string();
            // bollard and hyper print some of their causes themselves.
            if !text.contains(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            error = current.source();
        }
        text
    }
}

/// Returns what kind of failure an answer means.
fn kind(status: u16, message: &str) -> FailureKind {
    // 20.10 answers 500 or 403 where it means that something is in the way.
    const IN_THE_WAY: [&str; 5] = [
        "port is already allocated",
        "address already in use",
        "Address already in use",
        "has active endpoints",
        "already exists",
    ];
    match status {
        404 => FailureKind::NotFound,
        409 => FailureKind::Conflict,
        _ if IN_THE_WAY.iter().any(|words| message.contains(words)) => {
            FailureKind::Conflict
        }
        400..500 => FailureKind::Refused,
        _ => FailureKind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status_code: u16, message: &str) -> CallError {
        ClientError::DockerResponseServerError {
            status_code,
            message: message.to_owned(),
        }
        .into()
    }

    fn io(kind: ErrorKind) -> CallError {
        ClientError::IOError { err: std::io::Error::from(kind) }.into()
    }

    #[test]
    fn an_answer_is_a_failure_of_its_status_in_the_engines_words() {
        for (status, message, kind) in [
            (404, "No such image: a", FailureKind::NotFound),
            (409, "Conflict. The container name is in use", FailureKind::Conflict),
            (400, "invalid reference format", FailureKind::Refused),
            (500, "driver failed: port is already allocated", FailureKind::Conflict),
            (500, "Address already in use", FailureKind::Conflict),
            (403, "network a has active endpoints", FailureKind::Conflict),
            (403, "forbidden", FailureKind::Refused),
            (500, "no space left on device", FailureKind::Failed),
        ] {
            let failure = answer(status, message).failing("start a");
            assert_eq!(failure.kind, kind, "{status} {message}");
            assert_eq!(failure.message, format!("start a: {message}"));
        }
    }

    #[test]
    fn no_answer_is_an_unknown_outcome() {
        for error in [
            CallError::TimedOut(Duration::from_secs(5)),
            io(ErrorKind::BrokenPipe),
            ClientError::RequestTimeoutError.into(),
        ] {
            assert_eq!(error.failing("start a").kind, FailureKind::Unknown);
        }
    }

    #[test]
    fn an_engine_that_cannot_be_reached_comes_with_advice() {
        for (kind, advice) in [
            (ErrorKind::NotFound, "installed and running"),
            (ErrorKind::PermissionDenied, "group docker"),
            (ErrorKind::ConnectionRefused, "nothing listens"),
        ] {
            let error = io(kind).looking("unix:///a.sock", "list containers");
            let EngineError::Unreachable { source, .. } = &error else {
                panic!("{error:?}");
            };
            assert!(source.to_string().contains(advice), "{source}");
        }
    }

    #[test]
    fn an_engine_that_answers_with_an_error_is_not_unreachable() {
        for error in
            [answer(500, "boom"), serde_json::from_str::<u8>("x").unwrap_err().into()]
        {
            let error = error.looking("unix:///a.sock", "list containers");
            assert!(matches!(error, EngineError::Failed { .. }), "{error:?}");
        }
    }
}
