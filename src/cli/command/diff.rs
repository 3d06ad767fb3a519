//! `diff`: the dry run.

use anyhow::Result;

use super::session::{Session, wanted};
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::planning::change::Plan;
use crate::state::ids::{Generation, ProjectName};
use crate::view::json;
use crate::view::plan::{self, StackPlan};

pub(super) async fn run(session: &Session) -> Result<Exit> {
    let Some(stacks) = session.valid()? else { return Ok(Exit::Invalid) };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let mut plans: Vec<(ProjectName, Generation, Plan)> = Vec::new();
    let mut now = None;
    for wanted in stacks.iter().filter_map(wanted) {
        let desired = &wanted.desired;
        let (project, generation) = (desired.project.clone(), desired.generation.clone());
        match session.preview(&connected, wanted).await {
            Ok(preview) => {
                plans.push((project, generation, preview.found.plan));
                now = Some(preview.now);
            }
            Err(error) => return session.no_engine(&error),
        }
    }
    let Some(now) = now else { return Ok(Exit::Good) };
    let shown: Vec<StackPlan<'_>> = plans
        .iter()
        .map(|(project, generation, plan)| StackPlan { project, generation, plan })
        .collect();
    match session.output.format {
        Format::Text => session.output.result(&plan::drawn(&shown, now.moment))?,
        Format::Json => session.output.json(&json::diff(&shown, now))?,
    }
    let in_sync = plans.iter().all(|(_, _, plan)| plan.is_in_sync());
    Ok(if in_sync { Exit::Good } else { Exit::NotAsWanted })
}
