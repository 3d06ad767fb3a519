//! The kernel, the clock and the firewall of this host.

use crate::state::host::Host;
use crate::state::value::Value;

use super::{Facts, Finding, warning};

/// Fewer open files than this have made servers fail.
const FILES: u64 = 65_536;

/// A setting of the kernel that programs ask for.
struct Setting {
    name: &'static str,
    programs: &'static [&'static str],
    is_bad: fn(i64) -> bool,
    wanted: i64,
    why: &'static str,
}

const SETTINGS: [Setting; 2] = [
    Setting {
        name: "vm.max_map_count",
        programs: &["milvus"],
        is_bad: |it| it < 262_144,
        wanted: 262_144,
        why: "Milvus maps segments and RocksDB files into memory, each a map",
    },
    Setting {
        name: "vm.swappiness",
        programs: &["milvus", "etcd", "minio"],
        is_bad: |it| it > 10,
        wanted: 1,
        why: "etcd loses its leases and searches stall when their memory is swapped out",
    },
];

pub(super) fn check(facts: &Facts<'_>, host: &Host, found: &mut Vec<Finding>) {
    for Setting { name, programs, is_bad, wanted, why } in SETTINGS {
        let Some(value) = host.kernel.get(name).copied().filter(|it| is_bad(*it)) else {
            continue;
        };
        if facts.runs(programs) {
            found.push(warning(
                "kernel-setting",
                "host",
                format!("{name} is {value}: {why}"),
                format!(
                    "sysctl -w {name}={wanted}, and a line `{name} = {wanted}` in /etc/sysctl.d"
                ),
            ));
        }
    }
    if host.huge_pages.as_deref() == Some("always") && facts.runs(&["milvus", "minio"]) {
        found.push(warning(
            "huge-pages",
            "host",
            "the kernel makes huge pages of everything: memory grows, and pauses come with it",
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, at every boot",
        ));
    }
    if let Some(files) = host.engine_files.filter(|files| *files < FILES) {
        found.push(warning(
            "open-files",
            "engine",
            format!("the engine and its containers may have {files} files open"),
            "set LimitNOFILE=1048576 in the engine's service, and restart it",
        ));
    }
    if !host.is_synchronised {
        found.push(warning(
            "time",
            "host",
            "nothing seems to set the clock: leases, certificates and logs depend on it",
            "install chrony, or enable systemd-timesyncd",
        ));
    }
    if !host.is_root {
        found.push(warning(
            "user",
            "host",
            "not run as root: what only root may read is not checked, and state is kept in \
             this user's own folder",
            "run preflight as the user that will run the operator",
        ));
    }
    firewall(facts, host, found);
    logs(facts, host, found);
}

/// A published port is open whatever the firewall says: the engine's own rules come first.
fn firewall(facts: &Facts<'_>, host: &Host, found: &mut Vec<Finding>) {
    let active = if host.has_ufw {
        "ufw"
    } else if host.programs.contains("firewalld") {
        "firewalld"
    } else {
        return;
    };
    for (about, service) in facts.services() {
        for (port, address) in super::demand::ports(service) {
            if address.is_none_or(|it| !it.is_loopback()) {
                found.push(warning(
                    "firewall",
                    about.as_str(),
                    format!(
                        "port {} is published beyond this host, and {active} does not see it: \
                         the engine's own rules come first",
                        port.1
                    ),
                    format!(
                        "publish 127.0.0.1:{}, or put the rule into the chain DOCKER-USER",
                        port.1
                    ),
                ));
            }
        }
    }
}

fn logs(facts: &Facts<'_>, host: &Host, found: &mut Vec<Finding>) {
    for (about, service) in facts.services() {
        let logging = service.canonical.get("logging");
        let driver = logging.get("driver").as_text();
        let driver = driver.unwrap_or(&facts.engine.log_driver);
        let limit = logging.get("options").get("max-size");
        if driver == "json-file" && limit == &Value::Null && !host.limits_logs {
            found.push(warning(
                "log-rotation",
                about,
                "its log grows for ever: json-file rotates nothing unless told",
                "logging: {driver: json-file, options: {max-size: 100m, max-file: \"10\"}}",
            ));
        }
    }
}
