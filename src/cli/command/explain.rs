//! `explain`: every field of a service, and the rule that decides about it.

use anyhow::Result;

use super::session::Session;
use crate::cli::arguments::Explain;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::pass::Wanted;
use crate::planning::explain::rows;
use crate::state::ids::ServiceName;
use crate::view::{explain, json};

pub(super) async fn run(session: &Session, options: &Explain) -> Result<Exit> {
    let Some(stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    let wanted = ServiceName::new(&options.service);
    let known = stacks.iter().find(|it| it.services.contains_key(&wanted));
    let Some(desired) = known.cloned() else {
        return session.no_such_service(&wanted, &stacks);
    };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let project = desired.project.clone();
    let stack = Wanted { desired, invalid: None };
    let preview = match session.preview(&connected, stack).await {
        Ok(preview) => preview,
        Err(error) => return session.no_engine(&error),
    };
    let rows = rows(&preview.world(), &wanted);
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
