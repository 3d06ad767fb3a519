//! Revisions: what was wanted at some time, and which of them a person means.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::change::{Action, Plan};
use super::status::StackStatus;
use crate::state::commit::Commit;
use crate::state::ids::{Generation, ProjectName};
use crate::state::time::EngineTime;

/// How many objects a revision tells of, and how many fields of each.
const MOST: usize = 20;

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
    /// The commit that it was last taken up with, if it came from git.
    pub commit: Option<Commit>,
    /// What was to change then; nothing while that is not known.
    pub changes: Option<Changes>,
    /// What came of it, as far as it is known.
    pub end: Option<RevisionEnd>,
    /// When that came of it, since it was last taken up.
    pub ended: Option<EngineTime>,
}

impl Revision {
    /// Returns how long it took from when it was last taken up.
    pub fn took(&self) -> Option<Duration> {
        Duration::try_from(self.ended?.duration_since(self.wanted)).ok()
    }
}

/// What a revision was to change when it was taken up: objects, actions and the names of
/// fields, and no values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The first of them, in the order of the plan.
    pub objects: Vec<Changed>,
    /// How many more there were.
    pub more: usize,
}

/// What was to change about one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The object: `service/etcd/1`.
    pub object: String,
    /// What was to happen to it, as the word of the JSON contract.
    pub action: String,
    /// The canonical paths of the first fields at fault.
    pub fields: Vec<String>,
}

impl Changes {
    /// Returns what a plan is to change.
    pub fn of(plan: &Plan) -> Self {
        let changes = plan.changes.iter().filter(|it| it.action != Action::None);
        let count = changes.clone().count();
        let objects = changes.take(MOST).map(|it| Changed {
            object: it.object.to_string(),
            action: it.action.as_str().to_owned(),
            fields: it.fields.iter().take(MOST).map(|field| field.path.clone()).collect(),
        });
        Self { objects: objects.collect(), more: count.saturating_sub(MOST) }
    }
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

/// Finds a revision by the digits that its name, or that of its commit, begins with.
///
/// # Errors
/// None does, or several do.
pub fn find<'a>(
    revisions: &'a [Revision],
    given: &str,
) -> Result<&'a Revision, NoRevision> {
    let digits = given.to_ascii_lowercase();
    let of_commit = |it: &Revision| {
        it.commit.as_ref().is_some_and(|it| it.id.as_str().starts_with(&digits))
    };
    let begins = |it: &&Revision| {
        !digits.is_empty() && (it.id.as_str().starts_with(&digits) || of_commit(it))
    };
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
