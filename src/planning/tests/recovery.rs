//! A bad wish does not spoil a good one that follows it: nobody has to clean up.

use std::time::Duration;

use crate::engine::sim::Software;
use crate::planning::testing::chaos::outcome;
use crate::planning::testing::{Drive, desired};

/// A good file, and what makes it bad: a service `web` with these lines.
fn file(web: &str) -> String {
    format!(
        "
services:
  web:
    {}
  app: {{image: 'app:1', restart: always, depends_on: {{web: {{condition: service_healthy}}}}}}
  other: {{image: 'other:1'}}
",
        web.replace('\n', "\n    ")
    )
}

const GOOD: &str = "image: web:1\nrestart: always\nhealthcheck: {test: [CMD, ready]}";

/// Every way to be bad, and what is done about the software.
const BAD: [&str; 7] = [
    // An image that no registry has.
    "image: missing:1\nrestart: always\nhealthcheck: {test: [CMD, ready]}",
    // A crash loop: left to the engine, and not.
    "image: web:1\nrestart: always\nhealthcheck: {test: [CMD, ready]}\nlabels: {sim.exits: '1'}",
    "image: web:1\nrestart: 'no'\nhealthcheck: {test: [CMD, ready]}\nlabels: {sim.exits: '1', sim.after: 2s}\nx-reconciler: {job: false}",
    // It is never healthy.
    "image: web:1\nrestart: always\nhealthcheck: {test: [CMD, ready]}\nlabels: {sim.health: never}",
    // A port that somebody else has.
    "image: web:1\nrestart: always\nhealthcheck: {test: [CMD, ready]}\nports: ['8080:80']",
    // More processors than there are.
    "image: web:1\nrestart: always\nhealthcheck: {test: [CMD, ready]}\ncpus: 64",
    // It has to be killed.
    "image: web:1\nrestart: always\nhealthcheck: {test: [CMD, ready]}\nlabels: {sim.stops: never, sim.health: never}",
];

/// The longest that a loop sleeps.
const NAP: Duration = Duration::from_secs(30);

/// Lets a loop run for so long, whatever it does.
fn run(drive: &mut Drive, time: Duration) {
    let end = drive.machine.uptime() + time;
    while drive.machine.uptime() < end {
        let plan = drive.pass();
        if plan.steps.is_empty() {
            let now = drive.machine.now().moment;
            let nap = plan.wake.map_or(NAP, |wake| wake.since(now));
            drive.machine.advance(nap.clamp(Duration::from_millis(1), NAP));
        }
    }
}

/// Somebody has the port 8080.
fn occupied(drive: &mut Drive) {
    let mut theirs = Drive::settled("services: {x: {image: 'x:1', ports: ['8080:80']}}");
    let id = theirs.machine.find("demo-x-1").unwrap().id.clone();
    let mut container = theirs.machine.containers.remove(&id).unwrap();
    container.id = format!("{:f<64}", "theirs").as_str().into();
    container.name = "theirs".into();
    container.document.set("Config.Labels", crate::state::value::Value::Null);
    container.attached.clear();
    drive.machine.containers.insert(container.id.clone(), container);
}

fn good_then(bad: &str) -> Drive {
    let mut drive = Drive::new(desired(&file(GOOD)));
    occupied(&mut drive);
    drive.settle_at_last();
    drive.want(&file(bad));
    drive
}

#[test]
fn a_good_wish_is_met_whatever_bad_one_came_before_it() {
    for bad in BAD {
        let mut drive = good_then(bad);
        run(&mut drive, Duration::from_mins(10));
        assert!(!drive.status().ready, "{bad}: {}", drive.text());
        assert_eq!(drive.machine.names()["demo-other-1"], "running", "{bad}");
        drive.want(&file(GOOD)).settle_at_last();
        assert!(drive.status().ready, "{bad}: {}", drive.text());
        let mut fresh = Drive::new(desired(&file(GOOD)));
        occupied(&mut fresh);
        fresh.settle_at_last();
        assert_eq!(outcome(&drive), outcome(&fresh), "{bad}");
    }
}

#[test]
fn a_bad_wish_that_was_the_first_one_spoils_nothing_either() {
    for bad in BAD {
        let mut drive = Drive::new(desired(&file(bad)));
        occupied(&mut drive);
        run(&mut drive, Duration::from_mins(10));
        assert_eq!(drive.machine.names()["demo-other-1"], "running", "{bad}");
        drive.want(&file(GOOD)).settle_at_last();
        assert!(drive.status().ready, "{bad}: {}", drive.text());
    }
}

#[test]
fn software_that_is_mended_is_taken_up_without_a_new_wish() {
    for software in [Software::sick(), Software::ends(1)] {
        let mut drive = Drive::new(desired(&file(GOOD)));
        drive.machine.software.insert("web".into(), software);
        run(&mut drive, Duration::from_mins(5));
        assert!(!drive.status().ready);
        drive.machine.software.clear();
        drive.settle_at_last();
        assert!(drive.status().ready, "{}", drive.text());
    }
}
