//! Telling a stack something that is remembered: through the operator that holds it, or in
//! its stored memory, under its lock.

use anyhow::Result;

use super::change::holder;
use super::session::{Connected, Session, chain};
use crate::cli::exit::Exit;
use crate::control::{Reply, Request, client};
use crate::planning::memory::Memory;
use crate::state::desired::Desired;
use crate::state::ids::ServiceName;
use crate::state::time::Now;
use crate::store::lock::LockError;

/// Who was told.
#[derive(Debug)]
pub(super) enum Told {
    /// The operator, which acts on it now.
    Operator,
    /// The stored memory, for whoever comes next.
    Memory,
    /// Nobody; why, and what to do.
    Refused(String),
}

/// Tells one stack something. An operator gets the request; without one the memory is
/// changed.
pub(super) async fn tell(
    session: &Session,
    connected: &Connected,
    desired: &Desired,
    command: &str,
    request: &Request,
    change: impl FnOnce(&mut Memory, Now),
) -> Told {
    let project = &desired.project;
    let place = session.place(connected, project);
    let now = connected.clock.now();
    let _lock = match place.take(project, &holder(command, desired, now)) {
        Ok(lock) => lock,
        Err(LockError::Held { holder, .. }) => {
            return match client::ask(&place.socket(), request).await {
                Ok(Reply::Done) => Told::Operator,
                Ok(Reply::Refused(refusal)) => Told::Refused(refusal),
                Ok(
                    Reply::Memory(_)
                    | Reply::Progress(_)
                    | Reply::Convergence(_)
                    | Reply::Backup(_),
                )
                | Err(_) => Told::Refused(format!("{project} is held by {holder}")),
            };
        }
        Err(error @ LockError::Failed { .. }) => return Told::Refused(chain(&error)),
    };
    let engine = &connected.facts.id;
    let mut memory = session.store.memory(engine, project, now);
    change(&mut memory, now);
    session.store.remember(engine, project, &memory, now);
    Told::Memory
}

/// The stacks that a command is about (all of them, or those with the named service), and
/// their engine. An exit status when there is none of either; that has been said then.
pub(super) async fn meant(
    session: &Session,
    service: Option<&ServiceName>,
) -> Result<std::result::Result<(Vec<Desired>, Connected), Exit>> {
    let Some(mut stacks) = session.desired()? else { return Ok(Err(Exit::Invalid)) };
    if let Some(name) = service {
        let is_meant = |desired: &Desired| desired.services.contains_key(name);
        if !stacks.iter().any(is_meant) {
            return session.no_such_service(name, &stacks).map(Err);
        }
        stacks.retain(is_meant);
    }
    match session.connect().await {
        Ok(connected) => Ok(Ok((stacks, connected))),
        Err(error) => session.no_engine(&error).map(Err),
    }
}
