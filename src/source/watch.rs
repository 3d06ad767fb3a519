//! When watched files hold something else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::fingerprint::{Fingerprint, Touched};
use super::folders::folders_of;

/// How far apart two looks at a file must agree, for it not to be half written.
const SETTLING: Duration = Duration::from_millis(20);

/// The patience of a [`Watch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchOptions {
    /// How long nothing must have happened before the files are looked at.
    pub debounce: Duration,
    /// How long they are not looked at at most while things go on happening.
    pub longest_debounce: Duration,
    /// How often they are looked at although nothing has happened: not every file system
    /// tells.
    pub rehash: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            debounce: Duration::from_millis(250),
            longest_debounce: Duration::from_secs(2),
            rehash: Duration::from_secs(30),
        }
    }
}

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot watch files; raise fs.inotify.max_user_instances if it is used up (`sysctl fs.inotify`)"
)]
pub struct WatchError(#[from] notify::Error);

/// Watches a set of paths for other content: for bytes, not for touches.
#[derive(Debug)]
pub struct Watch {
    options: WatchOptions,
    watcher: RecommendedWatcher,
    /// Rings when something happened in a watched folder.
    bell: Arc<Notify>,
    /// What the paths held when they were last told of.
    seen: Touched,
    /// The folders that are watched.
    folders: BTreeSet<PathBuf>,
    /// Those that could not be, as was said already.
    unwatched: BTreeSet<PathBuf>,
    unsettled: Option<Unsettled>,
    rehash_at: Instant,
}

/// Something happened, and nobody has looked yet.
#[derive(Clone, Copy, Debug)]
struct Unsettled {
    since: Instant,
    look_at: Instant,
}

impl Watch {
    /// Makes a watch of no path yet.
    ///
    /// # Errors
    /// The system has no more watches to give.
    pub fn new(options: WatchOptions) -> Result<Self, WatchError> {
        let bell = Arc::new(Notify::new());
        let rope = Arc::clone(&bell);
        let watcher = notify::recommended_watcher(move |event| {
            if is_worth_a_look(&event) {
                rope.notify_one();
            }
        })?;
        Ok(Self {
            options,
            watcher,
            bell,
            seen: Touched::new(),
            folders: BTreeSet::new(),
            unwatched: BTreeSet::new(),
            unsettled: None,
            rehash_at: Instant::now() + options.rehash,
        })
    }

    /// Watches these paths from now on, and no others; what they hold now is no change.
    pub fn set_paths(&mut self, paths: BTreeSet<PathBuf>) {
        self.arm(&paths);
        self.seen = paths
            .into_iter()
            .map(|path| {
                let fingerprint = Fingerprint::of(&path);
                (path, fingerprint)
            })
            .collect();
    }

    /// Watches the paths that a load has touched, and no others. What the load found is no
    /// change; what has been written since is, so that nothing is missed in between.
    pub fn follow(&mut self, touched: Touched) {
        self.seen = touched;
        self.arm_all();
        let now = Instant::now();
        self.unsettled = Some(Unsettled { since: now, look_at: now });
    }

    /// Waits until a watched path holds something else and has come to rest.
    ///
    /// It may be dropped and called again: no change is lost.
    pub async fn changed(&mut self) {
        loop {
            let look_at = self.unsettled.map_or(self.rehash_at, |unsettled| {
                unsettled.look_at.min(self.rehash_at)
            });
            tokio::select! {
                () = self.bell.notified() => self.unsettle(),
                () = sleep_until(look_at) => {
                    if self.settle().await {
                        return;
                    }
                }
            }
        }
    }

    /// Puts the next look off, as long as it may be.
    fn unsettle(&mut self) {
        let now = Instant::now();
        let since = self.unsettled.map_or(now, |unsettled| unsettled.since);
        let look_at =
            (now + self.options.debounce).min(since + self.options.longest_debounce);
        self.unsettled = Some(Unsettled { since, look_at });
    }

    /// Looks at the files; tells whether they hold something else and have come to rest.
    async fn settle(&mut self) -> bool {
        // Watched before they are read, so that what happens meanwhile rings again.
        self.arm_all();
        let first = self.look().await;
        if first != self.seen {
            sleep(SETTLING).await;
            if self.look().await != first {
                self.unsettled = None;
                self.unsettle();
                self.rehash_at = Instant::now() + self.options.rehash;
                return false;
            }
        }
        self.unsettled = None;
        self.rehash_at = Instant::now() + self.options.rehash;
        let changed = first != self.seen;
        self.seen = first;
        changed
    }

    async fn look(&self) -> Touched {
        let seen = self.seen.clone();
        let look = move || {
            seen.into_iter()
                .map(|(path, before)| {
                    let now = before.again(&path);
                    (path, now)
                })
                .collect()
        };
        // A file system may be slow; without its answer nothing has changed.
        tokio::task::spawn_blocking(look).await.unwrap_or_else(|_| self.seen.clone())
    }

    fn arm_all(&mut self) {
        let paths = self.seen.keys().cloned().collect();
        self.arm(&paths);
    }

    /// Watches the folders of paths. It is done anew each time, because a folder may be
    /// another one under the same name.
    fn arm(&mut self, paths: &BTreeSet<PathBuf>) {
        let folders = || paths.iter().flat_map(|path| folders_of(path)).collect();
        let mut wanted: BTreeSet<PathBuf> = folders();
        // What appears while the watches are set up needs another watch.
        for _ in 0..3 {
            for folder in &wanted {
                self.watch(folder);
            }
            let now = folders();
            if now == wanted {
                break;
            }
            wanted.extend(now);
        }
        for folder in self.folders.difference(&wanted) {
            // The watch of a folder that is gone has ended with it.
            self.watcher.unwatch(folder).unwrap_or_default();
        }
        self.folders = wanted;
    }

    fn watch(&mut self, folder: &Path) {
        let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) else {
            self.unwatched.remove(folder);
            return;
        };
        // It may have gone away just now; what is looked at every while is said once.
        if !matches!(error.kind, ErrorKind::PathNotFound)
            && self.unwatched.insert(folder.to_owned())
        {
            let (folder, every) = (folder.display(), self.options.rehash.as_secs());
            tracing::warn!(%folder, %error, every, "a folder cannot be watched and is looked at every so many seconds");
        }
    }
}

/// Tells whether anything may have changed. Reading is no change, and would ring for our
/// own looks; an overflow names no path; everything else may concern a watched file under
/// some other name.
fn is_worth_a_look(event: &notify::Result<Event>) -> bool {
    match event {
        Ok(event) => event.need_rescan() || !matches!(event.kind, EventKind::Access(_)),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, AccessMode, Flag, ModifyKind};

    #[test]
    fn reading_rings_no_bell_and_an_overflow_does() {
        let access = EventKind::Access(AccessKind::Open(AccessMode::Any));
        assert!(!is_worth_a_look(&Ok(Event::new(access))));
        let modify = EventKind::Modify(ModifyKind::Any);
        assert!(is_worth_a_look(&Ok(Event::new(modify))));
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(is_worth_a_look(&Ok(overflow)));
        assert!(is_worth_a_look(&Err(notify::Error::generic("boom"))));
    }
}
