//! Wake-ups from the engine's event stream, for ever.

use std::pin::Pin;
use std::time::Duration;

use bollard::errors::Error as ClientError;
use bollard::models::{EventMessage, EventMessageTypeEnum as EventType};
use bollard::query_parameters::EventsOptions;
use futures_util::{Stream, StreamExt, stream};

use super::error::CallError;
use super::images::Images;
use super::look;
use super::reconnect::Reconnect;
use super::wire::Wire;
use crate::engine::{EngineError, Wakeup};
use crate::state::ids::ProjectName;
use crate::state::observed::labels;
use crate::state::time::EngineTime;

/// What events are about. A filter by label would lose networks and volumes.
const TYPES: [&str; 4] = ["container", "network", "volume", "image"];

/// What happens to an object that a look could show. The engine compares by prefix, which
/// is why `health_status` stands here without its colon; the `exec_…` of every health
/// check and the `top` of every onlooker stay out.
pub(in crate::engine) const ACTIONS: [&str; 22] = [
    "create",
    "start",
    "restart",
    "die",
    "kill",
    "stop",
    "oom",
    "pause",
    "unpause",
    "rename",
    "update",
    "destroy",
    "health_status",
    "connect",
    "disconnect",
    "remove",
    "pull",
    "load",
    "import",
    "tag",
    "untag",
    "delete",
];

type Events = Pin<Box<dyn Stream<Item = Result<EventMessage, ClientError>> + Send>>;

/// The state between two wake-ups.
struct Watcher {
    wire: Wire,
    images: Images,
    project: ProjectName,
    reconnect: Reconnect,
    /// Why there is no stream now.
    reason: String,
    /// How long to wait before the next is opened.
    delay: Option<Duration>,
    events: Option<Events>,
}

/// Yields wake-ups; see [`crate::engine::Engine::wakeups`].
pub(super) fn wakeups(
    wire: Wire,
    images: Images,
    project: ProjectName,
) -> impl Stream<Item = Wakeup> + Send {
    let watcher = Watcher {
        wire,
        images,
        project,
        reconnect: Reconnect::default(),
        reason: "the watch for events begins".to_owned(),
        delay: None,
        events: None,
    };
    stream::unfold(watcher, |mut watcher| async move {
        let wakeup = watcher.next().await;
        Some((wakeup, watcher))
    })
}

impl Watcher {
    async fn next(&mut self) -> Wakeup {
        loop {
            let Some(events) = &mut self.events else {
                if let Some(delay) = self.delay.take() {
                    tokio::time::sleep(delay).await;
                }
                match self.open().await {
                    Ok(()) => return self.relist(),
                    Err(error) => {
                        tracing::debug!(%error, "the event stream cannot be opened");
                    }
                }
                self.delay = Some(self.reconnect.delay());
                continue;
            };
            match events.next().await {
                Some(Ok(event)) => {
                    self.reconnect.succeeded();
                    if let Some(wakeup) = self.wakeup(event) {
                        return wakeup;
                    }
                }
                ended => return self.lost(ended.and_then(Result::err)),
            }
        }
    }

    /// Subscribes from the engine's present time on, so that nothing is missed between
    /// this and the request's arrival; the engine may have become another one meanwhile.
    async fn open(&mut self) -> Result<(), EngineError> {
        self.wire.negotiate().await?;
        let since = look::facts(&self.wire).await?.time;
        self.events = Some(subscribe(&self.wire, since));
        Ok(())
    }

    fn relist(&mut self) -> Wakeup {
        self.images.forget();
        Wakeup::Relist { reason: std::mem::take(&mut self.reason) }
    }

    /// Says that the stream ended, and why; the next one is opened after a while.
    fn lost(&mut self, error: Option<ClientError>) -> Wakeup {
        self.events = None;
        self.delay = Some(self.reconnect.delay());
        let reason = match error {
            Some(error) => {
                format!("the event stream broke: {}", CallError::from(error).chain())
            }
            None => "the event stream ended".to_owned(),
        };
        tracing::debug!(reason, "watching for events again");
        self.reason.clone_from(&reason);
        Wakeup::Lost { reason }
    }

    /// Says what an event means to the project; nothing when it is none of its business.
    fn wakeup(&self, event: EventMessage) -> Option<Wakeup> {
        let action = event.action.unwrap_or_default();
        let actor = event.actor.unwrap_or_default();
        if event.typ == Some(EventType::CONTAINER) {
            let attributes = actor.attributes.unwrap_or_default();
            let project = attributes.get(labels::PROJECT)?;
            return (project == self.project.as_str()).then(|| Wakeup::Container {
                id: actor.id.unwrap_or_default().as_str().into(),
                action,
            });
        }
        if event.typ == Some(EventType::NETWORK) {
            // Which container was attached; whether it is ours, who looks knows.
            let attached = actor.attributes.as_ref().and_then(|it| it.get("container"));
            if let Some(container) = attached {
                let (id, action) = (container.as_str().into(), action);
                return Some(Wakeup::Endpoint { container: id, action });
            }
        }
        if event.typ == Some(EventType::IMAGE) {
            self.images.forget();
        }
        let id = actor.id.unwrap_or_default();
        let name = if event.typ == Some(EventType::NETWORK) {
            actor.attributes.and_then(|mut it| it.remove("name"))
        } else if event.typ == Some(EventType::VOLUME) {
            Some(id.clone())
        } else {
            None
        };
        let kind = event.typ.map(|kind| kind.to_string()).unwrap_or_default();
        let action = [kind, action, id].join(" ");
        Some(Wakeup::Other { action, name })
    }
}

fn subscribe(wire: &Wire, since: EngineTime) -> Events {
    let since = format!("{}.{:09}", since.as_second(), since.subsec_nanosecond());
    let filter = |name: &str, words: &[&str]| {
        (name.to_owned(), words.iter().map(ToString::to_string).collect())
    };
    Box::pin(wire.client().events(Some(EventsOptions {
        since: Some(since),
        until: None,
        filters: Some([filter("type", &TYPES), filter("event", &ACTIONS)].into()),
    })))
}
