//! Changed content: a signal, a test inside, a test in a container made for it.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::query_parameters::{KillContainerOptions, LogsOptions};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, sleep};

use super::error::CallError;
use super::wire::{Wire, encoded};
use super::{archive, perform, probe};
use crate::state::document::Document;
use crate::state::ids::{ContainerId, ContainerName};
use crate::state::secret::Secret;
use crate::state::step::{Done, Failure, FailureKind, Rehearsal};
use crate::state::value::Value;

/// How many bytes of what a test prints are kept: the last ones.
const OUTPUT: usize = 16 << 10;
/// How often the engine is asked whether a container has ended.
const LOOK: Duration = Duration::from_millis(25);
/// How long a call inside a rehearsal may take that has no limit of its own.
const CALL: Duration = Duration::from_secs(10);

/// Sends a signal to the first process of a container.
pub(super) async fn signal(
    wire: &Wire,
    container: &ContainerId,
    signal: &str,
) -> Result<(), Failure> {
    let options = KillContainerOptions { signal: signal.to_owned() };
    let sent = wire.client().kill_container(container.as_str(), Some(options));
    let sent = sent.await.map_err(CallError::from);
    sent.map_err(|error| {
        error.failing(&format!("send {signal} to {}", container.short()))
    })
}

/// Runs a command inside and keeps the end of what it prints.
pub(super) async fn test(
    wire: &Wire,
    container: &ContainerId,
    command: &[Secret],
    timeout: Duration,
) -> Result<Done, Failure> {
    let about = format!("test the changed content in {}", container.short());
    let told = tokio::time::timeout(timeout, run(wire, container, command)).await;
    let Ok(told) = told else { return Err(late(&about, timeout)) };
    let (exit_code, output) = told.map_err(|error| error.failing(&about))?;
    Ok(Done::Tested { exit_code, output })
}

async fn run(
    wire: &Wire,
    container: &ContainerId,
    command: &[Secret],
) -> Result<(i64, Secret), CallError> {
    let options = CreateExecOptions {
        cmd: Some(command.iter().map(|word| word.expose().to_owned()).collect()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let id = wire.client().create_exec(container.as_str(), options).await?.id;
    let output = match wire.client().start_exec(&id, None).await? {
        StartExecResults::Attached { output, .. } => last(output).await,
        StartExecResults::Detached => Secret::new(""),
    };
    let exit_code = loop {
        if let Some(exit_code) = probe::exit_code(wire, &id).await? {
            break exit_code;
        }
        sleep(LOOK).await;
    };
    Ok((exit_code, output))
}

/// Keeps the end of a stream of output; what is cut off by an error is what there is.
async fn last(
    output: impl Stream<Item = Result<LogOutput, bollard::errors::Error>>,
) -> Secret {
    let mut bytes: Vec<u8> = Vec::new();
    let mut output = std::pin::pin!(output);
    while let Some(Ok(part)) = output.next().await {
        bytes.extend_from_slice(part.as_ref());
        bytes.drain(..bytes.len().saturating_sub(OUTPUT));
    }
    Secret::new(String::from_utf8_lossy(&bytes))
}

fn late(about: &str, timeout: Duration) -> Failure {
    let message = format!("{about}: the test did not end in {} s", timeout.as_secs_f64());
    Failure { kind: FailureKind::Unknown, message }
}

/// Makes a container, runs it to its end, keeps what it printed, and removes it.
pub(super) async fn rehearse(wire: &Wire, it: &Rehearsal) -> Result<Done, Failure> {
    let document = without_volumes(wire, it).await?;
    perform::create(wire, &it.name, &document, it.platform.as_deref()).await?;
    let about = format!("test the changed content as {}", it.name);
    let id = id_of(wire, &it.name).await.map_err(|error| error.failing(&about))?;
    let told = play(wire, it, &id, &about).await;
    // Whatever it was doing, it changes nothing and is not needed any more.
    perform::stop(wire, &id, Duration::ZERO).await?;
    perform::remove(wire, &id).await?;
    told
}

async fn play(
    wire: &Wire,
    it: &Rehearsal,
    id: &ContainerId,
    about: &str,
) -> Result<Done, Failure> {
    for network in &it.networks {
        perform::connect(
            wire,
            id,
            network,
            &Value::Map(std::collections::BTreeMap::new()),
        )
        .await?;
    }
    if !it.files.is_empty() {
        archive::copy_in(wire, id, &it.files).await?;
    }
    perform::start(wire, id).await?;
    let deadline = Instant::now() + it.timeout;
    loop {
        let ended = exit_code(wire, id).await.map_err(|error| error.failing(about))?;
        if let Some(exit_code) = ended {
            let options = LogsOptions {
                stdout: true,
                stderr: true,
                tail: "100".to_owned(),
                ..LogsOptions::default()
            };
            let output = last(wire.client().logs(id.as_str(), Some(options)));
            let output = tokio::time::timeout(CALL, output).await;
            let output = output.unwrap_or_else(|_| Secret::new(""));
            return Ok(Done::Tested { exit_code, output });
        }
        if Instant::now() >= deadline {
            return Err(late(about, it.timeout));
        }
        sleep(LOOK).await;
    }
}

/// Gives memory to the volumes that the image asks for, so that none is left behind.
async fn without_volumes(wire: &Wire, it: &Rehearsal) -> Result<Document, Failure> {
    let mut document = it.document.clone();
    let image =
        document.get("Config.Image").exposed_text().unwrap_or_default().to_owned();
    let json = wire.get(&format!("/images/{}/json", encoded(&image))).await;
    let json = json.map_err(|error| error.failing(&format!("inspect {image}")))?;
    let declared = json["Config"]["Volumes"].as_object().cloned().unwrap_or_default();
    let mounts = document.get("HostConfig.Mounts").clone();
    let free = declared.into_iter().filter(|(path, _)| mounts.get(path).is_null());
    let free: Vec<(String, Value)> =
        free.map(|(path, _)| (path, Value::text(""))).collect();
    if !free.is_empty() {
        document.extend("HostConfig.Tmpfs", free);
    }
    Ok(document)
}

async fn id_of(wire: &Wire, name: &ContainerName) -> Result<ContainerId, CallError> {
    let json = wire.get(&format!("/containers/{}/json", encoded(name.as_str()))).await?;
    Ok(ContainerId::new(json["Id"].as_str().unwrap_or_default()))
}

/// Returns the exit code of a container that has ended.
async fn exit_code(wire: &Wire, id: &ContainerId) -> Result<Option<i64>, CallError> {
    let json = wire.get(&format!("/containers/{}/json", id.as_str())).await?;
    let state = &json["State"];
    let has_ended =
        state["Status"].as_str().is_some_and(|it| it == "exited" || it == "dead");
    Ok(state["ExitCode"].as_i64().filter(|_| has_ended))
}
