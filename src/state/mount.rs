//! What of the host is in a container.

use std::path::PathBuf;

/// A folder or file of the host inside a container.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mount {
    /// Where it is on the host; empty where it is not of the host.
    #[serde(default)]
    pub source: PathBuf,
    /// Where it is in the container.
    pub destination: PathBuf,
}
