//! What `status` prints: stacks, services, and why something waits.

use anstyle::Style;

use super::check;
use super::style::{BAD, CHANGE, FAINT, GOOD, STRONG, paint};
use super::table::{self, Row};
use super::text::{age, count, one_line, short_digest};
use crate::planning::status::{
    ConditionStatus, ContainerStatus, ServiceStatus, StackStatus,
};
use crate::state::commit::Commit;
use crate::state::time::Now;

/// Returns the status of the stacks as text; a `width` makes long messages wrap.
pub fn drawn(stacks: &[StackStatus], now: Now, width: Option<u16>) -> String {
    if stacks.is_empty() {
        return "No stacks.\n".to_owned();
    }
    let mut stacks: Vec<&StackStatus> = stacks.iter().collect();
    stacks.sort_by(|a, b| a.name.cmp(&b.name));
    let texts: Vec<String> =
        stacks.into_iter().map(|stack| stack_text(stack, now, width)).collect();
    texts.join("\n")
}

/// Returns one frame of `status --watch`: the time, then the status.
pub fn frame(stacks: &[StackStatus], now: Now, width: Option<u16>) -> String {
    let time = now.engine.strftime("%Y-%m-%d %H:%M:%SZ");
    format!("{}\n\n{}", paint(FAINT, time), drawn(stacks, now, width))
}

fn stack_text(stack: &StackStatus, now: Now, width: Option<u16>) -> String {
    let ready = stack.services.iter().filter(|service| service.ready).count();
    let word =
        if stack.ready { paint(GOOD, "ready") } else { paint(CHANGE, "not ready") };
    let mut text = format!(
        "{}  {word}  {ready} of {} ready  {}\n{}\n",
        paint(STRONG, &stack.name),
        count(stack.services.len(), "service"),
        paint(FAINT, generation_text(stack)),
        stack.commit.as_ref().map(commit_text).unwrap_or_default(),
    );
    let mut services: Vec<&ServiceStatus> = stack.services.iter().collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let rows = services.iter().flat_map(|service| {
        let style = service_style(service);
        service_rows(service, now).into_iter().map(move |cells| Row { style, cells })
    });
    let header = ["SERVICE", "READY", "STATE", "HEALTH", "RESTARTS", "SINCE", "MESSAGE"];
    text += &table::drawn(header, rows, width);
    text += &conditions_text(stack, &services, now, width);
    text += &check::line(&stack.checks, now);
    text
}

fn commit_text(Commit { id, author, subject, .. }: &Commit) -> String {
    let text = format!("commit {id} by {author}: {subject}");
    format!("{}\n", paint(FAINT, one_line(&text)))
}

fn generation_text(stack: &StackStatus) -> String {
    let wanted = short_digest(stack.generation.as_str());
    match &stack.observed_generation {
        Some(observed) if *observed == stack.generation => wanted.to_owned(),
        Some(observed) => {
            format!("{wanted} (last acted on {})", short_digest(observed.as_str()))
        }
        None => format!("{wanted} (not acted on yet)"),
    }
}

fn service_style(service: &ServiceStatus) -> Style {
    let degraded =
        condition(service, "Degraded").is_some_and(|it| it.status == Some(true));
    if degraded {
        BAD
    } else if service.ready {
        Style::new()
    } else {
        CHANGE
    }
}

/// Returns the row of a service, and one for each container where there are several.
fn service_rows(service: &ServiceStatus, now: Now) -> Vec<[String; 7]> {
    let ready = format!("{}/{}", service.ready_replicas, service.desired);
    let since = condition(service, "Ready").and_then(|ready| ready.since);
    let since = since.map(|since| age(now.age(since))).unwrap_or_default();
    let name = service.name.to_string();
    let message = message(service, now);
    match service.containers.as_slice() {
        [] => vec![[name, ready, "-".into(), "-".into(), "-".into(), since, message]],
        [only] => {
            let [state, health, restarts] = container_cells(only);
            vec![[name, ready, state, health, restarts, since, message]]
        }
        several => {
            let blank = String::new;
            let restarts =
                several.iter().map(|container| container.restarts).sum::<u64>();
            let restarts = restarts.to_string();
            let mut rows =
                vec![[name, ready, blank(), blank(), restarts, since, message]];
            rows.extend(several.iter().map(|container| {
                let [state, health, restarts] = container_cells(container);
                let name = format!("  {}", container.name);
                [name, blank(), state, health, restarts, blank(), blank()]
            }));
            rows
        }
    }
}

fn container_cells(container: &ContainerStatus) -> [String; 3] {
    let health = container.health.unwrap_or("-");
    [container.state.to_owned(), health.to_owned(), container.restarts.to_string()]
}

fn condition<'a>(service: &'a ServiceStatus, kind: &str) -> Option<&'a ConditionStatus> {
    service.conditions.iter().find(|condition| condition.kind == kind)
}

/// Returns why a service is not ready, and when it is tried again.
pub(super) fn message(service: &ServiceStatus, now: Now) -> String {
    let why = condition(service, "Ready")
        .filter(|_| !service.ready)
        .map(reason_and_message)
        .filter(|why| !why.is_empty());
    let retry = service.next.map(|next| {
        let wait = age(now.engine.duration_until(next).try_into().unwrap_or_default());
        let failures = match service.attempts {
            0 => String::new(),
            attempts => format!(" after {}", count(attempts as usize, "failure")),
        };
        format!("next try in {wait}{failures}")
    });
    let parts: Vec<String> = why.into_iter().chain(retry).collect();
    parts.join("; ")
}

fn reason_and_message(condition: &ConditionStatus) -> String {
    match (condition.reason.as_str(), condition.message.as_str()) {
        (only, "") | ("", only) => only.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

/// Returns the conditions that are not as they should be, without those that the rows of
/// the services tell already; nothing when all are well.
fn conditions_text(
    stack: &StackStatus,
    services: &[&ServiceStatus],
    now: Now,
    width: Option<u16>,
) -> String {
    let of_stack =
        stack.conditions.iter().map(|condition| ("stack".to_owned(), condition));
    let of_services = services.iter().flat_map(|service| {
        let untold = service.conditions.iter().filter(|it| it.kind != "Ready");
        untold.map(|condition| (service.name.to_string(), condition))
    });
    let rows: Vec<[String; 5]> = of_stack
        .chain(of_services)
        .filter(|(_, condition)| is_remarkable(condition))
        .map(|(about, condition)| {
            let since = condition.since.map(|since| age(now.age(since)));
            [
                about,
                format!("{}={}", condition.kind, condition.status_word()),
                since.unwrap_or_default(),
                condition.reason.clone(),
                condition.message.clone(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["ABOUT", "CONDITION", "SINCE", "REASON", "MESSAGE"];
    format!("\n{}", table::drawn(header, rows, width))
}

/// Tells whether a condition is not what it is when all is well.
fn is_remarkable(condition: &ConditionStatus) -> bool {
    match condition.kind {
        "Degraded" | "Progressing" | "Paused" | "Pinned" => {
            condition.status != Some(false)
        }
        _ => condition.status != Some(true),
    }
}

#[cfg(test)]
mod tests;
