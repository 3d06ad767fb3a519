//! What goes wrong on the way, and what is left of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::forge::Forge;
use crate::forge::http::Mood;
use crate::{Host, by_token, id, processes_about};
use reconciler::source::git::{
    Access, Cache, GitError, GitUrl, Limits, Program, Reference, Remote,
};

/// Long enough for a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

fn impatient() -> Limits {
    let short = Duration::from_secs(2);
    Limits { tip: short, fetch: short, ..Limits::default() }
}

/// Waits until no process is left that works for a cache.
async fn none_is_left(host: &Host) {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if processes_about(&host.repository()).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("left: {:?}", processes_about(&host.repository()));
}

/// Returns the files of a folder, with their sizes.
fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(PathBuf, u64)> = entries
        .flatten()
        .flat_map(|entry| match entry.metadata().unwrap() {
            metadata if metadata.is_dir() => files(&entry.path()),
            metadata => vec![(entry.path(), metadata.len())],
        })
        .collect();
    found.sort();
    found
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    let mut random = fs::File::open("/dev/urandom").unwrap();
    std::io::Read::read_exact(&mut random, &mut noise).unwrap();
    noise
}

#[tokio::test]
async fn a_server_that_hangs_is_left_in_time_with_no_process_behind() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "1")]);
    let host = Host::with(&forge.http_url(), by_token(&forge), impatient());
    host.bring().await.unwrap();
    forge.publish(&[("stack.yaml", "2")]);
    for mood in [Mood::Hang, Mood::HangMidPack] {
        forge.be(mood);
        let start = Instant::now();
        let error = host.cache.fetch(None).await.unwrap_err();
        assert!(start.elapsed() >= Duration::from_secs(2), "{error}");
        assert!(start.elapsed() < PATIENCE, "{error}");
        assert!(matches!(error, GitError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains("no answer within 2 s"), "{error}");
        none_is_left(&host).await;
    }
    forge.be(Mood::Hang);
    let error = host.cache.tip().await.unwrap_err();
    assert!(matches!(error, GitError::Unreachable { .. }), "{error}");
    forge.be(Mood::Well);
    host.bring().await.unwrap();
    assert_eq!(host.text("stack.yaml"), "2");
}

#[tokio::test]
async fn an_ssh_server_that_says_nothing_is_left_in_time_too() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ssh://git@{}/stack.git", silent.local_addr().unwrap());
    let host = Host::with(&url, Access::default(), impatient());
    let error = host.cache.fetch(None).await.unwrap_err();
    assert!(matches!(error, GitError::Unreachable { .. }), "{error}");
    none_is_left(&host).await;
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_longer_leaves_no_process_behind() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    forge.be(Mood::Hang);
    let given_up =
        tokio::time::timeout(Duration::from_secs(1), host.cache.fetch(None)).await;
    assert!(given_up.is_err());
    none_is_left(&host).await;
}

#[tokio::test]
async fn a_server_that_is_ill_or_gone_is_unreachable() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    forge.be(Mood::Broken);
    let error = host.cache.tip().await.unwrap_err();
    assert!(matches!(error, GitError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("500"), "{error}");
    forge.be(Mood::Deny);
    let error = host.cache.tip().await.unwrap_err();
    assert!(matches!(error, GitError::Denied { .. }), "{error}");
    // Nobody listens on port 1.
    for url in ["http://127.0.0.1:1/stack.git", "ssh://git@127.0.0.1:1/stack.git"] {
        let host = Host::with(url, Access::default(), Limits::default());
        let error = host.cache.tip().await.unwrap_err();
        assert!(matches!(error, GitError::Unreachable { .. }), "{error}");
        assert!(error.to_string().to_lowercase().contains("connect"), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_nothing_and_the_next_fetch_works() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    forge.write("noise", &noise(1 << 20));
    forge.commit_all("noise");
    forge.push();
    let before = files(&host.repository());
    forge.be(Mood::CutMidPack);
    for _ in 0..3 {
        let error = host.cache.fetch(None).await.unwrap_err();
        assert!(matches!(error, GitError::Unreachable { .. }), "{error}");
        assert_eq!(files(&host.repository()), before);
    }
    forge.be(Mood::Well);
    host.bring().await.unwrap();
}

/// A way to spoil a file.
type Spoil = fn(&Path);

#[tokio::test]
async fn a_cache_that_is_spoilt_in_any_way_is_made_anew() {
    let forge = Forge::new();
    let ada = forge.signing_key("ada");
    let allowed = forge.allowed_signers(&[("ada@example.com", &ada)]);
    for number in 0..60 {
        forge.commit_all(&number.to_string());
    }
    forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    host.cache.fetch(None).await.unwrap();
    forge.sign_with(&ada);
    let commit = id(&forge.publish(&[("stack.yaml", "2"), ("folder/file", "text")]));
    host.cache.fetch(None).await.unwrap();
    host.cache.fetch(Some(&commit)).await.unwrap();
    let whole = files(&host.repository());
    for name in ["HEAD", "config", "shallow", "refs/reconciler/known"] {
        assert!(whole.iter().any(|(path, _)| path.ends_with(name)), "{name}: {whole:?}");
    }
    let spoil: [(&str, Spoil); 3] = [
        ("emptied", |path| fs::write(path, "").unwrap()),
        ("overwritten", |path| fs::write(path, noise(50)).unwrap()),
        ("removed", |path| fs::remove_file(path).unwrap()),
    ];
    for (path, _) in whole {
        for (how, spoil) in spoil {
            if !path.exists() {
                host.cache.fetch(Some(&commit)).await.unwrap();
            }
            if !path.exists() {
                continue;
            }
            let told = format!("{} {how}", path.display());
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            spoil(&path);
            host.cache.stage(&commit, &host.staged()).await.expect(&told);
            assert_eq!(host.text("folder/file"), "text", "{told}");
            host.cache.verify(&commit, &allowed).await.expect(&told);
            assert_eq!(host.cache.fetch(Some(&commit)).await.expect(&told).id, commit);
            host.cache.tidy().await.expect(&told);
        }
    }
}

#[tokio::test]
async fn locks_and_halves_of_a_killed_process_hold_nobody_up() {
    let forge = Forge::new();
    let first = id(&forge.publish(&[("stack.yaml", "1")]));
    let host = Host::of(&forge);
    host.cache.fetch(None).await.unwrap();
    let left = [
        "shallow.lock",
        "config.lock",
        "HEAD.lock",
        "packed-refs.lock",
        "refs/reconciler/tip.lock",
        "refs/reconciler/known.lock",
        "gc.pid.lock",
        "objects/pack/tmp_pack_x",
        "objects/tmp_obj_x",
    ];
    for name in left {
        let path = host.repository().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    fs::write(host.repository().join("gc.pid"), "1 elsewhere").unwrap();
    forge.publish(&[("stack.yaml", "2")]);
    let second = host.cache.fetch(Some(&first)).await.unwrap();
    host.cache.stage(&second.id, &host.staged()).await.unwrap();
    host.cache.tidy().await.unwrap();
    assert_eq!(host.text("stack.yaml"), "2");
    for name in left {
        assert!(!host.repository().join(name).exists(), "{name}");
    }
}

/// A file system of its own; it goes away with the value.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(mounted.success(), "a tmpfs is mounted, which takes root");
        Self(folder)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

#[tokio::test]
async fn a_full_disk_is_said_so_and_leaves_room_for_the_next_try() {
    let forge = Forge::new();
    let small = id(&forge.publish(&[("stack.yaml", "1")]));
    let disk = Disk::new("2m");
    let remote = Remote {
        url: GitUrl::parse(&forge.http_url()).unwrap(),
        reference: Reference::branch("main").unwrap(),
        access: by_token(&forge),
    };
    let at = disk.0.path().join("repository.git");
    let staged = disk.0.path().join("staged");
    let cache = Cache::new(at.clone(), remote, Program::default());
    cache.fetch(None).await.unwrap();
    let before = files(&at);
    forge.write("noise", &noise(4 << 20));
    forge.commit_all("noise");
    forge.push();
    let error = cache.fetch(None).await.unwrap_err();
    assert!(matches!(error, GitError::DiskFull { .. }), "{error:?}");
    assert_eq!(files(&at), before, "nothing of it is left");
    cache.stage(&small, &staged).await.unwrap();
    // Room for the objects, and none for the files.
    forge.write("noise", &noise(1 << 20));
    let commit = id(&forge.commit_all("less"));
    forge.push();
    cache.fetch(None).await.unwrap();
    let error = cache.stage(&commit, &staged).await.unwrap_err();
    assert!(matches!(error, GitError::DiskFull { .. }), "{error:?}");
    forge.remove("noise");
    forge.commit(&[("stack.yaml", "2")]);
    forge.push();
    let commit = cache.fetch(None).await.unwrap();
    cache.stage(&commit.id, &staged).await.unwrap();
    assert_eq!(fs::read_to_string(staged.join("stack.yaml")).unwrap(), "2");
}

#[tokio::test]
async fn a_missing_program_is_said_so() {
    let forge = Forge::new();
    let remote = Remote {
        url: GitUrl::parse(&forge.http_url()).unwrap(),
        reference: Reference::branch("main").unwrap(),
        access: Access::default(),
    };
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new("no-such-git", Limits::default());
    let cache = Cache::new(folder.path().join("repository.git"), remote, program);
    let error = cache.tip().await.unwrap_err();
    assert!(matches!(error, GitError::Program(_)), "{error:?}");
    assert!(error.to_string().contains("install git"), "{error}");
}
