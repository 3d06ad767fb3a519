//! What it costs to have nothing to do.

use std::time::{Duration, Instant};

use crate::product::measured;
use crate::product::operator::Operator;
use crate::proxy::{Effect, Proxy};
use crate::{IMAGE, Scene};

/// How many containers it keeps.
const CONTAINERS: usize = 50;
/// How often it looks with no reason.
const RESYNC: Duration = Duration::from_secs(5);
/// For how long it is watched: a few resyncs.
const STRETCH: Duration = Duration::from_secs(17);
/// How many stretches there are at most.
const TRIES: usize = 3;
/// Calls this close to one another belong to one look.
const APART: Duration = Duration::from_secs(1);
/// How often is counted.
const SAMPLE: Duration = Duration::from_millis(100);

/// What a process has used: resident bytes, those of them that are its own (and not its
/// program's), and seconds on a processor.
fn used(process: u32) -> (u64, u64, f64) {
    let read = |name: &str| {
        std::fs::read_to_string(format!("/proc/{process}/{name}")).expect("a process")
    };
    let status = read("status");
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        let number = line.split_whitespace().next().expect("a number");
        number.parse::<u64>().expect("a number") << 10
    };
    let stat = read("stat");
    let after_name = stat.rsplit_once(')').expect("a name").1;
    let ticks: Vec<u32> = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|it| it.parse().expect("ticks"))
        .collect();
    (bytes("VmRSS:"), bytes("RssAnon:"), f64::from(ticks.iter().sum::<u32>()) / 100.0)
}

#[tokio::test]
async fn with_nothing_to_do_it_costs_next_to_nothing() {
    let Some(mut scene) = Scene::new("idle").await else { return };
    let services: String = (1..=CONTAINERS)
        .map(|n| {
            format!("  s{n}: {{image: {IMAGE}, command: [sleep, '600'], init: true}}\n")
        })
        .collect();
    scene.write(&format!(
        "x-reconciler: {{resync: {}s}}\nservices:\n{services}",
        RESYNC.as_secs()
    ));
    let proxy = Proxy::start();
    scene.product.option(&["--host", &proxy.host()]);
    scene.operator = Some(Operator::quiet(&scene.product));
    scene.operator().says_message("the stack is ready");
    let process = scene.operator().process();
    // What is left of getting there.
    std::thread::sleep(Duration::from_secs(2));
    // Others use the engine too, and their networks are a reason to look: one stretch
    // without them is enough.
    let is_clean = (0..TRIES).any(|_| is_undisturbed(&proxy, process));
    assert!(is_clean, "it looks without a reason");
}

/// Watches for a while; tells whether every look was a resync.
fn is_undisturbed(proxy: &Proxy, process: u32) -> bool {
    proxy.forget();
    let (_, _, before) = used(process);
    let begin = Instant::now();
    let (mut looks, mut seen) = (Vec::<Duration>::new(), 0);
    let mut last = None::<Duration>;
    while begin.elapsed() < STRETCH {
        std::thread::sleep(SAMPLE);
        let (count, now) = (proxy.calls().len(), begin.elapsed());
        if count > seen {
            if last.is_none_or(|last| now.saturating_sub(last) > APART) {
                looks.push(now);
            }
            (seen, last) = (count, Some(now));
        }
    }
    let (resident, own, after) = used(process);
    let share = (after - before) / begin.elapsed().as_secs_f64();
    let calls = proxy.calls();
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    measured(&format!(
        "idle with {CONTAINERS} containers ({profile}): {:.1} MiB resident \
         ({:.1} of its own), {:.2} % of one \
         processor, {} looks in {} s with {} calls in all",
        mebibytes(resident),
        mebibytes(own),
        share * 100.0,
        looks.len(),
        STRETCH.as_secs(),
        calls.len(),
    ));
    proxy.assert_nothing_written();
    assert!(proxy.calls_that(Effect::Probe).is_empty(), "{calls:#?}");
    // A program for debugging is larger than all that it uses.
    let counted = if cfg!(debug_assertions) { own } else { resident };
    assert!(counted < 20 << 20, "{counted} bytes");
    // Without optimisation, and with twelve times as many resyncs as there are otherwise.
    let most = if cfg!(debug_assertions) { 0.25 } else { 0.05 };
    assert!(share < most, "{share} of a processor");
    assert!(!looks.is_empty(), "no resync: {calls:#?}");
    let is_apart =
        |pair: &[Duration]| pair[1].saturating_sub(pair[0]) + SAMPLE * 3 > RESYNC;
    looks.windows(2).all(is_apart)
}

fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).expect("a size")) / 1024.0
}
