//! Volumes are made, and stay.

use reconciler::state::document::Document;
use reconciler::state::observed::labels;
use reconciler::state::step::Step;
use reconciler::state::value::Value;

use crate::shown;
use crate::stage::{Stage, with};
use crate::subject::{ByHand, Subject};

pub(crate) async fn a_volume_is_made_once_and_keeps_its_labels(
    stage: &mut Stage<impl Subject>,
) {
    let name = stage.name("v");
    let create = |label: &str| Step::CreateVolume {
        name: name.as_str().into(),
        document: Document::from_iter([(
            "Labels",
            Value::map([(labels::VOLUME, Value::text(label))]),
        )]),
    };
    stage.does_twice(create("v")).await;
    stage.does(create("another")).await;
    let observed = stage.look().await;
    let volume = observed.volumes.get(name.as_str()).expect("the volume");
    assert_eq!(volume.label(labels::VOLUME), Some("v"));
    stage
        .look_at("the volume", |observed| {
            shown::document(&observed.volumes[name.as_str()].document)
        })
        .await;
    stage.told().await;
}

pub(crate) async fn a_volume_that_a_container_names_is_made_with_it_and_outlives_it(
    stage: &mut Stage<impl Subject>,
) {
    let name = stage.name("v");
    let mount = Value::map([
        ("Type", Value::text("volume")),
        ("Source", Value::text(name.as_str())),
    ]);
    let mounts = Value::map([("/data", mount)]);
    let a = stage.run("a", with(stage.sleeper(), [("HostConfig.Mounts", mounts)])).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.by_hand(ByHand::RemoveByForce(stage.name("a"))).await;
    stage
        .look_at("the volume", |observed| {
            shown::document(&observed.volumes[name.as_str()].document)
        })
        .await;
    stage.told().await;
}
