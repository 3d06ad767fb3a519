//! `status`: how the stacks are, and why something waits.

use std::time::Duration;

use anyhow::Result;

use super::session::{Connected, Session};
use crate::cli::arguments::Status;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::engine::Any;
use crate::engine::EngineError;
use crate::pass::Pass;
use crate::planning::status::StackStatus;
use crate::state::time::Now;
use crate::view::{json, status};

/// How often a watched status is drawn anew.
const FRAME: Duration = Duration::from_secs(1);

pub(super) async fn run(session: &Session, options: Status) -> Result<Exit> {
    let Some(stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    let connected: Connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let mut passes: Vec<Pass<Any>> =
        stacks.into_iter().map(|desired| session.preview(&connected, desired)).collect();
    loop {
        let (stacks, now) = match look(&mut passes).await {
            Ok(looked) => looked,
            Err(error) => return session.no_engine(&error),
        };
        let Some(now) = now else { return Ok(Exit::Good) };
        show(session, options, &stacks, now)?;
        if !options.watch {
            let ready = stacks.iter().all(|stack| stack.ready);
            return Ok(if ready { Exit::Good } else { Exit::NotAsWanted });
        }
        tokio::time::sleep(FRAME).await;
    }
}

async fn look(
    passes: &mut [Pass<Any>],
) -> Result<(Vec<StackStatus>, Option<Now>), EngineError> {
    let (mut stacks, mut now) = (Vec::new(), None);
    for pass in passes {
        pass.resync();
        stacks.push(pass.preview().await?.status);
        now = Some(pass.clock.now());
    }
    Ok((stacks, now))
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
