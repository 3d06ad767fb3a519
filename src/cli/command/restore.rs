//! `restore`: exchanges the data of a stack for those of an archive.

use std::path::Path;

use anyhow::Result;

use super::backup::read_through;
use super::backup_create::{is_guardian, stand_by, work};
use super::session::Session;
use crate::backup::read::Archive;
use crate::cli::arguments::Restore;
use crate::cli::exit::Exit;
use crate::control::Request;
use crate::view::backup::question;

pub(super) async fn run(session: &Session, options: &Restore) -> Result<Exit> {
    let Some(mut stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    let archive = std::path::absolute(&options.archive)?;
    let manifest = match Archive::open(&archive) {
        Ok(archive) => archive.manifest,
        Err(error) => {
            session.output.notice(&format!("error: {error}\n"))?;
            return Ok(Exit::NotAsWanted);
        }
    };
    let theirs = &manifest.about.stack;
    stacks.retain(|it| it.project == *theirs);
    if is_guardian() {
        return stand_by(session, stacks).await;
    }
    let Some(desired) = stacks.pop() else {
        session.output.notice(&format!(
            "error: the archive is of the stack {theirs}, which no file asks for\n"
        ))?;
        return Ok(Exit::NotAsWanted);
    };
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    let exit = read_through(session, &archive).await?;
    if exit != Exit::Good {
        return Ok(exit);
    }
    let paths: Vec<&str> = manifest.roots.iter().map(|it| it.path.as_str()).collect();
    let asked = question(theirs.as_str(), &manifest.about.begun.to_string(), &paths);
    if !options.yes && !session.output.confirm(&asked, theirs.as_str())? {
        session.output.notice(
            "not confirmed: --yes confirms where nobody can type\nnothing was restored\n",
        )?;
        return Ok(Exit::NotAsWanted);
    }
    let request = Request::Restore {
        source: desired.source.clone(),
        archive: Path::to_owned(&archive),
        accept_other_version: options.accept_other_version,
    };
    work(session, &connected, desired, ("restore", request)).await
}
