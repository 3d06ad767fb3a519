//! A plan: for every object what is to change, why, and what it waits for.

use crate::state::document::Pointer;
use crate::state::ids::Object;
use crate::state::secret::CONCEALED;
use crate::state::step::Step;
use crate::state::time::Moment;
use crate::state::value::Value;

/// What is to be done about a stack, in stable order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One entry per object that is not as it is wanted, dependencies first.
    pub changes: Vec<Change>,
    /// The engine calls that may be made now, at most one per object.
    pub steps: Vec<(Object, Step)>,
    /// When to look again although nothing has happened.
    pub wake: Option<Moment>,
    /// What people should know and no step can mend: orphans, conflicts.
    pub notes: Vec<Note>,
    /// Something is yet to happen by itself: steps under way, health to come, the engine's
    /// own restarts. When it is false and not everything is as wanted, a person must act.
    pub is_moving: bool,
}

impl Plan {
    /// Tells whether every object is as it is wanted, ready or not.
    pub fn is_in_sync(&self) -> bool {
        self.changes.iter().all(|change| change.action == Action::None)
    }
}

/// Something that people should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// A reason in `CamelCase`, such as `PruneBlocked`.
    pub reason: &'static str,
    /// What it is about: an object, or the name of a container.
    pub about: String,
    /// One sentence: what, why, and what to do.
    pub message: String,
}

/// What is to change about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub object: Object,
    /// What happens to it.
    pub action: Action,
    /// Why, in one sentence.
    pub reason: String,
    /// The fields at fault.
    pub fields: Vec<FieldDrift>,
    /// Whether the next step may happen now.
    pub gate: Gate,
}

/// What happens to an object, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing: it is as wanted, or not ready yet.
    None,
    /// It is changed while it runs.
    UpdateInPlace,
    /// It is told to take changed content up.
    Reload,
    /// It is stopped and started, or started.
    Restart,
    /// Another container takes its place.
    Recreate,
    /// It is made.
    Create,
    /// It is removed.
    Remove,
}

impl Action {
    /// Returns the word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::UpdateInPlace => "update-in-place",
            Self::Reload => "reload",
            Self::Restart => "restart",
            Self::Recreate => "recreate",
            Self::Create => "create",
            Self::Remove => "remove",
        }
    }
}

/// One field that is not as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDrift {
    /// The canonical Compose path, such as `deploy.resources.limits.memory`.
    pub path: String,
    /// The field of the engine; empty for what is none, such as the image.
    pub pointer: Pointer,
    /// The wanted value; null when it is to go away.
    pub desired: Value,
    /// The value on the engine; null when it is not set.
    pub observed: Value,
    /// What changing it costs.
    pub cost: Action,
}

impl FieldDrift {
    /// Tells whether either side holds a secret: then nothing is shown but that they differ.
    pub fn is_sensitive(&self) -> bool {
        self.desired.is_sensitive() || self.observed.is_sensitive()
    }

    /// Returns `(observed, desired)` for people and JSON: `None` for null, and the same
    /// concealing word for both when either side is sensitive.
    pub fn shown(&self) -> (Option<String>, Option<String>) {
        let show = |value: &Value| match value {
            Value::Null => None,
            Value::Bool(_)
            | Value::Int(_)
            | Value::Real(_)
            | Value::Text(_)
            | Value::Secret(_)
            | Value::List(_)
            | Value::Map(_) => Some(if self.is_sensitive() {
                CONCEALED.to_owned()
            } else {
                value.to_string()
            }),
        };
        (show(&self.observed), show(&self.desired))
    }
}

/// Whether a step may happen now.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Gate {
    /// It may.
    #[default]
    Open,
    /// It may not.
    Waiting {
        /// For what: `service/etcd healthy`, `backoff`, ….
        on: Vec<String>,
        /// When it is tried again, if time alone opens it.
        until: Option<Moment>,
    },
}
