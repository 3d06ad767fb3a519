//! Backups: rest, archive, wake, verify; then those archives go that newer ones replace.
//!
//! The stack rests only while its data are read: the archive is read back, and copied
//! elsewhere, while it runs again. Whatever happens, the stack is woken: by this task, by its
//! operator should this task end early, and by the next process should that end.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use super::errand::{Facts, Stack};
use super::{JobEnd, Operator};
use crate::backup::BackupError;
use crate::backup::read::Archive;
use crate::backup::scan::{Scan, scan};
use crate::backup::shelf::{Shelf, Written};
use crate::clock::{Clock, local_zone};
use crate::control::Reply;
use crate::engine::Engine;
use crate::planning::backup::{self, BackupNews, Done, Phase};
use crate::planning::rest::Rest;
use crate::planning::retention::expired;

/// How long a stack may take to stop: longer than any sane grace period.
pub(super) const STOPPING: Duration = Duration::from_hours(1);

/// How long a stack may take until it is ready again.
pub(super) const STARTING: Duration = Duration::from_mins(15);

/// As [`STARTING`], where it was not ready before either.
const STARTING_ILL: Duration = Duration::from_secs(30);

/// How long the command may take that copies an archive elsewhere.
const AFTER: Duration = Duration::from_hours(12);

/// How often it is told how far the work has come.
const TELL: Duration = Duration::from_millis(500);

/// By how many threads is compressed.
const WORKERS: usize = 2;

/// The variable by which the command knows the archive.
pub const ARCHIVE_VARIABLE: &str = "RECONCILER_ARCHIVE";

/// A backup that is to be made.
#[derive(Debug)]
pub(super) struct Order {
    /// The folder of archives, unless it is the file's.
    pub(super) directory: Option<PathBuf>,
    /// Who follows.
    pub(super) replies: Option<mpsc::Sender<Reply>>,
}

impl Order {
    pub(super) fn tell(&self, news: BackupNews) {
        let Some(replies) = &self.replies else { return };
        if replies.try_send(Reply::Backup(news)).is_err() {
            tracing::debug!("nobody follows the backup any more");
        }
    }

    pub(super) fn tell_end(&self, result: &Result<Done, String>) {
        self.tell(match result {
            Ok(done) => BackupNews::Done(done.clone()),
            Err(why) => BackupNews::Failed(why.clone()),
        });
    }

    fn warn(&self, stack: &str, warning: String) {
        tracing::warn!(stack, "backup: {warning}");
        self.tell(BackupNews::Warning(warning));
    }
}

/// A blocking piece of work, and how far it has come.
pub(super) struct Piece<'a> {
    pub(super) stack: &'a Stack,
    pub(super) order: &'a Order,
    pub(super) total: u64,
}

impl Piece<'_> {
    /// Does it on a thread of its own, and tells how far it has come.
    pub(super) async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut dyn FnMut(u64) -> bool) -> Result<T, BackupError>
        + Send
        + 'static,
    ) -> Result<T, String> {
        let done = Arc::new(AtomicU64::new(0));
        let (counted, given_up): (_, Arc<AtomicBool>) =
            (done.clone(), self.stack.given_up());
        let mut task = tokio::task::spawn_blocking(move || {
            work(&mut |bytes| {
                counted.fetch_add(bytes, Ordering::Relaxed);
                !given_up.load(Ordering::Relaxed)
            })
        });
        loop {
            tokio::select! {
                ended = &mut task => {
                    let ended = ended.map_err(|error| format!("an internal error: {error}"))?;
                    return ended.map_err(|error| error.to_string());
                }
                () = tokio::time::sleep(TELL) => {
                    let done = done.load(Ordering::Relaxed);
                    self.order.tell(BackupNews::Passed { done, total: self.total });
                }
            }
        }
    }
}

/// Makes a backup, and tells how it went.
pub(super) async fn back_up(
    stack: &Stack,
    order: &Order,
    clock: &Clock,
) -> Result<Done, String> {
    let facts = stack.facts().await?;
    let name = facts.about.stack.to_string();
    for left_out in &facts.left_out {
        order.warn(&name, format!("not in the archive: {left_out}"));
    }
    let folder = order.directory.clone().or_else(|| facts.settings.directory.clone());
    let shelf = Shelf::new(folder.ok_or_else(|| NO_FOLDER.to_owned())?);
    let opened = shelf.open(&facts.about.stack);
    opened.map_err(|error| error.to_string())?;
    if shelf.shares_device(&facts.roots) {
        let folder = shelf.folder().display().to_string();
        order.warn(&name, format!("{folder} {SAME_DEVICE}"));
    }
    let settings = facts.settings.clone();
    // A stack that is ill is not waited for.
    let starting = if facts.was_ready { facts.patience } else { STARTING_ILL };
    let began = clock.now().moment;
    let written = rested(stack, order, &shelf, facts).await;
    order.tell(BackupNews::Phase(Phase::Starting));
    let woken = within(starting, "is not ready after the backup", stack.wake()).await;
    let downtime = clock.now().moment.since(began);
    let written = written?;
    order.tell(BackupNews::Phase(Phase::Verifying));
    let counts = written.manifest.counts;
    let place = shelf.clone();
    let piece = Piece { stack, order, total: counts.data };
    let published =
        piece.work(move |watch| place.publish(written, &mut &mut *watch)).await;
    let archive = published?;
    if let Err(why) = woken {
        // The archive is good all the same.
        order.warn(&name, format!("{why}; see `reconciler status`"));
    }
    let removed = prune(&shelf, &archive, &settings).unwrap_or_else(|why| {
        order.warn(&name, why);
        Vec::new()
    });
    let path = archive.path.display().to_string();
    if !settings.after.is_empty() {
        order.tell(BackupNews::Phase(Phase::After));
        if let Err(why) = after(&settings.after, &path).await {
            let why = format!("the archive is good, but the command failed: {why}");
            order.warn(&name, why);
        }
    }
    let (size, data, files) = (archive.size, counts.data, counts.files);
    Ok(Done { archive: path, size, data, files, downtime, removed })
}

const NO_FOLDER: &str = "it is not said where archives are kept: `--directory DIR`, or \
                         `x-reconciler: {backup: {directory: DIR}}` in the file";

const SAME_DEVICE: &str = "is on the same device as the data: what destroys the one takes \
                           the other along; copy archives off the host, such as by \
                           `x-reconciler.backup.after`";

/// What is done while the stack rests.
async fn rested(
    stack: &Stack,
    order: &Order,
    shelf: &Shelf,
    facts: Facts,
) -> Result<Written, String> {
    order.tell(BackupNews::Phase(Phase::Stopping));
    within(STOPPING, "does not stop", stack.rest(Rest::BackingUp)).await?;
    order.tell(BackupNews::Phase(Phase::Archiving));
    let Facts { about, roots, .. } = facts;
    let asked = roots.clone();
    let piece = Piece { stack, order, total: 0 };
    let scanned: Scan = piece.work(move |_| scan(&asked)).await?;
    let piece = Piece { stack, order, total: scanned.bytes };
    let shelf = shelf.clone();
    let workers =
        std::thread::available_parallelism().map_or(1, |it| it.get().min(WORKERS));
    let workers = u32::try_from(workers).unwrap_or(1);
    let write = move |watch: &mut dyn FnMut(u64) -> bool| {
        shelf.write((about, roots), &scanned, workers, &mut &mut *watch)
    };
    let written = piece.work(write).await?;
    within(STARTING, "cannot be looked at", stack.undisturbed()).await?;
    Ok(written)
}

pub(super) async fn within<T>(
    time: Duration,
    what: &str,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    match tokio::time::timeout(time, work).await {
        Ok(result) => result,
        Err(_) => Err(format!("the stack {what}: given up after {time:?}")),
    }
}

/// Removes the archives that newer ones have taken the place of; returns their names.
fn prune(
    shelf: &Shelf,
    archive: &Archive,
    settings: &crate::state::backup::BackupSettings,
) -> Result<Vec<String>, String> {
    let Some(keep) = settings.keep else { return Ok(Vec::new()) };
    let stack = &archive.manifest.about.stack;
    let listed = shelf.list(Some(stack)).map_err(|error| error.to_string())?;
    let good: Vec<Archive> =
        listed.into_iter().filter_map(|it| it.archive.ok()).collect();
    let times = good.iter().map(|it| it.manifest.about.begun).collect();
    let expired = expired(&times, keep, &local_zone());
    let mut removed = Vec::new();
    for old in good.iter().filter(|it| expired.contains(&it.manifest.about.begun)) {
        shelf.remove(&old.path).map_err(|error| error.to_string())?;
        removed.push(old.path.display().to_string());
    }
    Ok(removed)
}

/// Runs the command that copies an archive elsewhere.
async fn after(command: &[String], archive: &str) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let run = tokio::process::Command::new(program)
        .args(arguments)
        .env(ARCHIVE_VARIABLE, archive)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(AFTER, run).await;
    let ended = ended.map_err(|_| format!("it took longer than {AFTER:?}"))?;
    let output = ended.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    Err(format!("{program} ended with {}: {last}", output.status))
}

impl<E: Engine + 'static> Operator<E> {
    /// Begins a backup, unless there is one already.
    pub(super) fn begin_backup(&mut self, order: Order) {
        if self.is_busy(&order) {
            return;
        }
        let (stack, clock) = (self.desk.stack(), self.runtime.clock.clone());
        self.jobs.spawn(async move {
            let result = back_up(&stack, &order, &clock).await;
            order.tell_end(&result);
            JobEnd { kind: Rest::BackingUp, result: result.map(Some) }
        });
    }

    /// Refuses an order while another one is carried out.
    pub(super) fn is_busy(&self, order: &Order) -> bool {
        if !self.jobs.is_empty() {
            let why = "a backup or a restore is under way already";
            order.tell(BackupNews::Failed(why.to_owned()));
        }
        !self.jobs.is_empty()
    }

    /// Takes note of how a backup or a restore ended.
    pub(super) fn note_end(&mut self, end: &JobEnd) {
        let now = self.runtime.clock.now().engine;
        let stack = self.runtime.controller.wanted().desired.project.clone();
        let what = end.kind.noun();
        match &end.result {
            Ok(Some(done)) => tracing::info!(%stack, archive = done.archive,
                downtime = ?done.downtime, "the {what} is done"),
            Ok(None) => tracing::info!(%stack, "the {what} is finished"),
            Err(why) => {
                tracing::error!(%stack, "the {what} failed: {why}");
                self.notify(vec![backup::notice(end.kind, why)]);
            }
        }
        let memory = self.runtime.controller.memory_mut();
        backup::ended(memory, end.kind, &end.result, now);
        self.runtime.remember();
    }

    /// Finds out when the next backup is due by the schedule of the file.
    pub(super) fn plan_backup(&mut self) {
        let settings = self.runtime.controller.wanted().desired.settings.backup.as_ref();
        let schedule = settings.and_then(|it| it.schedule.as_ref());
        let now = self.runtime.clock.now();
        let next = schedule.filter(|_| self.makes_backups);
        let next = next.and_then(|it| it.next(now.engine, &local_zone()));
        self.next_backup = next.map(|next| {
            let left = Duration::try_from(next.duration_since(now.engine));
            now.moment.after(left.unwrap_or_default())
        });
    }
}
