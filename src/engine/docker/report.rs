//! What the engine says of itself and of its host, for those who judge it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::convert;
use super::error::CallError;
use super::wire::Wire;
use crate::engine::EngineError;
use crate::state::host::EngineReport;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "as the engine has it")]
struct Info {
    mem_total: u64,
    memory_limit: bool,
    swap_limit: bool,
    cpu_cfs_quota: bool,
    pids_limit: bool,
    cgroup_driver: String,
    docker_root_dir: String,
    live_restore_enabled: bool,
    warnings: Option<Vec<String>>,
}

/// Asks the engine about itself.
pub(super) async fn report(wire: &Wire) -> Result<EngineReport, EngineError> {
    let json = wire.get("/info").await;
    let both = json.and_then(|json| {
        let info: Info = Deserialize::deserialize(&json)?;
        Ok::<_, CallError>((convert::facts(&json, wire.api())?, info))
    });
    let (facts, info) =
        both.map_err(|error| wire.error(error, "tell what it is and can do"))?;
    Ok(EngineReport {
        version: facts.version,
        api: facts.api,
        cpus: facts.cpus,
        memory: info.mem_total,
        cgroup_version: u32::from(facts.cgroup_version),
        cgroup_driver: info.cgroup_driver,
        limits: BTreeMap::from([
            ("memory", info.memory_limit),
            ("swap", info.swap_limit),
            ("processors", info.cpu_cfs_quota),
            ("processes", info.pids_limit),
        ]),
        warnings: info.warnings.unwrap_or_default(),
        live_restore: info.live_restore_enabled,
        log_driver: facts.log_driver,
        root: info.docker_root_dir,
        time: facts.time,
        is_local: wire.is_local(),
    })
}
