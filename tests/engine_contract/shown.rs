//! How steps, answers, containers and wake-ups stand in a transcript.

use reconciler::engine::Wakeup;
use reconciler::state::document::Document;
use reconciler::state::observed::{Container, Health};
use reconciler::state::secret::Secret;
use reconciler::state::step::{Done, Failure, FailureKind, Step};
use serde_json::{Value as Json, json};

/// Shows a document.
pub(crate) fn document(document: &Document) -> Json {
    document
        .iter()
        .map(|(pointer, value)| (pointer.to_owned(), value.exposed()))
        .collect()
}

/// Shows what was asked.
#[expect(clippy::too_many_lines, reason = "one arm for each kind of step")]
pub(crate) fn step(step: &Step) -> Json {
    let grace = |time: &std::time::Duration| json!(time.as_secs_f64());
    match step {
        Step::Pull { image, platform } => {
            json!({ "pull": image.as_str(), "platform": platform })
        }
        Step::CreateNetwork { name, document: fields } => {
            json!({ "create_network": name.as_str(), "document": document(fields) })
        }
        Step::RemoveNetwork { id } => json!({ "remove_network": id.as_str() }),
        Step::CreateVolume { name, document: fields } => {
            json!({ "create_volume": name.as_str(), "document": document(fields) })
        }
        Step::Create { name, document: fields, platform } => json!({
            "create": name.as_str(), "document": document(fields), "platform": platform,
        }),
        Step::CopyIn { container, files } => {
            let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
            json!({ "copy_in": container.as_str(), "files": paths })
        }
        Step::Connect { container, network, endpoint } => json!({
            "connect": container.as_str(), "network": network.as_str(),
            "endpoint": endpoint.exposed(),
        }),
        Step::Disconnect { container, network } => {
            json!({ "disconnect": container.as_str(), "network": network.as_str() })
        }
        Step::Update { container, document: fields } => {
            json!({ "update": container.as_str(), "document": document(fields) })
        }
        Step::Rename { container, to } => {
            json!({ "rename": container.as_str(), "to": to.as_str() })
        }
        Step::Start { container } => json!({ "start": container.as_str() }),
        Step::Unpause { container } => json!({ "unpause": container.as_str() }),
        Step::Stop { container, grace: time } => {
            json!({ "stop": container.as_str(), "grace": grace(time) })
        }
        Step::Remove { container } => json!({ "remove": container.as_str() }),
        Step::ReadLog { container } => json!({ "read_log": container.as_str() }),
        Step::Measure { container } => json!({ "measure": container.as_str() }),
        Step::Probe { container, command, timeout } => {
            let command: Vec<_> = command.iter().map(Secret::expose).collect();
            json!({
                "probe": container.as_str(), "command": command,
                "timeout": grace(timeout),
            })
        }
        Step::Signal { container, signal, content: _ } => {
            json!({ "signal": container.as_str(), "with": signal })
        }
        Step::Test { container, command, timeout, content: _ } => {
            let command: Vec<_> = command.iter().map(Secret::expose).collect();
            json!({
                "test": container.as_str(), "command": command,
                "timeout": grace(timeout),
            })
        }
        Step::Reach { container, how, timeout } => json!({
            "reach": container.as_str(), "how": format!("{how:?}"),
            "timeout": grace(timeout),
        }),
        Step::Rehearse(it) => json!({
            "rehearse": it.name.as_str(), "document": document(&it.document),
            "timeout": grace(&it.timeout),
        }),
    }
}

/// Shows what was answered.
pub(crate) fn answer(answer: &Result<Done, Failure>) -> Json {
    match answer {
        Ok(Done::Done) => json!("done"),
        Ok(Done::Probed { exit_code }) => json!({ "probed": exit_code }),
        // What it says is the room's of probes, which no engine has a part in.
        Ok(Done::Reached { is_well, said: _ }) => json!({ "reached": is_well }),
        Ok(Done::Tested { exit_code, output }) => {
            json!({ "tested": exit_code, "said": output.expose() })
        }
        Ok(Done::Log { .. }) => json!("log"),
        Ok(Done::Measured { .. }) => json!("measured"),
        Err(Failure { kind, message }) => {
            let kind = match kind {
                FailureKind::NotFound => "not_found",
                FailureKind::Conflict => "conflict",
                FailureKind::Refused => "refused",
                FailureKind::Unknown => "unknown",
                FailureKind::Failed => "failed",
                FailureKind::Abandoned => "abandoned",
            };
            json!({ kind: message })
        }
    }
}

/// What the engine was configured to, or what its host can do: another machine's is another.
const OF_THE_HOST: [&str; 2] = ["HostConfig.LogConfig.Config", "HostConfig.CgroupnsMode"];

/// Shows a container, but for its times.
pub(crate) fn container(container: &Container) -> Json {
    let mut fields = document(&container.document);
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|pointer, _| !OF_THE_HOST.contains(&pointer.as_str()));
    }
    if let Some(labels) = fields.get_mut("Config.Labels").and_then(Json::as_object_mut) {
        // The digest of what the image was built from.
        labels.remove("lab.recipe");
    }
    let attached = &container.attached;
    let state = &container.state;
    json!({
        "image": container.image.as_str(),
        "document": fields,
        "attached": attached
            .iter()
            .map(|(name, id)| (name.to_string(), json!(id.as_str())))
            .collect::<Json>(),
        "state": {
            "status": state.status.as_str(),
            "health": state.health.map(Health::as_str),
            "exit_code": state.exit_code,
            "out_of_memory": state.out_of_memory,
            "error": state.error,
            "restarts": state.restarts,
        },
    })
}

/// Shows what the engine told.
pub(crate) fn wakeup(wakeup: &Wakeup) -> String {
    match wakeup {
        Wakeup::Container { id, action } => format!("{id}: {action}"),
        Wakeup::Endpoint { container, action } => {
            format!("network {action}: {container}")
        }
        Wakeup::Other { action, .. } => action.clone(),
        Wakeup::Lost { reason } => format!("lost: {reason}"),
        Wakeup::Relist { reason } => format!("relist: {reason}"),
    }
}
