//! Restores: the archive is taken out beside the data while the stack runs, then the stack
//! rests, the data are exchanged, and the stack is woken. What was there before is kept aside
//! until the restored stack is ready, and comes back when it does not get ready.
//!
//! How far it has come stands in a journal: a process that is killed is followed by one that
//! takes the exchange back, or waits for readiness in its stead.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::backup::{Order, Piece, STARTING, STOPPING, within};
use super::errand::{Facts, Stack};
use super::{JobEnd, Operator};
use crate::backup::BackupError;
use crate::backup::exchange::{Exchange, Stage};
use crate::backup::extract::{extract, has_room};
use crate::backup::manifest::{Manifest, Root};
use crate::backup::read::Archive;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::planning::backup::{BackupNews, Done, Phase, other_major};
use crate::planning::rest::Rest;

/// A restore that is to be made.
#[derive(Debug)]
pub(super) struct RestoreOrder {
    /// The archive.
    pub(super) archive: PathBuf,
    /// Software of another major version may read the data.
    pub(super) accepts_other_version: bool,
    /// Where it is told how far the exchange has come.
    pub(super) journal: PathBuf,
}

/// Restores a stack, and tells how it went.
pub(super) async fn restore(
    stack: &Stack,
    order: &Order,
    what: &RestoreOrder,
    clock: &Clock,
) -> Result<Done, String> {
    let archive = Archive::open(&what.archive).map_err(|error| error.to_string())?;
    let facts = stack.facts().await?;
    let folders = fits(&archive.manifest, &facts, what.accepts_other_version)?;
    has_space(&archive.manifest, &folders)?;
    order.tell(BackupNews::Phase(Phase::Extracting));
    let counts = archive.manifest.counts;
    let stamp = clock.now().engine.strftime("%Y%m%dT%H%M%SZ").to_string();
    let exchange = Exchange::begin(&what.journal, &what.archive, &folders, &stamp);
    let exchange = exchange.map_err(|error| error.to_string())?;
    let staging = exchange.staging();
    let size = archive.size;
    let piece = Piece { stack, order, total: counts.data };
    let extracted = piece.work(move |watch| extract(&archive, staging, &mut &mut *watch));
    if let Err(why) = extracted.await {
        return Err(given_up(exchange, why).await);
    }
    order.tell(BackupNews::Phase(Phase::Stopping));
    let began = clock.now().moment;
    let rested = stack.rest(Rest::Restoring);
    if let Err(why) = within(STOPPING, "does not stop", rested).await {
        let why = given_up(exchange, why).await;
        let woken = within(STARTING, "is not ready", stack.wake()).await;
        return Err(woken.err().map_or(why.clone(), |it| format!("{why}; {it}")));
    }
    order.tell(BackupNews::Phase(Phase::Exchanging));
    let exchange = match exchanged(stack, exchange).await {
        Ok(exchange) => exchange,
        Err((exchange, why)) => return Err(taken_back(stack, order, exchange, why).await),
    };
    prove(stack, order, exchange, facts.patience).await?;
    Ok(Done {
        archive: what.archive.display().to_string(),
        size,
        data: counts.data,
        files: counts.files,
        downtime: clock.now().moment.since(began),
        removed: Vec::new(),
    })
}

/// Does what a process has left half-done that was killed.
pub(super) async fn recover(
    stack: &Stack,
    order: &Order,
    exchange: Exchange,
) -> Result<(), String> {
    match exchange.stage() {
        Stage::Staging | Stage::Keeping => blocking(|| exchange.discard()).await,
        Stage::Exchanging | Stage::Returning => {
            let why = "it was cut off".to_owned();
            Err(taken_back(stack, order, exchange, why).await)
        }
        Stage::Proving => prove(stack, order, exchange, STARTING).await,
    }
}

/// Waits until the stack is ready with its restored data; else it gets back what it had.
async fn prove(
    stack: &Stack,
    order: &Order,
    exchange: Exchange,
    patience: Duration,
) -> Result<(), String> {
    order.tell(BackupNews::Phase(Phase::Starting));
    match within(patience, "is not ready with the restored data", stack.wake()).await {
        Ok(()) => blocking(|| exchange.keep()).await,
        Err(why) => Err(taken_back(stack, order, exchange, why).await),
    }
}

/// Exchanges the data; gives back what has to be taken back when that fails.
async fn exchanged(
    stack: &Stack,
    mut exchange: Exchange,
) -> Result<Exchange, (Exchange, String)> {
    let work = tokio::task::spawn_blocking(move || {
        let result = exchange.exchange();
        (exchange, result)
    });
    let (exchange, result) = match work.await {
        Ok(done) => done,
        // The journal tells the next process.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    if let Err(error) = result {
        return Err((exchange, error.to_string()));
    }
    match within(STARTING, "cannot be looked at", stack.undisturbed()).await {
        Ok(()) => Ok(exchange),
        Err(why) => Err((exchange, why)),
    }
}

/// Gives the stack back the data that it had; says why.
async fn taken_back(
    stack: &Stack,
    order: &Order,
    mut exchange: Exchange,
    why: String,
) -> String {
    order.tell(BackupNews::Phase(Phase::Returning));
    let rested = stack.rest_now(Rest::Restoring);
    if let Err(failure) = within(STOPPING, "does not stop", rested).await {
        return format!("{why}; the data could not be given back yet: {failure}");
    }
    let back = blocking(move || {
        exchange.give_back()?;
        exchange.discard()
    });
    match back.await {
        Ok(()) => {
            // Whoever waits for this job may end its operator with it.
            let woken = within(STARTING, "is not ready", stack.wake()).await;
            let still = woken.err().map_or_else(String::new, |it| format!("; {it}"));
            format!("{why}; the stack has its data of before again{still}")
        }
        Err(failure) => format!("{why}; the data could not be given back yet: {failure}"),
    }
}

/// Clears away what was taken out; says why.
async fn given_up(exchange: Exchange, why: String) -> String {
    match blocking(|| exchange.discard()).await {
        Ok(()) => format!("{why}; the data of the stack are as they were"),
        Err(failure) => format!("{why}; the data are as they were, but {failure}"),
    }
}

async fn blocking(
    work: impl FnOnce() -> Result<(), BackupError> + Send + 'static,
) -> Result<(), String> {
    let ended = tokio::task::spawn_blocking(work).await;
    let ended = ended.map_err(|error| format!("an internal error: {error}"))?;
    ended.map_err(|error| error.to_string())
}

/// Returns where each part of an archive belongs; why it does not fit, else.
fn fits(
    manifest: &Manifest,
    facts: &Facts,
    accepts_other_version: bool,
) -> Result<BTreeMap<String, PathBuf>, String> {
    let (theirs, own) = (&manifest.about, &facts.about);
    if theirs.stack != own.stack {
        let (theirs, own) = (&theirs.stack, &own.stack);
        return Err(format!("the archive is of the stack {theirs}, and this is {own}"));
    }
    if !accepts_other_version {
        for (name, software) in &theirs.services {
            let now = own.services.get(name).map(|it| it.image.as_str());
            if let Some((then, now)) =
                now.and_then(|now| other_major(&software.image, now))
            {
                return Err(format!(
                    "the data are of {name} {then}, and it is {now} now: set the image back \
                     and apply that first, or say --accept-other-version"
                ));
            }
        }
    }
    let same = |a: &Root, b: &Root| match (&a.volume, &b.volume) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.path == b.path,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let mut folders = BTreeMap::new();
    for root in &manifest.roots {
        let place = facts.roots.iter().find(|it| same(it, root));
        let place = place.ok_or_else(|| {
            format!(
                "the archive holds {}, and the stack has no such data folder: make it, or \
                 correct the file",
                root.path
            )
        })?;
        folders.insert(root.name.clone(), PathBuf::from(&place.path));
    }
    let is_in = |own: &&Root| manifest.roots.iter().any(|root| same(own, root));
    if let Some(other) = facts.roots.iter().find(|own| !is_in(own)) {
        return Err(format!(
            "the stack has data in {}, of which the archive has none: both would be of \
             different times",
            other.path
        ));
    }
    Ok(folders)
}

/// Fails where a file system has no room for what an archive holds.
fn has_space(
    manifest: &Manifest,
    folders: &BTreeMap<String, PathBuf>,
) -> Result<(), String> {
    let mut needed: BTreeMap<u64, (&Path, u64)> = BTreeMap::new();
    for root in &manifest.roots {
        let Some(folder) = folders.get(&root.name) else { continue };
        let there = std::fs::metadata(folder);
        let device =
            there.map_err(|error| format!("{}: {error}", folder.display()))?.dev();
        // A little more, for folders and the ends of files.
        needed.entry(device).or_insert((folder, 1 << 20)).1 += root.data + root.data / 50;
    }
    let mut all = needed.values();
    all.try_for_each(|(folder, needed)| has_room(folder, *needed))
        .map_err(|error| error.to_string())
}

impl<E: Engine + 'static> Operator<E> {
    /// Begins a restore, unless something else is under way.
    pub(super) fn begin_restore(&mut self, order: Order, what: (PathBuf, bool)) {
        if self.is_busy(&order) {
            return;
        }
        let Some(journal) = self.journal.clone() else {
            let why = "there is no state directory to keep a journal in";
            order.tell(BackupNews::Failed(why.to_owned()));
            return;
        };
        let (archive, accepts_other_version) = what;
        let what = RestoreOrder { archive, accepts_other_version, journal };
        let (stack, clock) = (self.desk.stack(), self.runtime.clock.clone());
        self.jobs.spawn(async move {
            let result = restore(&stack, &order, &what, &clock).await;
            order.tell_end(&result);
            JobEnd { kind: Rest::Restoring, result: result.map(Some) }
        });
    }

    /// Finishes what a process has left half-done that was killed: before anything is
    /// started on data that may be of two kinds.
    pub(super) fn recover(&mut self) {
        let Some(journal) = &self.journal else { return };
        let exchange = match Exchange::found(journal) {
            Ok(Some(exchange)) => exchange,
            Ok(None) => return,
            Err(error) => {
                // Nothing may start on data of which nobody knows what they are.
                tracing::error!(%error, "what became of a restore is not known: the stack rests");
                self.runtime.controller.memory_mut().rest = Some(Rest::Restoring);
                return;
            }
        };
        let stack_name = &self.runtime.controller.wanted().desired.project;
        tracing::warn!(stack = %stack_name, archive = %exchange.archive().display(),
            stage = ?exchange.stage(), "a restore was cut off, and is finished or taken back");
        match exchange.stage() {
            Stage::Exchanging | Stage::Returning => {
                self.runtime.controller.memory_mut().rest = Some(Rest::Restoring);
            }
            Stage::Staging | Stage::Proving | Stage::Keeping => {}
        }
        let stack = self.desk.stack();
        self.jobs.spawn(async move {
            let order = Order { directory: None, replies: None };
            let result = recover(&stack, &order, exchange).await;
            JobEnd { kind: Rest::Restoring, result: result.map(|()| None) }
        });
    }
}
