//! One question, and whoever can answer it.

use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

use crate::engine::Engine;
use crate::probe::{self, Page, Place, S3Request};
use crate::source::secret_file::SecretFile;
use crate::state::ask::{Answer, Ask, Found, Trouble, TroubleKind};
use crate::state::check::Credential;
use crate::state::ids::ContainerId;
use crate::state::secret::Secret;
use crate::state::step::{Done, Failure, FailureKind, Reach, Step};
use crate::state::time::EngineTime;

/// Asks, and returns what was said.
pub(super) async fn answer<E: Engine>(
    engine: &E,
    ask: &Ask,
    timeout: Duration,
    time: EngineTime,
) -> Answer {
    match ask {
        Ask::Http { host, port, path, status, body } => {
            let page = Page { path, status, body: body.as_deref() };
            probe::page(Place { host, port: *port }, page, timeout).await
        }
        Ask::Tcp { host, port } => {
            probe::listens(Place { host, port: *port }, timeout).await
        }
        Ask::Grpc { host, port, service, login } => {
            let login = known(login.as_ref())?;
            let login = login.as_ref().map(|(user, password)| (user.as_str(), password));
            probe::health(Place { host, port: *port }, service, login, timeout).await
        }
        Ask::EtcdAlarms { host, port, login } => {
            let login = known(login.as_ref())?;
            let login = login.as_ref().map(|(user, password)| (user.as_str(), password));
            probe::etcd_alarms(Place { host, port: *port }, login, timeout).await
        }
        Ask::S3 { host, port, bucket, region, access_key, secret_key } => {
            let secret_key = &secret(secret_key)?;
            let bucket = bucket.as_deref();
            let request = S3Request { bucket, region, access_key, secret_key, time };
            probe::s3(Place { host, port: *port }, request, timeout).await
        }
        Ask::Disk { path } => {
            return probe::disk(path, timeout).await.map(Found::Disk);
        }
        Ask::Memory { container, limit: _ } => return memory(engine, container).await,
        Ask::Exec { container, command } => {
            return exec(engine, container, command, timeout).await;
        }
    }
    .map(Found::Well)
}

/// Returns a user with the password itself.
fn known(
    login: Option<&(String, Credential)>,
) -> Result<Option<(String, Secret)>, Trouble> {
    login.map(|(user, password)| Ok((user.clone(), secret(password)?))).transpose()
}

fn secret(credential: &Credential) -> Result<Secret, Trouble> {
    match credential {
        Credential::Text(secret) => Ok(secret.clone()),
        Credential::File(path) => SecretFile::new(path, 1)
            .read()
            .map_err(|error| Trouble::new(TroubleKind::Unknown, error.to_string())),
    }
}

async fn memory<E: Engine>(engine: &E, container: &ContainerId) -> Answer {
    let step = Step::Measure { container: container.clone() };
    match perform(engine, &step).await? {
        Done::Measured { bytes } => Ok(Found::Memory(bytes)),
        Done::Done
        | Done::Probed { .. }
        | Done::Log { .. }
        | Done::Tested { .. }
        | Done::Reached { .. } => Err(strange()),
    }
}

async fn exec<E: Engine>(
    engine: &E,
    container: &ContainerId,
    command: &[Secret],
    timeout: Duration,
) -> Answer {
    let how = Reach::Exec { command: command.to_vec() };
    let step = Step::Reach { container: container.clone(), how, timeout };
    match perform(engine, &step).await? {
        Done::Reached { is_well: true, said } => Ok(Found::Well(said)),
        Done::Reached { is_well: false, said } => {
            Err(Trouble::new(TroubleKind::Unwell, said))
        }
        Done::Done
        | Done::Probed { .. }
        | Done::Log { .. }
        | Done::Tested { .. }
        | Done::Measured { .. } => Err(strange()),
    }
}

async fn perform<E: Engine>(engine: &E, step: &Step) -> Result<Done, Trouble> {
    let (progress, _) = unbounded_channel();
    engine.perform(step, &progress).await.map_err(failed)
}

/// A command that does not end in time fails the check; whatever else the engine has to say
/// is about the engine.
fn failed(failure: Failure) -> Trouble {
    let kind = match failure.kind {
        FailureKind::Unknown => TroubleKind::Silent,
        FailureKind::NotFound
        | FailureKind::Conflict
        | FailureKind::Refused
        | FailureKind::Failed
        | FailureKind::Abandoned => TroubleKind::Unknown,
    };
    Trouble::new(kind, failure.message)
}

fn strange() -> Trouble {
    Trouble::new(TroubleKind::Unknown, "the engine answered something else")
}
