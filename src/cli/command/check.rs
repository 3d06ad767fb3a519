//! `check`: the health checks of the stacks, made once.

use std::collections::BTreeSet;

use anyhow::Result;

use super::session::{Session, wanted};
use crate::checks::make;
use crate::cli::arguments::Check;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::compose::problem::nearest;
use crate::pass::Wanted;
use crate::planning::check::{CheckResult, Round, Verdict};
use crate::state::ids::{CheckName, ProjectName};
use crate::view::{check, json};

pub(super) async fn run(session: &Session, options: &Check) -> Result<Exit> {
    let Some(stacks) = session.valid()? else { return Ok(Exit::Invalid) };
    let stacks: Vec<Wanted> = stacks.iter().filter_map(wanted).collect();
    let names: BTreeSet<CheckName> = options.names.iter().map(CheckName::new).collect();
    if let Some(unknown) = names.iter().find(|name| !is_known(name, &stacks)) {
        return no_such_check(session, unknown, &stacks);
    }
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let mut results: Vec<(ProjectName, Vec<CheckResult>)> = Vec::new();
    for wanted in stacks {
        let project = wanted.desired.project.clone();
        let preview = match session.preview(&connected, wanted).await {
            Ok(preview) => preview,
            Err(error) => return session.no_engine(&error),
        };
        let round = Round::new(&preview.world(), &names);
        let made = make(&*connected.engine, &round, &connected.clock).await;
        results.push((project, made));
    }
    match session.output.format {
        Format::Text => {
            let text = check::drawn(&results, session.output.width());
            session.output.result(&text)?;
        }
        Format::Json => session.output.json(&json::checks::checks(&results))?,
    }
    let worst = if options.strict { Verdict::Unknown } else { Verdict::Fail };
    let mut all = results.iter().flat_map(|(_, made)| made);
    Ok(if all.any(|it| it.verdict >= worst) { Exit::NotAsWanted } else { Exit::Good })
}

fn is_known(name: &CheckName, stacks: &[Wanted]) -> bool {
    stacks.iter().any(|it| it.desired.settings.checks.named.contains_key(name))
}

fn no_such_check(
    session: &Session,
    unknown: &CheckName,
    stacks: &[Wanted],
) -> Result<Exit> {
    let names = stacks.iter().flat_map(|it| it.desired.settings.checks.named.keys());
    let names: BTreeSet<&str> = names.map(CheckName::as_str).collect();
    let near = nearest(unknown.as_str(), names.iter().copied());
    let near = near.map(|near| format!("; perhaps {near} was meant")).unwrap_or_default();
    let names: Vec<&str> = names.into_iter().collect();
    session.output.notice(&format!(
        "error: there is no check {unknown}{near}; the checks are {}\n",
        names.join(", ")
    ))?;
    Ok(Exit::Invalid)
}
