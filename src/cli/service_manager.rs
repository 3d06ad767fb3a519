//! What systemd is told: when the operator is ready, what it is doing, that it is alive.

use sd_notify::NotifyState;
use tokio::task::AbortHandle;

/// The service manager that started this process, if one did and wants to be told.
///
/// Without one, telling it does nothing.
#[derive(Debug)]
pub(crate) struct ServiceManager {
    /// Beats while the one thread of this process gets round to everything.
    heart: Option<AbortHandle>,
}

impl ServiceManager {
    /// Finds the service manager by the variables that it sets, and begins to tell it
    /// that this process is alive, if it asks for that.
    pub(crate) fn of_this_process() -> Self {
        let heart = sd_notify::watchdog_enabled().map(|limit| {
            let beat = async move {
                loop {
                    tell(&[NotifyState::Watchdog]);
                    // Twice as often as it must be.
                    tokio::time::sleep(limit / 2).await;
                }
            };
            tokio::spawn(beat).abort_handle()
        });
        Self { heart }
    }

    /// Says what the operator is doing.
    pub(crate) fn says(&self, status: &str) {
        tell(&[NotifyState::Status(status)]);
    }

    /// Says that the operator is at work, and on what.
    pub(crate) fn ready(&self, status: &str) {
        tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// Says that the operator is about to end.
    pub(crate) fn ending(&self) {
        tell(&[NotifyState::Stopping]);
    }
}

impl Drop for ServiceManager {
    fn drop(&mut self) {
        if let Some(heart) = &self.heart {
            heart.abort();
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
