//! `backup create`, with a `run` and without.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::product::measured;
use crate::product::operator::Operator;
use crate::scene::{Mount, Scene};

#[tokio::test]
async fn a_backup_is_of_one_instant_and_the_stack_comes_back() {
    let Some(scene) = Scene::new("bcreate").await else { return };
    scene.product.shell("mkdir data/empty; ln -s log data/link");
    scene.want(", after: [sh, -c, 'cp \"$$RECONCILER_ARCHIVE\" copied']");
    scene.product.apply();
    scene.waits("it writes", || scene.numbers() > 20);
    let ended = scene.creates();
    measured(ended.output.trim());
    assert!(ended.notices.contains("on the same device"), "{ended}");
    scene.is_back();
    assert!(scene.product.path("copied").exists(), "{ended}");
    let archives = scene.archives();
    let [(archive, true)] = archives.as_slice() else { panic!("{archives:?}") };
    scene.product.ends(0, &["backup", "verify", archive]);
    let out = scene.product.path("out");
    fs::create_dir(&out).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&out).args(["--zstd", "-xf", archive]);
    tar.status().map(drop).unwrap_or_default();
    // A whole number of numbers, and the last word of a writer that was asked to end.
    if let Ok(log) = fs::read_to_string(out.join("data/log")) {
        assert_eq!(log.lines().last(), Some("end"), "it was not killed");
        assert!(fs::read_link(out.join("data/link")).is_ok());
    }
    let events = scene.product.ends(0, &["events"]);
    assert!(events.output.contains("BackedUp"), "{events}");
    // One byte of it is flipped.
    let mut bytes = fs::read(archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(archive, bytes).unwrap();
    let ended = scene.product.ends(1, &["backup", "verify", archive]);
    assert!(ended.notices.contains("damaged"), "{ended}");
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1_100));
        scene.creates();
    }
    assert_eq!(scene.archives().len(), 2, "the oldest go");
}

#[tokio::test]
async fn a_backup_that_is_killed_leaves_no_archive_and_the_stack_comes_back() {
    let Some(scene) = Scene::new("bkill").await else { return };
    scene.noise(300);
    // In the middle of stopping, of archiving, of starting and of reading back.
    for phase in ["stopping", "archiving", "late"] {
        scene.is_back();
        let mut child = scene.starts(&["backup", "create"]);
        match phase {
            "stopping" => scene.waits("web stops", || !scene.is_running("web")),
            "archiving" => scene.waits("all stop", || !scene.is_running("db")),
            _ => {
                scene.waits("all stop", || !scene.is_running("db"));
                scene.waits("it starts", || scene.is_running("db"));
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        scene.is_back();
        scene.is_free();
        assert_eq!(scene.archives(), [], "{phase}");
    }
    scene.creates();
    let left = fs::read_dir(scene.backups()).unwrap();
    assert_eq!(left.count(), 1, "what was unfinished is cleared away");
}

#[tokio::test]
async fn a_run_makes_backups_and_one_that_is_killed_is_followed_by_one_that_wakes() {
    let Some(scene) = Scene::new("brun").await else { return };
    scene.noise(200);
    let mut operator = Operator::quiet(&scene.product);
    operator.says_message("a stack is taken up");
    scene.is_back();
    let ended = scene.creates();
    measured(ended.output.trim());
    assert!(ended.notices.contains("stopping the stack"), "{ended}");
    scene.is_back();
    assert_eq!(scene.archives().len(), 1);
    let mut child = scene.starts(&["backup", "create"]);
    scene.waits("all stop", || !scene.is_running("db"));
    let refused = scene.product.run(&["restart", "db"]);
    assert_eq!(refused.code, 4, "{refused}");
    assert!(refused.notices.contains("a backup or a restore is under way"), "{refused}");
    let status = scene.product.status();
    assert!(
        status.to_string().contains("BackingUp") || scene.is_running("db"),
        "{status}"
    );
    operator.signal("KILL");
    operator.ended();
    assert!(!child.wait().unwrap().success());
    let mut operator = Operator::quiet(&scene.product);
    operator.says_message("a stack is taken up");
    scene.is_back();
    assert_eq!(scene.archives().len(), 1);
    // One that is asked to end brings the stack back before it does.
    let mut child = scene.starts(&["backup", "create"]);
    scene.waits("all stop", || !scene.is_running("db"));
    operator.signal("TERM");
    assert!(operator.ended().success());
    child.wait().unwrap();
    scene.is_back();
}

#[tokio::test]
async fn a_backup_fails_when_something_is_started_in_between() {
    let Some(scene) = Scene::new("bstart").await else { return };
    scene.noise(300);
    let name = scene.corner.name("web-1");
    let mut child = scene.starts(&["backup", "create"]);
    scene.waits("all stop", || !scene.is_running("db"));
    scene.docker(&["start", &name]);
    assert!(!child.wait().unwrap().success());
    scene.is_back();
    assert_eq!(scene.archives(), []);
}

#[tokio::test]
async fn a_backup_on_a_full_disk_fails_and_the_stack_comes_back() {
    let Some(scene) = Scene::new("bfull").await else { return };
    scene.noise(20);
    let mount = Mount::new(&scene.backups(), "4m");
    let Some(_mount) = mount else { return };
    let ended = scene.product.ends(1, &["backup", "create"]);
    assert!(ended.notices.contains("No space left"), "{ended}");
    scene.is_back();
    assert_eq!(fs::read_dir(scene.backups()).unwrap().count(), 0);
    let events = scene.product.ends(0, &["events"]);
    assert!(events.output.contains("BackupFailed"), "{events}");
}

#[tokio::test]
async fn a_file_that_was_edited_is_applied_by_no_backup() {
    let Some(scene) = Scene::new("bedit").await else { return };
    let stack = fs::read_to_string(scene.product.path("stack.yaml")).unwrap();
    scene.product.write("stack.yaml", &stack.replace("900", "901"));
    let ended = scene.product.ends(1, &["backup", "create"]);
    assert!(ended.notices.contains("`reconciler apply` first"), "{ended}");
    assert_eq!(scene.product.changes().len(), 1, "it is still to be applied");
    scene.product.write("stack.yaml", &stack);
    scene.creates();
}
