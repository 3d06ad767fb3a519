//! A step that is under way, without what a secret may stand in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::state::content::Contents;
use crate::state::document::Document;
use crate::state::ids::{
    ContainerId, ContainerName, ImageReference, NetworkId, NetworkName, VolumeName,
};
use crate::state::step::{Rehearsal, Step};
use crate::state::value::Value;

/// A step without documents, files and commands: enough to tell what is being done.
#[derive(Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub(super) enum StoredStep {
    Pull { image: ImageReference },
    CreateNetwork { name: NetworkName },
    RemoveNetwork { id: NetworkId },
    CreateVolume { name: VolumeName },
    Create { name: ContainerName },
    CopyIn { container: ContainerId },
    Connect { container: ContainerId, network: NetworkName },
    Disconnect { container: ContainerId, network: NetworkId },
    Update { container: ContainerId },
    Rename { container: ContainerId, to: ContainerName },
    Start { container: ContainerId },
    Unpause { container: ContainerId },
    Stop { container: ContainerId },
    Remove { container: ContainerId },
    ReadLog { container: ContainerId },
    Measure { container: ContainerId },
    Probe { container: ContainerId },
    Signal { container: ContainerId, signal: String },
    Test { container: ContainerId },
    Rehearse { container: ContainerId, name: ContainerName },
}

impl From<&Step> for StoredStep {
    fn from(step: &Step) -> Self {
        match step.clone() {
            Step::Pull { image, platform: _ } => Self::Pull { image },
            Step::CreateNetwork { name, document: _ } => Self::CreateNetwork { name },
            Step::RemoveNetwork { id } => Self::RemoveNetwork { id },
            Step::CreateVolume { name, document: _ } => Self::CreateVolume { name },
            Step::Create { name, document: _, platform: _ } => Self::Create { name },
            Step::CopyIn { container, files: _ } => Self::CopyIn { container },
            Step::Connect { container, network, endpoint: _ } => {
                Self::Connect { container, network }
            }
            Step::Disconnect { container, network } => {
                Self::Disconnect { container, network }
            }
            Step::Update { container, document: _ } => Self::Update { container },
            Step::Rename { container, to } => Self::Rename { container, to },
            Step::Start { container } => Self::Start { container },
            Step::Unpause { container } => Self::Unpause { container },
            Step::Stop { container, grace: _ } => Self::Stop { container },
            Step::Remove { container } => Self::Remove { container },
            Step::ReadLog { container } => Self::ReadLog { container },
            Step::Measure { container } => Self::Measure { container },
            Step::Probe { container, command: _, timeout: _ }
            | Step::Reach { container, how: _, timeout: _ } => Self::Probe { container },
            Step::Signal { container, signal, content: _ } => {
                Self::Signal { container, signal }
            }
            Step::Test { container, command: _, timeout: _, content: _ } => {
                Self::Test { container }
            }
            Step::Rehearse(it) => Self::Rehearse { container: it.holder, name: it.name },
        }
    }
}

impl From<StoredStep> for Step {
    fn from(stored: StoredStep) -> Self {
        let document = Document::default();
        match stored {
            StoredStep::Pull { image } => Self::Pull { image, platform: None },
            StoredStep::CreateNetwork { name } => Self::CreateNetwork { name, document },
            StoredStep::RemoveNetwork { id } => Self::RemoveNetwork { id },
            StoredStep::CreateVolume { name } => Self::CreateVolume { name, document },
            StoredStep::Create { name } => {
                Self::Create { name, document, platform: None }
            }
            StoredStep::CopyIn { container } => {
                Self::CopyIn { container, files: Vec::new() }
            }
            StoredStep::Connect { container, network } => {
                Self::Connect { container, network, endpoint: Value::Null }
            }
            StoredStep::Disconnect { container, network } => {
                Self::Disconnect { container, network }
            }
            StoredStep::Update { container } => Self::Update { container, document },
            StoredStep::Rename { container, to } => Self::Rename { container, to },
            StoredStep::Start { container } => Self::Start { container },
            StoredStep::Unpause { container } => Self::Unpause { container },
            StoredStep::Stop { container } => {
                Self::Stop { container, grace: Duration::ZERO }
            }
            StoredStep::Remove { container } => Self::Remove { container },
            StoredStep::ReadLog { container } => Self::ReadLog { container },
            StoredStep::Measure { container } => Self::Measure { container },
            StoredStep::Probe { container } => {
                let command = Vec::new();
                Self::Probe { container, command, timeout: Duration::ZERO }
            }
            StoredStep::Signal { container, signal } => {
                Self::Signal { container, signal, content: Contents::new() }
            }
            StoredStep::Test { container } => Self::Test {
                container,
                command: Vec::new(),
                timeout: Duration::ZERO,
                content: String::new(),
            },
            StoredStep::Rehearse { container, name } => {
                Self::Rehearse(Box::new(Rehearsal {
                    holder: container,
                    name,
                    document,
                    platform: None,
                    networks: Vec::new(),
                    files: Vec::new(),
                    timeout: Duration::ZERO,
                    content: String::new(),
                }))
            }
        }
    }
}
