//! The cases, by family.

pub(crate) mod networking;
pub(crate) mod process;
pub(crate) mod resources;
pub(crate) mod storage;

use crate::case::Case;

/// Returns every case.
pub(crate) fn all() -> Vec<Case> {
    [process::all(), storage::all(), resources::all(), networking::all()]
        .into_iter()
        .flatten()
        .collect()
}
