//! What the engine tells about itself: events, in the order in which it tells them.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::Wakeup;
use crate::engine::docker::ACTIONS;
use crate::state::ids::{ContainerId, ProjectName};
use crate::state::observed::{Container, labels};
use crate::state::time::EngineTime;

/// How many events are kept; measured: the real engine keeps as many.
const KEPT: usize = 256;

/// Something that happened on the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the sequence of all events, from 1.
    pub number: u64,
    /// When it happened.
    pub time: EngineTime,
    /// What it is about.
    pub kind: Kind,
    /// The id of what it is about; the name of a volume or image.
    pub id: String,
    /// The engine's word for it.
    pub action: String,
    /// `name`, `exitCode`, `signal`, `container` and the like.
    pub attributes: BTreeMap<String, String>,
    /// The project of the container that it is about.
    pub project: Option<ProjectName>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A container.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// An image.
    Image,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 4] =
        [Self::Container, Self::Network, Self::Volume, Self::Image];

    /// Returns the engine's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Image => "image",
        }
    }
}

impl Event {
    /// Says what the event means to a project; nothing when it is none of its business, or
    /// when the real engine is not asked for it.
    pub fn wakeup(&self, project: &ProjectName) -> Option<Wakeup> {
        let word = self.action.split(':').next().unwrap_or_default();
        if !ACTIONS.contains(&word) {
            return None;
        }
        let action = self.action.clone();
        match self.kind {
            Kind::Container => (self.project.as_ref() == Some(project)).then(|| {
                Wakeup::Container { id: ContainerId::new(self.id.as_str()), action }
            }),
            Kind::Network if self.attributes.contains_key("container") => {
                let container = self.attributes.get("container")?.as_str().into();
                Some(Wakeup::Endpoint { container, action })
            }
            Kind::Network | Kind::Volume | Kind::Image => {
                let action = format!("{} {action} {}", self.kind.as_str(), self.id);
                let name = match self.kind {
                    Kind::Volume => Some(self.id.clone()),
                    Kind::Network => self.attributes.get("name").cloned(),
                    Kind::Container | Kind::Image => None,
                };
                Some(Wakeup::Other { action, name })
            }
        }
    }
}

/// The events of an engine, the oldest forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Events {
    /// How many there were, those of earlier boots too.
    pub(super) count: u64,
    kept: VecDeque<Event>,
}

impl Events {
    pub(super) const fn restored(count: u64, kept: VecDeque<Event>) -> Self {
        Self { count, kept }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.kept.iter()
    }

    /// Adds an event; its number is given here.
    pub(super) fn add(&mut self, mut event: Event) {
        self.count += 1;
        event.number = self.count;
        self.kept.push_back(event);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    /// Forgets what the engine forgets when it is restarted.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }
}

/// Makes an event about a container.
pub(super) fn of_container(
    time: EngineTime,
    container: &Container,
    action: &str,
) -> Event {
    let project = container.document.get("Config.Labels").get(labels::PROJECT);
    Event {
        number: 0,
        time,
        kind: Kind::Container,
        id: container.id.to_string(),
        action: action.to_owned(),
        attributes: [("name".to_owned(), container.name.to_string())].into(),
        project: project.as_text().map(ProjectName::new),
    }
}

/// Makes an event about anything else.
pub(super) fn of(time: EngineTime, kind: Kind, id: &str, action: &str) -> Event {
    Event {
        number: 0,
        time,
        kind,
        id: id.to_owned(),
        action: action.to_owned(),
        attributes: BTreeMap::new(),
        project: None,
    }
}
