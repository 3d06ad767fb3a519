//! A thousand pushes, each of which is fetched. Nothing else runs in this process, so that
//! its memory can be measured.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "what cannot go on ends the test, and figures are for people"
)]

#[path = "../forge/mod.rs"]
mod forge;

use std::fs;
use std::path::Path;

use forge::Forge;
use reconciler::source::git::{
    Access, Cache, Descent, GitUrl, Limits, Program, Reference, Remote,
};
use reconciler::state::commit::CommitId;

/// How many pushes.
const PUSHES: usize = 1000;
/// As many files as may be there are small: objects, each smaller than a block.
const MOST_BYTES: u64 = 500 * 4096;
/// What the allocator and the server of the test may take: 900 fetches that leave 2 KiB each
/// are found.
const MOST_MEMORY: u64 = 1800;

fn size(folder: &Path) -> (usize, u64) {
    fs::read_dir(folder).unwrap().flatten().fold((0, 0), |(files, bytes), entry| {
        let metadata = entry.metadata().unwrap();
        let (more, further) =
            if metadata.is_dir() { size(&entry.path()) } else { (1, metadata.len()) };
        (files + more, bytes + further)
    })
}

/// Returns how much memory this process uses, in KiB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Makes the commits, without a branch that has them.
fn commits(forge: &Forge) -> Vec<String> {
    let mut stream = String::new();
    for number in 1..=PUSHES {
        let text = format!("services: {{web: {{image: 'web:{number}'}}}}\n");
        let (length, name) = (text.len(), number.to_string());
        stream.push_str(&format!(
            "commit refs/heads/later\nmark :{number}\n\
             committer Ada <ada@example.com> {} +0000\ndata {}\n{name}\n\
             M 100644 inline folder/stack.yaml\ndata {length}\n{text}\n",
            1_700_000_000 + number,
            name.len(),
        ));
    }
    let bare = forge.repository().display().to_string();
    forge.git_with(&bare, &["fast-import", "--quiet"], stream.as_bytes());
    let list = forge.git_in(&bare, &["rev-list", "--reverse", "refs/heads/later"]);
    list.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_thousand_pushes_leave_the_cache_and_the_memory_as_they_were() {
    let forge = Forge::new();
    let commits = commits(&forge);
    assert_eq!(commits.len(), PUSHES);
    let branch = forge.repository().join("refs/heads/main");
    let folder = tempfile::tempdir().unwrap();
    let (repository, staged) =
        (folder.path().join("repository.git"), folder.path().join("staged"));
    let remote = Remote {
        url: GitUrl::parse(&forge.http_url()).unwrap(),
        reference: Reference::branch("main").unwrap(),
        access: Access { token_file: Some(forge.token_file()), ..Access::default() },
    };
    let cache = Cache::new(repository.clone(), remote, Program::default());
    let mut before = None;
    let mut known = None;
    let (mut most_files, mut most_bytes) = (0, 0);
    for (number, commit) in commits.iter().enumerate() {
        fs::write(&branch, format!("{commit}\n")).unwrap();
        let fetched = cache.fetch(known.as_ref()).await.unwrap();
        assert_eq!(fetched.id, CommitId::parse(commit).unwrap());
        if let Some(known) = &known {
            let descent = cache.descent(&fetched.id, known).await.unwrap();
            assert_eq!(descent, Descent::Descends);
        }
        cache.stage(&fetched.id, &staged).await.unwrap();
        cache.tidy().await.unwrap();
        known = Some(fetched.id);
        let (files, bytes) = size(&repository);
        (most_files, most_bytes) = (most_files.max(files), most_bytes.max(bytes));
        if number == 100 {
            before = Some(memory());
        }
    }
    let (before, after) = (before.unwrap(), memory());
    let told = format!(
        "at most {most_files} files and {most_bytes} bytes; memory {before} to {after} KiB"
    );
    // For the record: `--nocapture` shows it.
    eprintln!("{told}");
    assert!(most_files <= Limits::default().cache_files, "{told}");
    assert!(most_bytes <= MOST_BYTES, "{told}");
    assert!(after < before + MOST_MEMORY, "{told}");
    let text = fs::read_to_string(staged.join("folder/stack.yaml")).unwrap();
    assert!(text.contains("web:1000"), "{text}");
}
