//! Whether the symbolic links of a commit stay in it.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::tree::Refusal;

/// The number of links that the system follows, too.
const LINKS: usize = 40;

enum Node {
    File,
    Folder,
    Link(PathBuf),
}

/// What stands at each path of a commit, relative to its root.
#[derive(Default)]
pub(super) struct Links(BTreeMap<PathBuf, Node>);

impl Links {
    /// Takes note of a file.
    pub(super) fn file(&mut self, path: &Path) {
        self.insert(path, Node::File);
    }

    /// Takes note of a symbolic link.
    pub(super) fn link(&mut self, path: &Path, target: &Path) {
        self.insert(path, Node::Link(target.to_owned()));
    }

    fn insert(&mut self, path: &Path, node: Node) {
        for folder in path.ancestors().skip(1) {
            self.0.entry(folder.to_owned()).or_insert(Node::Folder);
        }
        self.0.insert(path.to_owned(), node);
    }

    /// Makes sure that every link leads to something of the commit, on a way that never
    /// leaves it: the files are looked at in one folder and used in another.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        for (path, node) in &self.0 {
            match node {
                Node::Link(target) => self.follow(path, target)?,
                Node::File | Node::Folder => {}
            }
        }
        Ok(())
    }

    fn follow(&self, link: &Path, target: &Path) -> Result<(), Refusal> {
        let escape =
            || Refusal::Escape { link: link.to_owned(), target: target.to_owned() };
        let nowhere =
            || Refusal::Nowhere { link: link.to_owned(), target: target.to_owned() };
        let mut at = link.parent().unwrap_or(Path::new("")).to_owned();
        let mut ahead = names(target).ok_or_else(escape)?;
        if ahead.is_empty() && target.as_os_str().is_empty() {
            return Err(nowhere());
        }
        let mut links = 1;
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                if !at.pop() {
                    return Err(escape());
                }
                continue;
            }
            let next = at.join(&name);
            match self.0.get(&next) {
                Some(Node::Folder) => at = next,
                Some(Node::File) if ahead.is_empty() => {}
                Some(Node::Link(further)) if links < LINKS => {
                    links += 1;
                    let mut way = names(further).ok_or_else(escape)?;
                    way.append(&mut ahead);
                    ahead = way;
                }
                Some(Node::File | Node::Link(_)) | None => return Err(nowhere()),
            }
        }
        Ok(())
    }
}

/// Returns the names on a way; nothing when it begins at the root of the system.
fn names(path: &Path) -> Option<VecDeque<OsString>> {
    let mut names = VecDeque::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push_back(name.to_owned()),
            Component::ParentDir => names.push_back("..".into()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(links: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut tree = Links::default();
        for path in ["a/b/file", "a/other", "top"] {
            tree.file(Path::new(path));
        }
        for (path, target) in links {
            tree.link(Path::new(path), Path::new(target));
        }
        tree.check()
    }

    #[test]
    fn links_within_a_commit_are_fine() {
        for links in [
            [("link", "top")].as_slice(),
            &[("a/link", "../top")],
            &[("a/b/link", "../../a/b/file")],
            &[("folder", "a/b"), ("chain", "folder/../other")],
            &[("one", "two"), ("two", "three"), ("three", "./top")],
            &[("a/self", ".")],
            &[("a/root", "..")],
        ] {
            assert_eq!(check(links), Ok(()), "{links:?}");
        }
    }

    #[test]
    fn a_link_that_leads_out_is_refused_also_by_way_of_others() {
        for links in [
            [("link", "/etc/passwd")].as_slice(),
            &[("link", "/")],
            &[("link", "..")],
            &[("link", "../checkout/top")],
            &[("a/b/link", "../../../etc")],
            &[("a/link", "b/../../../x")],
            // Where the folder is a link the step up is another one.
            &[("deep", "a/b"), ("z", "deep/../../../x")],
            &[("a/up", ".."), ("z", "a/up/../x")],
        ] {
            assert!(matches!(check(links), Err(Refusal::Escape { .. })), "{links:?}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_refused() {
        for links in [
            [("link", "missing")].as_slice(),
            &[("link", "")],
            &[("link", "top/x")],
            &[("link", "a/b/missing")],
            &[("one", "two"), ("two", "one")],
            &[("self", "self")],
        ] {
            assert!(matches!(check(links), Err(Refusal::Nowhere { .. })), "{links:?}");
        }
    }
}
