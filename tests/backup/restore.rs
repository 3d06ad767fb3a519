//! `restore`, with a `run` and without, cut off everywhere.

use std::fs;

use crate::product::measured;
use crate::product::operator::Operator;
use crate::scene::{Mount, Scene};

fn backed_up(scene: &Scene) -> (String, usize) {
    scene.waits("it writes", || scene.numbers() > 20);
    scene.creates();
    let before = {
        // What is in the archive is at most what is there now.
        let (archive, _) = scene.archives().pop().unwrap();
        let out = scene.product.path("peek");
        fs::create_dir_all(&out).unwrap();
        let mut plain = Vec::new();
        zstd::stream::copy_decode(fs::File::open(&archive).unwrap(), &mut plain).unwrap();
        let text = String::from_utf8_lossy(&plain);
        let numbers = text.lines().filter(|it| it.parse::<usize>().is_ok()).count();
        (archive, numbers)
    };
    scene.is_back();
    before
}

/// No folder of ours is left over.
#[track_caller]
fn is_tidy(scene: &Scene) {
    for folder in [scene.data(), scene.product.path("")] {
        let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
        let left: Vec<_> =
            entries.filter(|it| it.to_string_lossy().contains(".reconciler-")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn destroyed_data_come_back_with_every_record() {
    let Some(scene) = Scene::new("rdata").await else { return };
    let (archive, before) = backed_up(&scene);
    let name = scene.corner.name("db-1");
    scene.docker(&["stop", &name]);
    scene.product.shell("rm -rf data/log; echo garbage > data/garbage");
    let ended = scene.product.ends(1, &["restore", &archive]);
    assert!(ended.notices.contains("nothing was restored"), "{ended}");
    let ended = scene.product.ends(0, &["restore", &archive, "--yes"]);
    measured(ended.output.trim());
    scene.is_back();
    assert!(scene.numbers() >= before, "{} of {before}", scene.numbers());
    assert!(!scene.data().join("garbage").exists());
    is_tidy(&scene);
    let events = scene.product.ends(0, &["events"]);
    assert!(events.output.contains("Restored"), "{events}");
}

#[tokio::test]
async fn a_run_restores_onto_a_mount_point() {
    let Some(scene) = Scene::new("rmount").await else { return };
    let name = scene.corner.name("db-1");
    scene.docker(&["stop", &name]);
    let Some(_mount) = Mount::new(&scene.data(), "64m") else { return };
    scene.product.ends(0, &["apply", "--accept-data-path", "--timeout", "60s"]);
    let (archive, before) = backed_up(&scene);
    let mut operator = Operator::quiet(&scene.product);
    operator.says_message("a stack is taken up");
    scene.is_back();
    scene.product.shell("echo garbage > data/garbage");
    scene.product.ends(0, &["restore", &archive, "--yes"]);
    scene.is_back();
    assert!(scene.numbers() >= before);
    assert!(!scene.data().join("garbage").exists());
    is_tidy(&scene);
    operator.signal("TERM");
    operator.ended();
    for service in ["web", "db"] {
        scene.docker(&["stop", &scene.corner.name(&format!("{service}-1"))]);
    }
}

#[tokio::test]
async fn a_restore_that_is_killed_anywhere_leaves_one_state_or_the_other() {
    let Some(scene) = Scene::new("rkill").await else { return };
    scene.noise(150);
    let (archive, before) = backed_up(&scene);
    for phase in ["taking out", "stopping", "exchanging", "starting"] {
        scene.is_back();
        scene.product.shell("echo garbage > data/garbage");
        let mut child = scene.starts(&["restore", &archive, "--yes"]);
        let is_out = || {
            let mut entries = fs::read_dir(scene.product.path("")).unwrap();
            entries.any(|it| {
                it.unwrap().file_name().to_string_lossy().starts_with(".reconciler-")
            })
        };
        scene.waits("it is taken out", is_out);
        match phase {
            "taking out" => {}
            "stopping" => scene.waits("web stops", || !scene.is_running("web")),
            "exchanging" => scene.waits("all stop", || !scene.is_running("db")),
            _ => {
                scene.waits("all stop", || !scene.is_running("db"));
                scene.waits("it starts", || scene.is_running("db"));
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        scene.waits("it is finished", || !is_out());
        scene.is_back();
        // Who stood by would else go on, when all is cleared away.
        scene.is_free();
        assert!(scene.numbers() >= before, "{phase}");
        is_tidy(&scene);
        assert!(scene.data().join("noise").exists(), "{phase}");
    }
}

#[tokio::test]
async fn a_run_that_is_killed_in_a_restore_is_followed_by_one_that_finishes_it() {
    let Some(scene) = Scene::new("rrun").await else { return };
    let (archive, before) = backed_up(&scene);
    for is_late in [false, true] {
        let mut operator = Operator::quiet(&scene.product);
        operator.says_message("a stack is taken up");
        scene.is_back();
        let mut child = scene.starts(&["restore", &archive, "--yes"]);
        scene.waits("all stop", || !scene.is_running("db"));
        if is_late {
            scene.waits("it starts", || scene.is_running("db"));
        }
        operator.signal("KILL");
        operator.ended();
        assert!(!child.wait().unwrap().success());
        let mut operator = Operator::quiet(&scene.product);
        operator.says_message("a stack is taken up");
        scene.is_back();
        assert!(scene.numbers() >= before);
        scene.waits("it is tidy", || {
            let mut entries = fs::read_dir(scene.product.path("")).unwrap();
            !entries.any(|it| {
                it.unwrap().file_name().to_string_lossy().starts_with(".reconciler-")
            })
        });
        operator.signal("TERM");
        operator.ended();
    }
}

#[tokio::test]
async fn a_restored_stack_that_does_not_get_ready_has_its_data_again() {
    let Some(scene) = Scene::new("rback").await else { return };
    // Ready only with a file that the archive does not have.
    let (archive, _) = backed_up(&scene);
    scene.product.shell("touch data/good");
    let stack = fs::read_to_string(scene.product.path("stack.yaml")).unwrap();
    let checked = "healthcheck: {test: [CMD, test, -f, /data/good], interval: 1s}\n    \
                   x-reconciler: {ready_deadline: 15s, heal: false}\n    stop_grace_period: 20s";
    scene.product.write("stack.yaml", &stack.replace("stop_grace_period: 20s", checked));
    scene.product.apply();
    let ended = scene.product.ends(1, &["restore", &archive, "--yes"]);
    assert!(ended.notices.contains("has its data of before again"), "{ended}");
    scene.is_back();
    assert!(scene.data().join("good").exists());
    is_tidy(&scene);
}

#[tokio::test]
async fn an_archive_that_does_not_fit_is_refused_and_changes_nothing() {
    let Some(scene) = Scene::new("rfit").await else { return };
    let image = |tag: &str| scene.corner.name(&format!("image:{tag}"));
    for tag in ["v1.2", "v2.0"] {
        scene.docker(&["tag", crate::real::IMAGE, &image(tag)]);
    }
    let stack = fs::read_to_string(scene.product.path("stack.yaml")).unwrap();
    let of = |tag: &str| stack.replace(crate::real::IMAGE, &image(tag));
    scene.product.write("stack.yaml", &of("v1.2"));
    scene.product.apply();
    let (archive, _) = backed_up(&scene);
    scene.product.write("stack.yaml", &of("v2.0"));
    scene.product.apply();
    let started = || {
        let name = scene.corner.name("db-1");
        scene.docker(&["inspect", "-f", "{{.State.StartedAt}}", &name])
    };
    let before = started();
    let ended = scene.product.ends(1, &["restore", &archive, "--yes"]);
    assert!(ended.notices.contains("v1.2, and it is v2.0 now"), "{ended}");
    let bytes = fs::read(&archive).unwrap();
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 4;
    fs::write(&archive, damaged).unwrap();
    let ended = scene.product.ends(1, &["restore", &archive, "--yes"]);
    assert!(ended.notices.contains("damaged"), "{ended}");
    assert_eq!(started(), before, "the stack was not touched");
    fs::write(&archive, bytes).unwrap();
    scene.product.ends(0, &["restore", &archive, "--yes", "--accept-other-version"]);
    scene.is_back();
    scene.product.write("stack.yaml", &stack);
    scene.product.apply();
    for tag in ["v1.2", "v2.0"] {
        scene.docker(&["rmi", &image(tag)]);
    }
}
