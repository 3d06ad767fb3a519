//! A change that never becomes healthy, of a service that cannot run twice.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::product::measured;
use crate::{IMAGE, Scene, until};

fn stack(level: &str) -> String {
    format!(
        "services:\n  store:\n    image: {IMAGE}\n    \
         command: [sh, -c, 'echo level $$LEVEL; exec sleep 600']\n    init: true\n    \
         restart: always\n    environment: {{LEVEL: '{level}'}}\n    volumes: ['data:/data']\n    \
         healthcheck: {{test: [CMD-SHELL, 'test $$LEVEL != bad'], interval: 30s}}\n    \
         deploy: {{update_config: {{monitor: 500ms}}}}\n    \
         x-reconciler: {{ready_deadline: 3s}}\nvolumes: {{data: {{}}}}\n"
    )
}

/// Returns the inspection of the container in office.
fn store(scene: &Scene) -> Option<Json> {
    let name = format!("/{}", scene.corner.name("store-1"));
    scene.containers().into_iter().find(|it| it["Name"] == name.as_str())
}

/// Returns the lines that were kept of containers that failed.
fn kept(scene: &Scene) -> Option<String> {
    let stacks = std::fs::read_dir(scene.product.path("state").join("stacks")).ok()?;
    let folders = stacks.filter_map(Result::ok).map(|it| it.path());
    let logs = folders.filter(|it| it.extension().is_some_and(|it| it == "logs"));
    let mut files = logs.filter_map(|it| std::fs::read_dir(it).ok()).flatten();
    std::fs::read_to_string(files.next()?.ok()?.path()).ok()
}

#[tokio::test]
async fn the_old_container_serves_again_at_once_and_nothing_is_tried_over_and_over() {
    let Some(mut scene) = Scene::new("takenback").await else { return };
    scene.write(&stack("good"));
    scene.operate();
    scene.operator().says_message("the stack is ready");
    let before = store(&scene).expect("a container");
    scene.write(&stack("bad"));
    let begin = Instant::now();
    let mut ended = None;
    let again = until("the old one is back", Duration::from_secs(60), || {
        let all = scene.containers();
        // It is there, stopped, until its last words have been read.
        let failed = all.iter().find(|it| {
            let name = it["Name"].as_str().unwrap_or_default();
            name.contains(".failed-") && it["State"]["Status"] == "exited"
        });
        ended = failed.map(|it| it["State"]["FinishedAt"].to_string()).or(ended.take());
        let holder = store(&scene)?;
        let is_back = holder["Id"] == before["Id"]
            && holder["State"]["Running"] == true
            && holder["State"]["StartedAt"] != before["State"]["StartedAt"];
        is_back.then(|| holder["State"]["StartedAt"].to_string())
    });
    let took = begin.elapsed();
    let time = |text: &str| -> jiff::Timestamp {
        text.trim_matches('"').parse().expect("a time")
    };
    let ended = ended.expect("the failed container was seen");
    let gap = time(&again).duration_since(time(&ended)).as_secs_f64();
    measured(&format!(
        "taken back: {gap:.2} s from the end of the failed one to the start of the old one"
    ));
    assert!(gap < 2.0, "{gap}");
    let log = until("its last words", Duration::from_secs(20), || kept(&scene));
    assert!(log.contains("level bad"), "{log}");
    until("nothing is left", Duration::from_secs(20), || {
        (scene.containers().len() == 1).then_some(())
    });
    let status = scene.product.run(&["status", "-o", "json"]);
    assert!(status.output.contains("RolledBack"), "{status}");
    // No retry storm: for several deadlines nothing is touched.
    let state = store(&scene).expect("a container")["State"].clone();
    std::thread::sleep(Duration::from_secs(10));
    assert_eq!(store(&scene).expect("a container")["State"], state);
    let events = scene.product.ends(0, &["events", "-o", "json"]).output;
    assert_eq!(events.matches("created the container").count(), 2, "{events}");
    assert!(events.contains("it was not ready within 3 s"), "{events}");
    scene.write(&stack("better"));
    until("the next good save converges", Duration::from_secs(30), || {
        let holder = store(&scene)?;
        holder["Config"]["Env"].to_string().contains("better").then_some(())
    });
    measured(&format!("taken back: {:.1} s after the save", took.as_secs_f64()));
}
