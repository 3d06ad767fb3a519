//! The process is killed at every call of every kind of change, before the call has its
//! effect and after: the end is the same as without it, and nothing runs twice on the way.

use crate::planning::testing::chaos::outcome;
use crate::planning::testing::{Drive, Kill, Software};

const CHECKED: &str = "restart: always, healthcheck: {test: [CMD, ready]}";

/// What does not get ready is soon given up.
const SOON: &str = "x-reconciler: {ready_deadline: 10s}";

/// A change of a stack.
struct Change {
    name: &'static str,
    before: String,
    after: String,
}

fn web(level: &str, more: &str) -> String {
    format!(
        "services: {{web: {{image: 'web:1', environment: {{LEVEL: {level}}}, {CHECKED}, \
         {more}}}}}\nvolumes: {{data: {{}}}}\nnetworks: {{one: {{}}, two: {{}}}}\n{SOON}"
    )
}

fn change(name: &'static str, before: &str, after: &str) -> Change {
    Change { name, before: before.to_owned(), after: after.to_owned() }
}

const DATA: &str = "volumes: ['data:/data']";

/// A web server and the database that it depends on.
fn two(level: &str, level_of_db: &str) -> String {
    format!(
        "services:\n  db: {{image: 'db:1', environment: {{LEVEL: {level_of_db}}}, \
         {CHECKED}, {DATA}}}\n  web: {{image: 'web:1', environment: {{LEVEL: {level}}}, \
         {CHECKED}, depends_on: {{db: {{condition: service_healthy}}}}}}\n\
         volumes: {{data: {{}}}}\n{SOON}"
    )
}

/// As [`two`], where the one goes down with the other.
fn together(level: &str, level_of_db: &str) -> String {
    two(level, level_of_db).replace("service_healthy}", "service_healthy, restart: true}")
}

/// A service in the network of another.
fn unit(level: &str) -> String {
    format!(
        "services:\n  vpn: {{image: 'vpn:1', environment: {{LEVEL: {level}}}, {CHECKED}}}\n  \
         web: {{image: 'web:1', {CHECKED}, network_mode: 'service:vpn'}}\n{SOON}"
    )
}

/// A service with content that is put in.
fn filled(text: &str) -> String {
    format!(
        "services: {{web: {{image: 'web:1', restart: always, configs: [c]}}}}\n\
         configs: {{c: {{content: {text}}}}}"
    )
}

/// A service on a network of its own.
fn network(internal: bool) -> String {
    format!(
        "services: {{web: {{image: 'web:1', restart: always, networks: [one]}}}}\n\
         networks: {{one: {{internal: {internal}}}}}"
    )
}

fn changes() -> Vec<Change> {
    const START_FIRST: &str = "scale: 2, deploy: {update_config: {order: start-first}}";
    const PAUSE: &str = "deploy: {update_config: {failure_action: pause}}";
    let of = |change: &str| web("a", change);
    vec![
        change("a stack is made", &web("a", ""), &two("a", "a")),
        change("content that is put in", &filled("a"), &filled("b")),
        change("stop-first on data", &web("a", DATA), &web("b", DATA)),
        change("both ends of a dependency", &two("a", "a"), &two("b", "b")),
        change("restart: true, both", &together("a", "a"), &together("b", "b")),
        change("restart: true, in vain", &together("a", "a"), &together("a", "bad")),
        change("a shared namespace", &unit("a"), &unit("b")),
        change("start-first of two", &web("a", START_FIRST), &web("b", START_FIRST)),
        change("stop-first of three", &web("a", "scale: 3"), &web("b", "scale: 3")),
        change("a rollback", &web("a", DATA), &web("bad", DATA)),
        change("a dependency's rollback", &two("a", "a"), &two("b", "bad")),
        change("one that crashes", &web("a", DATA), &web("crashes", DATA)),
        change("a pause", &web("a", PAUSE), &web("bad", PAUSE)),
        change("start-first, in vain", &web("a", START_FIRST), &web("bad", START_FIRST)),
        change("a limit", &of("cpus: 1"), &of("cpus: 2")),
        change("a network more", &of("networks: [one]"), &of("networks: [one, two]")),
        change(
            "an alias",
            &of("networks: [one]"),
            &of("networks: {one: {aliases: [x]}}"),
        ),
        change("a network's option", &network(false), &network(true)),
        change("another name", &of("container_name: one"), &of("container_name: two")),
        change("more replicas", &of("scale: 1"), &of("scale: 3")),
        change("fewer replicas", &of("scale: 3"), &of("scale: 1")),
        change("a service leaves", &two("a", "a"), &web("a", "")),
        change(
            "an address that must not move",
            &of("x-reconciler: {address: stable}, networks: [one]"),
            &of("x-reconciler: {address: stable}, networks: {one: {aliases: [x]}}"),
        ),
    ]
}

fn begun(change: &Change) -> Drive {
    let mut drive = Drive::settled(&change.before);
    drive.machine.levels.insert("bad".to_owned(), Software::sick());
    drive.machine.levels.insert("crashes".to_owned(), Software::ends(1));
    drive.want(&change.after);
    drive.calls = 0;
    drive
}

/// Kills the process everywhere on the way of a change, and returns how often.
fn kill_everywhere(change: &Change) -> usize {
    let mut whole = begun(change);
    whole.settle();
    let end = outcome(&whole);
    assert!(whole.calls > 0, "{}: nothing was done", change.name);
    for at in 0..whole.calls {
        for (has_its_effect, forgets, restarts_engine) in [
            (false, false, false),
            (true, false, false),
            (false, true, false),
            (true, false, true),
        ] {
            let kill = Kill { at, has_its_effect, forgets, restarts_engine };
            let mut drive = begun(change);
            drive.kill = Some(kill);
            drive.settle();
            assert!(drive.kill.is_none(), "{}: {kill:?} never came", change.name);
            let (name, history) = (change.name, &drive.history);
            assert_eq!(outcome(&drive), end, "{name}: {kill:?} {history:#?}");
        }
    }
    whole.calls * 4
}

/// Kills on the way of every other change, so that two tests share the work.
fn kill_every_other(first: usize) {
    let kills: usize = changes().iter().skip(first).step_by(2).map(kill_everywhere).sum();
    assert!(kills > 250, "{kills}");
}

#[test]
fn a_kill_at_any_call_of_any_change_leads_to_the_same_end() {
    kill_every_other(0);
}

#[test]
fn a_kill_at_any_call_of_any_other_change_leads_to_the_same_end() {
    kill_every_other(1);
}
