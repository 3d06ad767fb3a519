//! What an engine does not do, and in which words.

use std::time::Duration;

use reconciler::state::document::Document;
use reconciler::state::ids::ContainerId;
use reconciler::state::observed::Status;
use reconciler::state::secret::Secret;
use reconciler::state::step::{Done, FailureKind, Step};
use reconciler::state::value::Value;

use crate::stage::{Stage, with};
use crate::subject::{ByHand, Subject};

pub(crate) async fn a_name_is_taken_until_its_holder_is_renamed_or_removed(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.create("a", stage.sleeper()).await;
    let name = stage.name("a").as_str().into();
    let again = Step::Create { name, document: stage.sleeper(), platform: None };
    stage.refuses(again, FailureKind::Conflict).await;
    let b = stage.create("b", stage.sleeper()).await;
    let to = stage.name("a").as_str().into();
    let taken = Step::Rename { container: b.clone(), to };
    stage.refuses(taken.clone(), FailureKind::Conflict).await;
    let aside = stage.name("c").as_str().into();
    stage.does(Step::Rename { container: a, to: aside }).await;
    stage.does(taken).await;
    stage.inspect(&b).await;
    stage.told().await;
}

pub(crate) async fn a_port_is_taken_at_the_start(stage: &mut Stage<impl Subject>) {
    let port = Value::text(format!("127.0.0.1:{}", stage.free_port()));
    let binding = Value::map([("80/tcp", Value::List(vec![port]))]);
    let fields = with(
        stage.sleeper(),
        [
            ("HostConfig.PortBindings", binding),
            ("Config.ExposedPorts", Value::map([("80/tcp", Value::Bool(true))])),
        ],
    );
    let a = stage.create("a", fields.clone()).await;
    let b = stage.create("b", fields).await;
    stage.does(Step::Start { container: a.clone() }).await;
    stage.inspect(&a).await;
    stage.told().await;
    let start = Step::Start { container: b.clone() };
    stage.refuses(start.clone(), FailureKind::Conflict).await;
    stage.inspect(&b).await;
    stage.told().await;
    stage.does(Step::Stop { container: a, grace: Duration::ZERO }).await;
    stage.does(start).await;
    let b = stage.inspect(&b).await;
    assert_eq!((b.state.status, b.state.exit_code), (Status::Running, 0));
    stage.told().await;
}

pub(crate) async fn what_is_not_there_is_not_found_or_done_already(
    stage: &mut Stage<impl Subject>,
) {
    let gone = stage.create("a", stage.sleeper()).await;
    let network = stage.create_network("n", Document::default()).await;
    stage.does(Step::Remove { container: gone.clone() }).await;
    stage.does(Step::RemoveNetwork { id: network.clone() }).await;
    let container = gone.clone();
    let document = Document::from_iter([("HostConfig.PidsLimit", Value::Int(10))]);
    let to = stage.name("b").as_str().into();
    let command = vec![Secret::new("true")];
    let (grace, timeout) = (Duration::ZERO, Duration::from_secs(5));
    for step in [
        Step::Start { container: container.clone() },
        Step::Stop { container: container.clone(), grace },
        Step::Update { container: container.clone(), document },
        Step::Rename { container: container.clone(), to },
        Step::Unpause { container: container.clone() },
        Step::Probe { container: container.clone(), command, timeout },
        Step::CopyIn { container: container.clone(), files: Vec::new() },
        Step::Connect {
            container: container.clone(),
            network: "bridge".into(),
            endpoint: Value::Null,
        },
    ] {
        stage.refuses(step, FailureKind::NotFound).await;
    }
    stage
        .does(Step::Disconnect { container: gone.clone(), network: network.clone() })
        .await;
    stage.does(Step::Remove { container: gone }).await;
    stage.does(Step::RemoveNetwork { id: network }).await;
    let bridge = stage.look().await.networks.remove("bridge").expect("a bridge").id;
    let a = stage.create("a", stage.sleeper()).await;
    stage.told().await;
    stage.does(Step::Disconnect { container: a.clone(), network: bridge }).await;
    stage.inspect(&a).await;
    stage.told().await;
}

pub(crate) async fn an_image_that_is_missing_fails_the_create(
    stage: &mut Stage<impl Subject>,
) {
    let image = "lab/no-such-image-missing:1";
    stage.ask_for_image(image);
    let observed = stage.look().await;
    assert_eq!(observed.images.get(image), Some(&None));
    assert!(observed.image(crate::real::IMAGE).is_some());
    let fields = with(stage.sleeper(), [("Config.Image", Value::text(image))]);
    let name = stage.name("a").as_str().into();
    let step = Step::Create { name, document: fields, platform: None };
    let message = stage.refuses(step, FailureKind::NotFound).await;
    assert!(message.contains(image), "{message}");
}

pub(crate) async fn more_processors_than_the_host_has_are_refused(
    stage: &mut Stage<impl Subject>,
) {
    let limit = |cpus: &str| ("HostConfig.NanoCpus", Value::text(cpus));
    let name = stage.name("a").as_str().into();
    let document = with(stage.sleeper(), [limit("1000")]);
    let step = Step::Create { name, document, platform: None };
    stage.refuses(step, FailureKind::Refused).await;
    let a = stage.run("b", with(stage.sleeper(), [limit("1")])).await;
    let document = Document::from_iter([limit("1000")]);
    let step = Step::Update { container: a.clone(), document };
    stage.refuses(step, FailureKind::Refused).await;
    stage.inspect(&a).await;
    stage.told().await;
}

pub(crate) async fn a_command_can_only_be_run_in_what_runs(
    stage: &mut Stage<impl Subject>,
) {
    let a = stage.create("a", stage.sleeper()).await;
    let probe = |container: &ContainerId| Step::Probe {
        container: container.clone(),
        command: ["test", "-e", "/well"].map(Secret::new).to_vec(),
        timeout: Duration::from_secs(30),
    };
    stage.refuses(probe(&a), FailureKind::Conflict).await;
    stage.does(Step::Start { container: a.clone() }).await;
    for (passes, exit_code) in [(true, 0), (false, 1)] {
        stage.by_hand(ByHand::Health(stage.name("a"), passes)).await;
        assert_eq!(stage.ask(probe(&a)).await, Ok(Done::Probed { exit_code }));
    }
    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    stage.refuses(probe(&a), FailureKind::Conflict).await;
    stage.told().await;
}
