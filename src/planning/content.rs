//! Changed content: what a container read when it started, and what the files hold now.
//!
//! What it read is taken to be what counted at the last look before its start: a file may
//! change in between, and then it is taken up once too often rather than never.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::state::concealer::Concealer;
use crate::state::content::{Contents, Counted, meaning_of};
use crate::state::desired::{Desired, Service};
use crate::state::ids::{ContainerId, Object, ServiceName};
use crate::state::observed::{Container, Observed, Status};
use crate::state::secret::Secret;
use crate::state::step::{Done, Outcome, Step};
use crate::state::value::Value;

use super::change::{Action, FieldDrift, Note};
use super::decision::{Decision, Next};
use super::memory::{Memory, Offered, ReadContent, Refused};
use super::replica::{decision, named, object};
use super::world::{Instance, World};
use super::{order, rehearsal};

/// How long a test may take.
const TEST: Duration = Duration::from_secs(30);

/// How many lines of what a test printed are kept, and how many characters.
const LINES: usize = 8;
const CHARACTERS: usize = 800;

/// Returns the digest of everything that counts of a service.
pub(super) fn digest(desired: &Desired, service: &Service) -> String {
    desired.digest_key.digest(&meaning_of(&service.contents))
}

/// Returns how the files that a running container has read differ from what they are now.
/// Without a record of what it read nothing does.
pub(super) fn drift(
    desired: &Desired,
    service: &Service,
    holder: &Container,
    memory: &Memory,
) -> Vec<FieldDrift> {
    if service.contents.is_empty() || holder.state.status != Status::Running {
        return Vec::new();
    }
    let known = memory.contents.get(&holder.id);
    let known = known.filter(|it| Some(it.started) == holder.state.started);
    let Some(known) = known.filter(|it| it.read.key == desired.digest_key.fingerprint())
    else {
        return Vec::new();
    };
    let mut fields = Vec::new();
    for (path, wanted) in &service.contents {
        if let Some(read) = known.read.contents.get(path) {
            fields.extend(differences(path, service, wanted, read));
        }
    }
    let ignored = &service.settings.ignored_drift;
    fields.retain(|field| !ignored.iter().any(|path| covers(path, &field.path)));
    fields
}

/// Tells whether a path that was given covers a file: it, or what lies below it.
fn covers(given: &str, path: &str) -> bool {
    let rest = path.strip_prefix(given);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
}

/// A container sees another file in the place of the one that is mounted only when it is
/// started again.
fn differences(
    path: &str,
    service: &Service,
    wanted: &Counted,
    read: &Counted,
) -> Vec<FieldDrift> {
    let has_moved =
        wanted.place.zip(read.place).is_some_and(|(wanted, read)| wanted != read);
    let cost = match &service.settings.reload {
        Some(_) if !has_moved => Action::Reload,
        Some(_) | None => Action::Restart,
    };
    let show = |digest: Option<&String>| match digest {
        None => Value::Null,
        Some(_) if wanted.is_secret => Value::Secret(Secret::new("it differs")),
        Some(digest) => Value::Text(digest.chars().take(12).collect()),
    };
    let files: BTreeSet<&String> = wanted.files.keys().chain(read.files.keys()).collect();
    files
        .into_iter()
        .filter(|file| wanted.files.get(*file) != read.files.get(*file))
        .map(|file| FieldDrift {
            path: if file.is_empty() {
                path.to_owned()
            } else {
                format!("{path}/{file}")
            },
            pointer: "",
            desired: show(wanted.files.get(file)),
            observed: show(read.files.get(file)),
            cost,
        })
        .collect()
}

/// Returns why the changed content of an instance is not taken up; nothing when it may be.
pub(super) fn refused<'a>(
    instance: &Instance<'_>,
    desired: &Desired,
    memory: &'a Memory,
) -> Option<&'a Refused> {
    let refused = memory.refused.get(&instance.service.name)?;
    let is_meant = !instance.content.is_empty()
        && refused.content == digest(desired, instance.service);
    is_meant.then_some(refused)
}

/// Decides how changed content is taken up: tested where there is a test, then by a signal
/// where that is enough, else by a restart.
pub(super) fn decide(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
) -> Decision {
    let verdict = instance.verdict();
    let reason = named(&instance.content, verdict);
    if let Some(refused) = instance.refused {
        let reason = format!("{reason}; {}", refused.message);
        let wait = "content that its test accepts".to_owned();
        return decision(instance, verdict, reason, Next::Wait(vec![wait]));
    }
    decision(instance, verdict, reason, next(world, instance, holder, verdict))
}

fn next(
    world: &World<'_>,
    instance: &Instance<'_>,
    holder: &Container,
    verdict: Action,
) -> Next {
    let service = instance.service;
    let content = digest(world.desired, service);
    let must_restart = verdict >= Action::Restart;
    let waits =
        if must_restart { order::before_disruption(world, instance) } else { Vec::new() };
    if !waits.is_empty() {
        return Next::Wait(waits);
    }
    let Some(reload) = &service.settings.reload else { return stop(instance, holder) };
    let is_tested = world.memory.tested.get(&holder.id) == Some(&content);
    if !reload.test.is_empty() && !is_tested {
        return if must_restart {
            rehearsal::step(world, instance, holder, &reload.test, TEST, content)
        } else {
            Next::Step(Step::Test {
                container: holder.id.clone(),
                command: reload.test.clone(),
                timeout: TEST,
                content,
            })
        };
    }
    if must_restart {
        return stop(instance, holder);
    }
    Next::Step(Step::Signal {
        container: holder.id.clone(),
        signal: reload.signal.clone(),
        content: service.contents.clone(),
    })
}

fn stop(instance: &Instance<'_>, holder: &Container) -> Next {
    Next::Step(Step::Stop {
        container: holder.id.clone(),
        grace: instance.service.stop_grace,
    })
}

/// Says what people should know about the content of an instance.
pub(super) fn notes(instance: &Instance<'_>) -> Vec<Note> {
    let about = || object(instance).to_string();
    let refused = instance.refused.map(|refused| Note {
        reason: "ContentRefused",
        about: about(),
        message: format!(
            "{}; the container keeps what it has read. Correct the file, or say \
             `reconciler retry {}`",
            refused.message, instance.service.name
        ),
    });
    refused.into_iter().chain(policy_note(instance)).collect()
}

/// Measured on 20.10: a signal by the engine's API takes the restart policy away from a
/// container without a stop signal of its own, until it is started again.
fn policy_note(instance: &Instance<'_>) -> Option<Note> {
    let holder = instance.office.holder?;
    let reload = instance.service.settings.reload.as_ref()?;
    let policy = holder.document.get("HostConfig.RestartPolicy.Name");
    let is_kept = !holder.document.get("Config.StopSignal").is_zero()
        || matches!(policy.as_text(), None | Some("" | "no"));
    (!is_kept).then(|| Note {
        reason: "RestartPolicyAtRisk",
        about: object(instance).to_string(),
        message: format!(
            "after {} an engine may forget its restart policy until it is started again, \
             because it has no stop signal: write `stop_signal: SIGTERM`",
            reload.signal
        ),
    })
}

/// Learns what containers have read, and what tests have said.
pub(super) fn learn(
    memory: &mut Memory,
    desired: &Desired,
    observed: &Observed,
    outcomes: &[Outcome],
) {
    for outcome in outcomes {
        if let Ok(done) = &outcome.result {
            ended(memory, desired, outcome, done);
        }
    }
    let is_there = |id: &ContainerId| observed.containers.contains_key(id);
    memory.contents.retain(|id, _| is_there(id));
    memory.tested.retain(|id, _| is_there(id));
    memory.refused.retain(|name, refused| {
        let service = desired.services.get(name);
        service.is_some_and(|service| digest(desired, service) == refused.content)
    });
    let key = desired.digest_key.fingerprint();
    for container in observed.containers.values() {
        started(memory, desired, container, &key);
    }
    let counted = desired.services.values().filter(|it| !it.contents.is_empty());
    memory.offered = counted
        .map(|service| {
            let offered =
                Offered { key: key.clone(), contents: service.contents.clone() };
            (service.name.clone(), offered)
        })
        .collect();
}

fn ended(memory: &mut Memory, desired: &Desired, outcome: &Outcome, done: &Done) {
    if let Step::Signal { container, content, .. } = &outcome.step {
        if let Some(known) = memory.contents.get_mut(container) {
            known.read.contents.clone_from(content);
        }
        memory.tested.remove(container);
    }
    let (container, content) =
        if let Step::Test { container, content, .. } = &outcome.step {
            (container, content)
        } else if let Step::Rehearse(it) = &outcome.step {
            (&it.holder, &it.content)
        } else {
            return;
        };
    let (Done::Tested { exit_code, output }, Object::Service(replica)) =
        (done, &outcome.object)
    else {
        return;
    };
    if *exit_code == 0 {
        memory.tested.insert(container.clone(), content.clone());
        return;
    }
    let name: &ServiceName = &replica.service;
    let said = said(output, desired);
    let said = if said.is_empty() { "it said nothing".to_owned() } else { said };
    let message =
        format!("the test of its changed content ended with code {exit_code}: {said}");
    let refused = Refused { content: content.clone(), message };
    memory.refused.insert(name.clone(), refused);
}

/// Takes note of a start. Files that count from now on are taken as they are.
fn started(memory: &mut Memory, desired: &Desired, container: &Container, key: &str) {
    let (Some(started), Some(replica)) =
        (container.state.started, &container.origin.replica)
    else {
        return;
    };
    let service = desired.services.get(&replica.service);
    let Some(service) = service.filter(|service| !service.contents.is_empty()) else {
        return;
    };
    if container.state.status != Status::Running || container.origin.one_off {
        return;
    }
    let known = memory.contents.get(&container.id);
    let mut read = match known.filter(|it| it.started == started && it.read.key == key) {
        Some(known) => known.read.contents.clone(),
        None => memory
            .offered
            .get(&service.name)
            .filter(|offered| offered.key == key)
            .map_or_else(Contents::new, |offered| offered.contents.clone()),
    };
    for (path, counted) in &service.contents {
        read.entry(path.clone()).or_insert_with(|| counted.clone());
    }
    let read = Offered { key: key.to_owned(), contents: read };
    memory.contents.insert(container.id.clone(), ReadContent { started, read });
}

/// Returns the end of what a test printed, on one line and without any secret.
fn said(output: &Secret, desired: &Desired) -> String {
    let text = Concealer::of(desired, []).conceal(output.expose());
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    let line = last.join("; ");
    line.chars().take(CHARACTERS).collect()
}
