//! How much memory a container uses.

use serde_json::Value as Json;

use super::wire::Wire;
use crate::state::ids::ContainerId;
use crate::state::step::{Done, Failure};

/// Asks once how much memory is in use, without what the kernel can take back at once.
pub(super) async fn measure(
    wire: &Wire,
    container: &ContainerId,
) -> Result<Done, Failure> {
    let path =
        format!("/containers/{}/stats?stream=false&one-shot=true", container.as_str());
    let json = wire.get(&path).await.map_err(|error| {
        error.failing(&format!("measure the memory of {}", container.short()))
    })?;
    Ok(Done::Measured { bytes: used(&json) })
}

/// As `docker stats` shows it: without the file cache that was not touched for a while.
fn used(stats: &Json) -> u64 {
    let memory = &stats["memory_stats"];
    let number = |value: &Json| value.as_u64().unwrap_or_default();
    let details = &memory["stats"];
    let cache = ["total_inactive_file", "inactive_file"]
        .into_iter()
        .find_map(|name| details[name].as_u64());
    number(&memory["usage"]).saturating_sub(cache.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_cache_that_can_be_taken_back_does_not_count() {
        for name in ["total_inactive_file", "inactive_file"] {
            let stats = json!({"memory_stats": {"usage": 100, "stats": {name: 30}}});
            assert_eq!(used(&stats), 70, "{name}");
        }
        assert_eq!(used(&json!({"memory_stats": {"usage": 100}})), 100);
        assert_eq!(used(&json!({"memory_stats": {}})), 0, "it does not run");
    }
}
