//! What this host has at the paths that a stack mounts, where the engine is this host's own.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::wire::Wire;
use crate::state::observed::HostPath;

/// Looks at folders of the host. What is no folder, or cannot be looked at, is left out; an
/// engine that is reached over a network is taken for another host's.
pub(super) async fn look(
    wire: &Wire,
    paths: &BTreeSet<String>,
) -> BTreeMap<String, Option<HostPath>> {
    if !wire.is_local() || paths.is_empty() {
        return BTreeMap::new();
    }
    let paths = paths.clone();
    // A disk may take its time to answer, and a dead network file system for ever.
    let looked = tokio::task::spawn_blocking(move || {
        let found = paths.into_iter().filter_map(|path| Some((path.clone(), at(&path)?)));
        found.collect()
    });
    match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => {
            tracing::warn!("a folder that a container mounts cannot be looked at");
            BTreeMap::new()
        }
    }
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Returns what is at a path: `Some(None)` where there is nothing, and nothing where it is no
/// folder or may not be read.
fn at(path: &str) -> Option<Option<HostPath>> {
    let path = Path::new(path);
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(None),
        Err(_) => return None,
    };
    if !metadata.is_dir() {
        return None;
    }
    let is_empty = std::fs::read_dir(path).ok()?.next().is_none();
    // Links lead to where the data is.
    let real = path.canonicalize().ok()?;
    let mount = mount(&real, metadata.dev());
    Some(Some(HostPath { is_empty, mount: mount.to_string_lossy().into_owned() }))
}

/// Returns the highest folder on the way to a path that is on its device: there it is mounted.
fn mount(path: &Path, device: u64) -> &Path {
    let is_on_it = |it: &&Path| std::fs::metadata(it).is_ok_and(|it| it.dev() == device);
    path.ancestors().take_while(is_on_it).last().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_told_with_its_mount_and_whether_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let text = path.to_string_lossy().into_owned();
        assert_eq!(at(&text), Some(None));
        std::fs::create_dir(&path).unwrap();
        let empty = at(&text).flatten().unwrap();
        assert!(empty.is_empty && text.starts_with(empty.mount.trim_end_matches('/')));
        std::fs::write(path.join("a"), "a").unwrap();
        assert!(!at(&text).flatten().unwrap().is_empty);
        assert_eq!(at(&path.join("a").to_string_lossy()), None);
        // Below it another file system is mounted on every host.
        assert_eq!(at("/proc/self").flatten().unwrap().mount, "/proc");
    }
}
