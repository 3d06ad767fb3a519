//! Running a container's own health command once.

use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecOptions};
use tokio::time::{Instant, sleep};

use super::error::CallError;
use super::wire::Wire;
use crate::state::ids::ContainerId;
use crate::state::secret::Secret;
use crate::state::step::{Done, Failure, FailureKind, Reach};

/// How soon the engine is asked whether the command has ended; doubled each time.
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// How far apart these questions become.
const SLOWEST_LOOK: Duration = Duration::from_millis(100);
/// How much longer than its own timeout a command is waited for.
const SLACK: Duration = Duration::from_secs(1);

/// Runs a command inside and waits for its end; what it prints is thrown away.
///
/// No call can kill an exec: one that outlasts its time lives on, and the outcome is
/// unknown.
pub(super) async fn probe(
    wire: &Wire,
    container: &ContainerId,
    command: &[Secret],
    timeout: Duration,
) -> Result<Done, Failure> {
    let about = format!("probe {}", container.short());
    let id = start(wire, container, command).await;
    let id = id.map_err(|error| error.failing(&about))?;
    let deadline = Instant::now() + timeout + SLACK;
    let mut pause = FIRST_LOOK;
    loop {
        sleep(pause).await;
        pause = (pause * 2).min(SLOWEST_LOOK);
        let exit_code = exit_code(wire, &id).await;
        if let Some(exit_code) = exit_code.map_err(|error| error.failing(&about))? {
            return Ok(Done::Probed { exit_code });
        }
        if Instant::now() >= deadline {
            let message = format!(
                "{about}: the health command did not end in {} s",
                timeout.as_secs_f64()
            );
            return Err(Failure { kind: FailureKind::Unknown, message });
        }
    }
}

/// Asks from outside, or by a command of the file, whether a container is well.
pub(super) async fn reach(
    wire: &Wire,
    container: &ContainerId,
    how: &Reach,
    timeout: Duration,
) -> Result<Done, Failure> {
    let answer = match how {
        Reach::Http { host, port, path } => {
            crate::probe::http(host, *port, path, timeout).await
        }
        Reach::Tcp { host, port } => crate::probe::tcp(host, *port, timeout).await,
        Reach::Grpc { host, port, service } => {
            crate::probe::grpc(host, *port, service, timeout).await
        }
        Reach::Exec { command } => {
            match probe(wire, container, command, timeout).await? {
                Done::Probed { exit_code: 0 } => {
                    Ok("its command ended with 0".to_owned())
                }
                Done::Probed { exit_code } => {
                    Err(format!("its command ended with {exit_code}"))
                }
                Done::Done
                | Done::Log { .. }
                | Done::Measured { .. }
                | Done::Tested { .. }
                | Done::Reached { .. } => Ok(String::new()),
            }
        }
    };
    let is_well = answer.is_ok();
    Ok(Done::Reached { is_well, said: answer.unwrap_or_else(|said| said) })
}

/// Starts a command inside and returns the engine's id of it.
async fn start(
    wire: &Wire,
    container: &ContainerId,
    command: &[Secret],
) -> Result<String, CallError> {
    let options = CreateExecOptions {
        cmd: Some(command.iter().map(|word| word.expose().to_owned()).collect()),
        attach_stdout: Some(false),
        attach_stderr: Some(false),
        ..CreateExecOptions::default()
    };
    let created = wire.client().create_exec(container.as_str(), options);
    let id = created.await?.id;
    let detached = StartExecOptions { detach: true, ..StartExecOptions::default() };
    wire.client().start_exec(&id, Some(detached)).await?;
    Ok(id)
}

/// Returns the exit code of a command that has ended.
pub(super) async fn exit_code(wire: &Wire, id: &str) -> Result<Option<i64>, CallError> {
    let exec = wire.client().inspect_exec(id).await?;
    Ok(if exec.running == Some(true) { None } else { exec.exit_code })
}
