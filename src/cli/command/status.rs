//! `status`: how the stacks are, and why something waits.

use std::time::Duration;

use anyhow::Result;

use super::session::{Connected, Session};
use crate::cli::arguments::Status;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::engine::EngineError;
use crate::pass::Wanted;
use crate::planning::status::StackStatus;
use crate::state::time::Now;
use crate::view::{json, status};

/// How often a watched status is drawn anew.
const FRAME: Duration = Duration::from_secs(1);

pub(super) async fn run(session: &Session, options: Status) -> Result<Exit> {
    let Some(mut wanted) = session.wanted()? else { return Ok(Exit::Invalid) };
    let connected: Connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    loop {
        let (stacks, now) = match look(session, &connected, &wanted).await {
            Ok(looked) => looked,
            Err(error) => return session.no_engine(&error),
        };
        let Some(now) = now else { return Ok(Exit::Good) };
        show(session, options, &stacks, now)?;
        if !options.watch {
            let all = stacks.iter().all(is_as_wanted);
            return Ok(if all { Exit::Good } else { Exit::NotAsWanted });
        }
        tokio::time::sleep(FRAME).await;
        // What is wanted may change while it is watched.
        let newest = session.wanted_of(session.load_wanted());
        wanted = newest.unwrap_or(wanted);
    }
}

/// Ready, and by the file as it is now.
fn is_as_wanted(stack: &StackStatus) -> bool {
    let mut conditions = stack.conditions.iter();
    stack.ready && conditions.all(|it| it.kind != "SpecValid" || it.status == Some(true))
}

async fn look(
    session: &Session,
    connected: &Connected,
    stacks: &[Wanted],
) -> Result<(Vec<StackStatus>, Option<Now>), EngineError> {
    let (mut found, mut now) = (Vec::new(), None);
    for wanted in stacks {
        let preview = session.preview(connected, wanted.clone()).await?;
        now = Some(preview.now);
        found.push(preview.found.status);
    }
    Ok((found, now))
}

fn show(
    session: &Session,
    options: Status,
    stacks: &[StackStatus],
    now: Now,
) -> Result<()> {
    let width = session.output.width();
    match (session.output.format, options.watch) {
        (Format::Json, _) => session.output.json(&json::status(stacks))?,
        (Format::Text, true) => {
            session.output.frame(&status::frame(stacks, now, width))?;
        }
        (Format::Text, false) => {
            session.output.result(&status::drawn(stacks, now, width))?;
        }
    }
    Ok(())
}
