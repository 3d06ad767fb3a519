//! No secret is ever shown: a canary sits in every place where a secret may stand, and
//! everything that people and machines can read is searched for it.

use anstream::adapter::strip_str;

use super::{explain, json, plan, status};
use crate::planning::condition;
use crate::planning::explain::rows;
use crate::planning::plan::plan_world;
use crate::planning::testing::{Drive, desired, desired_with};
use crate::state::step::Step;

const CANARY: &str = "hunter2";

/// A stack with a secret in every place, or with something else there.
const FILE: &str = "
services:
  web:
    image: web:1
    command: [serve, '--key=${X_PASSWORD}']
    entrypoint: [run, '${X_PASSWORD}']
    labels: {key: '${X_PASSWORD}'}
    healthcheck: {test: [CMD, check, '${X_PASSWORD}']}
    logging: {driver: json-file, options: {tag: '${X_PASSWORD}'}}
    environment:
      PLAIN: '${X_PASSWORD}'
      DB_PASSWORD: $LITERAL
      LICENCE: $LITERAL
    configs: [inline]
    secrets: [from_environment]
    volumes: ['data:/data']
x-reconciler: {sensitive: [LICEN*]}
configs: {inline: {content: 'key=${X_PASSWORD}'}}
secrets: {from_environment: {environment: X_PASSWORD}}
volumes: {data: {driver_opts: {o: 'password=${X_PASSWORD}'}}}
networks: {default: {driver_opts: {key: '${X_PASSWORD}'}, labels: {key: '${X_PASSWORD}'}}}
";

/// The same stack with nothing in it that could be taken for a secret.
const PLAIN: &str = "
services:
  web:
    image: web:1
    command: [serve]
    entrypoint: [run]
    labels: {key: none}
    healthcheck: {test: [CMD, check]}
    environment: {PLAIN: nothing}
    volumes: ['data:/data']
volumes: {data: {}}
";

fn with(secret: &str) -> crate::state::desired::Desired {
    desired_with(
        &FILE.replace("$LITERAL", &format!("'{secret}'")),
        &[("X_PASSWORD", secret)],
    )
}

/// Returns everything that can be read about a stack.
fn shown(drive: &mut Drive) -> Vec<String> {
    let observed = drive.learn();
    let world = drive.world(&observed);
    let plan = plan_world(&world);
    let stacks = [plan::StackPlan {
        project: &drive.desired.project,
        generation: &drive.desired.generation,
        plan: &plan,
    }];
    let status = [condition::status(&world, &plan, None)];
    let rows: Vec<_> =
        drive.desired.services.keys().flat_map(|name| rows(&world, name)).collect();
    let now = drive.machine.now();
    vec![
        strip_str(&plan::drawn(&stacks, now.moment)).to_string(),
        json::pretty(&json::diff(&stacks, now)).unwrap(),
        strip_str(&status::drawn(&status, now, None)).to_string(),
        json::pretty(&json::status(&status)).unwrap(),
        strip_str(&explain::drawn(&rows, None)).to_string(),
        json::pretty(&rows).unwrap(),
        format!("{plan:?} {:?} {:?} {rows:?}", drive.memory, drive.desired),
    ]
}

/// Goes on to the end, and looks at everything that is shown on the way; returns it.
fn watch(drive: &mut Drive) -> String {
    let mut all = String::new();
    for _ in 0..200 {
        for text in shown(drive) {
            if let Some(at) = text.find(CANARY) {
                panic!("a secret is shown: {}", &text[at.saturating_sub(300)..at + 7]);
            }
            all += &text;
        }
        if !drive.one() {
            return all;
        }
    }
    panic!("it goes on for ever: {}", drive.text());
}

#[test]
fn no_secret_is_shown_while_a_stack_is_made() {
    let mut drive = Drive::new(with(CANARY));
    assert!(watch(&mut drive).contains("(sensitive)"));
    assert!(drive.status().ready);
}

#[test]
fn no_secret_is_shown_when_it_changes() {
    for (before, after) in [("other", CANARY), (CANARY, "other")] {
        let mut drive = Drive::new(with(before));
        drive.settle();
        drive.desired = with(after);
        assert!(watch(&mut drive).contains("(sensitive)"));
        assert!(drive.plan().is_in_sync());
    }
}

#[test]
fn no_secret_is_shown_that_only_the_old_container_has() {
    let mut drive = Drive::new(with(CANARY));
    drive.settle();
    drive.desired = desired(PLAIN);
    assert!(watch(&mut drive).contains("(sensitive)"));
    assert!(drive.plan().is_in_sync());
}

#[test]
fn the_engine_is_given_every_secret_all_the_same() {
    let mut drive = Drive::new(with(CANARY));
    let mut given = 0;
    for _ in 0..50 {
        for (_, step) in drive.pass().steps {
            given += match step {
                Step::Create { document, .. }
                | Step::CreateNetwork { document, .. }
                | Step::CreateVolume { document, .. } => document
                    .iter()
                    .map(|(_, value)| value.exposed().to_string())
                    .map(|text| text.matches(CANARY).count())
                    .sum(),
                Step::CopyIn { files, .. } => {
                    files.iter().filter(|it| it.content.expose().contains(CANARY)).count()
                }
                Step::Pull { .. }
                | Step::RemoveNetwork { .. }
                | Step::Connect { .. }
                | Step::Disconnect { .. }
                | Step::Update { .. }
                | Step::Rename { .. }
                | Step::Start { .. }
                | Step::Unpause { .. }
                | Step::Stop { .. }
                | Step::Remove { .. }
                | Step::ReadLog { .. }
                | Step::Measure { .. }
                | Step::Probe { .. }
                | Step::Signal { .. }
                | Step::Reach { .. }
                | Step::Test { .. }
                | Step::Rehearse(_) => 0,
            };
        }
    }
    assert!(drive.status().ready);
    let (container, files, network, volume) = (8, 2, 2, 1);
    assert_eq!(given, container + files + network + volume);
}
