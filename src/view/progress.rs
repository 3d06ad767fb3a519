//! What an object is doing, in words.

use std::time::Duration;

use super::text::{one_line, took, transferred};
use crate::planning::progress::{ProgressEvent, ProgressState};

/// Returns the line for a log or a pipe: `service/etcd/1  started`.
pub fn line(event: &ProgressEvent) -> String {
    format!("{}  {}", one_line(&event.object), with_message(event, plain(&event.state)))
}

/// Returns what stands beside the object on a terminal: `Waiting for health`,
/// `Ready 1.2s`.
pub fn live(event: &ProgressEvent, elapsed: Duration) -> String {
    let words = match &event.state {
        ProgressState::Pulling { current, total, .. } => pulling(*current, *total),
        ProgressState::Ready => format!("Ready {}", took(elapsed)),
        ProgressState::Removed => format!("Removed {}", took(elapsed)),
        state @ (ProgressState::Waiting
        | ProgressState::Pulled
        | ProgressState::Creating
        | ProgressState::Created
        | ProgressState::CopyingIn
        | ProgressState::CopiedIn
        | ProgressState::Updating
        | ProgressState::Updated
        | ProgressState::Connecting(_)
        | ProgressState::Connected(_)
        | ProgressState::Disconnecting
        | ProgressState::Disconnected
        | ProgressState::Renaming(_)
        | ProgressState::Renamed(_)
        | ProgressState::Stopping
        | ProgressState::Stopped
        | ProgressState::Starting
        | ProgressState::Started
        | ProgressState::Unpausing
        | ProgressState::Unpaused
        | ProgressState::Testing
        | ProgressState::Tested
        | ProgressState::Reloading
        | ProgressState::Reloaded
        | ProgressState::AwaitingHealth
        | ProgressState::Removing
        | ProgressState::ReadingLog
        | ProgressState::Measuring
        | ProgressState::LogRead
        | ProgressState::Failed) => capitalised(plain(state)),
    };
    with_message(event, words)
}

/// Returns the name of an object for a narrow column: `etcd` for `service/etcd/1`.
pub fn label(object: &str) -> String {
    let service = object.strip_prefix("service/");
    let name = service.map_or(object, |name| name.strip_suffix("/1").unwrap_or(name));
    one_line(name).into_owned()
}

/// Tells whether an object is where it should stay.
pub fn is_settled(event: &ProgressEvent) -> bool {
    let is_container = event.object.starts_with("service/");
    match event.state {
        ProgressState::Ready | ProgressState::Removed => true,
        ProgressState::Created | ProgressState::Updated => !is_container,
        ProgressState::Waiting
        | ProgressState::Pulling { .. }
        | ProgressState::Pulled
        | ProgressState::Creating
        | ProgressState::CopyingIn
        | ProgressState::CopiedIn
        | ProgressState::Updating
        | ProgressState::Connecting(_)
        | ProgressState::Connected(_)
        | ProgressState::Disconnecting
        | ProgressState::Disconnected
        | ProgressState::Renaming(_)
        | ProgressState::Renamed(_)
        | ProgressState::Stopping
        | ProgressState::Stopped
        | ProgressState::Starting
        | ProgressState::Started
        | ProgressState::Unpausing
        | ProgressState::Unpaused
        | ProgressState::Testing
        | ProgressState::Tested
        | ProgressState::Reloading
        | ProgressState::Reloaded
        | ProgressState::AwaitingHealth
        | ProgressState::Removing
        | ProgressState::ReadingLog
        | ProgressState::Measuring
        | ProgressState::LogRead
        | ProgressState::Failed => false,
    }
}

/// Returns what an object is doing, without the object.
pub fn plain(state: &ProgressState) -> String {
    let words = match state {
        ProgressState::Waiting => "waiting",
        ProgressState::Pulling { image, .. } => {
            return format!("pulling {}", one_line(image.as_str()));
        }
        ProgressState::Connecting(to) => {
            return format!("connecting to {}", one_line(to.as_str()));
        }
        ProgressState::Connected(to) => {
            return format!("connected to {}", one_line(to.as_str()));
        }
        ProgressState::Renaming(to) => {
            return format!("renaming to {}", one_line(to.as_str()));
        }
        ProgressState::Renamed(to) => {
            return format!("renamed to {}", one_line(to.as_str()));
        }
        ProgressState::Pulled => "pulled",
        ProgressState::Creating => "creating",
        ProgressState::Created => "created",
        ProgressState::CopyingIn => "copying files in",
        ProgressState::CopiedIn => "files copied in",
        ProgressState::Updating => "updating",
        ProgressState::Updated => "updated",
        ProgressState::Disconnecting => "disconnecting from a network",
        ProgressState::Disconnected => "disconnected from a network",
        ProgressState::Stopping => "stopping",
        ProgressState::Stopped => "stopped",
        ProgressState::Starting => "starting",
        ProgressState::Started => "started",
        ProgressState::Unpausing => "unpausing",
        ProgressState::Unpaused => "unpaused",
        ProgressState::Testing => "testing its changed content",
        ProgressState::Tested => "its changed content is tested",
        ProgressState::Reloading => "reloading",
        ProgressState::Reloaded => "reloaded",
        ProgressState::AwaitingHealth => "waiting for health",
        ProgressState::Ready => "ready",
        ProgressState::Removing => "removing",
        ProgressState::Removed => "removed",
        ProgressState::ReadingLog => "reading its last words",
        ProgressState::Measuring => "measuring its memory",
        ProgressState::LogRead => "its last words were kept",
        ProgressState::Failed => "failed",
    };
    words.to_owned()
}

fn pulling(current: u64, total: u64) -> String {
    if total == 0 {
        return "Pulling".to_owned();
    }
    format!("Pulling {} / {}", transferred(current.min(total)), transferred(total))
}

fn with_message(event: &ProgressEvent, words: String) -> String {
    match (&event.state, &event.message) {
        (_, None) => words,
        // `waiting: for service/etcd healthy` would read badly.
        (ProgressState::Waiting, Some(what)) => format!("{words} for {}", one_line(what)),
        (_, Some(message)) => format!("{words}: {}", one_line(message)),
    }
}

fn capitalised(words: String) -> String {
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::time::Moment;

    fn event(object: &str, state: ProgressState, message: Option<&str>) -> ProgressEvent {
        let message = message.map(str::to_owned);
        let object = object.to_owned();
        ProgressEvent { at: Moment::default(), object, state, message, reason: None }
    }

    #[test]
    fn a_line_names_the_object_and_what_became_of_it() {
        let on = Some("service/etcd healthy");
        let waits = event("service/milvus/1", ProgressState::Waiting, on);
        assert_eq!(line(&waits), "service/milvus/1  waiting for service/etcd healthy");
        let started = event("service/etcd/1", ProgressState::Started, None);
        assert_eq!(line(&started), "service/etcd/1  started");
        let why = Some("port 80 is taken\nby nginx");
        let failed = event("service/web/2", ProgressState::Failed, why);
        assert_eq!(line(&failed), "service/web/2  failed: port 80 is taken\\nby nginx");
    }

    #[test]
    fn a_terminal_sees_bytes_and_how_long_it_took() {
        let second = Duration::from_millis(1230);
        let pulling = |current, total| {
            let image = "etcd:3".into();
            let state = ProgressState::Pulling { image, current, total };
            live(&event("service/etcd/1", state, None), second)
        };
        assert_eq!(pulling(0, 0), "Pulling");
        assert_eq!(pulling(12_300_000, 45_000_000), "Pulling 12.3MB / 45.0MB");
        let ready = event("service/etcd/1", ProgressState::Ready, None);
        assert_eq!(live(&ready, second), "Ready 1.2s");
        let probing = event("service/etcd/1", ProgressState::AwaitingHealth, None);
        assert_eq!(live(&probing, second), "Waiting for health");
    }

    #[test]
    fn labels_leave_out_what_is_the_same_for_all() {
        assert_eq!(label("service/etcd/1"), "etcd");
        assert_eq!(label("service/web/2"), "web/2");
        assert_eq!(label("network/default"), "network/default");
    }

    #[test]
    fn a_created_network_is_settled_but_a_created_container_is_not() {
        let created = |object| is_settled(&event(object, ProgressState::Created, None));
        assert!(created("network/default"));
        assert!(!created("service/etcd/1"));
    }
}
