//! `restart`: every replica of a service gets a new start, one at a time.

use anyhow::Result;

use super::change::{Change, Changed};
use super::session::Session;
use super::tell::meant;
use crate::cli::arguments::Restart;
use crate::cli::exit::Exit;
use crate::converge::{End, Goal};
use crate::pass::Found;
use crate::planning::world::Allowed;
use crate::state::desired::Desired;
use crate::state::ids::{Object, ServiceName};

pub(super) async fn run(session: &Session, options: &Restart) -> Result<Exit> {
    let service = ServiceName::new(&options.service);
    let (stacks, connected) = match meant(session, Some(&service)).await? {
        Ok(meant) => meant,
        Err(exit) => return Ok(exit),
    };
    let mut exit = Exit::Good;
    for desired in stacks {
        let memory = session.memory(&connected, &desired.project).await;
        if memory.down.as_ref() == Some(&desired.generation) {
            session.output.notice(&down(&desired))?;
            exit = exit.and(Exit::NotAsWanted);
            continue;
        }
        let change = Change {
            command: "restart",
            goal: Goal::Restarted,
            allowed: Allowed::default(),
            accepted: &[],
            timeout: options.timeout,
            wait: true,
            service: Some(&service),
            sources: None,
        };
        let project = desired.project.clone();
        exit = exit.and(match change.make(session, &connected, desired, "").await {
            Ok(Changed::Ended { end, found, .. }) => {
                explain_end(session, options, &service, &found, end)?
            }
            Ok(Changed::Refused(refusal)) => session.refused(&refusal)?,
            Ok(Changed::Lost) => session.lost(&project)?,
            Err(error) => session.no_engine(&error)?,
        });
    }
    Ok(exit)
}

fn down(desired: &Desired) -> String {
    format!(
        "error: {} is down: `reconciler delete` took it down, and `reconciler apply` \
         brings it up again\n",
        desired.project
    )
}

fn explain_end(
    session: &Session,
    options: &Restart,
    service: &ServiceName,
    found: &Found,
    end: End,
) -> Result<Exit> {
    let why = match end {
        End::Done => {
            session.output.notice(&format!("{service} is restarted and ready\n"))?;
            return Ok(Exit::Good);
        }
        End::TimedOut => {
            format!("{service} is not restarted and ready after {:?}", options.timeout)
        }
        End::Stuck => format!("{service} cannot be restarted unless somebody acts"),
    };
    session.output.notice(&format!("error: {why}\n"))?;
    let changes = found.plan.changes.iter();
    for change in changes.filter(|it| is_of(&it.object, service)) {
        let waits = found.plan.waits(&change.object).join(", ");
        let waits = if waits.is_empty() { waits } else { format!("; waits for {waits}") };
        let line = format!("  {}: {}{waits}\n", change.object, change.reason);
        session.output.notice(&line)?;
    }
    Ok(Exit::NotAsWanted)
}

fn is_of(object: &Object, service: &ServiceName) -> bool {
    match object {
        Object::Service(replica) => replica.service == *service,
        Object::Network(_) | Object::Volume(_) => false,
    }
}
