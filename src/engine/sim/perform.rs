//! Steps: what is asked of the engine, and what it makes of it.

use std::time::Duration;

use super::defaults::{image, plain};
use super::event::Kind;
use super::faults::{CallFault, failure};
use super::lifecycle::runs;
use super::refusal::{Refusal, conflict, missing};
use super::world::{Supply, World};
use crate::state::document::Document;
use crate::state::ids::{ContainerId, ContainerName, ImageReference, VolumeName};
use crate::state::observed::{Status, Volume};
use crate::state::secret::Secret;
use crate::state::step::{Done, Failure, Step};
use crate::state::value::Value;

/// How long any call takes at least.
const CALL: Duration = Duration::from_millis(1);

/// A call that is under way.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called for.
    pub step: Step,
    /// The uptime at which it ends.
    pub until: Duration,
    fault: Option<CallFault>,
    /// It has begun to stop something that ran.
    stops: bool,
}

impl World {
    /// Performs a step, and lets the time pass that it takes; see
    /// [`crate::engine::Engine::perform`].
    ///
    /// # Errors
    /// The real engine would refuse it too, or a fault lets it fail.
    pub fn perform(&mut self, step: &Step) -> Result<Done, Failure> {
        let call = self.begin(step);
        self.advance_to(call.until);
        self.finish(&call)
    }

    /// Begins a call; somebody lets time pass until it ends.
    pub fn begin(&mut self, step: &Step) -> Call {
        let fault = self.faults.call(step);
        let mut call =
            Call { step: step.clone(), until: self.clock + CALL, fault, stops: false };
        if let Some(CallFault::Before) = fault {
            return call;
        }
        if let Some(CallFault::Hangs(time)) = fault {
            call.until += time;
        }
        match step {
            Step::Stop { container, grace } => {
                let ended = self.ask_to_stop(container, *grace);
                call.stops = ended.is_some();
                call.until = call.until.max(ended.unwrap_or_default());
            }
            Step::Start { container } => {
                let container = self.containers.get(container).filter(|it| !runs(it));
                call.until +=
                    container.map(|it| self.software_of(it).starts).unwrap_or_default();
            }
            Step::Pull { image, .. } => call.until += self.supply(image).takes,
            Step::CreateNetwork { .. }
            | Step::RemoveNetwork { .. }
            | Step::CreateVolume { .. }
            | Step::Create { .. }
            | Step::CopyIn { .. }
            | Step::Connect { .. }
            | Step::Disconnect { .. }
            | Step::Update { .. }
            | Step::Rename { .. }
            | Step::Unpause { .. }
            | Step::Remove { .. }
            | Step::ReadLog { .. }
            | Step::Measure { .. }
            | Step::Probe { .. }
            | Step::Reach { .. }
            | Step::Signal { .. }
            | Step::Test { .. }
            | Step::Rehearse(_) => {}
        }
        call
    }

    /// Ends a call whose time has come.
    ///
    /// # Errors
    /// As [`World::perform`].
    pub fn finish(&mut self, call: &Call) -> Result<Done, Failure> {
        if call.fault == Some(CallFault::Before) {
            return failure(CallFault::Before).map_or(Ok(Done::Done), Err);
        }
        let done = self.act(call).map_err(|refusal| refusal.about(&about(&call.step)));
        // What ends as soon as it is started has ended when the call returns.
        self.advance_to(self.clock);
        match call.fault.and_then(failure) {
            Some(failure) => Err(failure),
            None => done,
        }
    }

    fn act(&mut self, call: &Call) -> Result<Done, Refusal> {
        match &call.step {
            Step::Pull { image, .. } => self.pull(image),
            Step::CreateNetwork { name, document } => self.create_network(name, document),
            Step::RemoveNetwork { id } => self.remove_network(id),
            Step::CreateVolume { name, document } => {
                self.create_volume(name, plain(document));
                Ok(())
            }
            Step::Create { name, document, .. } => self.create(name, document),
            Step::CopyIn { container, .. } => self.container(container).map(|_| ()),
            Step::Connect { container, network, endpoint } => {
                self.connect(container, network, endpoint)
            }
            Step::Disconnect { container, network } => {
                self.disconnect(container, network);
                Ok(())
            }
            Step::Update { container, document } => self.update(container, document),
            Step::Rename { container, to } => self.rename(container, to),
            Step::Start { container } => self.start(container),
            Step::Unpause { container } => {
                self.container(container)?;
                self.thaw(container);
                Ok(())
            }
            Step::Stop { container, .. } => {
                self.container(container)?;
                if call.stops {
                    self.stopped(container);
                }
                Ok(())
            }
            Step::Remove { container } => self.remove(container),
            Step::Measure { container } => {
                let container = self.container(container)?;
                let uses = self.software_of(container).uses;
                let bytes = if runs(container) { uses } else { 0 };
                return Ok(Done::Measured { bytes });
            }
            Step::ReadLog { container } => {
                self.container(container)?;
                return Ok(Done::Log { lines: Secret::new("") });
            }
            Step::Probe { container, .. } => {
                return self.probe(container).map(|exit_code| Done::Probed { exit_code });
            }
            Step::Signal { container, signal, .. } => self.signal(container, signal),
            Step::Test { container, .. } => return self.test(container),
            Step::Rehearse(it) => return self.rehearse(it),
            Step::Reach { container, .. } => return self.reach(container),
        }
        .map(|()| Done::Done)
    }

    fn supply(&self, reference: &ImageReference) -> Supply {
        let name = reference.as_str();
        self.registry.get(name).cloned().unwrap_or_else(|| Supply {
            image: (!name.contains("missing")).then(|| image(name, 1)),
            takes: Duration::ZERO,
        })
    }

    fn pull(&mut self, reference: &ImageReference) -> Result<(), Refusal> {
        let Some(image) = self.supply(reference).image else {
            return Err(missing(&format!(
                "manifest for {reference} not found: manifest unknown: manifest unknown"
            )));
        };
        self.images.insert(reference.to_string(), image);
        self.tell_of(Kind::Image, reference.as_str(), "pull");
        Ok(())
    }

    /// Makes a volume; one that is there is left as it is.
    pub(super) fn create_volume(&mut self, name: &VolumeName, mut document: Document) {
        if document.get("Driver").is_zero() {
            document.set("Driver", Value::text("local"));
        }
        self.volumes.entry(name.clone()).or_insert(Volume { document, mountpoint: None });
        // Measured: the engine says so even when it was there already.
        self.tell_of(Kind::Volume, name.as_str(), "create");
    }

    fn rename(&mut self, id: &ContainerId, to: &ContainerName) -> Result<(), Refusal> {
        let container = self.container(id)?;
        if container.name == *to {
            return Ok(());
        }
        let old = container.name.to_string();
        if let Some(holder) = self.is_taken(to) {
            let reason = name_in_use(to, holder);
            return Err(conflict(&format!("Error when allocating new name: {reason}")));
        }
        if let Some(container) = self.containers.get_mut(id) {
            container.name = to.clone();
        }
        self.tell(id, "rename", &[("oldName", format!("/{old}"))]);
        Ok(())
    }

    fn remove(&mut self, id: &ContainerId) -> Result<(), Refusal> {
        let Some(container) = self.containers.get(id) else { return Ok(()) };
        let way = match container.state.status {
            Status::Paused => "Unpause and then stop the container",
            Status::Running | Status::Restarting => "Stop the container",
            Status::Created | Status::Removing | Status::Exited | Status::Dead => {
                self.forget(id);
                return Ok(());
            }
        };
        let status = container.state.status.as_str();
        Err(conflict(&format!(
            "You cannot remove a {status} container {id}. {way} before attempting removal or \
             force remove"
        )))
    }

    /// A container is no more; its volumes stay.
    pub(super) fn forget(&mut self, id: &ContainerId) {
        self.tell(id, "destroy", &[]);
        self.containers.remove(id);
        self.lives.remove(id);
        self.sick.remove(id);
    }

    /// Deletes a volume and all data in it, for good.
    ///
    /// # Errors
    /// It is in use. One that is gone already is no error.
    pub fn delete_volume(&mut self, name: &VolumeName) -> Result<(), Failure> {
        let mounts_it = |mounts: &Value| {
            let mut mounts = mounts.entries();
            mounts.any(|(_, mount)| mount.get("Source").as_text() == Some(name.as_str()))
        };
        let user = self
            .containers
            .values()
            .find(|it| mounts_it(it.document.get("HostConfig.Mounts")));
        if let Some(user) = user {
            let refusal =
                conflict(&format!("remove {name}: volume is in use - [{}]", user.id));
            return Err(refusal.about(&format!("delete the volume {name}")));
        }
        if self.volumes.remove(name).is_some() {
            self.tell_of(Kind::Volume, name.as_str(), "destroy");
        }
        Ok(())
    }
}

/// Says that a name is in use, as the engine does.
pub(super) fn name_in_use(name: &ContainerName, holder: &ContainerId) -> String {
    format!(
        "Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". \
         You have to remove (or rename) that container to be able to reuse that name."
    )
}

/// Says what a step was to do, in the words of the Docker room.
fn about(step: &Step) -> String {
    match step {
        Step::Pull { image, .. } => format!("pull {image}"),
        Step::CreateNetwork { name, .. } => format!("create the network {name}"),
        Step::RemoveNetwork { id } => format!("remove the network {id}"),
        Step::CreateVolume { name, .. } => format!("create the volume {name}"),
        Step::Create { name, .. } => format!("create the container {name}"),
        Step::CopyIn { container, .. } => {
            format!("copy files into {}", container.short())
        }
        Step::Connect { container, network, .. } => {
            format!("connect {} to {network}", container.short())
        }
        Step::Disconnect { container, .. } => format!("disconnect {}", container.short()),
        Step::Update { container, .. } => format!("update {}", container.short()),
        Step::Rename { container, to } => format!("rename {} to {to}", container.short()),
        Step::Start { container } => format!("start {}", container.short()),
        Step::Unpause { container } => format!("unpause {}", container.short()),
        Step::Stop { container, .. } => format!("stop {}", container.short()),
        Step::Remove { container } => format!("remove {}", container.short()),
        Step::ReadLog { container } => format!("read the log of {}", container.short()),
        Step::Measure { container } => {
            format!("measure the memory of {}", container.short())
        }
        Step::Probe { container, .. } | Step::Reach { container, .. } => {
            format!("probe {}", container.short())
        }
        Step::Signal { container, signal, .. } => {
            format!("send {signal} to {}", container.short())
        }
        Step::Test { container, .. } => {
            format!("test the changed content in {}", container.short())
        }
        Step::Rehearse(it) => format!("create the container {}", it.name),
    }
}
