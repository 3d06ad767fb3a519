//! What this host has at the paths that a stack mounts, where the engine is this host's own.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
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
        let found = paths.into_iter().filter_map(|path| {
            let found = at(&path).ok()?;
            Some((path, found))
        });
        found.collect()
    });
    if let Ok(Ok(found)) = tokio::time::timeout(PATIENCE, looked).await {
        return found;
    }
    tracing::warn!("a folder that a container mounts cannot be looked at");
    BTreeMap::new()
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Returns the folder at a path; nothing where there is nothing.
fn at(path: &str) -> io::Result<Option<HostPath>> {
    let path = Path::new(path);
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // What is no folder cannot be listed.
    let is_empty = std::fs::read_dir(path)?.next().is_none();
    // Links lead to where the data is.
    let real = path.canonicalize()?;
    let mount = mount(&real, metadata.dev());
    Ok(Some(HostPath { is_empty, mount: mount.to_string_lossy().into_owned() }))
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
        assert_eq!(at(&text).unwrap(), None);
        std::fs::create_dir(&path).unwrap();
        let empty = at(&text).unwrap().unwrap();
        assert!(empty.is_empty && text.starts_with(empty.mount.trim_end_matches('/')));
        std::fs::write(path.join("a"), "a").unwrap();
        assert!(!at(&text).unwrap().unwrap().is_empty);
        assert!(at(&path.join("a").to_string_lossy()).is_err());
        // Below it another file system is mounted on every host.
        assert_eq!(at("/proc/self").unwrap().unwrap().mount, "/proc");
    }
}
