//! Files and folders of this host whose bytes count as part of a service.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::file::read_error;
use crate::compose::files::{Kind, ReadError};
use crate::state::content::Place;

/// Returns which file or folder it is.
pub(super) fn place(metadata: &Metadata) -> Place {
    Place { device: metadata.dev(), inode: metadata.ino() }
}

/// Tells what stands at a path; nothing when there is nothing, or nobody may know.
pub(super) fn kind(path: &Path) -> Option<(Kind, Place)> {
    let is_link = fs::symlink_metadata(path).ok()?.is_symlink();
    let metadata = fs::metadata(path).ok()?;
    let kind = match (metadata.is_file(), metadata.is_dir(), is_link) {
        (true, _, _) => Kind::File,
        (_, true, true) => Kind::FolderLink,
        (_, true, false) => Kind::Folder,
        (false, false, _) => Kind::Other,
    };
    Some((kind, place(&metadata)))
}

/// Returns the sorted names in a folder, but for what editors leave there.
pub(super) fn all_names(folder: &Path) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| read_error(&error))? {
        let entry = entry.map_err(|error| read_error(&error))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !is_left_by_an_editor(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Tells whether a name is that of a swap, lock or backup file, or of the version folders
/// behind the links of a mounted config map, which are swapped as a whole.
fn is_left_by_an_editor(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|it| it.to_str());
    let is_swap =
        name.starts_with('.') && matches!(extension, Some("swp" | "swo" | "swx"));
    is_swap
        || name.ends_with('~')
        || name.starts_with(".#")
        || name.starts_with("..")
        || name.starts_with('#') && name.ends_with('#')
        // Vim tries with it whether it may write to the folder.
        || name == "4913"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::files::Files;
    use crate::source::file::HostFiles;
    use crate::source::fingerprint::Fingerprint;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_stands_at_a_path_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "x").unwrap();
        fs::create_dir(path("folder")).unwrap();
        symlink("file", path("link")).unwrap();
        symlink("folder", path("other")).unwrap();
        symlink("nowhere", path("broken")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(path("socket")).unwrap());
        for (name, expected) in [
            ("file", Some(Kind::File)),
            ("folder", Some(Kind::Folder)),
            ("link", Some(Kind::File)),
            ("other", Some(Kind::FolderLink)),
            ("broken", None),
            ("missing", None),
            ("socket", Some(Kind::Other)),
        ] {
            assert_eq!(kind(&path(name)).map(|(kind, _)| kind), expected, "{name}");
        }
    }

    #[test]
    fn names_leave_out_what_editors_do_and_a_new_one_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["b.conf", ".htpasswd", ".b.conf.swp", "b.conf~", ".#b", "4913", "..1"]
        {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let files = HostFiles::for_user(true, false);
        let names = files.names(folder.path()).unwrap();
        assert_eq!(names, [".htpasswd", "b.conf"]);
        files.watch_names(folder.path(), &names);
        let seen = files.touched().remove(folder.path()).unwrap();
        fs::write(folder.path().join(".a.swp"), "x").unwrap();
        assert_eq!(seen.again(folder.path()), seen);
        fs::write(folder.path().join("a.conf"), "x").unwrap();
        assert_ne!(seen.again(folder.path()), seen);
        fs::remove_dir_all(folder.path()).unwrap();
        assert_eq!(seen.again(folder.path()), Fingerprint::Missing);
    }

    #[test]
    fn a_save_that_renames_makes_it_another_file_whoever_may_write_to_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        fs::write(&path, "one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let files = HostFiles::for_user(true, false);
        let (bytes, first) = files.content(&path).unwrap();
        assert_eq!(bytes, b"one");
        fs::write(folder.path().join("new"), "two").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_ne!(files.content(&path).unwrap().1, first);
        assert!(files.warnings().is_empty());
    }
}
