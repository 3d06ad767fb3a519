//! Revisions: what was wanted at some time, and which of them a person means.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::status::StackStatus;
use crate::state::ids::{Generation, ProjectName};
use crate::state::time::EngineTime;

/// What a revision is known by: hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionId(String);

impl RevisionId {
    /// Takes the digits of a digest.
    pub fn new(digits: impl Into<String>) -> Self {
        Self(digits.into())
    }

    /// Returns all digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns as many digits as people need.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// What was wanted at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// What it is known by.
    pub id: RevisionId,
    /// The stack.
    pub project: ProjectName,
    /// What it meant.
    pub generation: Generation,
    /// When it was last taken up.
    pub wanted: EngineTime,
    /// What came of it, as far as it is known.
    pub end: Option<RevisionEnd>,
}

/// What came of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevisionEnd {
    /// Everything was as it said, and ready.
    Converged,
    /// It did not become ready in time, or could not.
    Failed,
    /// A replacement that it asked for was taken back.
    RolledBack,
}

impl RevisionEnd {
    /// Returns what came of what a stack is wanted as; nothing while that is not known.
    pub fn of(status: &StackStatus) -> Option<Self> {
        let conditions = status.services.iter().flat_map(|it| &it.conditions);
        let mut reasons = conditions.map(|it| it.reason.as_str());
        if status.ready {
            Some(Self::Converged)
        } else if reasons.any(|reason| reason == "RolledBack") {
            Some(Self::RolledBack)
        } else {
            None
        }
    }

    /// Returns the word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
        }
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.short())
    }
}

/// Why there is no such revision.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRevision {
    /// None begins so.
    #[error("there is no revision {given}; `reconciler history` lists them")]
    Unknown {
        /// What was asked for.
        given: String,
    },
    /// Several begin so.
    #[error("{given} may be any of {}; give more digits", .all.join(", "))]
    Ambiguous {
        /// What was asked for.
        given: String,
        /// What begins so.
        all: Vec<String>,
    },
    /// There is none before the current one that converged.
    #[error(
        "no revision before the current one has converged; `reconciler history` lists those \
         that are kept"
    )]
    NoneBefore,
}

/// Finds a revision by the digits that its name begins with.
///
/// # Errors
/// None does, or several do.
pub fn find<'a>(
    revisions: &'a [Revision],
    given: &str,
) -> Result<&'a Revision, NoRevision> {
    let digits = given.to_ascii_lowercase();
    let begins =
        |it: &&Revision| !digits.is_empty() && it.id.as_str().starts_with(&digits);
    let found: Vec<&Revision> = revisions.iter().filter(begins).collect();
    match found.as_slice() {
        [] => Err(NoRevision::Unknown { given: given.to_owned() }),
        [one] => Ok(one),
        several => Err(NoRevision::Ambiguous {
            given: given.to_owned(),
            all: several.iter().map(|it| it.id.short().to_owned()).collect(),
        }),
    }
}

/// Returns the newest revision before the current one that converged.
///
/// # Errors
/// There is none.
pub fn before<'a>(
    revisions: &'a [Revision],
    current: Option<&Generation>,
) -> Result<&'a Revision, NoRevision> {
    let place = revisions.iter().rposition(|it| Some(&it.generation) == current);
    let earlier = revisions.get(..place.unwrap_or(revisions.len())).unwrap_or_default();
    let converged = |it: &&Revision| it.end == Some(RevisionEnd::Converged);
    earlier.iter().rev().find(converged).ok_or(NoRevision::NoneBefore)
}
