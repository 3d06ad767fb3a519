//! The JSON contract of `diff`, `status` and `explain`: stable names, sorted objects,
//! RFC 3339 times, values that are strings or null.

pub mod checks;

use serde::Serialize;

use checks::CheckStateJson;

use super::plan::StackPlan;
use crate::planning::change::{Change, FieldDrift, Gate};
use crate::planning::explain::ExplainRow;
use crate::planning::status::{
    ConditionStatus, ContainerStatus, ServiceStatus, StackStatus,
};
use crate::state::commit::Commit;
use crate::state::ids::{ProjectName, ServiceName};
use crate::state::time::{EngineTime, Now};

/// Returns a value as JSON text for people and machines: indented, with a line break at
/// the end.
pub fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// The top level: `{"stacks": […]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stacks<T> {
    /// The stacks, by name.
    pub stacks: Vec<T>,
}

/// What `diff -o json` says of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackDiff {
    name: String,
    generation: String,
    in_sync: bool,
    changes: Vec<ChangeJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<NoteJson>,
}

/// What is to change about one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ChangeJson {
    object: String,
    action: &'static str,
    reason: String,
    fields: Vec<FieldJson>,
    gate: GateJson,
}

/// One field that differs; secrets are concealed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct FieldJson {
    path: String,
    desired: Option<String>,
    observed: Option<String>,
}

/// Whether the next step may happen: `{"state": "open"}`, or `waiting` with what `on`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum GateJson {
    Open,
    Waiting {
        on: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
}

/// Something that people should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct NoteJson {
    reason: &'static str,
    about: String,
    message: String,
}

/// Returns what `diff -o json` prints; `now` dates what time alone opens.
pub fn diff(stacks: &[StackPlan<'_>], now: Now) -> Stacks<StackDiff> {
    let mut stacks: Vec<StackDiff> =
        stacks.iter().map(|stack| stack_diff(stack, now)).collect();
    stacks.sort_by(|a, b| a.name.cmp(&b.name));
    Stacks { stacks }
}

fn stack_diff(stack: &StackPlan<'_>, now: Now) -> StackDiff {
    let mut changes: Vec<&Change> = stack.plan.changes.iter().collect();
    changes.sort_by(|a, b| a.object.cmp(&b.object));
    let notes = stack.plan.notes.iter().map(|note| NoteJson {
        reason: note.reason,
        about: note.about.clone(),
        message: note.message.clone(),
    });
    StackDiff {
        name: stack.project.to_string(),
        generation: stack.generation.to_string(),
        in_sync: stack.plan.is_in_sync(),
        changes: changes.into_iter().map(|change| change_json(change, now)).collect(),
        notes: notes.collect(),
    }
}

fn change_json(change: &Change, now: Now) -> ChangeJson {
    let mut fields: Vec<FieldJson> = change.fields.iter().map(field_json).collect();
    fields.sort();
    ChangeJson {
        object: change.object.to_string(),
        action: change.action.as_str(),
        reason: change.reason.clone(),
        fields,
        gate: match &change.gate {
            Gate::Open => GateJson::Open,
            Gate::Waiting { on, until } => GateJson::Waiting {
                on: on.clone(),
                until: until.map(|until| {
                    let wait = until.since(now.moment);
                    now.engine.saturating_add(wait).unwrap_or(now.engine).to_string()
                }),
            },
        },
    }
}

fn field_json(field: &FieldDrift) -> FieldJson {
    let (observed, desired) = field.shown();
    FieldJson { path: field.path.clone(), desired, observed }
}

/// What `status -o json` says of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackJson {
    name: String,
    generation: String,
    observed_generation: Option<String>,
    commit: Option<CommitJson>,
    ready: bool,
    conditions: Vec<ConditionJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<CheckStateJson>,
    services: Vec<ServiceJson>,
}

/// A commit, where desired state comes from git.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitJson {
    id: String,
    author: String,
    message: String,
    committed: String,
}

impl From<&Commit> for CommitJson {
    fn from(commit: &Commit) -> Self {
        Self {
            id: commit.id.as_str().to_owned(),
            author: commit.author.clone(),
            message: commit.subject.clone(),
            committed: commit.committed.to_string(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ConditionJson {
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    reason: String,
    message: String,
    last_transition_time: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ServiceJson {
    name: String,
    ready: bool,
    replicas: ReplicasJson,
    containers: Vec<ContainerJson>,
    conditions: Vec<ConditionJson>,
    backoff: BackoffJson,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ReplicasJson {
    desired: u32,
    ready: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ContainerJson {
    name: String,
    id: String,
    state: &'static str,
    health: Option<&'static str>,
    restarts: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct BackoffJson {
    attempts: u32,
    next: Option<String>,
}

/// Returns what `status -o json` prints.
pub fn status(stacks: &[StackStatus]) -> Stacks<StackJson> {
    let mut stacks: Vec<StackJson> = stacks.iter().map(stack_json).collect();
    stacks.sort_by(|a, b| a.name.cmp(&b.name));
    Stacks { stacks }
}

fn stack_json(stack: &StackStatus) -> StackJson {
    let mut services: Vec<ServiceJson> =
        stack.services.iter().map(service_json).collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    StackJson {
        name: stack.name.to_string(),
        generation: stack.generation.to_string(),
        observed_generation: stack.observed_generation.as_ref().map(ToString::to_string),
        commit: stack.commit.as_ref().map(CommitJson::from),
        ready: stack.ready,
        conditions: stack.conditions.iter().map(condition_json).collect(),
        checks: checks::states(&stack.checks),
        services,
    }
}

fn service_json(service: &ServiceStatus) -> ServiceJson {
    ServiceJson {
        name: service.name.to_string(),
        ready: service.ready,
        replicas: ReplicasJson {
            desired: service.desired,
            ready: service.ready_replicas,
        },
        containers: service.containers.iter().map(container_json).collect(),
        conditions: service.conditions.iter().map(condition_json).collect(),
        backoff: BackoffJson { attempts: service.attempts, next: time(service.next) },
    }
}

fn container_json(container: &ContainerStatus) -> ContainerJson {
    ContainerJson {
        name: container.name.to_string(),
        id: container.id.to_string(),
        state: container.state,
        health: container.health,
        restarts: container.restarts,
    }
}

fn condition_json(condition: &ConditionStatus) -> ConditionJson {
    ConditionJson {
        kind: condition.kind,
        status: condition.status_word(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        last_transition_time: time(condition.since),
    }
}

/// Returns a time in RFC 3339.
fn time(time: Option<EngineTime>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// What `explain -o json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained<'a> {
    /// The stack.
    stack: &'a str,
    /// How the service is, and why it waits; in the form of `status`.
    status: Option<ServiceJson>,
    /// The service.
    service: &'a str,
    /// Its fields.
    fields: &'a [ExplainRow],
}

/// Returns what `explain -o json` prints.
pub fn explained<'a>(
    stack: &'a ProjectName,
    service: &'a ServiceName,
    status: Option<&ServiceStatus>,
    fields: &'a [ExplainRow],
) -> Explained<'a> {
    let (stack, service) = (stack.as_str(), service.as_str());
    Explained { stack, status: status.map(service_json), service, fields }
}

#[cfg(test)]
mod tests;
