//! How much is kept of a repository with large files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::forge::Forge;
use crate::{Host, by_token, id};
use reconciler::source::git::{Descent, Limits};

/// What cannot be compressed, in each commit.
const FILE: usize = 100 << 10;
const BOUND: u64 = 400 << 10;

fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| match entry.metadata().unwrap() {
            metadata if metadata.is_dir() => bytes(&entry.path()),
            metadata => metadata.len(),
        })
        .sum()
}

fn push_noise(forge: &Forge) {
    let mut noise = vec![0; FILE];
    let mut random = fs::File::open("/dev/urandom").unwrap();
    std::io::Read::read_exact(&mut random, &mut noise).unwrap();
    forge.write("noise", &noise);
    forge.commit_all("noise");
    forge.push();
}

#[tokio::test]
async fn history_is_cut_where_it_is_too_large_and_found_again_where_it_is_needed() {
    let forge = Forge::new();
    push_noise(&forge);
    let limits = Limits { cache_bytes: BOUND, ..Limits::default() };
    let host = Host::with(&forge.http_url(), by_token(&forge), limits);
    let mut known = host.cache.fetch(None).await.unwrap().id;
    let first = known.clone();
    let inode = || fs::metadata(host.repository()).unwrap().ino();
    let same = inode();
    for _ in 0..12 {
        push_noise(&forge);
        let newer = host.cache.fetch(Some(&known)).await.unwrap().id;
        let descent = host.cache.descent(&newer, &known).await.unwrap();
        assert_eq!(descent, Descent::Descends);
        known = newer;
        host.cache.tidy().await.unwrap();
        let kept = bytes(&host.repository());
        assert!(kept <= BOUND, "{kept}");
        host.cache.stage(&known, &host.staged()).await.unwrap();
    }
    assert_eq!(host.cache.descent(&known, &first).await.unwrap(), Descent::Descends);
    forge.git(&["commit", "--quiet", "--amend", "-m", "amended"]);
    forge.force_push();
    let newer = host.cache.fetch(Some(&known)).await.unwrap().id;
    assert_eq!(host.cache.descent(&newer, &known).await.unwrap(), Descent::Rewound);
    assert_eq!(inode(), same, "it was thrown away meanwhile");
}

#[tokio::test]
async fn what_one_commit_needs_is_kept_though_it_is_more_than_the_bound() {
    let forge = Forge::new();
    push_noise(&forge);
    let limits = Limits { cache_bytes: 1000, ..Limits::default() };
    let host = Host::with(&forge.http_url(), by_token(&forge), limits);
    let commit = host.cache.fetch(None).await.unwrap().id;
    for _ in 0..2 {
        host.cache.tidy().await.unwrap();
        host.cache.stage(&commit, &host.staged()).await.unwrap();
    }
    assert_eq!(fs::metadata(host.staged().join("noise")).unwrap().len(), FILE as u64);
}

#[tokio::test]
async fn a_repository_with_longer_names_is_followed_too() {
    let forge = Forge::new();
    let bare = forge.path("repositories/long.git").display().to_string();
    let tree = forge.path("long").display().to_string();
    let init = ["init", "--quiet", "--object-format=sha256", "-b", "main"];
    forge.git_in("/", &[init.as_slice(), &["--bare", &bare]].concat());
    forge.git_in("/", &[init.as_slice(), &[&tree]].concat());
    let publish = |text: &str| {
        fs::write(forge.path("long/stack.yaml"), text).unwrap();
        forge.git_in(&tree, &["add", "--all"]);
        forge.git_in(&tree, &["commit", "--quiet", "-m", "A change"]);
        forge.git_in(&tree, &["push", "--quiet", &bare, "main"]);
        id(&forge.git_in(&tree, &["rev-parse", "HEAD"]))
    };
    let first = publish("1");
    let url = forge.http().url("long.git");
    let host = Host::with(&url, by_token(&forge), Limits::default());
    assert_eq!(host.cache.fetch(None).await.unwrap().id, first);
    let second = publish("2");
    assert_eq!(host.cache.fetch(Some(&first)).await.unwrap().id, second);
    let descent = host.cache.descent(&second, &first).await.unwrap();
    assert_eq!(descent, Descent::Descends);
    host.cache.stage(&second, &host.staged()).await.unwrap();
    assert_eq!(host.text("stack.yaml"), "2");
}
