//! Which folders have to be watched, so that no change of a path goes unnoticed.
//!
//! A watch on a file itself ends with the first save that renames another file into its
//! place. So the folders are watched in which a name on the way to the file could come to
//! mean something else: its own, those of the symbolic links on the way, and, where the
//! way is broken, the last one that is there.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The number of links that the system follows, too.
const LINKS: usize = 40;

/// Returns the folders to be watched for a path; a folder is itself one of them.
pub(super) fn folders_of(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut at = PathBuf::from("/");
    let mut ahead = names(path);
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(name);
        let Ok(metadata) = fs::symlink_metadata(&next) else {
            found.insert(at);
            return found;
        };
        if metadata.is_symlink() && links < LINKS {
            links += 1;
            found.insert(at.clone());
            let target = fs::read_link(&next).unwrap_or_default();
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            let mut way = names(&target);
            way.append(&mut ahead);
            ahead = way;
            continue;
        }
        if ahead.is_empty() {
            found.insert(at.clone());
        }
        at = next;
    }
    if at.is_dir() {
        found.insert(at);
    }
    found
}

fn names(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Returns the folders below a root, relative to it.
    fn below(root: &Path, path: &str) -> Vec<String> {
        folders_of(&root.join(path))
            .iter()
            .filter_map(|folder| folder.strip_prefix(root).ok())
            .map(|folder| folder.display().to_string())
            .collect()
    }

    fn root() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        (folder, root)
    }

    #[test]
    fn a_plain_file_needs_its_own_folder_only() {
        let (_folder, root) = root();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/c.yaml"), "").unwrap();
        assert_eq!(below(&root, "a/b/c.yaml"), ["a/b"]);
        assert_eq!(below(&root, "a/b/missing.yaml"), ["a/b"]);
    }

    #[test]
    fn a_folder_needs_itself_and_the_one_it_is_in() {
        let (_folder, root) = root();
        fs::create_dir_all(root.join("a/b")).unwrap();
        assert_eq!(below(&root, "a/b"), ["a", "a/b"]);
    }

    #[test]
    fn where_the_way_is_broken_the_last_folder_that_is_there_is_needed() {
        let (_folder, root) = root();
        fs::create_dir(root.join("a")).unwrap();
        assert_eq!(below(&root, "a/b/c/d.yaml"), ["a"]);
    }

    #[test]
    fn every_link_on_the_way_needs_the_folder_it_is_in() {
        let (_folder, root) = root();
        fs::create_dir_all(root.join("mount/..2026")).unwrap();
        fs::write(root.join("mount/..2026/app.yaml"), "").unwrap();
        symlink("..2026", root.join("mount/..data")).unwrap();
        symlink("..data/app.yaml", root.join("mount/app.yaml")).unwrap();
        symlink(root.join("mount"), root.join("current")).unwrap();
        assert_eq!(below(&root, "current/app.yaml"), ["", "mount", "mount/..2026"]);
    }

    #[test]
    fn links_in_a_circle_come_to_an_end() {
        let (_folder, root) = root();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert_eq!(below(&root, "a"), [""]);
    }
}
