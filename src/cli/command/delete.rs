//! `delete`: takes stacks down in reverse order; with `--volumes` their data too.

use std::time::Duration;

use anyhow::Result;

use super::change::{Change, Changed};
use super::session::{Connected, Session};
use crate::cli::arguments::Delete;
use crate::cli::exit::Exit;
use crate::cli::stacks::StackFiles;
use crate::converge::{End, Goal};
use crate::engine::{Engine, Scope};
use crate::planning::world::Allowed;
use crate::state::desired::Desired;
use crate::state::ids::VolumeName;
use crate::state::observed::labels;

/// How long a stack may take to stop: longer than any sane grace period.
const TIMEOUT: Duration = Duration::from_hours(1);

pub(super) async fn run(session: &Session, options: Delete) -> Result<Exit> {
    let loaded = session.load();
    session.show_problems(&loaded)?;
    let stacks: Option<Vec<(StackFiles, Desired)>> = loaded
        .stacks
        .into_iter()
        .map(|stack| Some((stack.files, stack.loaded.desired?)))
        .collect();
    let Some(stacks) = stacks else { return Ok(Exit::Invalid) };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    for (_, desired) in &stacks {
        if !is_meant(session, options, desired)? {
            session.output.notice("nothing was deleted\n")?;
            return Ok(Exit::NotAsWanted);
        }
    }
    let mut exit = Exit::Good;
    for (files, desired) in stacks {
        exit = exit.and(one(session, &connected, options, &files, desired).await?);
    }
    Ok(exit)
}

/// Deleting volumes cannot be undone, so the name of the project has to be typed.
fn is_meant(session: &Session, options: Delete, desired: &Desired) -> Result<bool> {
    if options.yes {
        return Ok(true);
    }
    let name = desired.project.as_str();
    let question = if options.volumes {
        format!("This deletes the stack {name} AND ALL DATA in its volumes, for good.")
    } else {
        format!(
            "This stops and removes the containers and networks of {name}; data stays."
        )
    };
    let is_meant = session.output.confirm(&question, name)?;
    if !is_meant {
        session.output.notice("not confirmed: --yes confirms where nobody can type\n")?;
    }
    Ok(is_meant)
}

async fn one(
    session: &Session,
    connected: &Connected,
    options: Delete,
    files: &StackFiles,
    desired: Desired,
) -> Result<Exit> {
    let project = desired.project.clone();
    let change = Change {
        command: "delete",
        goal: Goal::Gone,
        allowed: Allowed::default(),
        accepted: &[],
        timeout: TIMEOUT,
        wait: false,
        service: None,
        sources: None,
    };
    let (end, found, by_operator) =
        match change.make(session, connected, desired.clone(), "").await {
            Ok(Changed::Ended { end, found, by_operator }) => (end, found, by_operator),
            Ok(Changed::Refused(refusal)) => return session.refused(&refusal),
            Ok(Changed::Lost) => return session.lost(&project),
            Err(error) => return session.no_engine(&error),
        };
    for note in &found.plan.notes {
        session.output.notice(&format!("note: {}: {}\n", note.about, note.message))?;
    }
    if end != End::Done {
        session.output.notice(&format!("error: {project} is not gone entirely:\n"))?;
        for change in &found.plan.changes {
            let waits = found.plan.waits(&change.object).join(", ");
            session.output.notice(&format!("  {} waits for {waits}\n", change.object))?;
        }
        return Ok(Exit::NotAsWanted);
    }
    if by_operator {
        session.output.notice(&format!(
            "the running operator keeps {project} down until its file changes, or \
             `reconciler apply`\n"
        ))?;
    } else {
        session.store.forget_sources(files);
        session.store.unpin(files);
    }
    let volumes = volumes(connected, &desired).await;
    let volumes = match volumes {
        Ok(volumes) => volumes,
        Err(error) => return session.no_engine(&error),
    };
    if options.volumes {
        session.output.notice(&format!("{project} is gone\n"))?;
        if !by_operator {
            // Whatever it was made with is gone with the volumes.
            session.store.forget(&connected.facts.id, &project);
        }
        return delete_volumes(session, connected, &volumes).await;
    }
    session.output.notice(&format!("{project} is gone{}\n", kept(&volumes)))?;
    Ok(Exit::Good)
}

fn kept(volumes: &[VolumeName]) -> String {
    let names: Vec<&str> = volumes.iter().map(VolumeName::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; its data stays in {}", names.join(", ")),
    }
}

/// Returns the volumes that were made for the project, external ones not among them.
async fn volumes(
    connected: &Connected,
    desired: &Desired,
) -> Result<Vec<VolumeName>, crate::engine::EngineError> {
    let scope = Scope {
        project: desired.project.clone(),
        images: std::collections::BTreeSet::new(),
        paths: std::collections::BTreeSet::new(),
    };
    let observed = connected.engine.look(&scope).await?;
    let is_ours = |label: Option<&str>| label == Some(desired.project.as_str());
    Ok(observed
        .volumes
        .into_iter()
        .filter(|(_, volume)| is_ours(volume.label(labels::PROJECT)))
        .map(|(name, _)| name)
        .collect())
}

async fn delete_volumes(
    session: &Session,
    connected: &Connected,
    volumes: &[VolumeName],
) -> Result<Exit> {
    let mut exit = Exit::Good;
    for volume in volumes {
        match connected.engine.delete_volume(volume).await {
            Ok(()) => session.output.notice(&format!("volume {volume} is deleted\n"))?,
            Err(failure) => {
                session.output.notice(&format!("error: {}\n", failure.message))?;
                exit = Exit::NotAsWanted;
            }
        }
    }
    Ok(exit)
}
