//! Whether this process sees a folder at the path that the engine knows it by.
//!
//! A relative bind becomes a path of this process, and the engine takes it for one of its
//! host. In a container both are the same only where the host's folder is mounted at the
//! very path that it has there; anything else binds other files, or an empty folder that the
//! engine makes.

use std::path::{Path, PathBuf};

use crate::state::ids::ContainerId;
use crate::state::mount::Mount;

/// A folder that the engine knows by another path than this process, or not at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Elsewhere {
    /// It is mounted from another path.
    #[error(
        "{} is {} on the host, and a container that mounts what is in it would get what the \
         host has at {}; mount it where it is there (`--volume {}:{}`), and name it so",
        path.display(), on_host.display(), path.display(), mount.source.display(),
        mount.source.display()
    )]
    Moved {
        /// The folder, as this process knows it.
        path: PathBuf,
        /// What it is on the host.
        on_host: PathBuf,
        /// How it came here.
        mount: Mount,
    },
    /// It is of this container alone.
    #[error(
        "{} is of this container alone, and a container that mounts what is in it would get \
         what the host has there; mount the host's folder at the same path (`--volume {}:{}`)",
        .0.display(), .0.display(), .0.display()
    )]
    NotOfHost(PathBuf),
}

/// What every container has of its own from the folder that the engine keeps for it.
const OWN: [&str; 3] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// Finds out from `/proc/self/mountinfo` in which container this process runs; nothing when
/// in none, as far as that can be told.
pub fn own_container(mountinfo: &str) -> Option<ContainerId> {
    mountinfo.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        let names: Vec<&str> = root.split('/').filter(|_| OWN.contains(&at)).collect();
        let pairs = names.iter().zip(names.iter().skip(1));
        let mut ids = pairs.filter(|(folder, id)| {
            let is_id = id.len() == 64 && id.bytes().all(|it| it.is_ascii_hexdigit());
            folder.ends_with("containers") && is_id
        });
        ids.next().map(|(_, id)| ContainerId::new(*id))
    })
}

/// Tells what is wrong with a folder of this process, in a container with these mounts.
pub fn elsewhere(mounts: &[Mount], folder: &Path) -> Option<Elsewhere> {
    let covering = mounts.iter().filter(|mount| folder.starts_with(&mount.destination));
    let closest = covering.max_by_key(|mount| mount.destination.components().count());
    let closest = closest.filter(|mount| mount.source.is_absolute());
    let Some(mount) = closest else {
        return Some(Elsewhere::NotOfHost(folder.to_path_buf()));
    };
    let rest = folder.strip_prefix(&mount.destination).unwrap_or(Path::new(""));
    let on_host: PathBuf = mount.source.components().chain(rest.components()).collect();
    let (path, mount) = (folder.to_path_buf(), mount.clone());
    (on_host != path).then_some(Elsewhere::Moved { path, on_host, mount })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f4c1d1e0f3b8a7c9d2e5b6a7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f809";

    fn mount(source: &str, destination: &str) -> Mount {
        Mount { source: source.into(), destination: destination.into() }
    }

    fn said(mounts: &[Mount], folder: &str) -> String {
        elsewhere(mounts, Path::new(folder)).map(|it| it.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_process_in_a_container_finds_out_in_which() {
        let root = "684 650 0:45 / / rw,relatime - overlay overlay rw,lowerdir=/l";
        for folder in [
            "/var/lib/docker/containers",
            "/data/docker/containers",
            "/x/overlay-containers",
        ] {
            let line = format!(
                "703 684 8:1 {folder}/{ID}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw"
            );
            let found = own_container(&format!("{root}\n{line}\n"));
            assert_eq!(found, Some(ContainerId::new(ID)), "{folder}");
        }
    }

    #[test]
    fn a_process_on_a_host_with_containers_is_in_none() {
        let shm = format!(
            "99 27 0:50 / /var/lib/docker/containers/{ID}/mounts/shm rw - tmpfs shm rw"
        );
        let hosts = "98 27 8:1 /somewhere/hosts /etc/hosts rw - ext4 /dev/sda1 rw";
        for mountinfo in ["", "nonsense", &shm, hosts] {
            assert_eq!(own_container(mountinfo), None, "{mountinfo}");
        }
    }

    #[test]
    fn a_folder_is_the_same_where_its_closest_mount_is_from_the_same_path() {
        let same = mount("/srv/desired", "/srv/desired");
        assert_eq!(said(std::slice::from_ref(&same), "/srv/desired"), "");
        assert_eq!(said(std::slice::from_ref(&same), "/srv/desired/stacks/a"), "");
        assert_eq!(said(&[mount("/", "/")], "/srv/desired"), "");
        assert_eq!(said(&[mount("/srv", "/srv"), same], "/srv/desired"), "");
    }

    #[test]
    fn what_is_elsewhere_on_the_host_or_not_there_at_all_is_told_with_what_to_do() {
        let config = mount("/etc/reconciler", "/config");
        assert_eq!(
            said(std::slice::from_ref(&config), "/config/stacks"),
            "/config/stacks is /etc/reconciler/stacks on the host, and a container that \
             mounts what is in it would get what the host has at /config/stacks; mount it \
             where it is there (`--volume /etc/reconciler:/etc/reconciler`), and name it so"
        );
        for mounts in [&[][..], &[config], &[mount("", "/configuration")]] {
            let said = said(mounts, "/configuration");
            assert!(
                said.starts_with("/configuration is of this container alone"),
                "{said}"
            );
            assert!(said.contains("--volume /configuration:/configuration"), "{said}");
        }
        // A mount below the right one hides it.
        let hidden = [mount("/srv", "/srv"), mount("/other", "/srv/desired")];
        assert!(said(&hidden, "/srv/desired").contains("is /other on the host"));
    }
}
