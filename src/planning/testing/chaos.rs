//! Any small stack, and anything that may happen to it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use proptest::prelude::*;

use super::{Drive, Named};
use crate::engine::sim::CallFault;
use crate::planning::memory::Memory;
use crate::state::document::Document;
use crate::state::ids::ContainerId;
use crate::state::observed::{Container, Origin, Status, labels};
use crate::state::step::Step;
use crate::state::value::Value;

/// Seeds that ever failed are kept in `proptest-regressions`, and tried first.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), ..ProptestConfig::default() }
}

/// One service of a stack; it may depend on those before it.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Clone, Debug)]
struct Service {
    image: u8,
    level: u8,
    cpus: u8,
    restart: u8,
    scale: u8,
    checked: bool,
    networks: u8,
    alias: u8,
    stable: bool,
    port: bool,
    data: u8,
    depends_on: u8,
    /// Whether it is restarted with what it depends on.
    goes_along: bool,
}

fn service() -> impl Strategy<Value = Service> {
    let what = (1..3_u8, 0..3_u8, 0..3_u8, 0..4_u8, 1..3_u8, any::<bool>());
    let place = (0..4_u8, 0..2_u8, any::<bool>(), any::<bool>(), 0..2_u8, 0..4_u8);
    let place = (place, any::<bool>());
    (what, place).prop_map(|(what, place)| {
        let (image, level, cpus, restart, scale, checked) = what;
        let ((networks, alias, stable, port, data, depends_on), goes_along) = place;
        Service {
            image,
            level,
            cpus,
            restart,
            scale,
            checked,
            networks,
            alias,
            stable,
            port: port && scale == 1,
            data,
            depends_on,
            goes_along,
        }
    })
}

pub(crate) fn stack() -> impl Strategy<Value = String> {
    let services = prop::collection::vec(service(), 1..4);
    (services, 0..3_u8).prop_map(|(services, options)| yaml(&services, options))
}

fn yaml(services: &[Service], options: u8) -> String {
    let mut text = "services:\n".to_owned();
    for (index, it) in services.iter().enumerate() {
        let policy =
            ["'no'", "always", "on-failure", "on-failure:3"][usize::from(it.restart)];
        write!(
            text,
            "  s{index}:\n    image: x:{}\n    restart: {policy}\n    scale: {}\n    \
             environment: {{LEVEL: '{}'}}\n    \
             x-reconciler: {{job: false, address: {}}}\n",
            it.image,
            it.scale,
            it.level,
            if it.stable { "stable" } else { "any" }
        )
        .unwrap();
        if it.cpus > 0 {
            writeln!(text, "    cpus: {}", it.cpus).unwrap();
        }
        if it.checked {
            text += "    healthcheck: {test: [CMD, ready]}\n";
        }
        if it.data > 0 {
            writeln!(text, "    volumes: ['data{index}:/data']").unwrap();
        }
        if it.port {
            writeln!(text, "    ports: ['{}:80']", 8000 + index).unwrap();
        }
        let one = format!("one: {{aliases: ['alias{}']}}", it.alias);
        let networks = ["default: {}", &one, "two: {}", &format!("{one}, two: {{}}")]
            [usize::from(it.networks)]
        .to_owned();
        writeln!(text, "    networks: {{{networks}}}").unwrap();
        let mut below = String::new();
        for (other, depended) in services.iter().enumerate().take(index.min(2)) {
            if it.depends_on & (1 << other) != 0 {
                let state = if depended.checked { "healthy" } else { "started" };
                let restart = it.goes_along;
                write!(
                    below,
                    "s{other}: {{condition: service_{state}, restart: {restart}}}, "
                )
                .unwrap();
            }
        }
        if !below.is_empty() {
            writeln!(text, "    depends_on: {{{below}}}").unwrap();
        }
    }
    let internal = options == 1;
    let networks = format!("{{one: {{internal: {internal}}}, two: {{}}, default: {{}}}}");
    writeln!(text, "networks: {networks}").unwrap();
    let volumes = "volumes: {data0: {}, data1: {}, data2: {}}\n";
    text + volumes + "x-reconciler: {prune: always}\n"
}

/// What happens to a stack while it is converged.
#[derive(Clone, Debug)]
pub(crate) enum Disturbance {
    Want(String),
    Passes(u8),
    Steps(u8),
    Time(u16),
    Forget,
    End(u8),
    Pause(u8),
    Die(u8),
    Remove(u8),
    Rename(u8),
    Start(u8),
    Limit(u8),
    Detach(u8),
    NetworkAgain(u8),
    MoveTag(u8),
    Fail(u8),
    /// The next call of a verb has its effect, and its answer is lost.
    Lose(u8),
    /// The software ends by itself.
    Crash(u8),
    /// Its health command fails until another container is there.
    Sicken(u8),
    RestartEngine,
}

pub(crate) fn disturbance() -> impl Strategy<Value = Disturbance> {
    use Disturbance as D;
    prop_oneof![
        4 => stack().prop_map(D::Want),
        2 => (1..6_u8).prop_map(D::Passes),
        4 => (1..6_u8).prop_map(D::Steps),
        1 => (0..900_u16).prop_map(D::Time),
        1 => Just(D::Forget),
        1 => any::<u8>().prop_map(D::End),
        1 => any::<u8>().prop_map(D::Pause),
        1 => any::<u8>().prop_map(D::Die),
        1 => any::<u8>().prop_map(D::Remove),
        1 => any::<u8>().prop_map(D::Rename),
        1 => any::<u8>().prop_map(D::Start),
        1 => any::<u8>().prop_map(D::Limit),
        1 => any::<u8>().prop_map(D::Detach),
        1 => any::<u8>().prop_map(D::NetworkAgain),
        1 => (1..3_u8).prop_map(D::MoveTag),
        1 => any::<u8>().prop_map(D::Fail),
        1 => any::<u8>().prop_map(D::Lose),
        1 => any::<u8>().prop_map(D::Crash),
        1 => any::<u8>().prop_map(D::Sicken),
        1 => Just(D::RestartEngine),
    ]
}

/// Picks a container of ours; nothing when there is none.
fn pick(drive: &Drive, number: u8) -> Option<String> {
    let ours = drive.machine.containers.values().filter(|it| it.origin.source.is_some());
    let names: Vec<String> = ours.map(|it| it.name.to_string()).collect();
    (!names.is_empty()).then(|| names[usize::from(number) % names.len()].clone())
}

pub(crate) fn happen(drive: &mut Drive, disturbance: &Disturbance) {
    use Disturbance as D;
    match disturbance {
        D::Want(file) => {
            drive.want(file);
        }
        D::Passes(count) => {
            for _ in 0..*count {
                drive.pass();
            }
        }
        D::Steps(count) => {
            for _ in 0..*count {
                drive.one();
            }
        }
        D::Time(seconds) => drive.machine.advance(Duration::from_secs((*seconds).into())),
        D::Forget => drive.memory = Memory::default(),
        D::MoveTag(tag) => drive.machine.move_tag(&format!("x:{tag}"), 2),
        D::NetworkAgain(number) => {
            let count = drive.machine.networks.len().max(1);
            let mut names = drive.machine.networks.keys().map(ToString::to_string);
            if let Some(name) = names.nth(usize::from(*number) % count) {
                drive.machine.make_network_again(&name);
            }
        }
        D::Fail(number) => {
            drive.machine.faults.failing.insert(verb(*number));
            drive.pass();
            drive.machine.faults.failing.clear();
        }
        D::Lose(number) => {
            drive.machine.faults.calls.insert((verb(*number), 1), CallFault::After);
            drive.pass();
            drive.machine.faults.calls.clear();
        }
        D::RestartEngine => drive.machine.restart_engine(),
        D::End(number)
        | D::Crash(number)
        | D::Sicken(number)
        | D::Pause(number)
        | D::Die(number)
        | D::Remove(number)
        | D::Rename(number)
        | D::Start(number)
        | D::Limit(number)
        | D::Detach(number) => {
            if let Some(name) = pick(drive, *number) {
                harm(drive, disturbance, &name);
            }
        }
    }
}

fn verb(number: u8) -> &'static str {
    let verbs = ["create", "start", "stop", "rename", "update", "remove", "connect"];
    verbs[usize::from(number) % verbs.len()]
}

/// Does something to a container behind the planner's back.
fn harm(drive: &mut Drive, disturbance: &Disturbance, name: &str) {
    use Disturbance as D;
    let id = drive.machine.named(name).id.clone();
    let is_running = drive.machine.named(name).state.status == Status::Running;
    match disturbance {
        D::End(_) if is_running => drive.machine.end_by_hand(name, 1),
        D::Crash(_) => drive.machine.crash(name, 1),
        D::Sicken(_) => {
            drive.machine.sick.insert(id);
            // The engine has noticed by then.
            drive.machine.advance(Duration::from_mins(2));
        }
        D::Pause(_) => drive.machine.pause(name),
        D::Die(_) if is_running => {
            drive.machine.end_by_hand(name, 1);
            drive.machine.named_mut(name).state.status = Status::Dead;
        }
        D::Remove(_) => drive.machine.remove_by_force(name),
        D::Rename(_) => {
            drive.machine.named_mut(name).name =
                format!("elsewhere-{}", id.short()).as_str().into();
        }
        D::Start(_) => {
            // Whether it can be started is the engine's business.
            let _started = drive.machine.perform(&Step::Start { container: id });
        }
        // Before the first start it would pass for what the engine makes of the spec.
        D::Limit(_) if is_running => {
            let document = &mut drive.machine.named_mut(name).document;
            document.set("HostConfig.NanoCpus", Value::text("3"));
        }
        D::Detach(_) => drive.machine.detach(name),
        D::Want(_)
        | D::Passes(_)
        | D::Steps(_)
        | D::Time(_)
        | D::Forget
        | D::End(_)
        | D::Die(_)
        | D::Limit(_)
        | D::NetworkAgain(_)
        | D::MoveTag(_)
        | D::Fail(_)
        | D::Lose(_)
        | D::RestartEngine => {}
    }
}

/// Puts a container of the project there that somebody else made.
pub(crate) fn foreign(drive: &mut Drive) -> ContainerId {
    let mut other = Drive::settled("services: {theirs: {image: 'theirs:1'}}");
    let mut theirs = other.machine.named_mut("demo-theirs-1").clone();
    theirs.id = ContainerId::new(format!("{:f<64}", "theirs"));
    theirs.origin.source = None;
    theirs.attached.clear();
    drive.machine.containers.insert(theirs.id.clone(), theirs.clone());
    theirs.id
}

/// Returns every container of ours as it is, but for what another history makes different.
pub(crate) fn outcome(
    drive: &Drive,
) -> BTreeMap<String, (Document, Origin, Vec<String>, &'static str)> {
    let ours = drive.machine.containers.values().filter(|it| it.origin.source.is_some());
    ours.map(|it| {
        let mut document = it.document.clone();
        let mut entries =
            document.get("Config.Labels").as_map().cloned().unwrap_or_default();
        entries.remove(labels::REPLACES);
        entries.remove(labels::BASE);
        // These tell of the file that it was made from, not of what it is.
        entries.remove(labels::SPEC);
        entries.remove(labels::CONFIG_HASH);
        entries.remove(labels::DEPENDS_ON);
        // The tag may have moved between the request and the creation: the image counts.
        entries.remove(labels::IMAGE);
        entries.insert("image".to_owned(), Value::text(it.image.as_str()));
        document.set("Config.Labels", Value::Map(entries));
        document.set("Config.Hostname", Value::Null);
        // Which of the networks is named here does not matter.
        document.set("HostConfig.NetworkMode", Value::Null);
        let origin =
            Origin { replaces: None, base: None, spec: None, ..it.origin.clone() };
        let networks = it.attached.keys().map(ToString::to_string).collect();
        let state = it.state.status.as_str();
        (it.name.to_string(), (document, origin, networks, state))
    })
    .collect()
}

/// Asserts that nobody did anything to a container, except that its engine was restarted.
pub(crate) fn must_be_untouched(drive: &Drive, before: &Container) {
    let mut after = drive.machine.containers[&before.id].clone();
    after.state = before.state.clone();
    assert_eq!(after, *before);
    let name = before.name.as_str();
    assert!(
        drive.history.iter().all(|line| !line.contains(name)),
        "{:#?}",
        drive.history
    );
}
