//! What is found in the file system.

use serde_json::json;

use crate::case::{Case, added, changed, respelled};

const MOUNTS: &str = "HostConfig.Mounts";

/// Returns the cases.
pub(crate) fn all() -> Vec<Case> {
    [mounts(), contents(), devices()].into_iter().flatten().collect()
}

fn mounts() -> Vec<Case> {
    let mount = |name, after| added(name, "volumes", after).names(&["volumes./data"]);
    vec![
        mount("bind", "volumes: ['{folder}/bound:/data:ro']").shows_at(
            MOUNTS,
            "/HostConfig/Binds",
            json!(["{folder}/bound:/data:ro"]),
        ),
        mount("bind-relative", "volumes: [./config.txt:/data]").shows_at(
            MOUNTS,
            "/Mounts/0/Source",
            json!("{folder}/config.txt"),
        ),
        mount(
            "bind-long",
            "volumes: [{type: bind, source: '{folder}', target: /data, \
             bind: {propagation: private, create_host_path: false}}]",
        )
        .shows_at(MOUNTS, "/Mounts/0/Propagation", json!("private")),
        mount("volume", "volumes: [data:/data]").shows_at(
            MOUNTS,
            "/Mounts/0/Name",
            json!("{project}_data"),
        ),
        changed("other", "volumes", "volumes: [data:/data]", "volumes: [more:/data]")
            .names(&["volumes./data"])
            .shows_at(MOUNTS, "/Mounts/0/Name", json!("{project}_more")),
        changed(
            "moved",
            "volumes",
            "volumes: [data:/data]",
            "volumes: [data:/elsewhere]",
        )
        .names(&["volumes./data", "volumes./elsewhere"])
        .shows_at(MOUNTS, "/Mounts/0/Destination", json!("/elsewhere")),
        changed("closed", "volumes", "volumes: [data:/data]", "volumes: [data:/data:ro]")
            .names(&["volumes./data"])
            .shows_at(MOUNTS, "/Mounts/0/RW", json!(false)),
        mount(
            "no-copy",
            "volumes: [{type: volume, source: data, target: /data, \
             volume: {nocopy: true}}]",
        )
        .shows_at(
            MOUNTS,
            "/HostConfig/Binds/0",
            json!("{project}_data:/data:rw,nocopy"),
        ),
        mount(
            "in-memory",
            "volumes: [{type: tmpfs, target: /data, tmpfs: {size: 1m, mode: 01770}}]",
        )
        .shows_at(MOUNTS, "/HostConfig/Mounts/0/TmpfsOptions/SizeBytes", json!(1 << 20))
        .shows_at(
            MOUNTS,
            "/HostConfig/Mounts/0/TmpfsOptions/Mode",
            json!(0o1770),
        ),
        respelled(
            "mount-spelt",
            "volumes",
            "volumes: [data:/data:ro, './bound:/bound']",
            "volumes: [{type: bind, source: '{folder}/bound', target: /bound, \
             bind: {create_host_path: true}}, \
             {type: volume, source: data, target: /data, read_only: true}]",
        ),
        added("from", "volumes_from", "volumes_from: [peer:ro]").shows_at(
            "HostConfig.VolumesFrom",
            "/Mounts/0/Destination",
            json!("/shared"),
        ),
        added("tmpfs", "tmpfs", "tmpfs: ['/run:size=1m', /var/tmp]")
            .names(&["tmpfs./run", "tmpfs./var/tmp"])
            .shows("HostConfig.Tmpfs", json!({"/run": "size=1m", "/var/tmp": ""})),
    ]
}

fn contents() -> Vec<Case> {
    vec![
        added("config", "configs", "configs: [file]")
            .names(&["configs./file"])
            .names_back(&["volumes./file"])
            .shows_at(MOUNTS, "/Mounts/0/Destination", json!("/file"))
            .shows_at(MOUNTS, "/Mounts/0/RW", json!(false)),
        changed(
            "config-inline",
            "configs",
            "configs: [{source: inline, target: /etc/a.conf}]",
            "configs: [{source: other, target: /etc/a.conf}]",
        )
        .names(&["configs./etc/a.conf"])
        .shows_at(MOUNTS, "/Mounts", json!([])),
        added("secret", "secrets", "secrets: [file]")
            .names(&["secrets./run/secrets/file"])
            .names_back(&["volumes./run/secrets/file"])
            .shows_at(MOUNTS, "/Mounts/0/Destination", json!("/run/secrets/file")),
        added("secret-inline", "secrets", "secrets: [inline]")
            .names(&["secrets./run/secrets/inline"])
            .shows_at(MOUNTS, "/Mounts", json!([])),
    ]
}

fn devices() -> Vec<Case> {
    vec![
        added("device", "devices", "devices: ['/dev/null:/dev/nothing:r']")
            .names(&["devices./dev/nothing"])
            .shows(
                "HostConfig.Devices",
                json!([{"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing",
                        "CgroupPermissions": "r"}]),
            ),
        added("device-rules", "device_cgroup_rules", "device_cgroup_rules: ['c 1:3 mr']")
            .shows("HostConfig.DeviceCgroupRules", json!(["c 1:3 mr"])),
    ]
}
