//! A stage for one scenario: it asks and looks on behalf of the scenario, and writes the
//! transcript.

use std::collections::BTreeSet;
use std::time::Duration;

use reconciler::engine::{Engine, Scope};
use reconciler::state::document::{Document, Pointer};
use reconciler::state::ids::{ContainerId, ContainerName, NetworkId, NetworkName};
use reconciler::state::observed::{Container, Observed, labels};
use reconciler::state::secret::Secret;
use reconciler::state::step::{Done, Failure, FailureKind, Step};
use reconciler::state::time::EngineTime;
use reconciler::state::value::Value;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::unbounded_channel;

use crate::real::IMAGE;
use crate::shown;
use crate::subject::{ByHand, Subject, is_about};
use crate::transcript::Transcript;
use crate::words::Words;

/// How often the engine is looked at for what is waited for.
const TICK: Duration = Duration::from_millis(10);
/// How long anything may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a document with other fields besides or instead.
pub(crate) fn with<const N: usize>(
    mut document: Document,
    fields: [(Pointer, Value); N],
) -> Document {
    for (pointer, value) in fields {
        document.set(pointer, value);
    }
    document
}

/// A stage.
pub(crate) struct Stage<S> {
    subject: S,
    prefix: String,
    scope: Scope,
    words: Words,
    transcript: Transcript,
}

impl<S: Subject> Stage<S> {
    /// Sets a stage.
    pub(crate) async fn new(scenario: &str, subject: S) -> Self {
        let prefix = subject.prefix();
        let facts = subject.engine().facts().await.expect("facts");
        let project = prefix.as_str().into();
        let mut words = Words::default();
        words.own(&prefix, "stage");
        words.add(&format!("only {} CPUs", facts.cpus), "only <cpus> CPUs");
        words.add(&format!("0.01 to {}.00", facts.cpus), "0.01 to <cpus>.00");
        Self {
            subject,
            prefix,
            scope: Scope {
                project,
                images: BTreeSet::from([IMAGE.into()]),
                paths: BTreeSet::new(),
            },
            words,
            transcript: Transcript::new(scenario, &facts.version),
        }
    }

    /// Ends the scenario: the transcript has to be as it was recorded.
    pub(crate) fn finish(self, may_record: bool) {
        self.transcript.finish(may_record);
    }

    /// Returns the full name of something of the stage.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Returns what the clock of the engine says.
    pub(crate) async fn now(&self) -> EngineTime {
        self.subject.engine().facts().await.expect("facts").time
    }

    /// Returns a free port of the host, as the desired state would publish it.
    pub(crate) fn free_port(&mut self) -> String {
        let port = self.subject.free_port().to_string();
        self.words.add(&port, "<port>");
        port
    }

    /// Returns the first three numbers of a network that nobody else has.
    pub(crate) fn free_network(&mut self) -> String {
        let number = u8::from_str_radix(&self.prefix[self.prefix.len() - 2..], 16);
        let network = format!("10.213.{}", number.expect("two digits"));
        self.words.add(&network, "10.213.<number>");
        network
    }

    /// Looks an image up with every look from now on.
    pub(crate) fn ask_for_image(&mut self, reference: &str) {
        self.scope.images.insert(reference.into());
    }

    /// Takes a look that nobody writes down.
    pub(crate) async fn look(&self) -> Observed {
        self.subject.engine().look(&self.scope).await.expect("a look")
    }

    /// Takes a look at what is in the scope, on top of an earlier one.
    pub(crate) async fn look_again(
        &self,
        last: &Observed,
        containers: &BTreeSet<ContainerId>,
    ) -> Observed {
        let engine = self.subject.engine();
        engine.look_again(&self.scope, last, containers).await.expect("a look again")
    }

    /// Performs a step, and writes down how it ended.
    pub(crate) async fn ask(&mut self, step: Step) -> Result<Done, Failure> {
        let (sender, _progress) = unbounded_channel();
        let answer = self.subject.engine().perform(&step, &sender).await;
        if matches!(step, Step::Create { .. } | Step::CreateNetwork { .. }) {
            self.learn_names().await;
        }
        let act = json!({ "ask": shown::step(&step), "answer": shown::answer(&answer) });
        self.write(act);
        answer
    }

    /// Performs a step that has to succeed.
    pub(crate) async fn does(&mut self, step: Step) {
        let answer = self.ask(step.clone()).await;
        assert_eq!(answer, Ok(Done::Done), "{step:?}");
    }

    /// Performs a step twice: what is done already is done.
    pub(crate) async fn does_twice(&mut self, step: Step) {
        self.does(step.clone()).await;
        self.does(step).await;
    }

    /// Performs a step that has to fail in this way; returns the message.
    pub(crate) async fn refuses(&mut self, step: Step, kind: FailureKind) -> String {
        let failure = self.ask(step.clone()).await.expect_err("a failure");
        assert_eq!(failure.kind, kind, "{step:?}: {}", failure.message);
        failure.message
    }

    /// Runs a command in a container; nobody writes it down.
    pub(crate) async fn try_probe(
        &self,
        container: &ContainerId,
        command: &[&str],
    ) -> Result<Done, Failure> {
        let step = Step::Probe {
            container: container.clone(),
            command: command.iter().copied().map(Secret::new).collect(),
            timeout: PATIENCE,
        };
        let (sender, _progress) = unbounded_channel();
        self.subject.engine().perform(&step, &sender).await
    }

    /// Creates a container.
    pub(crate) async fn create(&mut self, name: &str, document: Document) -> ContainerId {
        let full = ContainerName::new(self.name(name));
        let step = Step::Create { name: full.clone(), document, platform: None };
        self.does(step).await;
        let mut containers = self.look().await.containers.into_values();
        containers.find(|it| it.name == full).expect("the container").id
    }

    /// Creates a container and starts it.
    pub(crate) async fn run(&mut self, name: &str, document: Document) -> ContainerId {
        let container = self.create(name, document).await;
        self.does(Step::Start { container: container.clone() }).await;
        container
    }

    /// Makes a network.
    pub(crate) async fn create_network(
        &mut self,
        name: &str,
        document: Document,
    ) -> NetworkId {
        let name = NetworkName::new(self.name(name));
        self.does(Step::CreateNetwork { name: name.clone(), document }).await;
        self.look().await.networks.remove(&name).expect("the network").id
    }

    /// Does something by hand.
    pub(crate) async fn by_hand(&mut self, act: ByHand) {
        self.subject.by_hand(&act).await;
        self.write(json!({ "by_hand": format!("{act:?}") }));
    }

    /// Waits until a container is as it should be, and writes down what was waited for.
    pub(crate) async fn until(
        &mut self,
        container: &ContainerId,
        what: &str,
        holds: impl Fn(&Container) -> bool,
    ) -> Container {
        let mut waited = Duration::ZERO;
        loop {
            let found = self.look().await.containers.remove(container);
            if let Some(found) = found.as_ref().filter(|it| holds(it)) {
                let name = found.name.as_str();
                self.write(json!({ "wait": format!("until {name} {what}") }));
                return found.clone();
            }
            assert!(waited < PATIENCE, "{container} never {what}: {found:#?}");
            waited += TICK;
            self.subject.pass(TICK).await;
        }
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        self.subject.pass(time).await;
    }

    /// Inspects a container, and writes down what it shows.
    pub(crate) async fn inspect(&mut self, container: &ContainerId) -> Container {
        let found = self.look().await.containers.remove(container);
        let found = found.expect("the container");
        let mut act = shown::container(&found);
        act["state"]["times"] = self.words.times(&found);
        self.write(json!({ "inspect": found.name.as_str(), "shows": act }));
        found
    }

    /// Writes down what is told since this was asked last, in the order in which it is.
    pub(crate) async fn told(&mut self) -> Vec<String> {
        let told = self.gather().await;
        self.write(json!({ "told": told }));
        told.iter().map(|it| self.words.text(it)).collect()
    }

    async fn gather(&mut self) -> Vec<String> {
        let told = self.subject.told().await;
        self.learn_names().await;
        let known = self.words.known();
        told.iter().filter(|it| is_about(it, known)).map(shown::wakeup).collect()
    }

    /// Writes down what else a look shows.
    pub(crate) async fn look_at(&mut self, what: &str, show: impl Fn(&Observed) -> Json) {
        let shows = show(&self.look().await);
        self.write(json!({ "look_at": what, "shows": shows }));
    }

    /// Puts an image into a registry, where the subject has one.
    pub(crate) async fn publish(&mut self) -> Option<String> {
        let reference = self.subject.publish().await?;
        let registry = reference.split('/').next().unwrap_or_default().to_owned();
        self.words.own(&registry, "<registry>");
        self.ask_for_image(&reference);
        Some(reference)
    }

    fn write(&mut self, act: Json) {
        let act = self.words.tree(act);
        self.transcript.add(act);
    }

    /// Lets placeholders stand for the ids of what the stage has made.
    async fn learn_names(&mut self) {
        let observed = self.look().await;
        for container in observed.containers.values() {
            let name = container.name.as_str();
            let name = name.rsplit('-').next().unwrap_or(name);
            let id = container.id.as_str();
            if !self.words.known().contains(id) {
                self.words.own(id, &format!("<id of {name}>"));
                self.words.own(container.id.short(), &format!("<short id of {name}>"));
            }
        }
        for image in observed.images.values().flatten() {
            self.words.add(image.id.as_str(), "<image id>");
        }
        for (name, network) in &observed.networks {
            let Some(name) = name.as_str().strip_prefix(&self.prefix) else {
                if ["bridge", "host", "none"].contains(&name.as_str()) {
                    self.words.add(network.id.as_str(), &format!("<network {name}>"));
                }
                continue;
            };
            if !self.words.known().contains(network.id.as_str()) {
                let placeholder = format!("<network {}>", &name[1..]);
                self.words.own(network.id.as_str(), &placeholder);
            }
            for pool in network.document.get("IPAM").get("Config").items() {
                for (field, address) in pool.entries() {
                    let address = address.as_text().unwrap_or_default();
                    if !address.starts_with("10.213.") {
                        self.words.add(address, &format!("<{field}>"));
                    }
                }
            }
        }
    }

    /// Returns the fields of a container of the stage that sleeps, and has to be killed.
    pub(crate) fn sleeper(&self) -> Document {
        self.software(&["sleep", "600"], &[("sim.stops", "never")])
    }

    /// Returns the fields of a container of the stage that runs a shell line; what the
    /// simulated engine is to make of it stands in labels.
    pub(crate) fn shell(&self, line: &str, simulated: &[(&str, &str)]) -> Document {
        self.software(&["sh", "-c", line], simulated)
    }

    fn software(&self, command: &[&str], simulated: &[(&str, &str)]) -> Document {
        let project = (labels::PROJECT, Value::text(self.prefix.as_str()));
        let simulated =
            simulated.iter().map(|(name, value)| (*name, Value::text(*value)));
        Document::from_iter([
            ("Config.Image", Value::text(IMAGE)),
            ("Config.Cmd", Value::texts(command.iter().copied())),
            ("Config.Labels", Value::map([project].into_iter().chain(simulated))),
            // As the product does; without any `HostConfig` dockerd is not itself.
            ("HostConfig.RestartPolicy.Name", Value::text("no")),
        ])
    }
}
