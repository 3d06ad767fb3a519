//! `apply`: converges once and waits until everything is ready.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::join_all;

use super::change::{Change, Changed};
use super::own_container;
use super::session::{Connected, Session};
use crate::cli::arguments::Apply;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::cli::stacks::LoadedStack;
use crate::converge::{End, Goal};
use crate::engine::EngineError;
use crate::pass::Found;
use crate::planning::world::Allowed;
use crate::state::desired::Desired;
use crate::state::ids::{ProjectName, ServiceName};
use crate::view::{json, status};

pub(super) async fn run(session: &Session, options: &Apply) -> Result<Exit> {
    let Some(stacks) = session.valid()? else { return Ok(Exit::Invalid) };
    for name in options.immutable.accept_immutable.iter().map(ServiceName::new) {
        let mut desired = stacks.iter().filter_map(LoadedStack::desired);
        if !desired.any(|it| it.services.contains_key(&name)) {
            let all: Vec<Desired> =
                stacks.iter().filter_map(|it| it.desired().cloned()).collect();
            return session.no_such_service(&name, &all);
        }
    }
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    if let Some(exit) = own_container::check(session, &connected).await? {
        return Ok(exit);
    }
    let is_one = stacks.len() == 1;
    let applied = stacks.iter().filter_map(|stack| {
        let desired = stack.desired()?.clone();
        Some(one(session, &connected, options, stack, desired, is_one))
    });
    let all = tokio::select! {
        all = join_all(applied) => all,
        () = super::run::asked_to_end() => {
            session.output.notice(
                "interrupted: what was under way on the engine goes on; \
                 `reconciler apply` takes up where this ended\n",
            )?;
            return Ok(Exit::NotAsWanted);
        }
    };
    let mut exit = Exit::Good;
    let mut stacks = Vec::new();
    for (name, result) in all {
        exit = exit.and(match result {
            Ok(Changed::Ended { end, found, .. }) => {
                let exit = explain_end(session, options.timeout, &found, end)?;
                stacks.push(found.status);
                exit
            }
            Ok(Changed::Refused(refusal)) => session.refused(&refusal)?,
            Ok(Changed::Lost) => session.lost(&name)?,
            Err(error) => session.no_engine(&error)?,
        });
    }
    if session.output.format == Format::Json {
        session.output.json(&json::status(&stacks))?;
    }
    Ok(exit)
}

async fn one(
    session: &Session,
    connected: &Connected,
    options: &Apply,
    stack: &LoadedStack,
    desired: Desired,
    is_one: bool,
) -> (ProjectName, Result<Changed, EngineError>) {
    let name = desired.project.clone();
    let prefix = if is_one { String::new() } else { format!("{name} ") };
    let change = Change {
        command: "apply",
        goal: Goal::Converged,
        allowed: Allowed {
            prune: options.prune.allow_prune,
            data_paths: options.accept_data_path,
            shrink: options.allow_shrink,
            ..Allowed::default()
        },
        accepted: &options.immutable.accept_immutable,
        timeout: options.timeout,
        wait: !options.no_wait,
        service: None,
        sources: stack.pinned.is_none().then_some((&stack.read, stack.commit.as_ref())),
    };
    (name, change.make(session, connected, desired, &prefix).await)
}

pub(super) fn explain_end(
    session: &Session,
    timeout: Duration,
    found: &Found,
    end: End,
) -> Result<Exit> {
    let name = &found.status.name;
    let why = match end {
        End::Done => {
            let state = if found.status.ready { "ready" } else { "applied" };
            session.output.notice(&format!("{name} is {state}\n"))?;
            return Ok(Exit::Good);
        }
        End::TimedOut => format!("{name} is not ready after {timeout:?}"),
        End::Stuck => {
            format!("{name} cannot become as it is wanted unless somebody acts")
        }
    };
    session.output.notice(&format!("error: {why}\n"))?;
    for note in &found.plan.notes {
        session.output.notice(&format!("  {}: {}\n", note.about, note.message))?;
    }
    if session.output.format == Format::Text {
        let stacks = std::slice::from_ref(&found.status);
        let now = crate::clock::Clock::new().now();
        session.output.result(&status::drawn(stacks, now, session.output.width()))?;
    }
    Ok(Exit::NotAsWanted)
}
