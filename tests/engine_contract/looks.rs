//! What a look shows.

use std::collections::BTreeSet;
use std::time::Duration;

use reconciler::state::document::Document;
use reconciler::state::ids::ContainerName;
use reconciler::state::observed::Status;
use reconciler::state::step::Step;
use reconciler::state::value::{Map, Value};

use crate::real::IMAGE;
use crate::stage::{Stage, with};
use crate::subject::{ByHand, Subject};

pub(crate) async fn a_look_tells_ours_from_strangers(stage: &mut Stage<impl Subject>) {
    let ours = stage.create("ours", stage.sleeper()).await;
    let document = with(stage.sleeper(), [("Config.Labels", Value::Null)]);
    let name = ContainerName::new(stage.name("stranger"));
    stage.does(Step::Create { name: name.clone(), document, platform: None }).await;
    let observed = stage.look().await;
    assert_eq!(observed.containers.keys().collect::<Vec<_>>(), [&ours]);
    assert_eq!(observed.strangers.get(&name), Some(&None));
    let ours = stage.inspect(&ours).await;
    let image = observed.image(IMAGE).expect("the image, by reference");
    assert_eq!(Some(image), observed.image(ours.image.as_str()));
    assert!(ours.created <= observed.facts.time, "{ours:?}");
    assert!(observed.networks.contains_key("bridge"));
    assert!(observed.facts.cpus > 0 && !observed.facts.id.is_empty());
    stage.told().await;
}

pub(crate) async fn a_look_tells_the_guests_of_a_network(
    stage: &mut Stage<impl Subject>,
) {
    let network = stage.name("net");
    let name = network.as_str().into();
    let document = Document::from_iter([("Driver", Value::text("bridge"))]);
    stage.does(Step::CreateNetwork { name, document }).await;
    let on_it = |document| {
        let endpoints = Value::map([(network.as_str(), Value::Map(Map::new()))]);
        let fields = [
            ("HostConfig.NetworkMode", Value::text(&network)),
            ("NetworkingConfig.EndpointsConfig", endpoints),
        ];
        with(document, fields)
    };
    stage.run("ours", on_it(stage.sleeper())).await;
    let document = with(on_it(stage.sleeper()), [("Config.Labels", Value::Null)]);
    let guest = ContainerName::new(stage.name("guest"));
    stage.does(Step::Create { name: guest.clone(), document, platform: None }).await;
    // It would fail to start without the network.
    let observed = stage.look().await;
    let id = &observed.networks[network.as_str()].id;
    assert_eq!(observed.guests.get(id), Some(&BTreeSet::from([guest])));
}

pub(crate) async fn a_look_again_believes_the_list_and_reads_anew_what_it_is_told(
    stage: &mut Stage<impl Subject>,
) {
    const LIMIT: &str = "HostConfig.PidsLimit";
    let a = stage.run("a", stage.sleeper()).await;
    let b = stage.run("b", stage.sleeper()).await;
    let first = stage.look().await;
    let document = Document::from_iter([(LIMIT, Value::Int(10))]);
    for container in [&a, &b] {
        let (container, document) = (container.clone(), document.clone());
        stage.does(Step::Update { container, document }).await;
    }
    // The list shows no limits: who is not named shows the old ones.
    let again = stage.look_again(&first, &BTreeSet::from([a.clone()])).await;
    assert_eq!(again.containers[&a].document.get(LIMIT), &Value::Int(10));
    assert_eq!(again.containers[&b].document.get(LIMIT), &Value::Null);
    assert_eq!(again.facts, first.facts);
    // It shows names, states, who is new and who is gone.
    stage.by_hand(ByHand::Rename(stage.name("b"), stage.name("d"))).await;
    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    let c = stage.create("c", stage.sleeper()).await;
    let again = stage.look_again(&again, &BTreeSet::new()).await;
    assert_eq!(again.containers[&a].state.status, Status::Exited);
    assert_eq!(again.containers[&b].name.as_str(), stage.name("d"));
    assert_eq!(again.containers[&b].document.get(LIMIT), &Value::Int(10));
    assert!(again.containers.contains_key(&c));
    stage.does(Step::Remove { container: c.clone() }).await;
    let again = stage.look_again(&again, &BTreeSet::new()).await;
    assert!(!again.containers.contains_key(&c));
}
