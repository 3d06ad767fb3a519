//! What a loop tells about its work while it is under way.

use crate::state::ids::{ContainerName, ImageReference, NetworkName};
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
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProgressEvent {
    /// When, by the clock of this process.
    #[serde(skip)]
    pub at: Moment,
    /// The object, such as `service/etcd/1`.
    pub object: String,
    /// What it is doing now.
    pub state: ProgressState,
    /// More about it, such as what it waits for or why it failed; no secret.
    pub message: Option<String>,
    /// Why the plan asks for the work, where it does; no secret.
    pub reason: Option<String>,
}

/// What an object is doing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// Files are being put into it.
    CopyingIn,
    /// Files were put into it.
    CopiedIn,
    /// Its limits or its restart policy are being changed.
    Updating,
    /// Its limits or its restart policy were changed.
    Updated,
    /// It is being attached to a network.
    Connecting(NetworkName),
    /// It was attached to a network.
    Connected(NetworkName),
    /// It is being detached from a network.
    Disconnecting,
    /// It was detached from a network.
    Disconnected,
    /// It is being given another name.
    Renaming(ContainerName),
    /// It was given another name.
    Renamed(ContainerName),
    /// It is being stopped.
    Stopping,
    /// It was stopped.
    Stopped,
    /// It is being started.
    Starting,
    /// It runs, but is not known to be ready.
    Started,
    /// It is being thawed.
    Unpausing,
    /// It was thawed.
    Unpaused,
    /// Its health is being asked for.
    AwaitingHealth,
    /// It is as wanted.
    Ready,
    /// It is being removed.
    Removing,
    /// It is gone.
    Removed,
    /// Its changed content is being tested.
    Testing,
    /// The test of its changed content has ended.
    Tested,
    /// It is being told to take changed content up.
    Reloading,
    /// It was told to.
    Reloaded,
    /// Its last words are being read.
    ReadingLog,
    /// How much memory it uses is being asked for.
    Measuring,
    /// Its last words were read.
    LogRead,
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
            | Step::Create { .. } => Self::Creating,
            Step::CopyIn { .. } => Self::CopyingIn,
            Step::Connect { network, .. } => Self::Connecting(network.clone()),
            Step::Disconnect { .. } => Self::Disconnecting,
            Step::Update { .. } => Self::Updating,
            Step::Rename { to, .. } => Self::Renaming(to.clone()),
            Step::Start { .. } => Self::Starting,
            Step::Unpause { .. } => Self::Unpausing,
            Step::Stop { .. } => Self::Stopping,
            Step::RemoveNetwork { .. } | Step::Remove { .. } => Self::Removing,
            Step::ReadLog { .. } => Self::ReadingLog,
            Step::Probe { .. } | Step::Reach { .. } => Self::AwaitingHealth,
            Step::Signal { .. } => Self::Reloading,
            Step::Test { .. } | Step::Rehearse(_) => Self::Testing,
            Step::Measure { .. } => Self::Measuring,
        }
    }

    /// Returns the state of an object after a step that ended well.
    pub fn after(step: &Step) -> Self {
        match step {
            Step::Pull { .. } => Self::Pulled,
            Step::CreateNetwork { .. }
            | Step::CreateVolume { .. }
            | Step::Create { .. } => Self::Created,
            Step::CopyIn { .. } => Self::CopiedIn,
            Step::Connect { network, .. } => Self::Connected(network.clone()),
            Step::Disconnect { .. } => Self::Disconnected,
            Step::Update { .. } => Self::Updated,
            Step::Rename { to, .. } => Self::Renamed(to.clone()),
            Step::Start { .. } => Self::Started,
            Step::Unpause { .. } => Self::Unpaused,
            Step::Stop { .. } => Self::Stopped,
            Step::RemoveNetwork { .. } | Step::Remove { .. } => Self::Removed,
            Step::ReadLog { .. } => Self::LogRead,
            Step::Probe { .. } | Step::Reach { .. } => Self::AwaitingHealth,
            Step::Signal { .. } => Self::Reloaded,
            Step::Test { .. } | Step::Rehearse(_) => Self::Tested,
            Step::Measure { .. } => Self::Measuring,
        }
    }
}
