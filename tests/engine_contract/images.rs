//! Images come and go.

use reconciler::state::step::{FailureKind, Step};
use serde_json::json;

use crate::stage::Stage;
use crate::subject::{ByHand, Subject};

pub(crate) async fn an_image_is_pulled_and_a_tag_that_is_missing_is_not_found(
    stage: &mut Stage<impl Subject>,
) {
    let Some(reference) = stage.publish().await else { return };
    assert!(stage.look().await.image(&reference).is_none());
    let image = reference.as_str().into();
    stage.does_twice(Step::Pull { image, platform: None }).await;
    assert!(stage.look().await.image(&reference).is_some());
    stage.told().await;
    let missing = reference.replace(":1", ":missing");
    let image = missing.as_str().into();
    stage.refuses(Step::Pull { image, platform: None }, FailureKind::NotFound).await;
}

pub(crate) async fn a_tag_that_moved_names_another_image(
    stage: &mut Stage<impl Subject>,
) {
    let reference = stage.name("image:1");
    stage.ask_for_image(&reference);
    assert!(stage.look().await.image(&reference).is_none());
    stage.by_hand(ByHand::Tag(reference.clone())).await;
    let observed = stage.look().await;
    let (new, old) = (observed.image(&reference), observed.image(crate::real::IMAGE));
    assert_ne!(new.expect("the tag").id, old.expect("the image").id);
    stage.by_hand(ByHand::Untag(reference.clone())).await;
    stage
        .look_at("the tag", |observed| json!(observed.image(&reference).map(|_| "there")))
        .await;
}
