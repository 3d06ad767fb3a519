//! Limits, rights and logs.

use serde_json::json;

use crate::case::{Case, added, changed, respelled};
use crate::trial::has_device;

/// Returns the cases.
pub(crate) fn all() -> Vec<Case> {
    [processors(), memory(), others(), disks(), rights(), logs()]
        .into_iter()
        .flatten()
        .collect()
}

/// A limit that is set on a live container, and to be taken away needs another one.
fn limit(name: &'static str, row: &'static str, after: &'static str) -> Case {
    added(name, row, after).in_place_there()
}

fn processors() -> Vec<Case> {
    const CPUS: &str = "HostConfig.NanoCpus";
    const DEPLOY: &str = "deploy.resources.limits.cpus";
    vec![
        limit("cpus", "cpus", "cpus: 0.5")
            .names_back(&[DEPLOY])
            .shows(CPUS, json!(500_000_000)),
        limit("deploy-cpus", DEPLOY, "deploy: {resources: {limits: {cpus: '0.25'}}}")
            .shows(CPUS, json!(250_000_000)),
        changed("cpus-other", "cpus", "cpus: 0.5", "cpus: '0.75'")
            .in_place()
            .shows(CPUS, json!(750_000_000)),
        respelled(
            "cpus-spelt",
            "cpus",
            "cpus: 0.5",
            "deploy: {resources: {limits: {cpus: '0.50'}}}",
        ),
        limit("shares", "cpu_shares", "cpu_shares: 512")
            .shows("HostConfig.CpuShares", json!(512)),
        limit("quota", "cpu_quota", "cpu_quota: 50000")
            .shows("HostConfig.CpuQuota", json!(50_000)),
        limit("period", "cpu_period", "cpu_period: 50000")
            .shows("HostConfig.CpuPeriod", json!(50_000)),
        limit("cpuset", "cpuset", "cpuset: '0'")
            .shows("HostConfig.CpusetCpus", json!("0")),
    ]
}

fn memory() -> Vec<Case> {
    const MEMORY: &str = "HostConfig.Memory";
    const DEPLOY: &str = "deploy.resources.limits.memory";
    const RESERVATION: &str = "HostConfig.MemoryReservation";
    vec![
        limit("memory", "mem_limit", "mem_limit: 64m")
            .names_back(&[DEPLOY])
            .shows(MEMORY, json!(64 << 20)),
        limit("deploy-memory", DEPLOY, "deploy: {resources: {limits: {memory: 64M}}}")
            .shows(MEMORY, json!(64 << 20)),
        changed("memory-other", "mem_limit", "mem_limit: 64m", "mem_limit: 128m")
            .in_place()
            .shows(MEMORY, json!(128 << 20)),
        respelled("memory-spelt", "mem_limit", "mem_limit: 64m", "mem_limit: 65536kb"),
        limit("reserved", "mem_reservation", "mem_reservation: 32m")
            .names_back(&["deploy.resources.reservations.memory"])
            .shows(RESERVATION, json!(32 << 20)),
        limit(
            "deploy-reserved",
            "deploy.resources.reservations.memory",
            "deploy: {resources: {reservations: {memory: 32M}}}",
        )
        .shows(RESERVATION, json!(32 << 20)),
        changed(
            "swap",
            "memswap_limit",
            "mem_limit: 64m\nmemswap_limit: 96m",
            "mem_limit: 64m\nmemswap_limit: 112m",
        )
        .in_place()
        .shows("HostConfig.MemorySwap", json!(112 << 20)),
        changed(
            "memory-both",
            "mem_limit",
            "mem_limit: 64m\nmemswap_limit: 96m",
            "mem_limit: 128m\nmemswap_limit: 192m",
        )
        .in_place()
        .names(&["mem_limit", "memswap_limit"])
        .shows(MEMORY, json!(128 << 20))
        .shows("HostConfig.MemorySwap", json!(192 << 20)),
        added("swappiness", "mem_swappiness", "mem_swappiness: 10")
            .shows("HostConfig.MemorySwappiness", json!(10)),
        added("shared", "shm_size", "shm_size: 128m")
            .shows("HostConfig.ShmSize", json!(128 << 20)),
        added("no-killing", "oom_kill_disable", "mem_limit: 64m\noom_kill_disable: true")
            .names(&["mem_limit", "oom_kill_disable"])
            .names_back(&["deploy.resources.limits.memory", "oom_kill_disable"])
            .shows("HostConfig.OomKillDisable", json!(true)),
        added("score", "oom_score_adj", "oom_score_adj: 500")
            .shows("HostConfig.OomScoreAdj", json!(500)),
    ]
}

fn others() -> Vec<Case> {
    const PIDS: &str = "HostConfig.PidsLimit";
    const DEPLOY: &str = "deploy.resources.limits.pids";
    vec![
        limit("pids", "pids_limit", "pids_limit: 50")
            .names_back(&[DEPLOY])
            .shows(PIDS, json!(50)),
        limit("deploy-pids", DEPLOY, "deploy: {resources: {limits: {pids: 60}}}")
            .shows(PIDS, json!(60)),
        changed("pids-other", "pids_limit", "pids_limit: 50", "pids_limit: 70")
            .in_place()
            .shows(PIDS, json!(70)),
        respelled("pids-any", "pids_limit", "", "pids_limit: -1"),
        changed(
            "ulimits",
            "ulimits",
            "ulimits: {nproc: 100, nofile: {soft: 1000, hard: 2000}}",
            "ulimits: {nofile: {soft: 1000, hard: 3000}, core: 0}",
        )
        .names(&["ulimits.core", "ulimits.nofile", "ulimits.nproc"])
        .lists(
            "HostConfig.Ulimits",
            "/HostConfig/Ulimits",
            json!({"Name": "nofile", "Soft": 1000, "Hard": 3000}),
        )
        .lists(
            "HostConfig.Ulimits",
            "/HostConfig/Ulimits",
            json!({"Name": "core", "Soft": 0, "Hard": 0}),
        ),
        added("parent", "cgroup_parent", "cgroup_parent: /{project}")
            .shows("HostConfig.CgroupParent", json!("/{project}")),
    ]
}

fn disks() -> Vec<Case> {
    const READ_BPS: &str = "HostConfig.BlkioDeviceReadBps";
    let rate = |key: &str| -> &'static str {
        let text =
            format!("blkio_config: {{{key}: [{{path: /dev/vda, rate: 1048576}}]}}");
        Box::leak(text.into_boxed_str())
    };
    let shown = json!([{"Path": "/dev/vda", "Rate": 1 << 20}]);
    let mut cases = Vec::new();
    if has_device("/dev/vda") {
        cases.extend([
            added("read-bytes", "blkio_config", rate("device_read_bps"))
                .shows(READ_BPS, shown.clone()),
            added("reads", "blkio_config", rate("device_read_iops"))
                .shows("HostConfig.BlkioDeviceReadIOps", shown.clone()),
            added("written-bytes", "blkio_config", rate("device_write_bps"))
                .shows("HostConfig.BlkioDeviceWriteBps", shown.clone()),
            added("writes", "blkio_config", rate("device_write_iops"))
                .shows("HostConfig.BlkioDeviceWriteIOps", shown),
        ]);
    }
    cases
}

fn rights() -> Vec<Case> {
    const OPTIONS: &str = "HostConfig.SecurityOpt";
    vec![
        changed(
            "rights",
            "cap_add",
            "cap_add: [NET_ADMIN, SYS_TIME]",
            "cap_add: [CAP_SYS_NICE, SYS_TIME]",
        )
        .lists("HostConfig.CapAdd", "/HostConfig/CapAdd", json!("SYS_NICE"))
        .lacks("HostConfig.CapAdd", "/HostConfig/CapAdd", "NET_ADMIN"),
        respelled(
            "rights-spelt",
            "cap_add",
            "cap_add: [NET_ADMIN]",
            "cap_add: [CAP_NET_ADMIN]",
        ),
        added("no-rights", "cap_drop", "cap_drop: [ALL]")
            .shows("HostConfig.CapDrop", json!(["ALL"])),
        added("confined", "security_opt", "security_opt: ['no-new-privileges:true']")
            .shows(OPTIONS, json!(["no-new-privileges=true"])),
        respelled(
            "confined-spelt",
            "security_opt",
            "security_opt: ['seccomp:unconfined', 'no-new-privileges:true']",
            "security_opt: ['no-new-privileges=true', seccomp=unconfined]",
        ),
        added("read-only", "read_only", "read_only: true")
            .shows("HostConfig.ReadonlyRootfs", json!(true)),
        added("kernel", "sysctls", "sysctls: {net.core.somaxconn: 1024}")
            .names(&["sysctls.net.core.somaxconn"])
            .shows("HostConfig.Sysctls", json!({"net.core.somaxconn": "1024"})),
    ]
}

fn logs() -> Vec<Case> {
    vec![
        added("log-driver", "logging.driver", "logging: {driver: local}")
            .shows("HostConfig.LogConfig.Type", json!("local")),
        added(
            "log-options",
            "logging.options",
            "logging: {driver: json-file, options: {max-size: 11m, max-file: 2}}",
        )
        .names(&["logging.options.max-file", "logging.options.max-size"])
        .shows(
            "HostConfig.LogConfig.Config",
            json!({"max-file": "2", "max-size": "11m"}),
        ),
    ]
}
