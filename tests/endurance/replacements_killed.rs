//! An operator that is killed at any moment of a replacement: on data that one alone may
//! write, of a version that works or never gets ready, and of replicas that overlap.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::killed::random;
use crate::product::measured;
use crate::{IMAGE, Scene};

const KILLS: u64 = 50;

/// Takes the data for itself, and leaves a mark in it when somebody else has it.
const WRITER: &str = "mkdir /data/taken || echo two writers >> /data/marks; \
     trap 'rmdir /data/taken; exit 0' TERM; while :; do sleep 0.1; done";

/// Every third version never gets ready.
const fn is_bad(level: u64) -> bool {
    level % 3 == 2
}

fn stack(level: u64) -> String {
    // What works is given time, however busy the machine is.
    let (command, deadline) =
        if is_bad(level) { ("false", "1500ms") } else { ("true", "60s") };
    let check = format!("{{test: [CMD, '{command}'], interval: 30s}}");
    format!(
        "services:\n  writer:\n    image: {IMAGE}\n    command: [sh, -c, \"{WRITER}\"]\n    \
         restart: always\n    environment: {{LEVEL: '{level}'}}\n    volumes: ['data:/data']\n    \
         healthcheck: {check}\n    deploy: {{update_config: {{monitor: 300ms}}}}\n    \
         x-reconciler: {{ready_deadline: {deadline}}}\n  pair:\n    image: {IMAGE}\n    \
         command: [sleep, '600']\n    init: true\n    restart: always\n    scale: 2\n    \
         environment: {{LEVEL: '{level}'}}\n    healthcheck: {check}\n    \
         deploy: {{update_config: {{monitor: 300ms, order: start-first}}}}\n    \
         x-reconciler: {{ready_deadline: {deadline}}}\nvolumes: {{data: {{}}}}\n"
    )
}

/// Returns name, level, restart policy and state of each container.
fn shown(scene: &Scene) -> Vec<String> {
    let level = |it: &Json| {
        let environment = it["Config"]["Env"].as_array().into_iter().flatten();
        let mut values = environment.filter_map(Json::as_str);
        let level = values.find_map(|it| it.strip_prefix("LEVEL="));
        level.unwrap_or_default().to_owned()
    };
    let project = scene.corner.project();
    let containers = scene.containers();
    let shown = containers.iter().map(|it| {
        let name = it["Name"].as_str().unwrap_or_default();
        let name = name.replace(&format!("/{project}-"), "");
        let policy = it["HostConfig"]["RestartPolicy"]["Name"].as_str();
        let state = it["State"]["Status"].as_str();
        format!("{name} {} {policy:?} {state:?}", level(it))
    });
    shown.collect()
}

fn assert_one_writer(scene: &Scene, when: &str) {
    let containers = scene.containers();
    let writers = containers.iter().filter(|it| {
        let service = &it["Config"]["Labels"]["com.docker.compose.service"];
        service == "writer" && it["State"]["Running"] == true
    });
    let names: Vec<&Json> = writers.map(|it| &it["Name"]).collect();
    assert!(names.len() <= 1, "two writers {names:?}: {when}");
}

/// Returns what those who met another writer have left in the data.
fn marks(scene: &Scene) -> String {
    let writer = scene.corner.name("writer-1");
    let output = std::process::Command::new("docker")
        .args(["exec", &writer, "sh", "-c", "cat /data/marks 2>/dev/null; ls /data"])
        .output()
        .expect("docker runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Lets an operator go on until what works serves, whatever is wanted.
fn converge(scene: &mut Scene, level: u64) {
    scene.operate();
    // What never gets ready leaves what worked before it.
    let serving = if is_bad(level) { level - 1 } else { level }.to_string();
    let wanted = ["pair-1", "pair-2", "writer-1"].map(|name| {
        format!("{name} {serving} {:?} {:?}", Some("always"), Some("running"))
    });
    let begin = Instant::now();
    while shown(scene) != wanted {
        assert!(begin.elapsed() < Duration::from_secs(60), "{:#?}", shown(scene));
        std::thread::sleep(Duration::from_millis(100));
    }
    scene.operator = None;
}

#[tokio::test]
async fn killed_at_any_moment_of_a_replacement_there_is_one_writer_and_nothing_is_left() {
    let Some(mut scene) = Scene::new("replaced").await else { return };
    let seed = std::env::var("RECONCILER_SEED").ok().and_then(|it| it.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    measured(&format!("kill -9 of replacements: seed {seed} (RECONCILER_SEED)"));
    let (mut state, begin) = (seed, Instant::now());
    scene.write(&stack(0));
    converge(&mut scene, 0);
    for round in 1..=KILLS {
        let level = (round - 1) / 5 + 1;
        scene.write(&stack(level));
        scene.operate();
        // Long enough to meet with the way back too.
        let window = if is_bad(level) { 3000 } else { 1200 };
        let moment = Duration::from_millis(random(&mut state) % window);
        std::thread::sleep(moment);
        // The end of the value is a kill -9.
        scene.operator = None;
        let when = format!("kill {round} after {moment:?}, seed {seed}");
        assert_one_writer(&scene, &when);
        if round % 5 == 0 {
            converge(&mut scene, level);
            assert_eq!(marks(&scene), "taken\n", "{when}");
        }
    }
    measured(&format!(
        "kill -9 of replacements: {KILLS} times, 1 writer, nothing left at {} checks, in {:.0} s",
        KILLS / 5,
        begin.elapsed().as_secs_f64()
    ));
}
