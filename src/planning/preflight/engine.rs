//! What the engine is and can do.

use std::time::Duration;

use super::{Facts, Finding, Grade, fail, warning};

/// The oldest API that is spoken: that of Engine 20.10.
const OLDEST: (u32, u32) = (1, 41);

/// Beyond this two clocks are not the same.
const CLOCKS: Duration = Duration::from_secs(2);

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let engine = facts.engine;
    if engine.api < OLDEST {
        let (major, minor) = engine.api;
        found.push(fail(
            "engine-version",
            "engine",
            format!(
                "Engine {} speaks API {major}.{minor}; 1.41 is needed",
                engine.version
            ),
            "upgrade it to 20.10 or newer",
        ));
    }
    for (limit, _) in engine.limits.iter().filter(|(_, works)| !**works) {
        let finding = fail(
            "cgroup-limit",
            "engine",
            format!("no limit of {limit} works here: the engine drops it"),
            "start the kernel with cgroup_enable=memory swapaccount=1, or use cgroup version 2",
        );
        // Without it only the swap of a container is not limited.
        let grade = if *limit == "swap" { Grade::Warning } else { Grade::Fail };
        found.push(Finding { grade, ..finding });
    }
    if engine.cgroup_version == 2 && engine.cgroup_driver == "cgroupfs" {
        found.push(warning(
            "cgroup-driver",
            "engine",
            "on cgroup version 2 the engine uses the driver cgroupfs beside systemd's own",
            "set \"exec-opts\": [\"native.cgroupdriver=systemd\"] in daemon.json, and \
             restart the engine",
        ));
    }
    for said in &engine.warnings {
        // What is said above in other words.
        if !said.contains("support") {
            found.push(warning(
                "engine-warning",
                "engine",
                format!("the engine warns: {}", said.trim_start_matches("WARNING: ")),
                "see its documentation",
            ));
        }
    }
    if !engine.live_restore {
        found.push(warning(
            "live-restore",
            "engine",
            "every restart of the engine (an upgrade, too) stops every container",
            "set \"live-restore\": true in daemon.json, and reload the engine",
        ));
    }
    let here = facts.host.and_then(|host| host.time);
    let apart = here.map(|here| here.duration_since(engine.time).unsigned_abs());
    if let Some(apart) = apart.filter(|apart| *apart > CLOCKS) {
        found.push(warning(
            "clock",
            "engine",
            format!("the engine's clock and this one are {} s apart", apart.as_secs()),
            "set both by NTP",
        ));
    }
}
