//! `backup`: makes, lists, verifies and removes archives.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::backup_create::create;
use super::session::Session;
use crate::backup::read::Archive;
use crate::backup::shelf::{Listed, Shelf};
use crate::backup::verify::verify;
use crate::cli::arguments::Backup;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::clock::{Clock, local_zone};
use crate::planning::backup::Pace;
use crate::planning::retention::expired;
use crate::state::desired::Desired;
use crate::state::time::Moment;
use crate::view::backup::{ArchiveJson, ArchivesJson, list as list_text, passed};

pub(super) async fn run(session: &Session, backup: &Backup) -> Result<Exit> {
    match backup {
        Backup::Create(shelf) => {
            Box::pin(create(session, shelf.directory.as_deref())).await
        }
        Backup::List(shelf) => list(session, shelf.directory.as_deref()),
        Backup::Verify(archive) => read_through(session, &archive.archive).await,
        Backup::Prune(shelf) => prune(session, shelf.directory.as_deref()),
    }
}

/// Returns the folder of archives of a stack.
pub(super) fn directory(desired: &Desired, told: Option<&Path>) -> Option<PathBuf> {
    let settings = desired.settings.backup.as_ref();
    let own = || settings.and_then(|it| it.directory.clone());
    told.map(Path::to_owned).or_else(own)
}

/// Says that nobody said where archives are.
pub(super) fn no_directory(session: &Session, desired: &Desired) -> Result<Exit> {
    session.output.notice(&format!(
        "error: it is not said where the archives of {} are: `--directory DIR`, or \
         `x-reconciler: {{backup: {{directory: DIR}}}}` in its file\n",
        desired.project
    ))?;
    Ok(Exit::Invalid)
}

fn failed(session: &Session, error: &impl std::fmt::Display) -> Result<Exit> {
    session.output.notice(&format!("error: {error}\n"))?;
    Ok(Exit::NotAsWanted)
}

fn list(session: &Session, told: Option<&Path>) -> Result<Exit> {
    let Some(stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    let mut archives = Vec::new();
    for desired in stacks {
        let Some(folder) = directory(&desired, told) else {
            return no_directory(session, &desired);
        };
        match Shelf::new(folder).list(Some(&desired.project)) {
            Ok(listed) => archives.extend(listed.into_iter().map(json)),
            Err(error) => return failed(session, &error),
        }
    }
    match session.output.format {
        Format::Json => session.output.json(&ArchivesJson { archives })?,
        Format::Text if archives.is_empty() => {
            session.output.notice("there are no archives\n")?;
        }
        Format::Text => session.output.result(&list_text(&archives))?,
    }
    Ok(Exit::Good)
}

fn json(listed: Listed) -> ArchiveJson {
    let archive = listed.path.display().to_string();
    let problem = listed.archive.as_ref().err().map(ToString::to_string);
    let good = listed.archive.ok();
    let manifest = good.as_ref().map(|it| &it.manifest);
    ArchiveJson {
        archive,
        readable: problem.is_none(),
        problem,
        stack: manifest.map(|it| it.about.stack.to_string()),
        begun: manifest.map(|it| it.about.begun.to_string()),
        generation: manifest.map(|it| it.about.generation.to_string()),
        size: good.as_ref().map(|it| it.size),
        data: manifest.map(|it| it.counts.data),
        files: manifest.map(|it| it.counts.files),
    }
}

pub(super) async fn read_through(session: &Session, path: &Path) -> Result<Exit> {
    let archive = match Archive::open(path) {
        Ok(archive) => archive,
        Err(error) => return failed(session, &error),
    };
    let counts = archive.manifest.counts;
    let (output, clock) = (session.output.clone(), Clock::new());
    let mut teller = Teller::default();
    let work = tokio::task::spawn_blocking(move || {
        let mut done = 0;
        verify(&archive, &mut |bytes| {
            done += bytes;
            let line = teller.line(done, counts.data, clock.now().moment);
            // Progress that cannot be written is no reason to stop.
            if let Some(line) = line {
                output.notice(&format!("{line}\n")).unwrap_or_default();
            }
            true
        })
    });
    match work.await? {
        Ok(()) => {
            session.output.notice(&format!(
                "{}: every one of {} files is what was written\n",
                path.display(),
                counts.files
            ))?;
            Ok(Exit::Good)
        }
        Err(error) => failed(session, &error),
    }
}

/// Tells now and then how far something has come.
#[derive(Debug, Default)]
pub(super) struct Teller {
    began: Option<Moment>,
    told: Moment,
}

/// How often that is.
const TELL: std::time::Duration = std::time::Duration::from_secs(5);

impl Teller {
    /// Returns a line if it is time for one.
    pub(super) fn line(&mut self, done: u64, total: u64, now: Moment) -> Option<String> {
        let began = *self.began.get_or_insert_with(|| {
            self.told = now;
            now
        });
        if now.since(self.told) < TELL {
            return None;
        }
        self.told = now;
        Some(passed(done, total, Pace::of(done, total, now.since(began))))
    }
}

fn prune(session: &Session, told: Option<&Path>) -> Result<Exit> {
    let Some(stacks) = session.desired()? else { return Ok(Exit::Invalid) };
    for desired in stacks {
        let Some(folder) = directory(&desired, told) else {
            return no_directory(session, &desired);
        };
        let settings = desired.settings.backup.as_ref();
        let Some(keep) = settings.and_then(|it| it.keep) else {
            session.output.notice(&format!(
                "error: the file of {} does not say which archives stay \
                 (`x-reconciler.backup.keep`): all of them do\n",
                desired.project
            ))?;
            return Ok(Exit::Invalid);
        };
        let shelf = Shelf::new(folder);
        let listed = match shelf.list(Some(&desired.project)) {
            Ok(listed) => listed,
            Err(error) => return failed(session, &error),
        };
        let good: Vec<Archive> =
            listed.into_iter().filter_map(|it| it.archive.ok()).collect();
        let times = good.iter().map(|it| it.manifest.about.begun).collect();
        let expired = expired(&times, keep, &local_zone());
        for old in good.iter().filter(|it| expired.contains(&it.manifest.about.begun)) {
            if let Err(error) = shelf.remove(&old.path) {
                return failed(session, &error);
            }
            session.output.notice(&format!("removed {}\n", old.path.display()))?;
        }
    }
    Ok(Exit::Good)
}
