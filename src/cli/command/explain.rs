//! `explain`: every field of a service, and the rule that decides about it.

use anyhow::Result;

use super::session::Session;
use crate::cli::arguments::Explain;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::compose::problem::nearest;
use crate::planning::explain::rows;
use crate::state::ids::ServiceName;
use crate::view::{explain, json};

pub(super) async fn run(session: &Session, options: &Explain) -> Result<Exit> {
    let Some(stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    let wanted = ServiceName::new(&options.service);
    let names: Vec<String> = stacks
        .iter()
        .flat_map(|it| it.services.keys().map(ToString::to_string))
        .collect();
    let Some(desired) = stacks.into_iter().find(|it| it.services.contains_key(&wanted))
    else {
        let near = nearest(&options.service, names.iter().map(String::as_str));
        let near =
            near.map(|near| format!("; perhaps {near} was meant")).unwrap_or_default();
        let message = format!(
            "error: there is no service {}{near}; the services are {}\n",
            options.service,
            names.join(", ")
        );
        session.output.notice(&message)?;
        return Ok(Exit::Invalid);
    };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let project = desired.project.clone();
    let mut pass = session.preview(&connected, desired);
    if let Err(error) = pass.preview().await {
        return session.no_engine(&error);
    }
    let rows = match pass.world() {
        Some(world) => rows(&world, &wanted),
        None => Vec::new(),
    };
    match session.output.format {
        Format::Text => {
            session.output.result(&explain::drawn(&rows, session.output.width()))?;
        }
        Format::Json => session.output.json(&json::Explained {
            stack: project.as_str(),
            service: wanted.as_str(),
            fields: &rows,
        })?,
    }
    Ok(Exit::Good)
}
