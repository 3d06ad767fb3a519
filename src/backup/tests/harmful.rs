//! Entries that could do harm.

use std::collections::BTreeMap;

use super::{Bench, about};
use crate::backup::BackupError;
use crate::backup::entry::{Entry, Kind};
use crate::backup::read::Archive;
use crate::backup::verify::verify;

/// Writes an archive of these entries as if they were good.
fn forged(bench: &Bench, entries: &[Entry]) -> Archive {
    use sha2::{Digest, Sha256};
    let (mut index, mut stream) = (Vec::new(), Vec::new());
    for entry in entries {
        entry.write_header(&mut stream).unwrap();
        let is_file = matches!(entry.kind, Kind::File { .. });
        let digest = crate::state::digest::hexadecimal(&Sha256::digest(b""));
        let line = entry.line(is_file.then_some(digest));
        serde_json::to_writer(&mut index, &line).unwrap();
        index.push(b'\n');
    }
    crate::backup::write::forge(
        &bench.folder.path().join("forged.tar.zst"),
        about(),
        bench.roots(),
        &stream,
        &index,
    );
    Archive::open(&bench.folder.path().join("forged.tar.zst")).unwrap()
}

fn entry(path: &str, kind: Kind) -> Entry {
    Entry {
        path: path.as_bytes().to_vec(),
        kind,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: (-1, 500_000_000),
        attributes: BTreeMap::new(),
    }
}

#[test]
fn an_entry_that_could_do_harm_is_refused() {
    let file = || Kind::File { size: 0, data: None };
    let link = |to: &str| Kind::Symlink(to.as_bytes().to_vec());
    let hard = |to: &str| Kind::HardLink(to.as_bytes().to_vec());
    let data = || entry("data", Kind::Folder);
    let harmful: Vec<Vec<Entry>> = vec![
        vec![data(), entry("data/../../etc/passwd", file())],
        vec![data(), entry("/etc/passwd", file())],
        vec![entry("other", Kind::Folder)],
        vec![entry("data", file())],
        vec![entry("data", link("x"))],
        vec![data(), entry("data/x", link("/etc"))],
        vec![data(), entry("data/x", link("a/../../y"))],
        vec![data(), entry("data/x", link("y")), entry("data/x/z", file())],
        vec![data(), entry("data/x", hard("/etc/passwd"))],
        vec![data(), entry("data/x", hard("data/y"))],
        vec![data(), entry("data/x", file()), entry("data/x", file())],
        vec![data(), entry("data//x", file())],
        vec![data(), entry("data/./x", file())],
        vec![data(), entry("data/no/x", file())],
        vec![data(), entry("data/x\0y", file())],
    ];
    let mut told = String::new();
    for entries in harmful {
        let bench = Bench::new();
        let archive = forged(&bench, &entries);
        let error = verify(&archive, &mut |_| true).unwrap_err();
        assert!(matches!(error, BackupError::Unsafe { .. }), "{error}");
        assert!(bench.extract(&archive).is_err());
        let (_, why) = error
            .to_string()
            .split_once("its entry ")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        told.push_str(&format!("{why}\n"));
    }
    insta::assert_snapshot!(told);
    let bench = Bench::new();
    let good = forged(
        &bench,
        &[data(), entry("data/x", file()), entry("data/y", hard("data/x"))],
    );
    verify(&good, &mut |_| true).unwrap();
}

#[test]
fn a_device_is_no_entry() {
    let mut stream = Vec::new();
    entry("data/x", Kind::Folder).write_header(&mut stream).unwrap();
    let at = stream.len() - 512;
    let before = u32::from(stream[at + 156]);
    stream[at + 156] = b'3';
    let sum =
        u32::from_str_radix(std::str::from_utf8(&stream[at + 148..at + 154]).unwrap(), 8);
    let sum = sum.unwrap() - before + u32::from(b'3');
    stream[at + 148..at + 154].copy_from_slice(format!("{sum:06o}").as_bytes());
    let error = crate::backup::entry::read_header(&mut &stream[..]).unwrap_err();
    assert!(error.to_string().contains("neither a file"), "{error}");
}
