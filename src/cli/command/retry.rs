//! `retry`: what failed is tried again now.

use anyhow::Result;

use super::change::holder;
use super::session::{Connected, Session, chain};
use crate::cli::arguments::Retry;
use crate::cli::exit::Exit;
use crate::control::{Reply, Request, client};
use crate::state::desired::Desired;
use crate::state::ids::ServiceName;
use crate::store::lock::LockError;

pub(super) async fn run(session: &Session, options: &Retry) -> Result<Exit> {
    let Some(stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    let service = options.service.as_deref().map(ServiceName::new);
    let is_meant = |desired: &Desired| {
        service.as_ref().is_none_or(|name| desired.services.contains_key(name))
    };
    if let Some(name) = &service
        && !stacks.iter().any(is_meant)
    {
        return session.no_such_service(name, &stacks);
    }
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let mut exit = Exit::Good;
    for desired in stacks.iter().filter(|it| is_meant(it)) {
        exit = exit.and(one(session, &connected, desired, service.as_ref()).await?);
    }
    Ok(exit)
}

async fn one(
    session: &Session,
    connected: &Connected,
    desired: &Desired,
    service: Option<&ServiceName>,
) -> Result<Exit> {
    let project = &desired.project;
    let place = session.place(connected, project);
    let now = connected.clock.now();
    let _lock = match place.take(project, &holder("retry", desired, now)) {
        Ok(lock) => lock,
        Err(LockError::Held { holder, .. }) => {
            let request = Request::Retry { service: service.cloned() };
            return match client::ask(&place.socket(), &request).await {
                Ok(Reply::Done) => {
                    let words = "is tried again now, by the running operator";
                    session.output.notice(&format!("{project} {words}\n"))?;
                    Ok(Exit::Good)
                }
                Ok(_) | Err(_) => {
                    session.refused(&format!("{project} is held by {holder}"))
                }
            };
        }
        Err(error @ LockError::Failed { .. }) => return session.refused(&chain(&error)),
    };
    let engine = &connected.facts.id;
    let mut memory = session.store.memory(engine, project, now);
    memory.try_again(service);
    session.store.remember(engine, project, &memory, now);
    session.output.notice(&format!(
        "the failures of {project} are forgotten; `reconciler apply` tries again\n"
    ))?;
    Ok(Exit::Good)
}
