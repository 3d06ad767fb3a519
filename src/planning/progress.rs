//! What a loop tells about its work while it is under way.

use crate::state::ids::ImageReference;
use crate::state::step::Step;
use crate::state::time::Moment;

/// Somebody who follows the work.
pub trait Progress: Send {
    /// Takes note of what happened; called whenever something did, and cheap.
    fn report(&mut self, event: &ProgressEvent);

    /// Is told that nothing more will happen.
    fn finish(&mut self);
}

/// Something happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressEvent {
    /// When.
    pub at: Moment,
    /// The object, such as `service/etcd/1`.
    pub object: String,
    /// What it is doing now.
    pub state: ProgressState,
    /// More about it, such as what it waits for or why it failed; no secret.
    pub message: Option<String>,
}

/// What an object is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgressState {
    /// It must wait; the message says for what.
    Waiting,
    /// Its image is being fetched.
    Pulling {
        /// The image.
        image: ImageReference,
        /// Bytes fetched.
        current: u64,
        /// Bytes in all, as far as it is known.
        total: u64,
    },
    /// Its image is there.
    Pulled,
    /// It is being made.
    Creating,
    /// It was made.
    Created,
    /// It is being changed while it runs.
    Updating,
    /// It was changed.
    Updated,
    /// It is being stopped.
    Stopping,
    /// It was stopped.
    Stopped,
    /// It is being started.
    Starting,
    /// It runs, but is not known to be ready.
    Started,
    /// Its health is being asked for.
    AwaitingHealth,
    /// It is as wanted.
    Ready,
    /// It is being removed.
    Removing,
    /// It is gone.
    Removed,
    /// A step failed; the message says why, and it will be tried again.
    Failed,
}

impl ProgressState {
    /// Returns the state of an object while a step is under way.
    pub fn during(step: &Step) -> Self {
        match step {
            Step::Pull { image, .. } => {
                Self::Pulling { image: image.clone(), current: 0, total: 0 }
            }
            Step::CreateNetwork { .. }
            | Step::CreateVolume { .. }
            | Step::Create { .. }
            | Step::CopyIn { .. } => Self::Creating,
            Step::Connect { .. }
            | Step::Disconnect { .. }
            | Step::Update { .. }
            | Step::Rename { .. } => Self::Updating,
            Step::Start { .. } | Step::Unpause { .. } => Self::Starting,
            Step::Stop { .. } => Self::Stopping,
            Step::RemoveNetwork { .. } | Step::Remove { .. } => Self::Removing,
            Step::Probe { .. } => Self::AwaitingHealth,
        }
    }

    /// Returns the state of an object after a step that ended well.
    pub const fn after(step: &Step) -> Self {
        match step {
            Step::Pull { .. } => Self::Pulled,
            Step::CreateNetwork { .. }
            | Step::CreateVolume { .. }
            | Step::Create { .. }
            | Step::CopyIn { .. } => Self::Created,
            Step::Connect { .. }
            | Step::Disconnect { .. }
            | Step::Update { .. }
            | Step::Rename { .. } => Self::Updated,
            Step::Start { .. } | Step::Unpause { .. } => Self::Started,
            Step::Stop { .. } => Self::Stopped,
            Step::RemoveNetwork { .. } | Step::Remove { .. } => Self::Removed,
            Step::Probe { .. } => Self::AwaitingHealth,
        }
    }
}
