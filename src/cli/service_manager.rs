//! What systemd is told: when the operator is ready, what it is doing, that it is alive.

use sd_notify::NotifyState;
use tokio::task::AbortHandle;

/// Tells the service manager that this process is alive, as often as it asks for that.
///
/// Without a service manager, telling it does nothing.
#[derive(Debug)]
pub(crate) struct Heart(Option<AbortHandle>);

impl Heart {
    /// Begins to beat, as long as the one thread of this process gets round to everything.
    pub(crate) fn beating() -> Self {
        Self(sd_notify::watchdog_enabled().map(|limit| {
            let beat = async move {
                loop {
                    tell(&[NotifyState::Watchdog]);
                    // Twice as often as it must be.
                    tokio::time::sleep(limit / 2).await;
                }
            };
            tokio::spawn(beat).abort_handle()
        }))
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        if let Some(heart) = &self.0 {
            heart.abort();
        }
    }
}

/// Says what the operator is doing.
pub(crate) fn says(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// Says that the operator is at work, and on what.
pub(crate) fn is_ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Says that the operator is about to end.
pub(crate) fn is_ending() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
