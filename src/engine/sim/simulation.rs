//! A simulated engine that keeps time by itself, and answers as an engine does.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep, timeout};

use super::watch::Watch;
use super::world::World;
use crate::engine::{Engine, EngineError, PullProgress, Scope, Wakeup};
use crate::state::ids::{ContainerId, ProjectName, VolumeName};
use crate::state::observed::{EngineFacts, Observed};
use crate::state::step::{Done, Failure, Step};
use crate::state::time::EngineTime;

/// How late an event is that is held back.
const LATE: Duration = Duration::from_millis(100);

/// A simulated engine; clones share it.
///
/// Its time is that of tokio: a test whose clock is paused has an engine whose clock is.
#[derive(Clone, Debug)]
pub struct Sim(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    /// When the world's clock stood at zero.
    start: Instant,
    /// Somebody did something to it.
    changed: Notify,
}

impl Sim {
    /// Returns the engine that `--host sim:FILE` names; without a file, a new one that ends
    /// with the process.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds something else.
    pub fn connect(file: &str) -> Result<Self, EngineError> {
        if !file.is_empty() {
            return Err(EngineError::Address {
                host: format!("sim:{file}"),
                reason: "a simulated engine keeps no file yet".to_owned(),
            });
        }
        Ok(Self::new(World::new("simulated", host_time())))
    }

    /// Gives a world a clock.
    pub fn new(mut world: World) -> Self {
        world.advance(Duration::ZERO);
        let start = Instant::now();
        let start = start.checked_sub(world.uptime()).unwrap_or(start);
        let world = Mutex::new(world);
        Self(Arc::new(Shared { world, start, changed: Notify::new() }))
    }

    /// Does something with the world as it is now; whoever watches is told.
    pub fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance_to(self.0.start.elapsed());
        let before = (world.events.count, world.boots, world.due());
        let done = act(&mut world);
        if before != (world.events.count, world.boots, world.due()) {
            self.0.changed.notify_waiters();
        }
        done
    }

    /// Deletes a volume and all data in it, for good.
    ///
    /// # Errors
    /// The volume is in use. One that is gone already is no error.
    pub fn delete_volume(&self, name: &VolumeName) -> Result<(), Failure> {
        self.with(|world| world.delete_volume(name))
    }

    /// Waits until the world's clock stands so high.
    async fn until(&self, uptime: Duration) {
        while let Some(rest) = uptime.checked_sub(self.with(|world| world.uptime())) {
            if rest.is_zero() {
                break;
            }
            sleep(rest).await;
        }
    }

    /// Waits until something has happened that a watch would tell of.
    async fn next(&self, watch: &mut Watch) -> VecDeque<Wakeup> {
        loop {
            let changed = self.0.changed.notified();
            let (wakeups, due) = self.with(|world| {
                let wait = world.due().map(|due| due.saturating_sub(world.uptime()));
                (watch.take(world), wait)
            });
            if !wakeups.is_empty() {
                return wakeups.into();
            }
            let due = if watch.holds_back() { Some(LATE) } else { due };
            match due {
                // Either there is something now, or the time has come.
                Some(due) => drop(timeout(due, changed).await),
                None => changed.await,
            }
        }
    }
}

impl Engine for Sim {
    async fn facts(&self) -> Result<EngineFacts, EngineError> {
        Ok(self.with(|world| world.facts()))
    }

    async fn look(&self, scope: &Scope) -> Result<Observed, EngineError> {
        self.with(|world| world.look(scope))
    }

    async fn look_again(
        &self,
        scope: &Scope,
        last: &Observed,
        containers: &BTreeSet<ContainerId>,
    ) -> Result<Observed, EngineError> {
        self.with(|world| world.look_again(scope, last, containers))
    }

    async fn perform(
        &self,
        step: &Step,
        _progress: &UnboundedSender<PullProgress>,
    ) -> Result<Done, Failure> {
        let call = self.with(|world| world.begin(step));
        self.until(call.until).await;
        self.with(|world| world.finish(call))
    }

    fn wakeups(&self, project: &ProjectName) -> impl Stream<Item = Wakeup> + Send {
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
