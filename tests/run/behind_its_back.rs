//! What is changed by hand is put right.

use std::process::{Command, Stdio};

use bollard::query_parameters as query;
use serde_json::Value as Json;

use crate::product::measured;
use crate::{IMAGE, Scene};

/// Runs the engine's own client, as a person would.
#[track_caller]
pub(crate) fn docker(arguments: &[&str]) {
    let mut docker = Command::new("docker");
    let status = docker.args(arguments).stdout(Stdio::null()).status();
    assert!(status.expect("docker runs").success(), "{arguments:?}");
}

fn is_running(container: &Json) -> bool {
    container["State"]["Running"] == true
}

/// A deed, the commands that do it, and what the repair leaves as it was.
type Deed<'a> = (&'a str, Vec<Vec<&'a str>>, Keeps);

/// What of the container survives its repair.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// Nothing: it is another container.
    Nothing,
    /// The container, which was started again.
    Container,
    /// The container and its process.
    Process,
}

#[tokio::test]
async fn what_is_done_by_hand_is_undone_by_the_mildest_means_and_nothing_else_is_touched()
{
    let Some(mut scene) = Scene::at_work("hand").await else { return };
    let first = scene.corner.name("first-1");
    let second = scene.corner.name("second-1");
    let other = scene.corner.name("x");
    let network = scene.corner.project() + "_default";
    let leave = vec!["network", "disconnect", &network, &first];
    let deeds: [Deed<'_>; 9] = [
        ("stop", vec![vec!["stop", "-t", "1", &first]], Keeps::Container),
        ("kill", vec![vec!["kill", &first]], Keeps::Container),
        ("kill -s WINCH", vec![vec!["kill", "-s", "WINCH", &first]], Keeps::Process),
        ("pause", vec![vec!["pause", &first]], Keeps::Process),
        (
            "update",
            vec![vec!["update", "--memory", "100m", "--memory-swap", "200m", &first]],
            Keeps::Process,
        ),
        ("rename", vec![vec!["rename", &first, &other]], Keeps::Process),
        ("network disconnect", vec![leave.clone()], Keeps::Process),
        (
            "alias removed",
            vec![leave, vec!["network", "connect", &network, &first]],
            Keeps::Process,
        ),
        ("rm -f", vec![vec!["rm", "-f", &first]], Keeps::Nothing),
    ];
    for (what, commands, keeps) in deeds {
        let before = (scene.container("first").await, scene.container("second").await);
        // It is quicker than the second of two commands.
        scene.operator().signal("STOP");
        for command in &commands {
            docker(command);
        }
        scene.operator().signal("CONT");
        let clock = reconciler::clock::Clock::new();
        scene
            .until("first", &format!("right after {what}"), |it| is_right(it, &network))
            .await;
        measured(&format!("{what}: repaired in {:.2} s", seconds(&clock)));
        let after = (scene.container("first").await, scene.container("second").await);
        assert_eq!(identity(&after.1), identity(&before.1), "the other one, {what}");
        let kept = if after.0["Id"] != before.0["Id"] {
            Keeps::Nothing
        } else if identity(&after.0) == identity(&before.0) {
            Keeps::Process
        } else {
            Keeps::Container
        };
        assert!(kept == keeps, "{what}: {:#} {:#}", before.0["State"], after.0["State"]);
    }
    // A network that is gone takes both along, and both keep running.
    let before = scene.identities().await;
    scene.operator().signal("STOP");
    docker(&["network", "disconnect", "-f", &network, &first]);
    docker(&["network", "disconnect", "-f", &network, &second]);
    docker(&["network", "rm", &network]);
    scene.operator().signal("CONT");
    let clock = reconciler::clock::Clock::new();
    for service in ["first", "second"] {
        let attached =
            |it: &Json| it["NetworkSettings"]["Networks"][&network].is_object();
        scene.until(service, "attached again", attached).await;
    }
    measured(&format!("network deleted: repaired in {:.2} s", seconds(&clock)));
    assert_eq!(scene.identities().await, before);
    // None of it was a crash.
    let told = scene.operator().told();
    assert!(!told.iter().any(|it| it.contains("degraded")), "{told:#?}");
}

fn is_right(it: &Json, network: &str) -> bool {
    let endpoint = &it["NetworkSettings"]["Networks"][network];
    let aliases = endpoint["Aliases"].as_array();
    is_running(it)
        && it["State"]["Paused"] == false
        && it["HostConfig"]["Memory"] == 32 << 20
        && aliases.is_some_and(|aliases| aliases.iter().any(|it| it == "first"))
}

fn identity(it: &Json) -> [&Json; 3] {
    [&it["Id"], &it["State"]["StartedAt"], &it["RestartCount"]]
}

fn seconds(clock: &reconciler::clock::Clock) -> f64 {
    clock.now().moment.0.as_secs_f64()
}

/// Makes another image under a tag, without a registry.
fn build(tag: &str, level: u32) {
    let line = format!(
        "printf 'FROM {IMAGE}\\nLABEL level={level}\\n' | docker build -qt {tag} -"
    );
    let built = Command::new("sh").args(["-euc", &line]).stdout(Stdio::null()).status();
    assert!(built.expect("a shell").success(), "{line}");
}

#[tokio::test]
async fn an_image_that_is_tagged_anew_is_taken_up_by_what_uses_it_alone() {
    let Some(mut scene) = Scene::new("tag").await else { return };
    let tag = scene.corner.name("image:1");
    build(&tag, 1);
    let stack = scene.stack(32).replacen(IMAGE, &tag, 1);
    scene.product.write("stack.yaml", &stack);
    scene.operate();
    scene.says("the stack is ready");
    let before = (scene.container("first").await, scene.container("second").await);
    build(&tag, 2);
    let clock = reconciler::clock::Clock::new();
    let is_new = |it: &Json| is_running(it) && it["Config"]["Labels"]["level"] == "2";
    scene.until("first", "of the new image", is_new).await;
    measured(&format!("image tagged anew: replaced in {:.2} s", seconds(&clock)));
    scene.says("the stack is ready");
    let after = (scene.container("first").await, scene.container("second").await);
    assert_ne!(after.0["Id"], before.0["Id"]);
    assert_eq!(identity(&after.1), identity(&before.1));
}

/// What create and start cost here, without us.
async fn by_hand(scene: &Scene, number: usize) -> f64 {
    let name = scene.corner.name(&format!("raw{number}"));
    let there = scene.container("first").await;
    let body = serde_json::json!({
        "Image": IMAGE,
        "Cmd": ["sleep", "600"],
        "Env": there["Config"]["Env"],
        "HostConfig": {
            "Init": true,
            "Memory": 32 << 20,
            "NetworkMode": scene.corner.project() + "_default",
        },
    });
    let body = serde_json::from_value::<bollard::models::ContainerCreateBody>(body);
    let options =
        query::CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
    let client = crate::client();
    let clock = reconciler::clock::Clock::new();
    client.create_container(Some(options), body.expect("a body")).await.expect("created");
    client
        .start_container(&name, None::<query::StartContainerOptions>)
        .await
        .expect("started");
    let took = seconds(&clock);
    let options = query::RemoveContainerOptions { force: true, ..Default::default() };
    client.remove_container(&name, Some(options)).await.expect("removed");
    took
}

#[tokio::test]
async fn what_is_removed_is_back_almost_as_soon_as_the_engine_can_make_it() {
    let Some(scene) = Scene::at_work("soon").await else { return };
    let (mut raw, mut ours) = (Vec::new(), Vec::new());
    let client = crate::client();
    let name = scene.corner.name("first-1");
    for number in 0..7 {
        raw.push(by_hand(&scene, number).await);
        let old = scene.container("first").await["Id"].clone();
        let options = query::RemoveContainerOptions { force: true, ..Default::default() };
        client.remove_container(&name, Some(options)).await.expect("removed");
        let clock = reconciler::clock::Clock::new();
        loop {
            let there = scene.container("first").await;
            if is_running(&there) && there["Id"] != old {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            assert!(seconds(&clock) < 60.0, "it does not come back: {there}");
        }
        ours.push(seconds(&clock));
        // Its end is not to be seen before its start has settled.
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    }
    let (raw, ours) = (median(&mut raw), median(&mut ours));
    measured(&format!(
        "rm -f: the replacement runs {:.0} ms after it is gone; create and start alone cost \
         {:.0} ms here: {:.2} times",
        ours * 1000.0,
        raw * 1000.0,
        ours / raw
    ));
    assert!(ours / raw < 3.0, "{ours} s are {} times {raw} s", ours / raw);
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test]
async fn after_the_event_stream_was_cut_it_is_found_again() {
    let Some(mut scene) = Scene::new("cut").await else { return };
    let proxy = crate::proxy::Proxy::start();
    scene.product.option(&["--host", &proxy.host()]);
    scene.product.write("stack.yaml", &scene.stack(32));
    scene.operate();
    scene.says("the stack is ready");
    for _ in 0..2 {
        proxy.hang_up();
        let first = scene.corner.name("first-1");
        docker(&["rm", "-f", &first]);
        scene.until("first", "back", is_running).await;
    }
    proxy.hang_up();
    scene.product.write("stack.yaml", &scene.stack(40));
    scene.until_memory(40).await;
}
