//! Pulls on the real engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

mod real;

use real::registry;
use real::stage::{Stage, kind, perform};
use reconciler::state::step::{Done, FailureKind, Step};

#[tokio::test]
async fn a_registry_that_cannot_be_reached_fails_the_pull_in_its_own_words() {
    let Some(stage) = Stage::new("pull").await else { return };
    let image = "127.0.0.1:1/no/such:1".into();
    let failure = stage.perform(Step::Pull { image, platform: None }).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.message.contains("connection refused"), "{}", failure.message);
    let image = "Not/A/Reference".into();
    let refused = stage.perform(Step::Pull { image, platform: None }).await;
    assert_eq!(kind(refused), FailureKind::Refused);
}

#[tokio::test]
async fn an_image_is_pulled_with_progress_and_a_tag_that_is_not_there_is_not_found() {
    let Some(mut stage) = Stage::new("registry").await else { return };
    if !stage.corner.has(registry::IMAGE).await {
        return;
    }
    let image = registry::publish(&stage.corner).await;
    stage.scope.images.insert(image.as_str().into());
    assert!(stage.look().await.image(&image).is_none());

    let step = Step::Pull { image: image.as_str().into(), platform: None };
    let (pulled, mut progress) = perform(&stage.docker, step.clone()).await;
    assert_eq!(pulled, Ok(Done::Done));
    assert!(stage.look().await.image(&image).is_some());
    let mut last = None;
    while let Some(progress) = progress.recv().await {
        assert!(progress.current <= progress.total, "{progress:?}");
        assert_eq!(progress.image, image.as_str().into());
        last = Some(progress);
    }
    let last = last.expect("progress");
    assert_eq!((last.current, last.total > 0), (last.total, true));
    stage.perform_twice(step).await;

    let missing = image.replace(":1", ":no-such-tag");
    let step = Step::Pull { image: missing.as_str().into(), platform: None };
    let failure = stage.perform(step).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound, "{}", failure.message);
    assert!(failure.message.contains("manifest"), "{}", failure.message);
}
