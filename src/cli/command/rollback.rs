//! `rollback`: an earlier revision is wanted again, until the files change.

use anyhow::Result;

use super::apply::explain_end;
use super::change::{Change, Changed};
use super::history::project_of;
use super::own_container;
use super::session::{Connected, Session};
use crate::cli::arguments::Rollback;
use crate::cli::exit::Exit;
use crate::cli::stacks::LoadedStack;
use crate::converge::Goal;
use crate::planning::revision::{Revision, before, find};
use crate::planning::world::Allowed;
use crate::state::desired::Desired;
use crate::view::problems;

pub(super) async fn run(session: &Session, options: &Rollback) -> Result<Exit> {
    let loaded = session.load_wanted();
    session.show_warnings(&loaded)?;
    let stack = match loaded.stacks.as_slice() {
        [one] => one,
        several => {
            let count = several.len();
            return fails(
                session,
                &format!("there are {count} stacks; name one with -f"),
            );
        }
    };
    let revision = match chosen(session, stack, options) {
        Ok(revision) => revision,
        Err(why) => return fails(session, &why),
    };
    let loaded = match session.load_revision(stack, &revision) {
        Ok(loaded) => loaded,
        Err(error) => return fails(session, &error.to_string()),
    };
    let Some(desired) = loaded.desired else {
        let text = problems::drawn(&loaded.problems, &loaded.sources);
        session.output.notice(&text)?;
        let id = &revision.id;
        let why = format!("revision {id} is not valid as files and variables are today");
        return fails(session, &why);
    };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    if let Some(exit) = own_container::check(session, &connected).await? {
        return Ok(exit);
    }
    if desired.generation != revision.generation {
        session.output.notice(&format!(
            "warning: revision {} does not mean what it meant: variables of the environment, \
             files that it includes, or the state directory's key are others now\n",
            revision.id
        ))?;
    }
    go_back(session, &connected, options, stack, &revision, desired).await
}

fn fails(session: &Session, why: &str) -> Result<Exit> {
    session.output.notice(&format!("error: {why}\n"))?;
    Ok(Exit::Invalid)
}

/// Returns the revision that is meant: by its digits, else the one before the current one
/// that converged.
fn chosen(
    session: &Session,
    stack: &LoadedStack,
    options: &Rollback,
) -> std::result::Result<Revision, String> {
    let all = session.store.revisions(&stack.files).map_err(|it| it.to_string())?;
    let project = project_of(session, stack, &all);
    let own: Vec<Revision> =
        all.into_iter().filter(|it| Some(&it.project) == project.as_ref()).collect();
    let found = match &options.revision {
        Some(given) => find(&own, given),
        None => before(&own, stack.desired().map(|it| &it.generation)),
    };
    found.cloned().map_err(|error| error.to_string())
}

async fn go_back(
    session: &Session,
    connected: &Connected,
    options: &Rollback,
    stack: &LoadedStack,
    revision: &Revision,
    desired: Desired,
) -> Result<Exit> {
    let (project, now) = (desired.project.clone(), connected.clock.now());
    let was_pinned = session.store.pinned(&stack.files).is_some();
    if let Err(error) = session.store.pin(&stack.files, revision, &stack.read, now.engine)
    {
        return fails(session, &format!("the revision cannot be pinned: {error}"));
    }
    let change = Change {
        command: "rollback",
        goal: Goal::Converged,
        allowed: Allowed { prune: options.prune.allow_prune, ..Allowed::default() },
        accepted: &[],
        timeout: options.timeout,
        wait: true,
        service: None,
        sources: None,
    };
    let exit = match change.make(session, connected, desired, "").await {
        Ok(Changed::Ended { end, found, .. }) => {
            explain_end(session, options.timeout, &found, end)?
        }
        Ok(Changed::Refused(refusal)) => {
            if !was_pinned {
                session.store.unpin(&stack.files);
            }
            return session.refused(&refusal);
        }
        Ok(Changed::Lost) => session.lost(&project)?,
        Err(error) => session.no_engine(&error)?,
    };
    session.output.notice(&format!(
        "{project} is pinned to revision {} until its file changes, or `reconciler resume`\n",
        revision.id
    ))?;
    Ok(exit)
}
