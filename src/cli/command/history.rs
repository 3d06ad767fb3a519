//! `history`: what was wanted, when, and what came of it.

use anyhow::Result;

use super::session::Session;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::cli::stacks::{LoadedStack, StackFiles};
use crate::clock::Clock;
use crate::planning::revision::Revision;
use crate::state::ids::ProjectName;
use crate::store::Store;
use crate::view::history::{self, StackHistory};

pub(super) fn run(session: &Session) -> Result<Exit> {
    let loaded = session.load_wanted();
    session.show_warnings(&loaded)?;
    let mut histories = Vec::new();
    for stack in &loaded.stacks {
        let all = match session.store.revisions(&stack.files) {
            Ok(all) => all,
            Err(error) => {
                session.output.notice(&format!("error: {error}\n"))?;
                return Ok(Exit::Invalid);
            }
        };
        let Some(name) = project_of(session, stack, &all) else { continue };
        let (files, is_pinned) = (&stack.files, stack.pinned.is_some());
        histories.push(history_of(&session.store, files, &name, all, is_pinned));
    }
    match session.output.format {
        Format::Json => session.output.json(&history::json(&histories))?,
        Format::Text => {
            let (now, width) = (Clock::new().now(), session.output.width());
            session.output.result(&history::drawn(&histories, now, width))?;
        }
    }
    Ok(Exit::Good)
}

/// Returns the history of a stack, of all revisions of its files.
pub(super) fn history_of(
    store: &Store,
    files: &StackFiles,
    name: &ProjectName,
    all: Vec<Revision>,
    is_pinned: bool,
) -> StackHistory {
    let revisions: Vec<Revision> =
        all.into_iter().filter(|it| it.project == *name).collect();
    let pin = store.pinned(files).filter(|_| is_pinned);
    let pinned = pin.map(|pin| pin.revision);
    let current = pinned.clone().or_else(|| Some(revisions.last()?.id.clone()));
    StackHistory { name: name.clone(), revisions, current, pinned }
}

/// Returns the project of a stack: of its files; where they are invalid by the command line,
/// or that of the newest revision.
pub(super) fn project_of(
    session: &Session,
    stack: &LoadedStack,
    revisions: &[Revision],
) -> Option<ProjectName> {
    let by_option = || session.options.project_name.as_deref().map(ProjectName::new);
    let newest = || revisions.last().map(|it| it.project.clone());
    stack.desired().map(|it| it.project.clone()).or_else(by_option).or_else(newest)
}
