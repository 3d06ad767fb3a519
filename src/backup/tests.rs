//! Archives of random trees, spoilt archives, and harmful ones.

mod harmful;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use super::extract::extract;
use super::manifest::{About, Root};
use super::read::Archive;
use super::scan::Scan;
use super::shelf::Shelf;
use super::{BackupError, scan};

struct Bench {
    folder: tempfile::TempDir,
}

fn about() -> About {
    About {
        stack: "demo".into(),
        generation: "sha256:0".into(),
        services: BTreeMap::new(),
        version: "0".to_owned(),
        begun: "2026-11-28T02:00:00Z".parse().unwrap(),
    }
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(bench.data()).unwrap();
        bench
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn shelf(&self) -> Shelf {
        Shelf::new(self.folder.path().join("backups"))
    }

    fn roots(&self) -> Vec<Root> {
        vec![Root {
            name: "data".to_owned(),
            path: self.data().display().to_string(),
            volume: None,
            data: 0,
            services: vec!["db".into()],
        }]
    }

    fn scan(&self) -> Result<Scan, BackupError> {
        scan::scan(&self.roots())
    }

    fn create(&self) -> Result<Archive, BackupError> {
        let place = self.shelf();
        place.open(&"demo".into())?;
        let scan = self.scan()?;
        let written = place.write((about(), self.roots()), &scan, 2, &mut |_| true)?;
        place.publish(written, &mut |_| true)
    }

    fn extract(&self, archive: &Archive) -> Result<PathBuf, BackupError> {
        let out = self.folder.path().join("out");
        let folders = BTreeMap::from([("data".to_owned(), out.clone())]);
        extract(archive, folders, &mut |_| true).map(|()| out)
    }
}

/// Everything about a tree that a backup has to bring back.
fn told(root: &Path) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    let mut inodes = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut paths = vec![folder.clone()];
        paths.extend(fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()));
        for path in paths {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let it = fs::symlink_metadata(&path).unwrap();
            let kind = it.file_type();
            let what = if kind.is_dir() {
                if path != folder {
                    folders.push(path.clone());
                }
                "dir".to_owned()
            } else if kind.is_symlink() {
                format!("link to {}", fs::read_link(&path).unwrap().display())
            } else {
                let count = inodes.len();
                let same = *inodes.entry(it.ino()).or_insert(count);
                let content = fs::read(&path).unwrap();
                format!("file {same} x{} {} {content:?}", it.nlink(), it.size())
            };
            let mode = it.permissions().mode();
            let owner = format!("{}:{}", it.uid(), it.gid());
            let time = format!("{}.{:09}", it.mtime(), it.mtime_nsec());
            let mut value = [0; 256];
            let marks = rustix::fs::lgetxattr(&path, "user.mark", &mut value);
            let marks = marks.map(|length| value[..length].to_vec());
            told.insert(name, format!("{what} {mode:o} {owner} {time} {marks:?}"));
        }
    }
    told
}

#[derive(Clone, Debug)]
enum Thing {
    Folder,
    File { content: Vec<u8>, hole: u32, mode: u32, mark: Option<Vec<u8>> },
    Link(String),
    Again(usize),
}

fn things() -> impl Strategy<Value = Vec<(Vec<String>, Thing)>> {
    let part = "[a-c\u{e9}]{1,2}|.{1,3}|x{120}";
    let part = part.prop_filter("a name", |it| {
        !it.contains(['/', '\0']) && !it.is_empty() && it != "." && it != ".."
    });
    let thing = prop_oneof![
        Just(Thing::Folder),
        (
            prop::collection::vec(any::<u8>(), 0..3_000),
            prop_oneof![Just(0), 1_u32..400_000],
            0_u32..0o7777,
            prop::option::of(prop::collection::vec(any::<u8>(), 1..40)),
        )
            .prop_map(|(content, hole, mode, mark)| Thing::File {
                content,
                hole,
                mode,
                mark
            }),
        "[a-z]{1,110}".prop_map(Thing::Link),
        (0_usize..8).prop_map(Thing::Again),
    ];
    prop::collection::vec((prop::collection::vec(part, 1..4), thing), 0..24)
}

fn make(root: &Path, things: &[(Vec<String>, Thing)]) {
    let mut files: Vec<PathBuf> = Vec::new();
    for (parts, thing) in things {
        let path = parts.iter().fold(root.to_owned(), |path, part| path.join(part));
        // What is in the way stays.
        if fs::create_dir_all(path.parent().unwrap()).is_err()
            || fs::symlink_metadata(&path).is_ok()
        {
            continue;
        }
        match thing {
            Thing::Folder => fs::create_dir(&path).unwrap(),
            Thing::File { content, hole, mode, mark } => {
                let mut file = fs::File::create(&path).unwrap();
                file.write_all(content).unwrap();
                if *hole > 0 {
                    file.seek(SeekFrom::Current(i64::from(*hole))).unwrap();
                    file.write_all(&content[..content.len() / 2]).unwrap();
                    file.set_len(u64::from(*hole) + 5_000).unwrap();
                }
                if let Some(mark) = mark {
                    // Not every file system has them.
                    let flags = rustix::fs::XattrFlags::empty();
                    rustix::fs::setxattr(&path, "user.mark", mark, flags).ok();
                }
                let mode = fs::Permissions::from_mode(*mode | 0o400);
                fs::set_permissions(&path, mode).unwrap();
                files.push(path);
            }
            Thing::Link(target) => symlink(target, &path).unwrap(),
            Thing::Again(number) => {
                if let Some(file) = files.get(*number) {
                    fs::hard_link(file, &path).unwrap();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_comes_back_as_it_was(things in things()) {
        let bench = Bench::new();
        make(&bench.data(), &things);
        let archive = bench.create().unwrap();
        let out = bench.extract(&archive).unwrap();
        prop_assert_eq!(told(&bench.data()), told(&out));
    }

    #[test]
    fn a_flipped_bit_is_found_or_harmless(
        things in things(),
        place in any::<prop::sample::Index>(),
        bit in 0_u32..8,
    ) {
        let bench = Bench::new();
        make(&bench.data(), &things);
        let archive = bench.create().unwrap();
        let mut bytes = fs::read(&archive.path).unwrap();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&archive.path, &bytes).unwrap();
        let opened = Archive::open(&archive.path);
        let Ok(opened) = opened else { return Ok(()) };
        if bench.extract(&opened).is_ok() {
            let out = bench.folder.path().join("out");
            prop_assert_eq!(told(&bench.data()), told(&out), "at {}", at);
        }
    }

    #[test]
    fn an_archive_that_was_cut_off_is_none(things in things(), place in any::<prop::sample::Index>()) {
        let bench = Bench::new();
        make(&bench.data(), &things);
        let archive = bench.create().unwrap();
        let bytes = fs::read(&archive.path).unwrap();
        fs::write(&archive.path, &bytes[..place.index(bytes.len())]).unwrap();
        prop_assert!(Archive::open(&archive.path).is_err());
    }
}

#[test]
fn gnu_tar_reads_an_archive_with_holes_and_links() {
    let bench = Bench::new();
    let data = bench.data();
    fs::create_dir_all(data.join("empty")).unwrap();
    let mut file = fs::File::create(data.join("sparse")).unwrap();
    file.write_all(b"begin").unwrap();
    file.seek(SeekFrom::Start(8 << 20)).unwrap();
    file.write_all(&vec![7; 70_000]).unwrap();
    file.set_len(32 << 20).unwrap();
    fs::write(data.join("x".repeat(200)), "long").unwrap();
    symlink("sparse", data.join("link")).unwrap();
    fs::hard_link(data.join("sparse"), data.join("z-same")).unwrap();
    let archive = bench.create().unwrap();
    assert!(archive.size < 10_000, "{}", archive.size);
    assert_eq!(archive.manifest.counts.files, 2);
    let out = bench.folder.path().join("tar");
    fs::create_dir(&out).unwrap();
    let zstd = Command::new("zstd").arg("--version").output();
    // Where there is no zstd, the stream is given to tar as it is.
    let mut plain = Vec::new();
    let file = fs::File::open(&archive.path).unwrap();
    zstd::stream::copy_decode(file, &mut plain).unwrap();
    let input = out.join("plain.tar");
    fs::write(&input, plain).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&out).arg("--xattrs");
    match zstd {
        Ok(_) => tar.arg("--zstd").arg("-xpf").arg(&archive.path),
        Err(_) => tar.arg("-xpf").arg(&input),
    };
    let output = tar.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(told(&data), told(&out.join("data")));
    let sparse = fs::metadata(out.join("data/sparse")).unwrap();
    assert!(sparse.blocks() * 512 < 1 << 20, "the holes are holes");
    assert!(out.join(".reconciler-backup/manifest.json").is_file());
}

#[test]
fn holes_stay_holes_and_are_not_read() {
    let bench = Bench::new();
    let file = fs::File::create(bench.data().join("sparse")).unwrap();
    file.set_len(64 << 20).unwrap();
    let mut read = 0;
    let shelf = bench.shelf();
    shelf.open(&"demo".into()).unwrap();
    let scan = bench.scan().unwrap();
    assert_eq!(scan.bytes, 0);
    let mut watch = |bytes| {
        read += bytes;
        true
    };
    let written = shelf.write((about(), bench.roots()), &scan, 0, &mut watch).unwrap();
    let archive = shelf.publish(written, &mut |_| true).unwrap();
    assert_eq!(read, 0);
    let out = bench.extract(&archive).unwrap();
    assert_eq!(fs::metadata(out.join("sparse")).unwrap().blocks(), 0);
}

#[test]
fn a_file_that_is_written_to_meanwhile_fails_the_backup_and_nothing_is_left() {
    let bench = Bench::new();
    let victim = bench.data().join("b");
    for name in ["a", "b", "c"] {
        fs::write(bench.data().join(name), vec![1; 2 << 20]).unwrap();
    }
    let shelf = bench.shelf();
    shelf.open(&"demo".into()).unwrap();
    for late in [false, true] {
        let scan = bench.scan().unwrap();
        let (mut seen, mut has_written) = (0, false);
        let mut writer = |bytes| {
            seen += bytes;
            let is_time = seen >= if late { 5 << 20 } else { 1 << 20 };
            if is_time && !std::mem::replace(&mut has_written, true) {
                let mut file = fs::OpenOptions::new().append(true).open(&victim).unwrap();
                file.write_all(b"late").unwrap();
            }
            true
        };
        let failed = shelf.write((about(), bench.roots()), &scan, 0, &mut writer);
        let error = failed.unwrap_err();
        assert!(matches!(&error, BackupError::Changed { path, .. } if *path == victim));
        assert!(fs::read_dir(shelf.folder()).unwrap().next().is_none());
    }
    let scan = bench.scan().unwrap();
    fs::write(bench.data().join("new"), "").unwrap();
    let failed = shelf.write((about(), bench.roots()), &scan, 0, &mut |_| true);
    assert!(matches!(failed, Err(BackupError::Changed { .. })), "a file that came");
}

#[test]
fn what_could_not_be_restored_is_not_archived() {
    let bench = Bench::new();
    symlink("../../etc", bench.data().join("out")).unwrap();
    insta::assert_snapshot!(
        bench
            .scan()
            .unwrap_err()
            .to_string()
            .replace(&bench.data().display().to_string(), "/data"),
    );
    fs::remove_file(bench.data().join("out")).unwrap();
    symlink("/etc", bench.data().join("out")).unwrap();
    assert!(matches!(bench.scan(), Err(BackupError::Unfit { .. })));
    fs::remove_file(bench.data().join("out")).unwrap();
    let socket = bench.data().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    fs::create_dir(bench.data().join(".reconciler-aside")).unwrap();
    let scan = bench.scan().unwrap();
    assert_eq!(scan.left_out, [socket]);
    assert_eq!(scan.found.len(), 1);
}

#[test]
fn an_archive_is_for_its_owner_alone_and_is_listed_once_it_is_whole() {
    let bench = Bench::new();
    fs::write(bench.data().join("a"), "a").unwrap();
    let shelf = bench.shelf();
    let stack = "demo".into();
    assert!(shelf.list(Some(&stack)).unwrap().is_empty());
    shelf.open(&stack).unwrap();
    let scan = bench.scan().unwrap();
    let written = shelf.write((about(), bench.roots()), &scan, 0, &mut |_| true).unwrap();
    assert!(shelf.list(None).unwrap().is_empty());
    // A process that was killed leaves this.
    std::mem::forget(written);
    assert_eq!(fs::read_dir(shelf.folder()).unwrap().count(), 1);
    let archive = bench.create().unwrap();
    assert_eq!(fs::read_dir(shelf.folder()).unwrap().count(), 1);
    let mode = fs::metadata(&archive.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::write(shelf.folder().join("demo-20261128T030000Z.tar.zst"), "half").unwrap();
    let listed = shelf.list(Some(&stack)).unwrap();
    let good: Vec<bool> = listed.iter().map(|it| it.archive.is_ok()).collect();
    assert_eq!(good, [false, true]);
    assert!(shelf.list(Some(&"other".into())).unwrap().is_empty());
    assert!(shelf.shares_device(&bench.roots()));
    assert!(bench.create().is_err(), "a name is given once");
}

#[test]
fn a_full_disk_leaves_no_archive() {
    let bench = Bench::new();
    let small = bench.folder.path().join("backups");
    fs::create_dir(&small).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(&small)
        .output();
    if !mount.is_ok_and(|it| it.status.success()) {
        // Nobody but root can mount.
        return;
    }
    let mut noise = vec![0; 4 << 20];
    fs::File::open("/dev/urandom").unwrap().read_exact(&mut noise).unwrap();
    fs::write(bench.data().join("noise"), noise).unwrap();
    let failed = bench.create();
    let left = fs::read_dir(&small).unwrap().count();
    let unmounted = Command::new("umount").arg(&small).status().unwrap();
    assert!(unmounted.success());
    assert!(matches!(failed, Err(BackupError::Io { .. })), "{failed:?}");
    assert_eq!(left, 0);
}
