//! What of the host is mounted in a container.

use serde::Deserialize;

use super::wire::Wire;
use crate::engine::EngineError;
use crate::state::ids::ContainerId;
use crate::state::mount::Mount;

#[derive(Deserialize)]
struct Inspected {
    #[serde(rename = "Mounts", default)]
    mounts: Vec<Mount>,
}

/// Returns the mounts of a container; nothing when the engine has none of this id.
pub(super) async fn of(
    wire: &Wire,
    id: &ContainerId,
) -> Result<Option<Vec<Mount>>, EngineError> {
    let json = wire.get(&format!("/containers/{}/json", id.as_str())).await;
    match json.and_then(|json| Ok(Inspected::deserialize(json)?)) {
        Ok(inspected) => Ok(Some(inspected.mounts)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(wire.error(error, &format!("inspect the container {id}"))),
    }
}
