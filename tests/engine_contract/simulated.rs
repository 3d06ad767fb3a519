//! The simulated engine, in virtual time.

use std::time::Duration;

use reconciler::engine::sim::{Sim, World, image};
use reconciler::engine::{Engine, Wakeup};
use reconciler::state::ids::{ContainerId, NetworkName};
use reconciler::state::observed::{Image, labels};
use reconciler::state::step::Step;
use reconciler::state::value::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::real::IMAGE;
use crate::subject::{ByHand, Subject, follow, until_mark};

/// The names begin with this.
const PREFIX: &str = "rtest-simulated-0a";

/// A simulated engine that is nobody else's.
pub(crate) struct Simulated {
    sim: Sim,
    wakeups: UnboundedReceiver<Wakeup>,
    marks: u32,
}

impl Simulated {
    /// Makes an engine that has the image of the tests.
    pub(crate) async fn new() -> Self {
        let mut world = World::default();
        world.images.insert(IMAGE.to_owned(), busybox());
        let sim = Sim::new(world);
        let wakeups = follow(&sim, PREFIX).await;
        Self { sim, wakeups, marks: 0 }
    }

    fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.sim.with(act).expect("an engine that keeps no file")
    }

    fn id(&self, name: &str) -> ContainerId {
        self.with(|world| world.find(name).expect("the container").id.clone())
    }

    async fn perform(&self, step: Step) {
        let (sender, _progress) = unbounded_channel();
        self.sim.perform(&step, &sender).await.expect("a step by hand");
    }
}

/// What the image of the tests gives to its containers.
fn busybox() -> Image {
    let description = "BusyBox, from Debian 12 (busybox-static)";
    let label = ("org.opencontainers.image.description", Value::text(description));
    let mut image = image(IMAGE, 1);
    image.config = [
        ("Config.Cmd", Value::texts(["sh"])),
        ("Config.Env", Value::map([("PATH", Value::text("/bin"))])),
        ("Config.Labels", Value::map([label])),
    ]
    .into_iter()
    .collect();
    image
}

impl Subject for Simulated {
    type Engine = Sim;

    fn engine(&self) -> &Sim {
        &self.sim
    }

    fn prefix(&self) -> String {
        PREFIX.to_owned()
    }

    fn free_port(&self) -> u16 {
        18_080
    }

    async fn by_hand(&self, act: &ByHand) {
        match act {
            ByHand::Kill(name) => self.with(|world| world.end_by_hand(name, 137)),
            ByHand::Pause(name) => self.with(|world| world.pause(name)),
            ByHand::Stop(name) => {
                let grace = Duration::from_secs(1);
                self.perform(Step::Stop { container: self.id(name), grace }).await;
            }
            ByHand::RemoveByForce(name) => {
                self.with(|world| world.remove_by_force(name));
            }
            ByHand::Rename(name, to) => {
                let to = to.as_str().into();
                self.perform(Step::Rename { container: self.id(name), to }).await;
            }
            ByHand::Disconnect(network, name) => {
                let network = NetworkName::new(network.as_str());
                let network = self.with(|world| world.networks[&network].id.clone());
                self.perform(Step::Disconnect { container: self.id(name), network })
                    .await;
            }
            ByHand::Tag(reference) => self.with(|world| world.move_tag(reference, 2)),
            ByHand::Untag(reference) => {
                self.with(|world| drop(world.images.remove(reference)));
            }
            ByHand::Health(name, passes) => {
                let id = self.id(name);
                self.with(|world| match passes {
                    true => world.sick.remove(&id),
                    false => world.sick.insert(id),
                });
            }
        }
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn told(&mut self) -> Vec<Wakeup> {
        self.marks += 1;
        let name = format!("{PREFIX}-mark-{}", self.marks);
        let create = Step::CreateVolume {
            name: name.as_str().into(),
            document: [("Labels", Value::map([(labels::VOLUME, Value::text("mark"))]))]
                .into_iter()
                .collect(),
        };
        self.perform(create).await;
        self.sim.delete_volume(&name.as_str().into()).expect("no volume");
        until_mark(&mut self.wakeups, &name).await
    }

    async fn publish(&mut self) -> Option<String> {
        let reference = format!("127.0.0.1:5000/{PREFIX}-image:1");
        let supply = image(&reference, 1).into();
        self.with(|world| world.registry.insert(reference.clone(), supply));
        Some(reference)
    }
}
