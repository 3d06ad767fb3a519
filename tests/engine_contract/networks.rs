//! Networks, and who is attached to them.

use std::time::Duration;

use reconciler::state::document::Document;
use reconciler::state::observed::labels;
use reconciler::state::step::{FailureKind, Step};
use reconciler::state::value::Value;
use serde_json::json;

use crate::shown;
use crate::stage::{Stage, with};
use crate::subject::{ByHand, Subject};

const MODE: &str = "HostConfig.NetworkMode";
const ENDPOINTS: &str = "NetworkingConfig.EndpointsConfig";

pub(crate) async fn networks_are_made_attached_and_removed(
    stage: &mut Stage<impl Subject>,
) {
    let document = Document::from_iter([
        ("Driver", Value::text("bridge")),
        ("Internal", Value::Bool(true)),
        ("Labels", Value::map([(labels::NETWORK, Value::text("n"))])),
    ]);
    let network = stage.create_network("n", document.clone()).await;
    let name = stage.name("n");
    let again = Step::CreateNetwork { name: name.as_str().into(), document };
    stage.refuses(again, FailureKind::Conflict).await;
    stage
        .look_at("the network", |observed| {
            shown::document(&observed.networks[name.as_str()].document)
        })
        .await;
    stage.told().await;

    let a = stage.run("a", stage.sleeper()).await;
    stage.told().await;
    let connect = Step::Connect {
        container: a.clone(),
        network: name.as_str().into(),
        endpoint: Value::map([("Aliases", Value::texts(["db"]))]),
    };
    stage.does_twice(connect).await;
    let attached = stage.inspect(&a).await.attached;
    assert_eq!(attached.get(name.as_str()), Some(&network));
    stage.told().await;

    let remove = Step::RemoveNetwork { id: network.clone() };
    stage.refuses(remove.clone(), FailureKind::Conflict).await;
    let disconnect = Step::Disconnect { container: a.clone(), network: network.clone() };
    stage.does_twice(disconnect).await;
    assert!(!stage.inspect(&a).await.attached.contains_key(name.as_str()));
    stage.told().await;
    stage.does_twice(remove).await;
    stage.told().await;
    let endpoint = Value::Null;
    let connect = Step::Connect { container: a, network: name.as_str().into(), endpoint };
    stage.refuses(connect, FailureKind::NotFound).await;
}

pub(crate) async fn a_network_that_was_made_again_is_another_one(
    stage: &mut Stage<impl Subject>,
) {
    let network = stage.create_network("n", Document::default()).await;
    let name = stage.name("n");
    let fields = with(stage.sleeper(), [(MODE, Value::text(name.as_str()))]);
    let a = stage.create("a", fields).await;
    // It was never started: the engine knows the network by its name only.
    let made = stage.inspect(&a).await;
    assert_eq!(made.attached.get(name.as_str()), Some(&network));
    let start = Step::Start { container: a.clone() };
    stage.does(start.clone()).await;
    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    stage.told().await;
    stage.does(Step::RemoveNetwork { id: network.clone() }).await;
    stage.told().await;
    let again = stage.create_network("n", Document::default()).await;
    assert_ne!(network, again);
    stage.refuses(start.clone(), FailureKind::NotFound).await;
    let remembered = stage.inspect(&a).await.attached;
    assert_eq!(remembered.get(name.as_str()), Some(&network));
    stage.told().await;

    stage.does_twice(Step::Disconnect { container: a.clone(), network }).await;
    assert!(stage.inspect(&a).await.attached.is_empty());
    let endpoint = Value::map([("Aliases", Value::texts(["a"]))]);
    let network = name.as_str().into();
    stage.does(Step::Connect { container: a.clone(), network, endpoint }).await;
    stage.inspect(&a).await;
    stage.does(start).await;
    stage.inspect(&a).await;
    stage.told().await;
}

pub(crate) async fn a_static_address_is_taken_at_the_start(
    stage: &mut Stage<impl Subject>,
) {
    let prefix = stage.free_network();
    let pool = [("Subnet", Value::Text(format!("{prefix}.0/24")))];
    let pools = Value::List(vec![Value::map(pool)]);
    let document = Document::from_iter([("IPAM", Value::map([("Config", pools)]))]);
    stage.create_network("n", document).await;
    let name = stage.name("n");
    stage
        .look_at("the network", |observed| {
            shown::document(&observed.networks[name.as_str()].document)
        })
        .await;
    let address = Value::Text(format!("{prefix}.9"));
    let address = Value::map([("IPv4Address", address)]);
    let endpoint = Value::map([("IPAMConfig", address)]);
    let fields = with(
        stage.sleeper(),
        [
            (MODE, Value::text(name.as_str())),
            (ENDPOINTS, Value::map([(name.as_str(), endpoint)])),
        ],
    );
    let a = stage.create("a", fields.clone()).await;
    let b = stage.create("b", fields).await;
    stage.does(Step::Start { container: a.clone() }).await;
    stage.inspect(&a).await;
    let start = Step::Start { container: b.clone() };
    stage.refuses(start.clone(), FailureKind::Conflict).await;
    stage.inspect(&b).await;
    stage.told().await;
    stage.does(Step::Stop { container: a, grace: Duration::ZERO }).await;
    stage.does(start).await;
    stage.inspect(&b).await;
    stage.told().await;
}

pub(crate) async fn a_network_that_is_missing_is_not_found_at_the_start(
    stage: &mut Stage<impl Subject>,
) {
    let name = stage.name("n");
    let fields = with(stage.sleeper(), [(MODE, Value::text(name.as_str()))]);
    let a = stage.create("a", fields).await;
    let start = Step::Start { container: a.clone() };
    stage.refuses(start.clone(), FailureKind::NotFound).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.create_network("n", Document::default()).await;
    stage.does(start).await;
    stage.inspect(&a).await;
    stage.told().await;
}

pub(crate) async fn an_endpoint_that_was_taken_away_by_hand_can_be_given_back(
    stage: &mut Stage<impl Subject>,
) {
    stage.create_network("n", Document::default()).await;
    let name = stage.name("n");
    let endpoint = Value::map([("Aliases", Value::texts(["db"]))]);
    let fields = with(
        stage.sleeper(),
        [
            (MODE, Value::text(name.as_str())),
            (ENDPOINTS, Value::map([(name.as_str(), endpoint.clone())])),
        ],
    );
    let a = stage.run("a", fields).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.by_hand(ByHand::Disconnect(name.clone(), stage.name("a"))).await;
    assert!(stage.inspect(&a).await.attached.is_empty());
    stage.told().await;
    let network = name.as_str().into();
    stage.does(Step::Connect { container: a.clone(), network, endpoint }).await;
    stage.inspect(&a).await;
    stage.told().await;
}

pub(crate) async fn every_network_of_a_container_is_joined_at_its_start(
    stage: &mut Stage<impl Subject>,
) {
    stage.create_network("m", Document::default()).await;
    stage.create_network("n", Document::default()).await;
    let (first, second) = (stage.name("m"), stage.name("n"));
    let endpoint = Value::map([("Aliases", Value::texts(["db"]))]);
    let fields = with(
        stage.sleeper(),
        [
            (MODE, Value::text(first.as_str())),
            (ENDPOINTS, Value::map([(first.as_str(), endpoint.clone())])),
        ],
    );
    let a = stage.create("a", fields).await;
    stage.told().await;
    let network = second.as_str().into();
    stage.does(Step::Connect { container: a.clone(), network, endpoint }).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.does(Step::Start { container: a.clone() }).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.does(Step::Remove { container: a }).await;
    stage.look_at("who is left", |observed| json!(observed.containers.len())).await;
}
