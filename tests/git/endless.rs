//! A thousand pushes, each of which is fetched.

use std::fs;
use std::path::Path;

use crate::forge::Forge;
use crate::{Host, id};
use reconciler::source::git::{Descent, Limits};

/// How many pushes.
const PUSHES: usize = 1000;
/// What is kept of 50 small commits, and what can be added before it is noticed.
const MOST_BYTES: u64 = 4 << 20;

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
    let bare = forge.repository().display().to_string();
    let host = Host::of(&forge);
    let mut before = None;
    let mut known = None;
    let (mut most_files, mut most_bytes) = (0, 0);
    for (number, commit) in commits.iter().enumerate() {
        forge.git_in(&bare, &["update-ref", "refs/heads/main", commit]);
        let fetched = host.cache.fetch(known.as_ref()).await.unwrap();
        assert_eq!(fetched.id, id(commit));
        if let Some(known) = &known {
            let descent = host.cache.descent(&fetched.id, known).await.unwrap();
            assert_eq!(descent, Descent::Descends);
        }
        host.cache.stage(&fetched.id, &host.staged()).await.unwrap();
        host.cache.tidy().await.unwrap();
        known = Some(fetched.id);
        let (files, bytes) = size(&host.repository());
        (most_files, most_bytes) = (most_files.max(files), most_bytes.max(bytes));
        if number == 100 {
            before = Some(memory());
        }
    }
    let (before, after) = (before.unwrap(), memory());
    let told = format!(
        "at most {most_files} files and {most_bytes} bytes; memory {before} to {after} KiB"
    );
    assert!(most_files <= Limits::default().cache_files, "{told}");
    assert!(most_bytes <= MOST_BYTES, "{told}");
    assert!(after < before + (4 << 10), "{told}");
    assert!(host.text("folder/stack.yaml").contains("web:1000"));
}
