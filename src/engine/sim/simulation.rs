//! A simulated engine that keeps time by itself, and answers as an engine does.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep, timeout};

use super::file::Kept;
use super::watch::Watch;
use super::world::World;
use crate::engine::{Engine, EngineError, PullProgress, Scope, Wakeup};
use crate::state::ids::{ContainerId, ProjectName, VolumeName};
use crate::state::observed::{EngineFacts, Observed};
use crate::state::step::{Done, Failure, FailureKind, Step};
use crate::state::time::EngineTime;

/// How late an event is that is held back.
const LATE: Duration = Duration::from_millis(100);
/// How often it is looked whether another process has written the file.
const LOOK_AT_FILE: Duration = Duration::from_millis(200);

/// A simulated engine; clones share it.
#[derive(Clone, Debug)]
pub struct Sim(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    place: Place,
    /// Somebody in this process did something to it.
    changed: Notify,
}

/// Where the world is.
#[derive(Debug)]
enum Place {
    /// Here. Its time is tokio's: a test whose clock is paused has an engine whose clock
    /// is; the instant is when its own stood at zero.
    Memory(Box<Mutex<World>>, Instant),
    /// In a file. Its time is the host's, which all processes share.
    File(Kept),
}

impl Sim {
    /// Returns the engine that `--host sim:FILE` names; without a file, a new one that ends
    /// with the process.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds something else.
    pub fn connect(file: &str) -> Result<Self, EngineError> {
        if file.is_empty() {
            return Ok(Self::new(World::new("simulated", host_time())));
        }
        let place = Place::File(Kept::new(file));
        let sim = Self(Arc::new(Shared { place, changed: Notify::new() }));
        sim.with(|_| ())?;
        Ok(sim)
    }

    /// Gives a world a clock.
    pub fn new(world: World) -> Self {
        let now = Instant::now();
        let start = now.checked_sub(world.uptime()).unwrap_or(now);
        let place = Place::Memory(Box::new(Mutex::new(world)), start);
        Self(Arc::new(Shared { place, changed: Notify::new() }))
    }

    /// Does something with the world as it is now; whoever watches is told. What is
    /// scripted lasts only where the world is kept in memory.
    ///
    /// # Errors
    /// It is kept in a file that is of no use.
    pub fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> Result<T, EngineError> {
        let act = |world: &mut World| {
            let before = (world.events.count, world.boots, world.due());
            let done = act(world);
            (before != (world.events.count, world.boots, world.due()), done)
        };
        let (has_changed, done) = match &self.0.place {
            Place::Memory(world, start) => {
                let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
                world.advance_to(start.elapsed());
                act(&mut world)
            }
            Place::File(kept) => kept.with(host_time(), act).map_err(|source| {
                EngineError::Simulated { file: kept.path().to_path_buf(), source }
            })?,
        };
        if has_changed {
            self.0.changed.notify_waiters();
        }
        Ok(done)
    }

    /// As [`Sim::with`], for what is to be done.
    fn doing<T>(&self, act: impl FnOnce(&mut World) -> T) -> Result<T, Failure> {
        self.with(act).map_err(|error| Failure {
            kind: FailureKind::Failed,
            message: std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), |reason| format!("{error}: {reason}")),
        })
    }

    /// Deletes a volume and all data in it, for good.
    ///
    /// # Errors
    /// The volume is in use. One that is gone already is no error.
    pub fn delete_volume(&self, name: &VolumeName) -> Result<(), Failure> {
        self.doing(|world| world.delete_volume(name))?
    }

    /// Waits until the world's clock stands so high.
    async fn until(&self, uptime: Duration) -> Result<(), Failure> {
        loop {
            let rest = uptime.saturating_sub(self.doing(|world| world.uptime())?);
            if rest.is_zero() {
                return Ok(());
            }
            sleep(rest).await;
        }
    }

    /// Waits until something has happened that a watch would tell of.
    async fn next(&self, watch: &mut Watch) -> VecDeque<Wakeup> {
        loop {
            let changed = self.0.changed.notified();
            let stamp = self.stamp();
            let found = self.with(|world| {
                let due = world.due().map(|due| due.saturating_sub(world.uptime()));
                (watch.take(world), due)
            });
            let (wakeups, due) = match found {
                Ok(found) => found,
                Err(error) => {
                    // Whoever looks is told the same; it may be mended meanwhile.
                    tracing::debug!(%error, "the simulated engine cannot be watched");
                    sleep(LOOK_AT_FILE).await;
                    continue;
                }
            };
            if !wakeups.is_empty() {
                return wakeups.into();
            }
            let due = if watch.holds_back() { Some(LATE) } else { due };
            let something = async {
                tokio::select! {
                    () = changed => {}
                    () = self.written_since(stamp) => {}
                }
            };
            match due {
                // Either there is something now, or the time has come.
                Some(due) => drop(timeout(due, something).await),
                None => something.await,
            }
        }
    }

    fn stamp(&self) -> Option<(u64, i64, i64)> {
        match &self.0.place {
            Place::Memory(..) => None,
            Place::File(kept) => kept.stamp(),
        }
    }

    /// Waits until the file is another one; for ever when there is none.
    async fn written_since(&self, stamp: Option<(u64, i64, i64)>) {
        match &self.0.place {
            Place::Memory(..) => std::future::pending().await,
            Place::File(kept) => {
                while kept.stamp() == stamp {
                    sleep(LOOK_AT_FILE).await;
                }
            }
        }
    }
}

impl Engine for Sim {
    async fn facts(&self) -> Result<EngineFacts, EngineError> {
        self.with(|world| world.facts())
    }

    async fn look(&self, scope: &Scope) -> Result<Observed, EngineError> {
        self.with(|world| world.look(scope))?
    }

    async fn look_again(
        &self,
        scope: &Scope,
        last: &Observed,
        containers: &BTreeSet<ContainerId>,
    ) -> Result<Observed, EngineError> {
        self.with(|world| world.look_again(scope, last, containers))?
    }

    async fn perform(
        &self,
        step: &Step,
        _progress: &UnboundedSender<PullProgress>,
    ) -> Result<Done, Failure> {
        let call = self.doing(|world| world.begin(step))?;
        self.until(call.until).await?;
        self.doing(|world| world.finish(&call))?
    }

    fn wakeups(
        &self,
        project: &ProjectName,
    ) -> impl Stream<Item = Wakeup> + Send + use<> {
        let watch = Watch::new(project.clone());
        let state = (self.clone(), watch, VecDeque::new());
        stream::unfold(state, |(sim, mut watch, mut waiting)| async move {
            if waiting.is_empty() {
                waiting = sim.next(&mut watch).await;
            }
            let wakeup = waiting.pop_front()?;
            Some((wakeup, (sim, watch, waiting)))
        })
    }
}

/// Returns the host's time: a simulated engine has the clock of its host, as a real one.
#[expect(clippy::disallowed_methods, reason = "an engine has a clock of its own")]
fn host_time() -> EngineTime {
    EngineTime::try_from(std::time::SystemTime::now()).unwrap_or(EngineTime::UNIX_EPOCH)
}
