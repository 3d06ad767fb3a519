//! Which cases share a service: containers are what takes time.

use std::collections::BTreeSet;

use crate::case::Case;

/// How many cases one service has at most.
const MOST: usize = 6;

/// Keys that do not go together on one container, or that bear on the same field.
const KIN: &[&[&str]] = &[
    &["command", "entrypoint", "image"],
    &[
        "cpus",
        "cpu_quota",
        "cpu_period",
        "deploy",
        "mem_limit",
        "mem_reservation",
        "memswap_limit",
        "pids_limit",
        "restart",
    ],
    &["hostname", "domainname", "uts", "network_mode"],
    // What is copied in needs a file system that can be written to.
    &["read_only", "configs", "secrets", "volumes", "tmpfs", "volumes_from"],
    &["ipc", "shm_size", "pid", "security_opt"],
];

/// A service with the cases that share it.
pub(crate) struct Service<'a> {
    /// The name of its first case.
    pub(crate) name: &'a str,
    /// The cases: they cost the same, and no key is in two of them.
    pub(crate) cases: Vec<&'a Case>,
    taken: BTreeSet<&'a str>,
}

/// Puts cases together.
pub(crate) fn packed(cases: &[Case]) -> Vec<Service<'_>> {
    let mut services: Vec<Service<'_>> = Vec::new();
    for case in cases {
        let keys = keys(case);
        let fitting = services.iter_mut().find(|service| service.fits(case, &keys));
        match fitting {
            Some(service) => {
                service.cases.push(case);
                service.taken.extend(keys);
            }
            None => {
                services.push(Service {
                    name: case.name,
                    cases: vec![case],
                    taken: keys,
                });
            }
        }
    }
    services
}

impl Service<'_> {
    fn fits(&self, case: &Case, keys: &BTreeSet<&str>) -> bool {
        let costs = |it: &Case| (it.there, it.back, it.names.is_empty(), it.has_network);
        // Endpoints tell of the one service that is on them.
        let shares =
            |other: &&Case| costs(case) == costs(other) && other.row != "networks";
        case.row != "networks"
            && self.cases.len() < MOST
            && self.cases.iter().all(shares)
            && keys.is_disjoint(&self.taken)
    }
}

/// Returns the keys that a case is about, each by the first of its kin.
fn keys(case: &Case) -> BTreeSet<&str> {
    let lines = case.before.lines().chain(case.after.lines());
    lines
        .filter_map(|line| line.split_once(':').map(|(key, _)| key))
        .filter(|key| !key.starts_with(' '))
        .map(|key| {
            let kin = KIN.iter().find(|kin| kin.contains(&key));
            kin.and_then(|kin| kin.first()).copied().unwrap_or(key)
        })
        .collect()
}
