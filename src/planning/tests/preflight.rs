//! What is found of which host.

use std::collections::BTreeMap;

use crate::engine::sim::World;
use crate::planning::preflight::{Facts, Finding, findings};
use crate::planning::testing::desired;
use crate::state::host::{EngineReport, Folder, Host, Listener};
use crate::state::observed::Observed;

fn engine() -> EngineReport {
    let limits = ["memory", "swap", "processors", "processes"].map(|it| (it, true));
    EngineReport {
        version: "20.10.24".to_owned(),
        api: (1, 41),
        cpus: 4,
        memory: 16 << 30,
        cgroup_version: 2,
        cgroup_driver: "systemd".to_owned(),
        limits: limits.into(),
        warnings: Vec::new(),
        live_restore: true,
        log_driver: "json-file".to_owned(),
        root: "/var/lib/docker".to_owned(),
        time: "2026-11-28T10:00:00Z".parse().unwrap(),
        is_local: true,
    }
}

fn disk(device: u64) -> Folder {
    Folder {
        exists: true,
        is_folder: true,
        device,
        is_on_root: false,
        file_system: "ext4".to_owned(),
        total: 100 << 30,
        free: 80 << 30,
    }
}

fn host() -> Host {
    Host {
        is_root: true,
        kernel: [("vm.max_map_count", 262_144), ("vm.swappiness", 1)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        huge_pages: Some("madvise".to_owned()),
        is_synchronised: true,
        folders: BTreeMap::from([
            ("/var/lib/docker".to_owned(), disk(1)),
            ("/data/etcd".to_owned(), disk(2)),
        ]),
        engine_files: Some(1 << 20),
        limits_logs: true,
        time: Some("2026-11-28T10:00:00.5Z".parse().unwrap()),
        ..Host::default()
    }
}

fn said(engine: &EngineReport, host: Option<&Host>, yaml: &str, has: bool) -> String {
    let desired = desired(yaml);
    let mut observed = World::default().observe(&desired);
    for service in desired.services.values().filter(|_| has) {
        let image = crate::state::observed::Image {
            id: "sha256:1".into(),
            created: None,
            config: crate::state::document::Document::default(),
        };
        observed.images.insert(service.image.to_string(), Some(image));
    }
    for service in desired.services.values().filter(|_| !has) {
        observed.images.insert(service.image.to_string(), None);
    }
    let stacks = [(desired, observed)];
    let found = findings(&Facts { engine, host, stacks: &stacks, state: None });
    let lines = found.iter().map(|Finding { grade, check, about, message, fix }| {
        format!("{grade:?} {check} {about}: {message}\n    {fix}\n")
    });
    lines.collect()
}

const STACK: &str = "
services:
  etcd:
    image: etcd:v3
    volumes: [/data/etcd:/etcd]
    ports: ['127.0.0.1:2379:2379']
    deploy: {resources: {limits: {cpus: '2', memory: 2G}}}
";

#[test]
fn of_a_good_host_nothing_is_said() {
    assert_eq!(said(&engine(), Some(&host()), STACK, true), "");
}

#[test]
fn a_host_on_which_nothing_is_right_hears_of_everything_with_a_fix_for_each() {
    let limits = ["memory", "swap", "processors", "processes"].map(|it| (it, false));
    let engine = EngineReport {
        api: (1, 40),
        cgroup_driver: "cgroupfs".to_owned(),
        limits: limits.into(),
        warnings: vec![
            "WARNING: No swap limit support".to_owned(),
            "WARNING: bridge-nf-call-iptables is disabled".to_owned(),
        ],
        live_restore: false,
        ..engine()
    };
    let full = Folder { free: 1 << 20, is_on_root: true, ..disk(1) };
    let far = Folder { file_system: "nfs4".to_owned(), ..disk(9) };
    let host = Host {
        is_root: false,
        kernel: [("vm.max_map_count", 65_530), ("vm.swappiness", 60)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        huge_pages: Some("always".to_owned()),
        has_ufw: true,
        is_synchronised: false,
        listeners: [Listener {
            protocol: "tcp",
            address: "0.0.0.0".parse().unwrap(),
            port: 19_530,
        }]
        .into(),
        folders: BTreeMap::from([
            ("/var/lib/docker".to_owned(), disk(1)),
            ("/data/a".to_owned(), full),
            ("/data/b".to_owned(), far),
            ("/data/c".to_owned(), Folder { exists: false, ..disk(3) }),
            ("/data/d".to_owned(), Folder { is_on_root: true, ..disk(4) }),
        ]),
        engine_files: Some(1024),
        limits_logs: false,
        time: Some("2026-11-28T10:01:00Z".parse().unwrap()),
        ..Host::default()
    };
    let yaml = "
services:
  one:
    image: milvusdb/milvus:v2
    volumes: [/data/a:/a, /data/b:/b, /data/c:/c, /data/d:/d, '/data/x:/x:ro']
    ports: ['19530:19530']
    cpus: 8
    mem_limit: 64g
  two: {image: 'x:1', pull_policy: never, cpus: 1.5, logging: {driver: local}}
";
    insta::assert_snapshot!(said(&engine, Some(&host), yaml, false));
}

#[test]
fn a_port_of_our_own_running_container_is_not_taken() {
    let desired = desired(STACK);
    let mut drive = crate::planning::testing::Drive::new(desired.clone());
    drive.settle();
    let observed = drive.machine.observe(&desired);
    let listeners =
        [Listener { protocol: "tcp", address: "127.0.0.1".parse().unwrap(), port: 2379 }];
    let host = Host { listeners: listeners.into(), ..host() };
    let engine = engine();
    let of = |observed: Observed| {
        let stacks = [(desired.clone(), observed)];
        let facts =
            Facts { engine: &engine, host: Some(&host), stacks: &stacks, state: None };
        findings(&facts).iter().filter(|it| it.check == "port-in-use").count()
    };
    assert_eq!(of(observed), 0);
    assert_eq!(of(World::default().observe(&desired)), 1);
}

#[test]
fn of_another_hosts_engine_only_what_it_tells_is_judged() {
    let text = said(&engine(), None, STACK, true);
    assert_eq!(text, "");
    let small = EngineReport { cpus: 1, memory: 1 << 30, ..engine() };
    let text = said(&small, None, STACK, true);
    assert!(text.contains("Fail cpus") && text.contains("Fail memory"), "{text}");
}
