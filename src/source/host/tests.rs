//! A host of files.

use super::*;

fn host(files: &[(&str, &str)]) -> Host {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Place { root: folder.path().to_owned() }.look(&BTreeSet::new())
}

#[test]
fn a_host_is_read_from_its_files_and_what_is_not_there_is_left_out() {
    let bare = host(&[]);
    assert!(bare.kernel.is_empty() && bare.huge_pages.is_none() && !bare.is_synchronised);
    let host = host(&[
        ("proc/sys/vm/max_map_count", "65530\n"),
        ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
        ("etc/ufw/ufw.conf", "# yes\nENABLED=yes\n"),
        ("etc/docker/daemon.json", r#"{"log-opts": {"max-size": "10m"}}"#),
        ("proc/7/comm", "dockerd\n"),
        (
            "proc/7/limits",
            "Limit                     Soft Limit           Hard Limit           Units\n\
             Max open files            1024                 524288               files\n",
        ),
        ("proc/8/comm", "chronyd\n"),
        (
            "proc/net/tcp",
            "  sl  local_address rem_address   st\n   \
             0: 0100007F:1F90 00000000:0000 0A 0\n   1: 0100007F:1F91 00000000:0000 01 0\n",
        ),
        (
            "proc/net/tcp6",
            "  sl  local_address rem_address   st\n   \
             0: 00000000000000000000000000000000:0050 0:0 0A 0\n",
        ),
    ]);
    assert_eq!(host.kernel["vm.max_map_count"], 65_530);
    assert_eq!(host.huge_pages.as_deref(), Some("always"));
    assert_eq!(host.engine_files, Some(1024));
    assert!(host.has_ufw && host.is_synchronised && host.limits_logs);
    let listeners: Vec<String> =
        host.listeners.iter().map(|it| format!("{} {}", it.address, it.port)).collect();
    assert_eq!(listeners, ["127.0.0.1 8080", ":: 80"]);
}

#[test]
fn a_folder_that_is_not_there_is_told_with_the_disk_that_it_would_be_on() {
    let folder = tempfile::tempdir().unwrap();
    let there = disk::folder(folder.path());
    let missing = disk::folder(&folder.path().join("a/b"));
    assert!(there.exists && there.is_folder && there.total > 0);
    assert!(!missing.exists && !missing.is_folder);
    assert_eq!(missing.device, there.device);
}
