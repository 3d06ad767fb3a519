//! `apply`: converges once and waits until everything is ready.

use anyhow::Result;
use futures_util::future::join_all;

use super::session::{Connected, Session};
use crate::cli::arguments::Apply;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::converge::{self, End, Order, converge};
use crate::engine::EngineError;
use crate::pass::Goal;
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::state::desired::Desired;
use crate::view::{json, status};

pub(super) async fn run(session: &Session, options: &Apply) -> Result<Exit> {
    let Some(stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let is_one = stacks.len() == 1;
    let applied = stacks
        .into_iter()
        .map(|desired| one(session, &connected, options, desired, is_one));
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
    let mut results = Vec::new();
    for result in all {
        match result {
            Ok(result) => results.push(result),
            Err(error) => exit = exit.and(session.no_engine(&error)?),
        }
    }
    for result in &results {
        exit = exit.and(explain_end(session, options, result)?);
    }
    if session.output.format == Format::Json {
        let stacks: Vec<_> =
            results.into_iter().map(|result| result.found.status).collect();
        session.output.json(&json::status(&stacks))?;
    }
    Ok(exit)
}

async fn one(
    session: &Session,
    connected: &Connected,
    options: &Apply,
    desired: Desired,
    is_one: bool,
) -> Result<converge::Result, EngineError> {
    let prefix = if is_one { String::new() } else { format!("{} ", desired.project) };
    let mut report = Report::new(session.output.progress(), prefix);
    let project = desired.project.clone();
    let order = Order {
        memory: session.memory(connected, &desired),
        desired,
        goal: Goal::Converged,
        allowed: Allowed { prune: options.prune.allow_prune },
        timeout: options.timeout,
        wait: !options.no_wait,
    };
    let result = converge(connected.engine.clone(), order, &mut report).await;
    report.finish();
    if let Ok(result) = &result {
        let engine = &connected.facts.id;
        session.store.remember(engine, &project, &result.memory, result.now);
    }
    result
}

fn explain_end(
    session: &Session,
    options: &Apply,
    result: &converge::Result,
) -> Result<Exit> {
    let name = &result.found.status.name;
    let why = match result.end {
        End::Done => {
            let state = if result.found.status.ready { "ready" } else { "applied" };
            session.output.notice(&format!("{name} is {state}\n"))?;
            return Ok(Exit::Good);
        }
        End::TimedOut => format!("{name} is not ready after {:?}", options.timeout),
        End::Stuck => {
            format!("{name} cannot become as it is wanted unless somebody acts")
        }
    };
    session.output.notice(&format!("error: {why}\n"))?;
    for note in &result.found.plan.notes {
        session.output.notice(&format!("  {}: {}\n", note.about, note.message))?;
    }
    if session.output.format == Format::Text {
        let stacks = std::slice::from_ref(&result.found.status);
        let now = crate::clock::Clock::new().now();
        session.output.result(&status::drawn(stacks, now, session.output.width()))?;
    }
    Ok(Exit::NotAsWanted)
}
