//! `preflight`: whether this host is fit for what it is to run.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::session::{Connected, Session};
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::clock::host_time;
use crate::engine::{Engine, EngineError, Scope};
use crate::planning::preflight::{Facts, findings, paths};
use crate::source::host;
use crate::state::desired::Desired;
use crate::state::host::{EngineReport, Host};
use crate::state::observed::Observed;
use crate::state::time::EngineTime;
use crate::view::preflight;

pub(super) async fn run(session: &Session) -> Result<Exit> {
    let Some(stacks) = stacks(session)? else { return Ok(Exit::Invalid) };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let (engine, stacks) = match ask(&connected, stacks).await {
        Ok((Some(engine), stacks)) => (engine, stacks),
        Ok((None, _)) => {
            session.output.notice("error: a simulated engine has no host to check\n")?;
            return Ok(Exit::Invalid);
        }
        Err(error) => return session.no_engine(&error),
    };
    let (engine, time) = engine;
    let host = if engine.is_local {
        let host = this_host(&engine, &stacks).await;
        host.map(|host| Host { time: Some(time), ..host })
    } else {
        session.output.notice(
            "the engine is another host's: its kernel, disks and ports are not checked\n",
        )?;
        None
    };
    let state = session.store.folder().and_then(host::cannot_write);
    let found = findings(&Facts {
        engine: &engine,
        host: host.as_ref(),
        stacks: &stacks,
        state: state.as_deref(),
    });
    match session.output.format {
        Format::Text => session.output.result(&preflight::drawn(&found))?,
        Format::Json => session.output.json(&preflight::json(&found))?,
    }
    Ok(if preflight::passes(&found) { Exit::Good } else { Exit::NotAsWanted })
}

/// Loads the stacks; none is no mistake here, for a host is looked at before there are any.
fn stacks(session: &Session) -> Result<Option<Vec<Desired>>> {
    let default = Path::new(DEFAULT);
    let is_default = session.git.is_none() && session.options.files == [default];
    if is_default && !default.exists() {
        let said = format!("there is no {DEFAULT}: only the host is checked\n");
        session.output.notice(&said)?;
        return Ok(Some(Vec::new()));
    }
    session.desired()
}

/// Where desired state is unless told.
const DEFAULT: &str = "desired-state";

/// What the engine says, when it said so, and what it has of each stack.
type Asked = (Option<(EngineReport, EngineTime)>, Vec<(Desired, Observed)>);

async fn ask(
    connected: &Connected,
    stacks: Vec<Desired>,
) -> std::result::Result<Asked, EngineError> {
    let report = connected.engine.report().await?;
    // Taken at once, for the two clocks are compared.
    let report = report.map(|report| (report, host_time()));
    let mut both = Vec::new();
    for desired in stacks {
        let observed = connected.engine.look(&Scope::of(&desired)).await?;
        both.push((desired, observed));
    }
    Ok((report, both))
}

async fn this_host(
    engine: &EngineReport,
    stacks: &[(Desired, Observed)],
) -> Option<Host> {
    let services = stacks.iter().flat_map(|(desired, _)| desired.services.values());
    let named = services.map(|it| (it.name.to_string(), it));
    let folders: BTreeSet<String> =
        paths(named).into_keys().chain([engine.root.clone()]).collect();
    // A dead network file system answers never.
    let looked = tokio::task::spawn_blocking(move || host::look(&folders));
    let host = tokio::time::timeout(Duration::from_secs(20), looked).await;
    let Ok(Ok(host)) = host else {
        tracing::warn!("this host cannot be looked at: a disk does not answer");
        return None;
    };
    Some(host)
}
