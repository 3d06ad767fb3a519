//! Why the engine does not do what it was asked, in the real one's words.

use crate::state::step::{Failure, FailureKind};

/// A refusal; what it was about is known to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: FailureKind,
    pub(super) message: String,
}

impl Refusal {
    /// Says what was asked, as the Docker room does.
    pub(super) fn about(self, about: &str) -> Failure {
        Failure { kind: self.kind, message: format!("{about}: {}", self.message) }
    }
}

/// There is no such thing (404).
pub(super) fn missing(message: &str) -> Refusal {
    Refusal { kind: FailureKind::NotFound, message: message.to_owned() }
}

/// Something is in the way (409).
pub(super) fn conflict(message: &str) -> Refusal {
    Refusal { kind: FailureKind::Conflict, message: message.to_owned() }
}

/// It makes no sense (400).
pub(super) fn senseless(message: &str) -> Refusal {
    Refusal { kind: FailureKind::Refused, message: message.to_owned() }
}
