//! Why a field is, or is not, as it is wanted.

/// One field of a service, with everything that decides about it, as text.
///
/// Whoever makes a row conceals secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ExplainRow {
    /// The canonical Compose path.
    pub path: String,
    /// The value that the file asks for.
    pub desired: Option<String>,
    /// The value on the engine.
    pub live: Option<String>,
    /// The value that the image or the engine puts there when nothing is asked for.
    pub default: Option<String>,
    /// What a plan does about it: `same`, or the action.
    pub verdict: String,
    /// The rule that led there, in a few words.
    pub rule: String,
}
