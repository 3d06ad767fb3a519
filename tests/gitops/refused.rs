//! What may be wrong with a repository: the running stack is untouched, the condition says
//! why, and the next good push converges.

use std::path::Path;
use std::process::Command;

use crate::forge::http::Mood;
use crate::{Scene, web};

#[test]
fn only_commits_that_a_listed_key_has_signed_are_taken_up() {
    let mut scene = Scene::new();
    let (listed, other) =
        (scene.forge.signing_key("listed"), scene.forge.signing_key("other"));
    let signers = scene.forge.allowed_signers(&[("ada@example.com", &listed)]);
    scene.product.variable("RECONCILER_GIT_VERIFY", "ssh");
    let signers = signers.display().to_string();
    scene.product.variable("RECONCILER_GIT_ALLOWED_SIGNERS", &signers);
    scene.forge.sign_with(&listed);
    scene.forge.publish(&[("stacks/web.yaml", &web(1))]);
    scene.operate();
    scene.until_image("web", "web:1");
    let before = scene.containers();
    for (is_signed, expected) in [(false, "is not signed"), (true, "which is not listed")]
    {
        if is_signed {
            scene.forge.sign_with(&other);
        } else {
            scene.forge.sign_no_more();
        }
        let commit =
            scene.forge.publish(&[("stacks/web.yaml", &web(7 + u32::from(is_signed)))]);
        let message = loop {
            let message = scene.until_condition("web", "False", "CommitUntrusted");
            if message.contains(&commit[..12]) {
                break message;
            }
        };
        assert!(message.contains(expected), "{message}");
        assert_eq!(scene.containers(), before);
    }
    scene.forge.sign_with(&listed);
    scene.forge.publish(&[("stacks/web.yaml", &web(2))]);
    scene.until_image("web", "web:2");
    let operator = scene.operator();
    let taken = operator.says("the signer", |it| {
        it["signer"] == "ada@example.com" && it["files"].is_number()
    });
    assert_eq!(taken["level"], "INFO");
}

#[test]
fn history_is_not_rewound_unless_a_person_says_so() {
    let mut scene = Scene::at_work();
    let first = scene.forge.head();
    scene.forge.publish(&[("stacks/web.yaml", &web(2))]);
    scene.until_image("web", "web:2");
    let before = scene.containers();
    // An older commit, and then one of another history.
    scene.forge.git(&["reset", "--quiet", "--hard", &first]);
    scene.forge.force_push();
    let message = scene.until_condition("web", "False", "HistoryRewritten");
    assert!(
        message.contains("--allow-rewind") && message.contains(&first[..12]),
        "{message}"
    );
    scene.forge.commit(&[("stacks/web.yaml", &web(3))]);
    scene.forge.force_push();
    scene.until_condition("web", "False", "HistoryRewritten");
    assert_eq!(scene.containers(), before);
    // So it is for the next operator.
    scene.end();
    scene.operate();
    scene.until_condition("web", "False", "HistoryRewritten");
    assert_eq!(scene.containers(), before);
    let refused = scene.product.ends(1, &["sync", "-o", "json"]).json();
    assert_eq!(refused["reason"], "HistoryRewritten", "{refused}");
    let taken = scene.product.ends(0, &["sync", "--allow-rewind", "-o", "json"]).json();
    assert_eq!(
        (&taken["is_newest"], &taken["reason"]),
        (&true.into(), &serde_json::Value::Null)
    );
    scene.until_image("web", "web:3");
    scene.until_condition("web", "True", "Valid");
}

#[test]
fn a_repository_that_is_away_leaves_everything_as_it_is() {
    let mut scene = Scene::new();
    scene.product.variable("RECONCILER_GIT_TIMEOUT", "2s");
    scene.forge.publish(&[("stacks/web.yaml", &web(1))]);
    scene.operate();
    scene.until_image("web", "web:1");
    let before = scene.containers();
    for (version, mood) in (2..).zip([
        Mood::Hang,
        Mood::Deny,
        Mood::Broken,
        Mood::CutMidPack,
        Mood::HangMidPack,
    ]) {
        // What is cut off or hangs in the middle shows only where there is something new.
        scene.forge.be(mood);
        scene.forge.publish(&[("stacks/web.yaml", &web(version))]);
        let message = scene.until_condition("web", "Unknown", "SourceUnavailable");
        assert!(message.contains("/stack.git"), "{message}");
        assert!(scene.stack("web").is_some_and(|it| it["ready"] == true), "{mood:?}");
        if version == 2 {
            assert_eq!(scene.containers(), before, "{mood:?}");
        }
        scene.forge.be(Mood::Well);
        scene.until_image("web", &format!("web:{version}"));
        scene.until_condition("web", "True", "Valid");
    }
    scene.forge.delete_branch("main");
    let message = scene.until_condition("web", "Unknown", "SourceUnavailable");
    assert!(
        message.contains("branch main") && message.contains("is not there"),
        "{message}"
    );
    scene.forge.publish(&[("stacks/web.yaml", &web(9))]);
    scene.until_image("web", "web:9");
}

#[test]
fn healing_goes_on_while_the_repository_is_away() {
    let mut scene = Scene::at_work();
    scene.forge.be(Mood::Broken);
    scene.until_condition("web", "Unknown", "SourceUnavailable");
    // Also of an operator that starts then.
    scene.end();
    let engine = scene.product.path("engine.json");
    std::fs::remove_file(engine).unwrap();
    assert_eq!(scene.containers(), []);
    scene.operate();
    scene.until_image("web", "web:1");
    scene.until_condition("web", "Unknown", "SourceUnavailable");
}

/// A file system of a few MiB; it is taken away with the value.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn new(path: &'a Path) -> Self {
        std::fs::create_dir_all(path).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs"];
        let status = Command::new("mount").args(options).arg(path).status().unwrap();
        assert!(status.success(), "tests run as root, who can mount");
        Self(path)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        Command::new("umount")
            .arg("-l")
            .arg(self.0)
            .status()
            .map(drop)
            .unwrap_or_default();
    }
}

#[test]
fn a_full_disk_leaves_the_running_stack_as_it_is() {
    let mut scene = Scene::new();
    let folder = scene.product.path("state");
    let disk = SmallDisk::new(&folder);
    scene.forge.publish(&[("stacks/web.yaml", &web(1))]);
    scene.operate();
    scene.until_image("web", "web:1");
    let before = scene.containers();
    let noise: String = (0..700_000_u64)
        .map(|it| {
            char::from(
                33 + u8::try_from(it.wrapping_mul(2_654_435_761) >> 7 & 63).unwrap(),
            )
        })
        .collect();
    let filler = folder.join("filler");
    std::fs::write(&filler, vec![1_u8; 2 << 20]).unwrap();
    scene.forge.publish(&[
        ("stacks/web.yaml", &web(2)),
        ("noise/1", &noise),
        ("noise/2", &format!("2{noise}")),
        ("noise/3", &format!("3{noise}")),
    ]);
    let message = scene.until_condition_of_operator("SourceUnavailable");
    assert!(message.contains("space"), "{message}");
    assert_eq!(scene.containers(), before);
    std::fs::remove_file(&filler).unwrap();
    scene.forge.remove("noise");
    scene.forge.commit_all("Less");
    scene.forge.push();
    scene.until_image("web", "web:2");
    scene.end();
    drop(disk);
}

impl Scene {
    /// Waits until the operator says why the newest commit is not in force.
    #[track_caller]
    fn until_condition_of_operator(&mut self, reason: &str) -> String {
        let said = self
            .operator()
            .says(reason, |it| it["reason"] == reason && it["level"] == "ERROR");
        said["message"].as_str().unwrap_or_default().to_owned()
    }
}
