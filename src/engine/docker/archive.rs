//! Putting files into a container.

use std::io;

use bollard::query_parameters::UploadToContainerOptions;

use super::error::CallError;
use super::wire::Wire;
use crate::state::ids::ContainerId;
use crate::state::step::{Done, Failure, FailureKind, InsideFile};

/// Writes files into a container that was not started yet.
pub(super) async fn copy_in(
    wire: &Wire,
    container: &ContainerId,
    files: &[InsideFile],
) -> Result<Done, Failure> {
    let about = format!("copy files into {}", container.short());
    let archive = pack(files).map_err(|error| Failure {
        kind: FailureKind::Refused,
        message: format!("{about}: {error}"),
    })?;
    let options = UploadToContainerOptions {
        path: "/".to_owned(),
        // A folder must not be replaced by a file.
        no_overwrite_dir_non_dir: Some("1".to_owned()),
        copy_uidgid: None,
    };
    let uploaded = wire.client().upload_to_container(
        container.as_str(),
        Some(options),
        bollard::body_full(archive.into()),
    );
    let uploaded = uploaded.await.map_err(CallError::from);
    uploaded.map(|()| Done::Done).map_err(|error| error.failing(&about))
}

/// Packs files for the root of a container: the same files give the same bytes.
///
/// Folders are left to the engine, which makes those that are missing; an entry for one
/// would change the owner and the mode of one that is there.
fn pack(files: &[InsideFile]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let content = file.content.expose().as_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(content.len().try_into().map_err(io::Error::other)?);
        header.set_mode(file.mode);
        header.set_uid(file.user);
        header.set_gid(file.group);
        header.set_mtime(0);
        let path = inside(&file.path)?;
        archive.append_data(&mut header, path, content)?;
    }
    archive.into_inner()
}

/// Returns a path relative to the container's root; one that could leave it is refused.
fn inside(path: &str) -> io::Result<&str> {
    let relative = path.strip_prefix('/').filter(|path| {
        !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
    });
    relative.ok_or_else(|| {
        io::Error::other(format!("`{path}` is not the absolute path of a file"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::secret::Secret;
    use std::io::Read;

    fn file(path: &str) -> InsideFile {
        InsideFile {
            path: path.to_owned(),
            content: Secret::new("hello"),
            user: 1000,
            group: 2000,
            mode: 0o440,
        }
    }

    #[test]
    fn an_archive_has_the_files_with_owner_and_mode_and_no_time_of_day() {
        let long = format!("/run/{}/app.conf", "d".repeat(150));
        let files = [file("/run/secrets/key"), file(&long)];
        let bytes = pack(&files).unwrap();
        assert_eq!(bytes, pack(&files).unwrap());
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut paths = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.uid().unwrap(), 1000);
            assert_eq!(header.gid().unwrap(), 2000);
            assert_eq!(header.mode().unwrap(), 0o440);
            assert_eq!(header.mtime().unwrap(), 0);
            paths.push(format!("/{}", entry.path().unwrap().display()));
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            assert_eq!(content, "hello");
        }
        assert_eq!(paths, ["/run/secrets/key", long.as_str()]);
    }

    #[test]
    fn a_path_that_could_leave_the_container_is_refused() {
        for path in ["relative", "/", "", "/a/../b", "/a//b", "/a/", "/./a"] {
            assert!(pack(&[file(path)]).is_err(), "{path}");
        }
    }
}
