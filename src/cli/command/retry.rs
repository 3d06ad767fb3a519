//! `retry`: what failed is tried again now.

use anyhow::Result;

use super::session::{Connected, Session};
use super::tell::{Told, meant, tell};
use crate::cli::arguments::Retry;
use crate::cli::exit::Exit;
use crate::control::Request;
use crate::state::desired::Desired;
use crate::state::ids::ServiceName;

pub(super) async fn run(session: &Session, options: &Retry) -> Result<Exit> {
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
    let project = &desired.project;
    let request = Request::Retry { service: service.cloned() };
    let told = tell(session, connected, desired, "retry", &request, |memory, _| {
        memory.try_again(service);
    });
    let words = match told.await {
        Told::Operator => {
            format!("{project} is tried again now, by the running operator\n")
        }
        Told::Memory => {
            format!(
                "the failures of {project} are forgotten; `reconciler apply` tries again\n"
            )
        }
        Told::Refused(refusal) => return session.refused(&refusal),
    };
    session.output.notice(&words)?;
    Ok(Exit::Good)
}
