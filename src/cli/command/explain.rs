//! `explain`: every field of a service, and the rule that decides about it.

use anyhow::Result;

use super::session::Session;
use crate::cli::arguments::Explain;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::pass::Wanted;
use crate::planning::explain::rows;
use crate::state::ids::{Object, ServiceName};
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
    let stack = Wanted::new(desired);
    let preview = match session.preview(&connected, stack).await {
        Ok(preview) => preview,
        Err(error) => return session.no_engine(&error),
    };
    let rows = rows(&preview.world(), &wanted);
    let status = preview.found.status.services.iter().find(|it| it.name == wanted);
    let changes = preview.found.plan.changes.iter();
    let changes: Vec<_> = changes
        .filter(|it| matches!(&it.object, Object::Service(it) if it.service == wanted))
        .collect();
    match session.output.format {
        Format::Text => {
            let summary =
                status.map(|it| explain::summary(it, &changes, preview.now) + "\n");
            let table = explain::drawn(&rows, session.output.width());
            session.output.result(&(summary.unwrap_or_default() + &table))?;
        }
        Format::Json => {
            session.output.json(&json::explained(&project, &wanted, status, &rows))?;
        }
    }
    Ok(Exit::Good)
}
