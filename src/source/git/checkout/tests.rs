//! That the files in force are those of the commit, whatever was there before.

use super::*;
use std::collections::BTreeSet;

use proptest::prelude::*;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    File(Vec<u8>, u32),
    Folder(u32),
    Link(PathBuf),
}

type Tree = BTreeMap<PathBuf, Node>;

/// Writes a tree; a name below a file or a link is left out.
fn write(root: &Path, tree: &Tree) {
    fs::create_dir(root).unwrap();
    fs::set_permissions(root, Permissions::from_mode(0o755)).unwrap();
    for (path, node) in tree {
        let full = root.join(path);
        if !fs::symlink_metadata(full.parent().unwrap()).is_ok_and(|it| it.is_dir()) {
            continue;
        }
        match node {
            Node::File(bytes, mode) => {
                fs::write(&full, bytes).unwrap();
                fs::set_permissions(&full, Permissions::from_mode(*mode)).unwrap();
            }
            Node::Folder(mode) => {
                fs::create_dir(&full).unwrap();
                fs::set_permissions(&full, Permissions::from_mode(*mode)).unwrap();
            }
            Node::Link(target) => symlink(target, &full).unwrap(),
        }
    }
}

fn read(root: &Path) -> Tree {
    fn collect(root: &Path, folder: &Path, tree: &mut Tree) {
        for (name, metadata) in entries(folder).unwrap() {
            let path = folder.join(name);
            let mode = metadata.permissions().mode() & MODE;
            let node = match kind(&metadata) {
                Kind::File => Node::File(fs::read(&path).unwrap(), mode),
                Kind::Folder => Node::Folder(mode),
                Kind::Link => Node::Link(fs::read_link(&path).unwrap()),
                Kind::Other => panic!("{}", path.display()),
            };
            tree.insert(path.strip_prefix(root).unwrap().to_owned(), node);
            if metadata.is_dir() {
                collect(root, &path, tree);
            }
        }
    }
    let mut tree = Tree::new();
    collect(root, root, &mut tree);
    tree
}

/// Returns what stands where, by what a mount would hold on to.
fn inodes(root: &Path) -> BTreeMap<PathBuf, u64> {
    let inode = |path: &Path| fs::symlink_metadata(root.join(path)).unwrap().ino();
    let tree = read(root);
    let paths = tree.keys().map(PathBuf::as_path).chain([Path::new("")]);
    paths.map(|path| (path.to_owned(), inode(path))).collect()
}

fn a_node() -> impl Strategy<Value = Node> {
    let bytes = prop::collection::vec(0_u8..3, 0..4);
    let mode = prop_oneof![Just(0o644), Just(0o755)];
    let target = prop_oneof![Just("a"), Just(".."), Just("/etc/passwd"), Just("nowhere")];
    prop_oneof![
        (bytes, mode.clone()).prop_map(|(bytes, mode)| Node::File(bytes, mode)),
        mode.prop_map(Node::Folder),
        target.prop_map(|target| Node::Link(target.into())),
    ]
}

fn a_tree() -> impl Strategy<Value = Tree> {
    let name = prop_oneof![Just("a"), Just("b"), Just(".#c")];
    let path =
        prop::collection::vec(name, 1..4).prop_map(|it| it.iter().collect::<PathBuf>());
    prop::collection::btree_map(path, a_node(), 0..12)
}

proptest! {
    #[test]
    fn any_tree_becomes_any_other_in_place(before in a_tree(), after in a_tree()) {
        let folder = tempfile::tempdir().unwrap();
        let (checkout, staged) =
            (folder.path().join("checkout"), folder.path().join("staged"));
        write(&checkout, &before);
        write(&staged, &after);
        let (was, were) = (read(&checkout), inodes(&checkout));
        let first = bring(&checkout, &staged).unwrap();
        let (is, are) = (read(&checkout), inodes(&checkout));
        prop_assert_eq!(&is, &read(&staged));
        let is_other = was != is;
        prop_assert_eq!(first.changed() > 0, is_other);
        // Folders, whatever their mode, and what did not change keep what a mount holds.
        let is_folder = |node: Option<&Node>| matches!(node, Some(Node::Folder(_)));
        for (path, inode) in &are {
            let (old, new) = (was.get(path), is.get(path));
            if old == new || is_folder(old) && is_folder(new) {
                prop_assert_eq!(Some(inode), were.get(path), "{}", path.display());
            }
        }
        prop_assert_eq!(bring(&checkout, &staged).unwrap(), Brought::default());
        prop_assert_eq!(inodes(&checkout), are);
    }
}

#[test]
fn a_checkout_is_made_where_there_is_none_also_where_something_else_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (checkout, staged) =
        (folder.path().join("checkout"), folder.path().join("staged"));
    let tree: Tree = [("a".into(), Node::File(b"x".to_vec(), 0o644))].into();
    write(&staged, &tree);
    assert!(bring(&checkout, &staged).unwrap().changed() > 0);
    assert_eq!(read(&checkout), tree);
    remove(&checkout).unwrap();
    remove(&checkout).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    write(&elsewhere, &Tree::new());
    symlink(&elsewhere, &checkout).unwrap();
    bring(&checkout, &staged).unwrap();
    assert_eq!(read(&checkout), tree);
    assert_eq!(read(&elsewhere), Tree::new(), "no link is followed");
}

#[test]
fn a_file_that_is_open_keeps_its_old_bytes_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (checkout, staged) =
        (folder.path().join("checkout"), folder.path().join("staged"));
    let tree = |text: &str| [("a".into(), Node::File(text.into(), 0o644))].into();
    write(&checkout, &tree("old"));
    write(&staged, &tree("new"));
    let mut open = File::open(checkout.join("a")).unwrap();
    bring(&checkout, &staged).unwrap();
    let mut text = String::new();
    open.read_to_string(&mut text).unwrap();
    assert_eq!(text, "old");
    assert_eq!(fs::read_to_string(checkout.join("a")).unwrap(), "new");
}

#[test]
fn what_no_commit_can_hold_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (checkout, staged) =
        (folder.path().join("checkout"), folder.path().join("staged"));
    write(&checkout, &Tree::new());
    write(&staged, &[("b".into(), Node::File(Vec::new(), 0o644))].into());
    for name in ["a", "b"] {
        drop(std::os::unix::net::UnixListener::bind(checkout.join(name)).unwrap());
    }
    bring(&checkout, &staged).unwrap();
    let names: BTreeSet<PathBuf> = read(&checkout).into_keys().collect();
    assert_eq!(names, [PathBuf::from("b")].into());
}

#[test]
fn files_that_are_staged_on_another_disk_are_copied() {
    let disk = tempfile::tempdir_in("/dev/shm").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (staged, checkout) = (disk.path().join("staged"), folder.path().join("checkout"));
    fs::create_dir(&staged).unwrap();
    for text in ["one", "two"] {
        fs::write(staged.join("a"), text).unwrap();
        assert!(bring(&checkout, &staged).unwrap().changed() > 0);
        assert_eq!(fs::read_to_string(checkout.join("a")).unwrap(), text);
    }
    assert_eq!(bring(&checkout, &staged).unwrap().changed(), 0);
}

#[test]
fn a_file_that_was_edited_has_another_mark() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("in")).unwrap();
    for name in ["a", "in/b"] {
        fs::write(path(name), "text").unwrap();
    }
    let before = marks(folder.path()).unwrap();
    assert_eq!(before.keys().cloned().collect::<Vec<_>>(), [path("a"), path("in/b")]);
    // Another name of the same file is none of its own.
    fs::hard_link(path("a"), path("in/link")).unwrap();
    fs::remove_file(path("in/link")).unwrap();
    assert_eq!(marks(folder.path()).unwrap(), before);
    let edits: [&dyn Fn(); 4] = [
        &|| fs::write(path("in/b"), "longer").unwrap(),
        &|| fs::rename(path("in/b"), path("c")).unwrap(),
        &|| fs::set_permissions(path("a"), Permissions::from_mode(0o600)).unwrap(),
        &|| symlink("a", path("d")).unwrap(),
    ];
    let mut seen = before;
    for edit in edits {
        edit();
        let now = marks(folder.path()).unwrap();
        assert_ne!(now, seen);
        seen = now;
    }
}
