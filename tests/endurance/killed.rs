//! An operator that is killed at any moment, and another that takes over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::product::measured;
use crate::{IMAGE, Scene, until};

const KILLS: u64 = 50;

/// A stack that differs from level to level in every way: what is created, replaced, changed
/// in place and removed.
fn stack(level: u64) -> String {
    let service = |name: &str, more: &str| {
        format!(
            "  {name}:\n    image: {IMAGE}\n    command: [sleep, '600']\n    init: true\n    \
             stop_grace_period: 1s\n{more}"
        )
    };
    let replaced =
        format!("    environment: {{LEVEL: '{level}'}}\n    networks: [inner]\n");
    let dependent = "    depends_on: {replaced: {condition: service_healthy}}\n    \
                     networks: [inner]\n    deploy: {replicas: 2}\n";
    let in_place = format!("    mem_limit: {}m\n", 16 + level % 2 * 16);
    let coming =
        if level.is_multiple_of(2) { service("coming", "") } else { String::new() };
    format!(
        "x-reconciler: {{prune: always}}\nservices:\n{}{}{}{coming}networks: {{inner: {{}}}}\n",
        service("replaced", &replaced),
        service("dependent", dependent),
        service("changed", &in_place),
    )
}

/// A small generator (splitmix64): the same seed kills at the same moments.
pub(crate) fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What the engine has of the stack, without what differs from time to time.
fn end(scene: &Scene) -> BTreeSet<String> {
    let project = scene.corner.project();
    let containers = scene.containers();
    let networks = crate::real::raw::ask("/networks");
    let mine =
        |it: &&Json| it["Name"].as_str().is_some_and(|it| it.starts_with(&project));
    let networks = networks.as_array().into_iter().flatten().filter(mine);
    let networks: Vec<String> =
        networks.map(|it| format!("network {}", it["Name"])).collect();
    let distinct: BTreeSet<&String> = networks.iter().collect();
    assert_eq!(distinct.len(), networks.len(), "a network is there twice");
    let containers = containers.iter().map(|it| {
        let attached: Vec<String> = it["NetworkSettings"]["Networks"]
            .as_object()
            .map(|it| it.keys().cloned().collect())
            .unwrap_or_default();
        let level = it["Config"]["Env"].as_array().into_iter().flatten();
        let level: Vec<&Json> =
            level.filter(|it| it.to_string().contains("LEVEL")).collect();
        let memory = &it["HostConfig"]["Memory"];
        format!(
            "{} {} {level:?} {memory} {attached:?}",
            it["Name"], it["State"]["Status"]
        )
    });
    containers.chain(networks.clone()).collect()
}

/// No replica has two containers that run, whenever the operator was killed.
fn assert_nothing_runs_twice(scene: &Scene, when: &str) {
    let mut running: BTreeMap<String, String> = BTreeMap::new();
    for it in scene.containers().iter().filter(|it| it["State"]["Running"] == true) {
        let labels = &it["Config"]["Labels"];
        let replica = format!(
            "{} {}",
            labels["com.docker.compose.service"],
            labels["com.docker.compose.container-number"]
        );
        let other = running.insert(replica.clone(), it["Name"].to_string());
        assert_eq!(other, None, "{replica} runs twice: {when}");
    }
}

/// Lets an operator converge; returns how long it took.
fn converge(scene: &mut Scene) -> Duration {
    let begin = Instant::now();
    scene.operate();
    scene.operator().says_message("the stack is ready");
    begin.elapsed()
}

#[tokio::test]
async fn killed_at_any_moment_it_comes_to_the_same_end() {
    let Some(mut scene) = Scene::new("killed").await else { return };
    let seed = std::env::var("RECONCILER_SEED").ok().and_then(|it| it.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    measured(&format!("kill -9: seed {seed} (RECONCILER_SEED)"));
    let mut state = seed;
    let mut ends = BTreeMap::new();
    // How long a converge takes, and what it comes to, when nobody disturbs it.
    let mut longest = Duration::ZERO;
    for level in [1, 0] {
        scene.write(&stack(level));
        longest = converge(&mut scene);
        ends.insert(level, end(&scene));
        scene.operator = None;
    }
    // The next one goes on where it was killed, so that all of a converge is met with.
    let window = longest.min(Duration::from_millis(900));
    let (begin, mut converged) = (Instant::now(), 0);
    for round in 1..=KILLS {
        let level = round / 5 % 2;
        scene.write(&stack(level));
        scene.operate();
        let share = random(&mut state) % 1000;
        let moment = window * u32::try_from(share).expect("a share") / 1000;
        std::thread::sleep(moment);
        // The end of the value is a kill -9.
        scene.operator = None;
        let when = format!("kill {round} after {moment:?}, seed {seed}");
        assert_nothing_runs_twice(&scene, &when);
        if round % 10 == 9 {
            converge(&mut scene);
            scene.operator = None;
            assert_eq!(end(&scene), ends[&level], "{when}");
            converged += 1;
        }
    }
    scene.write(&stack(1));
    converge(&mut scene);
    until("the same end", Duration::from_secs(10), || {
        (end(&scene) == ends[&1]).then_some(())
    });
    measured(&format!(
        "kill -9: {KILLS} times within {:.1} s, of a converge of {:.1} s, the same end {} times, in {:.0} s",
        window.as_secs_f64(),
        longest.as_secs_f64(),
        converged + 1,
        begin.elapsed().as_secs_f64()
    ));
}
