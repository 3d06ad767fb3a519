//! What the containers of a stack write, interleaved by time; and what follows.
//!
//! A log is read with the times of its lines, so that a reader that was cut off, or a
//! container that was started again, goes on after the last line that was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use crate::engine::{Any, Engine, EngineError, Wakeup};
use crate::state::ids::{ContainerId, ProjectName, ServiceName};
use crate::state::log::{Line, Part, Writer};
use crate::state::time::EngineTime;

/// How long to wait before a log is read again that broke off.
const AGAIN: Duration = Duration::from_millis(200);

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Somebody wrote a line.
    Line(Arc<Writer>, Line),
    /// A log cannot be read.
    Unreadable(Arc<Writer>, String),
    /// A container that was followed has ended.
    Ended(Arc<Writer>),
    /// A container that was followed is gone.
    Removed(Arc<Writer>),
    /// The engine is away, and so is what is written meanwhile, until it is back.
    Away(String),
}

/// Whoever listens has gone away.
#[derive(Clone, Copy, Debug)]
pub struct Deaf;

/// The logs of one stack.
#[derive(Debug)]
pub struct Logbook {
    engine: Arc<Any>,
    project: ProjectName,
    /// The services that are meant; all of them, if none is named.
    services: BTreeSet<ServiceName>,
    listener: Sender<Told>,
    /// The containers that are known, and what was told of each.
    known: BTreeMap<ContainerId, Known>,
    following: JoinSet<(ContainerId, Bookmark, Readable)>,
}

/// A container, and how far it was told.
#[derive(Debug)]
struct Known {
    writer: Arc<Writer>,
    bookmark: Bookmark,
    attention: Attention,
    readable: Readable,
}

/// Whether a log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attention {
    /// Nobody has read it yet.
    Fresh,
    /// It was read to its end, as it was then.
    Past,
    /// It is followed.
    Followed,
    /// It was followed, and broke off or ended: that is to be told.
    BrokenOff,
}

/// Whether a log can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readable {
    /// As far as it is known.
    Yes,
    /// What keeps it cannot be read, which will not change.
    Never,
}

/// Where one has come to in a log: the time of the last line, and how many lines of that
/// very time were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bookmark(Option<(EngineTime, u64)>);

impl Bookmark {
    fn after(self, line: &Line) -> Self {
        match self.0 {
            Some((at, count)) if at >= line.at => Self(Some((at, count + 1))),
            Some(_) | None => Self(Some((line.at, 1))),
        }
    }
}

/// Passes over the lines up to a bookmark.
#[derive(Debug)]
struct Skip(Option<(EngineTime, u64)>);

impl Skip {
    fn is_told(&mut self, line: &Line) -> bool {
        match &mut self.0 {
            Some((at, _)) if line.at < *at => true,
            Some((at, count)) if line.at == *at && *count > 0 => {
                *count -= 1;
                true
            }
            Some(_) | None => false,
        }
    }
}

impl Logbook {
    /// Opens the logs of some services of a stack, or of all of them.
    pub fn new(
        engine: Arc<Any>,
        project: ProjectName,
        services: BTreeSet<ServiceName>,
        listener: Sender<Told>,
    ) -> Self {
        let (known, following) = (BTreeMap::new(), JoinSet::new());
        Self { engine, project, services, listener, known, following }
    }

    /// Finds out who writes.
    ///
    /// # Errors
    /// The engine failed.
    pub async fn open(&mut self) -> Result<Vec<Arc<Writer>>, EngineError> {
        let mut writers = self.engine.writers(&self.project).await?;
        writers
            .retain(|it| self.services.is_empty() || self.services.contains(&it.service));
        writers.sort_by(|a, b| {
            (&a.service, a.number, &a.id).cmp(&(&b.service, b.number, &b.id))
        });
        let writers: Vec<Arc<Writer>> = writers.into_iter().map(Arc::new).collect();
        for writer in &writers {
            let known = self.known.entry(writer.id.clone()).or_insert_with(|| Known {
                writer: writer.clone(),
                bookmark: Bookmark::default(),
                attention: Attention::Fresh,
                readable: Readable::Yes,
            });
            known.writer = writer.clone();
        }
        Ok(writers)
    }

    /// Tells what has been written until `now`, the oldest first. Of each log one line is held
    /// at a time.
    ///
    /// # Errors
    /// Nobody listens any more.
    pub async fn past(
        &mut self,
        writers: &[Arc<Writer>],
        part: Part,
        now: EngineTime,
    ) -> Result<(), Deaf> {
        type Log = BoxStream<'static, Result<Line, EngineError>>;
        let part = Part { follow: false, ..part };
        let mut logs: Vec<Log> =
            writers.iter().map(|it| self.engine.log(&it.id, part)).collect();
        let mut told: BTreeMap<usize, Bookmark> = BTreeMap::new();
        let mut heads: BTreeMap<(EngineTime, usize), Line> = BTreeMap::new();
        let mut due: Vec<usize> = (0..logs.len()).collect();
        for writer in writers {
            let Some(known) = self.known.get_mut(&writer.id) else { continue };
            known.attention = Attention::Past;
            // Of what nothing is told, nothing older is told later.
            known.bookmark = Bookmark(Some((part.since.unwrap_or(now).max(now), 0)));
        }
        loop {
            for place in due.drain(..) {
                match logs[place].next().await {
                    Some(Ok(line)) => {
                        heads.insert((line.at, place), line);
                    }
                    Some(Err(error)) => self.cannot_read(&writers[place], &error).await?,
                    None => {}
                }
            }
            let Some(((_, place), line)) = heads.pop_first() else { return Ok(()) };
            let writer = &writers[place];
            let told = told.entry(place).or_default();
            *told = told.after(&line);
            if let Some(known) = self.known.get_mut(&writer.id) {
                known.bookmark = *told;
            }
            self.tell(Told::Line(writer.clone(), line)).await?;
            due.push(place);
        }
    }

    /// Tells what is written from now on, also by those who are yet to come, for ever.
    ///
    /// # Errors
    /// Nobody listens any more.
    pub async fn follow(mut self) -> Result<(), Deaf> {
        let mut wakeups = Box::pin(self.engine.wakeups(&self.project));
        loop {
            tokio::select! {
                Some(wakeup) = wakeups.next() => self.woken(wakeup).await?,
                Some(Ok((id, bookmark, readable))) = self.following.join_next() => {
                    self.broke_off(&id, bookmark, readable).await?;
                }
                () = self.listener.closed() => return Err(Deaf),
            }
        }
    }

    async fn woken(&mut self, wakeup: Wakeup) -> Result<(), Deaf> {
        match wakeup {
            Wakeup::Container { id, action } if action == "destroy" => {
                match self.known.remove(&id) {
                    Some(known) => self.tell(Told::Removed(known.writer)).await,
                    None => Ok(()),
                }
            }
            Wakeup::Container { action, .. } if action == "start" => self.attend().await,
            Wakeup::Relist { .. } => self.attend().await,
            Wakeup::Lost { reason } => self.tell(Told::Away(reason)).await,
            Wakeup::Container { .. } | Wakeup::Endpoint { .. } | Wakeup::Other { .. } => {
                Ok(())
            }
        }
    }

    /// Follows everybody who writes and is not followed yet.
    async fn attend(&mut self) -> Result<(), Deaf> {
        let writers = match self.open().await {
            Ok(writers) => writers,
            // When it is back it says so.
            Err(error) => return self.tell(Told::Away(error.to_string())).await,
        };
        for writer in writers {
            let Some(known) = self.known.get_mut(&writer.id) else { continue };
            let (was, is_running) = (known.attention, writer.is_running);
            match (was, known.readable) {
                (Attention::Followed, _) | (_, Readable::Never) => {}
                (Attention::Past, Readable::Yes) if !is_running => {}
                (Attention::BrokenOff, Readable::Yes) if !is_running => {
                    known.attention = Attention::Past;
                    self.tell(Told::Ended(writer)).await?;
                }
                // What came and went meanwhile has been read by nobody.
                (
                    Attention::Fresh | Attention::Past | Attention::BrokenOff,
                    Readable::Yes,
                ) => {
                    known.attention = Attention::Followed;
                    let (engine, listener) = (self.engine.clone(), self.listener.clone());
                    let bookmark = known.bookmark;
                    self.following.spawn(followed(engine, writer, bookmark, listener));
                }
            }
        }
        Ok(())
    }

    /// Takes note that a log has ended, with its container or without.
    async fn broke_off(
        &mut self,
        id: &ContainerId,
        bookmark: Bookmark,
        readable: Readable,
    ) -> Result<(), Deaf> {
        let Some(known) = self.known.get_mut(id) else { return Ok(()) };
        known.bookmark = bookmark;
        known.attention = Attention::BrokenOff;
        known.readable = readable;
        // An end is seen a moment after the log has ended.
        tokio::time::sleep(AGAIN).await;
        self.attend().await
    }

    async fn cannot_read(
        &mut self,
        writer: &Arc<Writer>,
        error: &EngineError,
    ) -> Result<(), Deaf> {
        if let Some(known) = self.known.get_mut(&writer.id) {
            known.readable = Readable::Never;
        }
        self.tell(Told::Unreadable(writer.clone(), why(error))).await
    }

    async fn tell(&self, told: Told) -> Result<(), Deaf> {
        self.listener.send(told).await.map_err(|_| Deaf)
    }
}

/// Follows one log to its end; returns how far it was told, and whether it could be read.
async fn followed(
    engine: Arc<Any>,
    writer: Arc<Writer>,
    mut bookmark: Bookmark,
    listener: Sender<Told>,
) -> (ContainerId, Bookmark, Readable) {
    let since = bookmark.0.map(|(at, _)| at);
    let part = Part { since, tail: None, follow: true };
    let mut skip = Skip(bookmark.0);
    let mut lines = engine.log(&writer.id, part);
    let mut readable = Readable::Yes;
    while let Some(line) = lines.next().await {
        let told = match line {
            Ok(line) if skip.is_told(&line) => continue,
            Ok(line) => {
                bookmark = bookmark.after(&line);
                Told::Line(writer.clone(), line)
            }
            Err(error @ EngineError::Failed { .. }) => {
                readable = Readable::Never;
                Told::Unreadable(writer.clone(), why(&error))
            }
            // Whoever waits for events tells of it.
            Err(error) => {
                tracing::debug!(%error, "a log broke off");
                break;
            }
        };
        if listener.send(told).await.is_err() {
            break;
        }
    }
    (writer.id.clone(), bookmark, readable)
}

/// Returns the engine's own words, which stand at the bottom.
fn why(error: &EngineError) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::log::Stream;

    fn line(second: i64, text: &str) -> Line {
        let at = EngineTime::from_second(second).unwrap();
        Line { at, stream: Stream::Output, bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn who_goes_on_at_a_bookmark_tells_nothing_twice_and_leaves_out_nothing() {
        let all = [line(1, "a"), line(2, "b"), line(2, "c"), line(2, "d"), line(3, "e")];
        let told = all[..3].iter().fold(Bookmark::default(), Bookmark::after);
        let mut skip = Skip(told.0);
        let rest: Vec<&Line> = all.iter().filter(|it| !skip.is_told(it)).collect();
        assert_eq!(rest, [&all[3], &all[4]]);
        let mut skip = Skip(None);
        assert!(!skip.is_told(&all[0]));
    }
}
