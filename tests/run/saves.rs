//! A save arrives on the engine, however it is made.

use std::fs;
use std::os::unix::fs::symlink;

use reconciler::clock::Clock;

use crate::Scene;
use crate::product::measured;

/// Saves, and waits until the new limit has arrived; the containers live on.
async fn arrives(
    scene: &mut Scene,
    how: &str,
    megabytes: u32,
    save: impl FnOnce(&Scene),
) {
    let before = scene.identities().await;
    let clock = Clock::new();
    save(scene);
    scene.until_memory(megabytes).await;
    let seconds = clock.now().moment.0.as_secs_f64();
    measured(&format!("{how}: {seconds:.2} s from the save to docker inspect"));
    assert_eq!(scene.identities().await, before, "{how}");
}

#[tokio::test]
async fn every_kind_of_save_changes_the_limit_of_the_very_same_container() {
    let Some(mut scene) = Scene::at_work("saves").await else { return };
    arrives(&mut scene, "a write in place", 40, |scene| {
        scene.product.write("stack.yaml", &scene.stack(40));
    })
    .await;
    arrives(&mut scene, "sed -i", 48, |scene| {
        scene.product.shell("sed -i 's/40M/48M/' stack.yaml");
    })
    .await;
    arrives(&mut scene, "an editor's rename", 56, |scene| {
        scene.product.write(".stack.yaml.swp", &scene.stack(56));
        scene.product.shell("mv .stack.yaml.swp stack.yaml");
    })
    .await;
    arrives(&mut scene, "a backup by renaming", 64, |scene| {
        scene.product.shell("mv stack.yaml stack.yaml~");
        scene.product.write("stack.yaml", &scene.stack(64));
    })
    .await;
}

#[tokio::test]
async fn a_git_checkout_arrives() {
    const COMMIT: &str = "git -c user.name=a -c user.email=a@b commit -qm change";
    let Some(mut scene) = Scene::new("git").await else { return };
    for megabytes in [32, 40] {
        scene.product.write("stack.yaml", &scene.stack(megabytes));
        scene.product.shell(&format!("git init -q .; git add stack.yaml; {COMMIT}"));
    }
    scene.operate();
    scene.says("the stack is ready");
    scene.until_memory(40).await;
    arrives(&mut scene, "git checkout", 32, |scene| {
        scene.product.shell("git checkout -q HEAD~1");
    })
    .await;
    arrives(&mut scene, "git checkout and back", 40, |scene| {
        scene.product.shell("git checkout -q -");
    })
    .await;
}

#[tokio::test]
async fn a_swap_of_a_link_arrives() {
    let Some(mut scene) = Scene::new("link").await else { return };
    for (folder, megabytes) in [("..one", 32), ("..two", 40)] {
        scene.product.write(&format!("{folder}/stack.yaml"), &scene.stack(megabytes));
    }
    symlink("..one", scene.product.path("..data")).unwrap();
    symlink("..data/stack.yaml", scene.product.path("stack.yaml")).unwrap();
    scene.operate();
    scene.says("the stack is ready");
    arrives(&mut scene, "a swap of ..data", 40, |scene| {
        let path = |name| scene.product.path(name);
        symlink("..two", path("..next")).unwrap();
        fs::rename(path("..next"), path("..data")).unwrap();
    })
    .await;
    // The first folder goes away, as it does where a cluster mounts its settings.
    fs::remove_dir_all(scene.product.path("..one")).unwrap();
    arrives(&mut scene, "a write behind the links", 48, |scene| {
        scene.product.write("..two/stack.yaml", &scene.stack(48));
    })
    .await;
}
