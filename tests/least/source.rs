//! What the source never names, so that no command can ask for it.

use std::fs;
use std::path::Path;

/// Words of calls that no command makes, as the client's methods and the engine's paths have
/// them.
const NEVER: [&str; 15] = [
    "prune_",
    "/prune",
    "build_image",
    "/build",
    "commit_container",
    "/commit",
    "import_image",
    "push_image",
    "remove_image",
    "/swarm",
    "/services",
    "/plugins",
    "/auth",
    "download_from_container",
    "attach_container",
];

#[test]
fn nothing_is_pruned_built_or_pushed_and_no_file_is_read_out_of_a_container() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/docker");
    let mut lines = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            lines += 1;
            let named = NEVER.iter().find(|word| line.contains(**word));
            assert_eq!(named, None, "{}: {line}", path.display());
        }
    }
    assert!(lines > 1000, "the source was not found");
}

#[test]
fn one_place_deletes_volumes_and_only_delete_leads_there() {
    let commands = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/command");
    for entry in fs::read_dir(commands).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let is_delete = path.ends_with("delete.rs");
        assert_eq!(text.contains("delete_volume("), is_delete, "{}", path.display());
    }
}
