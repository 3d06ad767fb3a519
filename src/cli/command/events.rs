//! `events`: what happened to the stacks.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;

use super::session::{Connected, Session};
use crate::cli::arguments::Events;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::cli::stacks::LoadedStack;
use crate::planning::event::Event;
use crate::state::desired::Desired;
use crate::state::ids::{ProjectName, ServiceName};
use crate::view::events::{self, StackEvents};

/// How often watched events are asked for.
const PERIOD: Duration = Duration::from_secs(1);

pub(super) async fn run(session: &Session, options: &Events) -> Result<Exit> {
    let stacks = desired(session)?;
    if stacks.is_empty() {
        return Ok(Exit::Invalid);
    }
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let projects: BTreeSet<&ProjectName> = stacks.iter().map(|it| &it.project).collect();
    let service = options.service.as_deref().map(ServiceName::new);
    let happened = ask(session, &connected, &projects, service.as_ref()).await;
    if let Some(service) = &service {
        let is_known = stacks.iter().any(|it| it.services.contains_key(service))
            || happened.iter().any(|stack| !stack.events.is_empty());
        if !is_known {
            return session.no_such_service(service, &stacks);
        }
    }
    if options.watch {
        return watch(session, &connected, &projects, service.as_ref(), happened).await;
    }
    match session.output.format {
        Format::Json => session.output.json(&events::json(&happened))?,
        Format::Text => {
            let (now, width) = (connected.clock.now(), session.output.width());
            session.output.result(&events::drawn(&happened, now, width))?;
        }
    }
    Ok(Exit::Good)
}

/// Returns what is wanted, or was when it was last good: events are what one looks at when
/// something is wrong.
pub(super) fn desired(session: &Session) -> Result<Vec<Desired>> {
    let stacks = session.load_wanted();
    session.show_problems(&stacks)?;
    let last = session.last_good(&stacks);
    let valid = stacks.stacks.iter().filter_map(LoadedStack::desired);
    Ok(valid.chain(last.values()).cloned().collect())
}

async fn ask(
    session: &Session,
    connected: &Connected,
    projects: &BTreeSet<&ProjectName>,
    service: Option<&ServiceName>,
) -> Vec<StackEvents> {
    let mut happened = Vec::new();
    for project in projects {
        let memory = session.memory(connected, project).await;
        let events = memory.events.iter().filter(|it| is_about(it, service));
        let name = (*project).clone();
        happened.push(StackEvents { name, events: events.cloned().collect() });
    }
    happened
}

fn is_about(event: &Event, service: Option<&ServiceName>) -> bool {
    let Some(service) = service else { return true };
    let rest = event.object.strip_prefix("service/");
    rest.is_some_and(|it| it.split('/').next() == Some(service.as_str()))
}

/// Prints what has happened, and then what happens, until it is interrupted.
async fn watch(
    session: &Session,
    connected: &Connected,
    projects: &BTreeSet<&ProjectName>,
    service: Option<&ServiceName>,
    mut known: Vec<StackEvents>,
) -> Result<Exit> {
    let of_several = projects.len() > 1;
    if session.output.format == Format::Text {
        session.output.result(&events::header(of_several))?;
    }
    let mut news = known.clone();
    loop {
        if news.iter().any(|stack| !stack.events.is_empty()) {
            match session.output.format {
                Format::Json => session.output.json(&events::json(&news))?,
                Format::Text => {
                    let now = connected.clock.now();
                    session.output.result(&events::lines(&news, now, of_several))?;
                }
            }
        }
        tokio::time::sleep(PERIOD).await;
        let happened = ask(session, connected, projects, service).await;
        news = happened.clone();
        for (stack, known) in news.iter_mut().zip(&known) {
            stack.events.retain(|event| !known.events.contains(event));
        }
        known = happened;
    }
}
