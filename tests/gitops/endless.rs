//! Many pushes in a row, faster than they can be brought about.

use std::fs;
use std::path::Path;

use crate::product::measured;
use crate::{Scene, web};

/// How many pushes; `PUSHES` says otherwise.
const PUSHES: u32 = 100;
/// After how many the operator has what it needs.
const WARM: u32 = 30;

/// Returns how many files there are below a folder, and how many bytes.
fn size(folder: &Path) -> (usize, u64) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.fold((0, 0), |(files, bytes), entry| {
        let Ok(metadata) = entry.metadata() else { return (files, bytes) };
        let (more, further) =
            if metadata.is_dir() { size(&entry.path()) } else { (1, metadata.len()) };
        (files + more, bytes + further)
    })
}

#[test]
fn however_many_commits_come_the_state_directory_and_the_operator_stay_small() {
    let pushes = std::env::var("PUSHES").ok().and_then(|it| it.parse().ok());
    let pushes: u32 = pushes.unwrap_or(PUSHES);
    let mut scene = Scene::new();
    scene.forge.publish(&[("stacks/web.yaml", &web(0))]);
    scene.operator = Some(crate::Operator::quiet(&scene.product));
    scene.until_image("web", "web:0");
    let process = scene.operator().process();
    let memory = || -> u64 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    let (mut before, mut most) = (0, (0, 0));
    for version in 1..=pushes {
        // A stack of its own kind each time, so that all of its revisions are small.
        let commit = scene.forge.publish(&[("stacks/web.yaml", &web(version))]);
        let ended = scene.product.ends(0, &["sync"]);
        assert!(ended.output.contains(&commit[..12]), "{ended}");
        let now = size(&scene.product.path("state"));
        most = (most.0.max(now.0), most.1.max(now.1));
        if version == WARM {
            before = memory();
        }
    }
    let after = memory();
    measured(&format!(
        "{pushes} pushes: the state directory at most {} files and {} KiB; the operator's \
         memory {before} KiB after {WARM}, {after} KiB at the end",
        most.0,
        most.1 >> 10
    ));
    assert!(most.0 < 1000 && most.1 < 8 << 20, "{most:?}");
    // What an allocator keeps may vary; a leak of a commit each time would not fit.
    assert!(after < before + 8 * 1024, "{before} {after}");
    scene.until_image("web", &format!("web:{pushes}"));
    scene.end();
}
