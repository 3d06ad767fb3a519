//! `wait`: until the stacks are ready.

use std::time::Duration;

use anyhow::Result;

use super::session::{Session, wanted};
use crate::cli::arguments::{Wait, WaitFor};
use crate::cli::exit::Exit;
use crate::pass::Wanted;
use crate::planning::status::StackStatus;
use crate::view::status;

/// How often the stacks are looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub(super) async fn run(session: &Session, options: Wait) -> Result<Exit> {
    let Some(stacks) = session.valid()? else { return Ok(Exit::Invalid) };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let deadline = connected.clock.now().moment.after(options.timeout);
    let mut waiting: Vec<Wanted> = stacks.iter().filter_map(wanted).collect();
    loop {
        let mut missed: Vec<StackStatus> = Vec::new();
        for wanted in std::mem::take(&mut waiting) {
            let name = wanted.desired.project.clone();
            let found = match session.preview(&connected, wanted.clone()).await {
                Ok(preview) => preview.found,
                Err(error) => return session.no_engine(&error),
            };
            match options.condition {
                WaitFor::Ready if found.status.ready => {
                    session.output.notice(&format!("{name} is ready\n"))?;
                }
                WaitFor::Ready => {
                    waiting.push(wanted);
                    missed.push(found.status);
                }
            }
        }
        if waiting.is_empty() {
            return Ok(Exit::Good);
        }
        let now = connected.clock.now();
        if now.moment >= deadline {
            let text = status::drawn(&missed, now, session.output.width());
            session.output.notice(&format!(
                "error: not ready after {:?}\n{text}",
                options.timeout
            ))?;
            return Ok(Exit::NotAsWanted);
        }
        tokio::time::sleep(LOOK_AGAIN.min(connected.clock.until(deadline))).await;
    }
}
