//! What the engine and the host tell: containers, disks, memory, images.

use std::process::Command;

use crate::product::is_root;
use crate::real::IMAGE;
use crate::{Scene, docker, inside, until};

#[tokio::test]
async fn a_container_that_is_stopped_or_unhealthy_or_gone_fails() {
    let Some(scene) = Scene::new("check-up", &[IMAGE]).await else { return };
    scene.product.write("shared/ok", "");
    scene.want(&format!(
        "
services:
  web:
    image: {IMAGE}
    command: [sh, -c, 'exec sleep 600']
    init: true
    volumes: ['./shared:/shared']
    healthcheck: {{test: test -e /shared/ok, interval: 1s, timeout: 5s, retries: 1}}
    stop_grace_period: 1s
  other: {{image: {IMAGE}, command: [sleep, '600'], init: true, stop_grace_period: 1s}}
"
    ));
    // Without any `checks`, those that need no words are made.
    scene.product.apply();
    let made = scene.passes();
    let names = made["checks"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["containers", "disk", "image-age", "memory"]);

    let web = scene.container("web");
    scene.product.shell("rm shared/ok");
    until("it is unhealthy", || {
        let found = scene.product.run(&["check", "containers"]);
        found.output.contains("it runs and is unhealthy")
    });
    scene.fails("containers", &["service/web/1", "unhealthy", "State.Health", &web]);
    scene.product.write("shared/ok", "");
    until("it is healthy", || scene.product.run(&["check", "containers"]).code == 0);

    docker(&["stop", "-t", "1", &web]);
    let words =
        ["service/web/1", "it does not run: it ended with code", "docker logs", &web];
    scene.fails("containers", &words);
    docker(&["rm", &web]);
    let found = scene.fails("containers", &["service/web/1", "there is no container"]);
    assert_eq!(found["findings"][0]["object"], "service/other/1");
    assert_eq!(found["findings"][0]["result"], "pass");
    scene.product.apply();
    scene.passes();

    let unknown = scene.product.ends(2, &["check", "contaners"]);
    assert!(unknown.notices.contains("perhaps containers was meant"), "{unknown}");
}

#[tokio::test]
async fn memory_near_its_limit_fails() {
    let Some(scene) = Scene::new("check-memory", &[IMAGE]).await else { return };
    scene.want(&format!(
        "
services:
  eater:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    shm_size: 64m
    deploy: {{resources: {{limits: {{memory: 40m}}}}}}
    stop_grace_period: 1s
"
    ));
    scene.product.apply();
    scene.passes();
    inside(&scene.container("eater"), "dd if=/dev/zero of=/dev/shm/x bs=1M count=37");
    scene.fails("memory", &["service/eater/1", "of 40 MiB in use", "limits.memory"]);
    inside(&scene.container("eater"), "rm /dev/shm/x");
    scene.passes();
}

/// A small file system that goes away with the test.
struct Mounted(String);

impl Drop for Mounted {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(&self.0).status();
        status.map(drop).unwrap_or_default();
    }
}

#[tokio::test]
async fn a_disk_that_is_too_full_fails() {
    if !is_root() {
        return;
    }
    let Some(scene) = Scene::new("check-disk", &[IMAGE]).await else { return };
    let data = scene.product.path("data").display().to_string();
    scene
        .product
        .shell("mkdir data; mount -t tmpfs -o size=1m tmpfs data; : >data/there");
    let mounted = Mounted(data.clone());
    scene.want(&format!(
        "
services:
  db:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    volumes: ['./data:/data']
    stop_grace_period: 1s
"
    ));
    scene.product.apply();
    scene.passes();
    scene.product.shell("head -c 900000 /dev/zero >data/big");
    scene.fails("disk", &[&data, "of 1 MiB is used", "less than 80 % is well", "du -xh"]);
    docker(&["rm", "-f", &scene.container("db")]);
    drop(mounted);
}

#[tokio::test]
async fn an_image_that_is_too_old_fails_where_it_is_to() {
    let Some(scene) = Scene::new("check-image", &[IMAGE]).await else { return };
    let old = format!("{}:1", scene.corner.name("old"));
    // The image of the lab, as if it had been made long ago.
    scene.product.shell(&format!(
        "mkdir image; docker save {IMAGE} | tar -x -C image; cd image; \
         config=$(sed 's/.*\"Config\":\"\\([^\"]*\\)\".*/\\1/' manifest.json); \
         sed -i 's/\"created\":\"[^\"]*\"/\"created\":\"2020-02-02T00:00:00Z\"/g' $config; \
         sed -i 's#\"RepoTags\":\\[[^]]*\\]#\"RepoTags\":[\"{old}\"]#' manifest.json; \
         rm -f repositories; tar -c . | docker load"
    ));
    let want = |image: &str, severity: &str| {
        scene.want(&format!(
            "
services:
  web: {{image: '{image}', command: [sleep, '600'], init: true, stop_grace_period: 1s}}
x-reconciler:
  checks: {{image-age: {{image_age: 365d, severity: {severity}}}}}
"
        ));
    };
    want(IMAGE, "fail");
    scene.product.apply();
    scene.passes();
    want(&old, "fail");
    scene.product.apply();
    let words =
        ["service/web/1", "days old", "less than 365 days is well", "`image` of web"];
    scene.fails("image-age", &words);
    // A warning is no failure, but for who wants none.
    want(&old, "warn");
    let warned = scene.product.ends(0, &["check"]);
    assert!(warned.output.contains("warn"), "{warned}");
    scene.product.ends(1, &["check", "--strict"]);
}
