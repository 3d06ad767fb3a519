//! Who is told about what happens under `run`.

use std::collections::BTreeSet;
use std::time::Duration;

use super::session::Session;
use crate::cli::arguments::Run;
use crate::cli::checkout::host_name;
use crate::cli::stacks::absolute;
use crate::notify::{NotSent, Notifier, url_in};
use crate::state::notice::{Address, NotifySettings, Severity};

/// How long the end of the operator may wait for what is yet to be told.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(2);

/// Makes the one who tells; a file of a URL that cannot be used is said now.
pub(super) fn notifier(session: &Session, options: &Run) -> Result<Notifier, NotSent> {
    let mut always = Vec::new();
    if let Some(path) = &options.notify.notify_url_file {
        let path = absolute(path);
        let url = url_in(&path)?;
        tracing::info!(host = url.host(), "notifications are sent");
        always.push(NotifySettings {
            to: Address::File(path),
            severity: Severity::Info,
            on: BTreeSet::new(),
        });
    }
    Ok(Notifier::new(always, host_name(&session.options)))
}
