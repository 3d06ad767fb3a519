//! `pause` and `resume`: what differs is told, and nothing is done about it.

use anyhow::Result;

use super::session::{Connected, Session};
use super::tell::{Told, meant, tell};
use crate::cli::arguments::{Pause, Resume};
use crate::cli::exit::Exit;
use crate::control::Request;
use crate::planning::pause::{self, Pauses};
use crate::state::desired::Desired;
use crate::state::ids::ServiceName;

pub(super) async fn run(session: &Session, options: &Pause) -> Result<Exit> {
    let service = options.service.as_deref().map(ServiceName::new);
    let (stacks, connected) = match meant(session, service.as_ref()).await? {
        Ok(meant) => meant,
        Err(exit) => return Ok(exit),
    };
    let mut exit = Exit::Good;
    for desired in &stacks {
        let request = Request::Pause { service: service.clone(), time: options.time };
        let told =
            tell(session, &connected, desired, "pause", &request, |memory, now| {
                let pause = pause::Pause::new(now, options.time);
                memory.pauses.begin(service.as_ref(), pause);
            });
        if let Told::Refused(refusal) = told.await {
            exit = exit.and(session.refused(&refusal)?);
            continue;
        }
        let pause = pause::Pause::new(connected.clock.now(), options.time);
        let what = name(desired, service.as_ref());
        session.output.notice(&format!(
            "{what} {pause}; nothing is done about it until then, or `reconciler resume`\n"
        ))?;
    }
    Ok(exit)
}

fn name(desired: &Desired, service: Option<&ServiceName>) -> String {
    let project = &desired.project;
    service.map_or_else(|| project.to_string(), |service| format!("{project} {service}"))
}

pub(super) async fn resume(session: &Session, options: &Resume) -> Result<Exit> {
    let service = options.service.as_deref().map(ServiceName::new);
    let (stacks, connected) = match meant(session, service.as_ref()).await? {
        Ok(meant) => meant,
        Err(exit) => return Ok(exit),
    };
    let mut exit = Exit::Good;
    for desired in &stacks {
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
    let what = name(desired, service);
    let pauses = session.memory(connected, &desired.project).await.pauses;
    let was_pinned = service.is_none() && session.store.unpin(&desired.files);
    if was_pinned {
        let words = "is not pinned any more: its file counts again";
        session.output.notice(&format!("{what} {words}\n"))?;
    }
    if !was_pinned && let Some(refusal) = nothing_to_resume(&pauses, service) {
        session.output.notice(&format!("{what} {refusal}\n"))?;
        return Ok(Exit::NotAsWanted);
    }
    let request = Request::Resume { service: service.cloned() };
    let told = tell(session, connected, desired, "resume", &request, |memory, _| {
        memory.pauses.end(service);
    });
    let words = match told.await {
        Told::Operator => format!("{what} goes on now, by the running operator\n"),
        Told::Memory => {
            format!("{what} may go on; `reconciler apply` brings it up to date\n")
        }
        Told::Refused(refusal) => return session.refused(&refusal),
    };
    session.output.notice(&words)?;
    Ok(Exit::Good)
}

/// Says why there is nothing that a resume would end.
fn nothing_to_resume(
    pauses: &Pauses,
    service: Option<&ServiceName>,
) -> Option<&'static str> {
    match service {
        None if pauses.is_empty() => Some("is not paused"),
        Some(name) if !pauses.services.contains_key(name) => {
            Some(if pauses.stack.is_some() {
                "is paused with its whole stack: `reconciler resume` without a name goes on"
            } else {
                "is not paused"
            })
        }
        None | Some(_) => None,
    }
}
