//! Why what is wanted may not be what people want by now: an earlier desired state stays in
//! force meanwhile.

use serde::{Deserialize, Serialize};

/// What is wrong with where the desired state comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The kind of it.
    pub reason: DoubtReason,
    /// What exactly, and what to do.
    pub message: String,
}

/// Kinds of doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoubtReason {
    /// The files, or those of a newer commit, are not valid.
    Invalid,
    /// A newer commit has no signature that is trusted.
    Untrusted,
    /// A newer commit does not descend from the one in force.
    Rewound,
    /// A newer commit holds what cannot be put on this host.
    Unusable,
    /// The file that asked for the stack is gone.
    Gone,
    /// Nobody can tell what is newest: the repository cannot be reached.
    Unavailable,
}

impl Doubt {
    /// Doubts for a reason.
    pub fn new(reason: DoubtReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// Says that the files are invalid.
    pub fn invalid(problems: impl Into<String>) -> Self {
        Self::new(DoubtReason::Invalid, problems)
    }
}

impl DoubtReason {
    /// Tells whether what people want is known to be no valid desired state; else that is
    /// not known.
    pub const fn is_certain(self) -> bool {
        match self {
            Self::Invalid | Self::Untrusted | Self::Rewound | Self::Unusable => true,
            Self::Gone | Self::Unavailable => false,
        }
    }

    /// Returns the reason in the form of a condition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid",
            Self::Untrusted => "CommitUntrusted",
            Self::Rewound => "HistoryRewritten",
            Self::Unusable => "CommitUnusable",
            Self::Gone => "FileGone",
            Self::Unavailable => "SourceUnavailable",
        }
    }
}
