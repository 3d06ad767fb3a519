//! The files of a commit, as they are staged.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::forge::Forge;
use crate::{Host, by_token, id};
use reconciler::source::git::{GitError, Limits, Refusal};

async fn refusal(host: &Host) -> Refusal {
    match host.bring().await.unwrap_err() {
        GitError::Refused { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_are_as_the_commit_has_them_whatever_its_attributes_say() {
    let forge = Forge::new();
    let bytes = b"line\n$Id$\n\0\xff";
    let names = ["x", "a/b/c.yaml", "-x", "new\nline", "space d\u{e9}", ".github/y"];
    for name in names {
        forge.write(name, bytes);
    }
    forge.commit_all("files");
    // Later: git would write other bytes to the objects.
    let odd = "text eol=crlf ident filter=evil working-tree-encoding=UTF-16";
    let attributes = format!("*.yaml {odd}\n-x {odd}\nx export-ignore\n");
    forge.write(".gitattributes", attributes.as_bytes());
    forge.git(&["add", ".gitattributes"]);
    forge.git(&["commit", "--quiet", "-m", "attributes"]);
    forge.push();
    let host = Host::of(&forge);
    assert!(host.bring().await.unwrap().is_empty());
    for name in names {
        assert_eq!(fs::read(host.staged().join(name)).unwrap(), bytes, "{name:?}");
    }
}

#[tokio::test]
async fn modes_are_those_of_the_commit_and_another_commit_leaves_nothing_over() {
    let forge = Forge::new();
    forge.write("plain", b"");
    forge.write("folder/script", b"#!/bin/sh\n");
    let script = forge.tree().join("folder/script");
    fs::set_permissions(script, fs::Permissions::from_mode(0o775)).unwrap();
    forge.link("link", "folder/script");
    forge.link("folder/up", "../folder");
    forge.commit_all("files");
    forge.push();
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    let mode = |name: &str| {
        let metadata = fs::symlink_metadata(host.staged().join(name)).unwrap();
        metadata.permissions().mode() & 0o7777
    };
    let modes: BTreeMap<&str, u32> =
        ["", "plain", "folder", "folder/script"].map(|it| (it, mode(it))).into();
    let expected =
        [("", 0o755), ("plain", 0o644), ("folder", 0o755), ("folder/script", 0o755)];
    assert_eq!(modes, expected.into());
    let target = fs::read_link(host.staged().join("link")).unwrap();
    assert_eq!(target.to_str(), Some("folder/script"));
    forge.remove("folder");
    forge.remove("link");
    forge.commit_all("fewer");
    forge.push();
    host.bring().await.unwrap();
    let names = fs::read_dir(host.staged()).unwrap().map(|it| it.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["plain"]);
}

#[tokio::test]
async fn links_that_lead_out_or_nowhere_are_refused_by_name() {
    for (links, culprit) in [
        ([("a", "/etc/passwd")].as_slice(), "a"),
        (&[("a", "../../state.json")], "a"),
        (&[("deep/er/a", "../../../x")], "deep/er/a"),
        (
            &[("one", "two"), ("two", "deep/three"), ("deep/three", "../../x")],
            "deep/three",
        ),
        (&[("a", "missing")], "a"),
    ] {
        let forge = Forge::new();
        forge.write("stack.yaml", b"");
        for (name, target) in links {
            forge.link(name, target);
        }
        let commit = forge.commit_all("links");
        forge.push();
        let host = Host::of(&forge);
        let error = host.bring().await.unwrap_err().to_string();
        assert!(error.contains(&format!("`{culprit}`")), "{error}");
        assert!(error.contains(&commit[..12]), "{error}");
        // The next commit is not held up.
        for (name, _) in links {
            forge.remove(name);
        }
        forge.commit_all("no links");
        forge.push();
        host.bring().await.unwrap();
    }
}

#[tokio::test]
async fn submodules_are_left_out_and_large_files_stand_as_pointers() {
    let forge = Forge::new();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    let commit = forge.commit(&[("large.bin", pointer), ("stack.yaml", "")]);
    let module = format!("160000,{commit},modules/one");
    forge.git(&["update-index", "--add", "--cacheinfo", &module]);
    forge.git(&["commit", "--quiet", "-m", "a submodule"]);
    forge.push();
    let host = Host::of(&forge);
    let warnings = host.bring().await.unwrap();
    assert_eq!(
        warnings,
        [
            "the submodule `modules/one` is left out",
            "`large.bin` is kept by Git LFS, and only its pointer is here",
        ]
    );
    assert_eq!(host.text("large.bin"), pointer);
    assert!(!host.staged().join("modules").exists());
}

/// Makes a commit of a tree that git itself does not make.
fn publish_tree(forge: &Forge, names: &[&str]) {
    let bare = forge.repository().display().to_string();
    let blob = forge.git_with(&bare, &["hash-object", "-w", "--stdin"], b"x");
    let raw: Vec<u8> = blob
        .as_bytes()
        .chunks(2)
        .map(|it| u8::from_str_radix(str::from_utf8(it).unwrap(), 16).unwrap())
        .collect();
    let entry = |name: &&str| [format!("100644 {name}\0").as_bytes(), &raw].concat();
    let tree: Vec<u8> = names.iter().flat_map(entry).collect();
    let arguments = ["hash-object", "--literally", "-t", "tree", "-w", "--stdin"];
    let tree = forge.git_with(&bare, &arguments, &tree);
    let commit = forge.git_in(&bare, &["commit-tree", "-m", "odd", &tree]);
    forge.git_in(&bare, &["update-ref", "refs/heads/main", &commit]);
}

#[tokio::test]
async fn names_that_no_commit_may_have_are_refused() {
    let forge = Forge::new();
    let host = Host::of(&forge);
    for names in [[".git"].as_slice(), &[".."], &["a/b"], &[".GIT"], &["a", "a"], &["."]]
    {
        publish_tree(&forge, names);
        let refused = refusal(&host).await;
        assert!(matches!(refused, Refusal::Object(_)), "{names:?}: {refused}");
    }
    publish_tree(&forge, &["fine"]);
    host.bring().await.unwrap();
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_fills_the_disk() {
    let forge = Forge::new();
    // What cannot be compressed.
    let mut noise = vec![0; 3 << 20];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom").unwrap(), &mut noise)
        .unwrap();
    forge.write("noise", &noise);
    forge.commit_all("noise");
    forge.push();
    for (limits, expected) in [
        (Limits { most_fetched: 1 << 20, ..Limits::default() }, "fetched"),
        (Limits { most_bytes: 1 << 20, ..Limits::default() }, "together"),
        (Limits { most_files: 0, ..Limits::default() }, "1 files"),
    ] {
        let host = Host::with(&forge.http_url(), by_token(&forge), limits);
        let refused = refusal(&host).await;
        assert!(refused.to_string().contains(expected), "{refused}");
        assert!(!host.staged().exists(), "nothing is written");
    }
}

#[tokio::test]
async fn a_commit_that_is_no_longer_the_tip_can_be_staged_from_a_lost_cache() {
    let forge = Forge::new();
    let first = forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    forge.publish(&[("stack.yaml", "2")]);
    host.cache.fetch(None).await.unwrap();
    fs::remove_dir_all(host.repository()).unwrap();
    host.cache.stage(&id(&first), &host.staged()).await.unwrap();
    assert_eq!(host.text("stack.yaml"), "1");
}
