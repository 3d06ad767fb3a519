//! What is under test: an engine, and the hands that reach it behind the loop's back.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use reconciler::engine::{Engine, Wakeup};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Something that people do to an engine, which no step does. Containers have the full
/// names that they have on the engine.
#[derive(Clone, Debug)]
pub(crate) enum ByHand {
    /// `docker kill`
    Kill(String),
    /// `docker pause`
    Pause(String),
    /// `docker stop`
    Stop(String),
    /// `docker rm --force`
    RemoveByForce(String),
    /// `docker rename`
    Rename(String, String),
    /// `docker network disconnect`: network, container.
    Disconnect(String, String),
    /// `docker tag`: another image gets this reference.
    Tag(String),
    /// `docker rmi`
    Untag(String),
    /// The health command of a container passes from now on, or fails.
    Health(String, bool),
}

/// An engine that the contract is held up to.
pub(crate) trait Subject {
    /// The engine.
    type Engine: Engine;

    /// Returns the engine, as the loop sees it.
    fn engine(&self) -> &Self::Engine;

    /// Returns a prefix that nothing else on the engine has.
    fn prefix(&self) -> String;

    /// Returns a port of the host that is free.
    fn free_port(&self) -> u16;

    /// Does something by hand.
    fn by_hand(&self, act: &ByHand) -> impl Future<Output = ()>;

    /// Lets time pass.
    fn pass(&self, time: Duration) -> impl Future<Output = ()>;

    /// Returns all that was told since it was asked last, nothing missing.
    fn told(&mut self) -> impl Future<Output = Vec<Wakeup>>;

    /// Puts an image into a registry, and takes it from the engine; returns its reference.
    fn publish(&mut self) -> impl Future<Output = Option<String>>;
}

/// Follows what an engine tells about a project in the background, from now on.
pub(crate) async fn follow<E: Engine + Clone + 'static>(
    engine: &E,
    project: &str,
) -> UnboundedReceiver<Wakeup> {
    let (sender, mut receiver) = unbounded_channel();
    let (engine, project) = (engine.clone(), project.into());
    tokio::spawn(async move {
        let mut wakeups = std::pin::pin!(engine.wakeups(&project));
        while let Some(wakeup) = wakeups.next().await {
            if sender.send(wakeup).is_err() {
                return;
            }
        }
    });
    // Nothing is told before the stream is open.
    let first = receiver.recv().await;
    assert!(matches!(first, Some(Wakeup::Relist { .. })), "{first:?}");
    receiver
}

/// Returns what is told until a volume of this name, a mark, is made.
pub(crate) async fn until_mark(
    wakeups: &mut UnboundedReceiver<Wakeup>,
    mark: &str,
) -> Vec<Wakeup> {
    let mut told = Vec::new();
    let end = format!("volume create {mark}");
    let read = async {
        loop {
            match wakeups.recv().await.expect("a wake-up") {
                Wakeup::Other { action, .. } if action == end => return,
                Wakeup::Other { action, .. } if action.contains("-mark-") => {}
                wakeup @ (Wakeup::Container { .. }
                | Wakeup::Endpoint { .. }
                | Wakeup::Other { .. }
                | Wakeup::Lost { .. }
                | Wakeup::Relist { .. }) => told.push(wakeup),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), read).await.expect("the mark");
    told
}

/// Says whether a wake-up is about one of these ids or names.
pub(crate) fn is_about(wakeup: &Wakeup, known: &BTreeSet<String>) -> bool {
    match wakeup {
        Wakeup::Container { .. } => true,
        Wakeup::Endpoint { container, .. } => known.contains(container.as_str()),
        Wakeup::Other { action, .. } => action
            .split(' ')
            .any(|word| known.iter().any(|known| word.contains(known.as_str()))),
        Wakeup::Lost { .. } | Wakeup::Relist { .. } => false,
    }
}
