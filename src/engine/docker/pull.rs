//! Getting an image, with progress.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::errors::Error as ClientError;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedSender;

use super::error::CallError;
use super::images::by_reference;
use super::wire::Wire;
use crate::engine::PullProgress;
use crate::state::ids::ImageReference;
use crate::state::step::{Done, Failure, FailureKind};

/// How long a registry may be silent in the middle of a pull.
const SILENCE: Duration = Duration::from_mins(10);

/// Pulls an image and makes sure that it is there.
pub(super) async fn pull(
    wire: &Wire,
    image: &ImageReference,
    platform: Option<&str>,
    progress: &UnboundedSender<PullProgress>,
) -> Result<Done, Failure> {
    let about = format!("pull {image}");
    let (name, tag) = split(image.as_str());
    let mut lines = wire.client().create_image(
        Some(CreateImageOptions {
            from_image: Some(name.to_owned()),
            tag: Some(tag.to_owned()),
            platform: platform.unwrap_or_default().to_owned(),
            ..CreateImageOptions::default()
        }),
        None,
        None,
    );
    let mut layers = Layers::default();
    loop {
        match tokio::time::timeout(SILENCE, lines.next()).await {
            Ok(Some(Ok(line))) => {
                if let Some((current, total)) = layers.learn(line) {
                    // Nobody may be looking.
                    progress
                        .send(PullProgress { image: image.clone(), current, total })
                        .unwrap_or_default();
                }
            }
            Ok(Some(Err(error))) if layers.ended && is_spurious(&error) => break,
            Ok(Some(Err(error))) => return Err(failure(error, &about)),
            Ok(None) => break,
            Err(_) => return Err(CallError::TimedOut(SILENCE).failing(&about)),
        }
    }
    verify(wire, image, &about).await
}

/// Splits a reference into the name and the tag or digest; without one, the engine would
/// pull every tag there is.
fn split(reference: &str) -> (&str, &str) {
    if let Some((name, digest)) = reference.split_once('@') {
        return (name, digest);
    }
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        Some(_) | None => (reference, "latest"),
    }
}

/// Tells whether it is what bollard 0.21 says at the end of some pulls that went well.
fn is_spurious(error: &ClientError) -> bool {
    matches!(error, ClientError::IOError { err } if err.to_string().contains("bytes remaining"))
}

/// A stream that ended well is no proof.
async fn verify(
    wire: &Wire,
    image: &ImageReference,
    about: &str,
) -> Result<Done, Failure> {
    match by_reference(wire, image.as_str()).await {
        Ok(Some(_)) => Ok(Done::Done),
        Ok(None) => Err(Failure {
            kind: FailureKind::Failed,
            message: format!(
                "{about}: the engine reports no error, and does not have the image"
            ),
        }),
        Err(error) => Err(error.failing(about)),
    }
}

/// Returns the failure of a pull, in the registry's own words.
fn failure(error: ClientError, about: &str) -> Failure {
    const MISSING: [&str; 3] = ["not found", "manifest unknown", "does not exist"];
    const REFUSED: [&str; 3] = ["denied", "unauthorized", "no matching manifest"];
    let ClientError::DockerStreamError { error: message } = error else {
        return CallError::from(error).failing(about);
    };
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    let kind = if says(&MISSING) {
        FailureKind::NotFound
    } else if says(&REFUSED) {
        FailureKind::Refused
    } else {
        FailureKind::Failed
    };
    Failure { kind, message: format!("{about}: {message}") }
}

/// How far the layers of an image have come.
#[derive(Debug, Default)]
struct Layers {
    /// Bytes fetched and bytes in all.
    layers: BTreeMap<String, (u64, u64)>,
    /// The engine said how the pull ended.
    ended: bool,
}

impl Layers {
    /// Takes in one line; returns bytes fetched and bytes in all when they changed.
    fn learn(&mut self, line: CreateImageInfo) -> Option<(u64, u64)> {
        let status = line.status.unwrap_or_default();
        self.ended |= status.starts_with("Status: ");
        let id = line.id?;
        let bytes = |number: Option<i64>| number.and_then(|it| u64::try_from(it).ok());
        match status.as_str() {
            "Downloading" => {
                let detail = line.progress_detail?;
                let total = bytes(detail.total)?;
                self.layers.insert(id, (bytes(detail.current)?.min(total), total));
            }
            "Download complete" => {
                let (current, total) = self.layers.get_mut(&id)?;
                *current = *total;
            }
            _ => return None,
        }
        Some(
            self.layers
                .values()
                .fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::ProgressDetail;

    #[test]
    fn a_reference_without_a_tag_means_latest() {
        for (reference, parts) in [
            ("a", ("a", "latest")),
            ("a:1", ("a", "1")),
            ("localhost:5000/a", ("localhost:5000/a", "latest")),
            ("localhost:5000/a:1", ("localhost:5000/a", "1")),
            ("q.io/a:1@sha256:ab", ("q.io/a:1", "sha256:ab")),
        ] {
            assert_eq!(split(reference), parts, "{reference}");
        }
    }

    #[test]
    fn progress_is_the_sum_over_the_layers() {
        let line = |id: &str, status: &str, bytes: Option<(i64, i64)>| CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: bytes.map(|(current, total)| ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            ..CreateImageInfo::default()
        };
        let mut layers = Layers::default();
        assert_eq!(layers.learn(line("a", "Pulling fs layer", None)), None);
        assert_eq!(
            layers.learn(line("a", "Downloading", Some((10, 100)))),
            Some((10, 100))
        );
        assert_eq!(
            layers.learn(line("b", "Downloading", Some((5, 50)))),
            Some((15, 150))
        );
        assert_eq!(layers.learn(line("a", "Download complete", None)), Some((105, 150)));
        assert_eq!(layers.learn(line("a", "Extracting", Some((1, 9)))), None);
        assert!(!layers.ended);
        let end = "Status: Downloaded newer image for a:1".to_owned();
        layers.learn(CreateImageInfo { status: Some(end), ..CreateImageInfo::default() });
        assert!(layers.ended);
    }

    #[test]
    fn a_failed_pull_is_told_in_the_registrys_words() {
        for (message, kind) in [
            ("manifest for a:9 not found: manifest unknown", FailureKind::NotFound),
            ("unauthorized: authentication required", FailureKind::Refused),
            ("no matching manifest for linux/arm64", FailureKind::Refused),
            ("unexpected EOF", FailureKind::Failed),
        ] {
            let error = ClientError::DockerStreamError { error: message.to_owned() };
            let failure = failure(error, "pull a:9");
            assert_eq!(failure.kind, kind);
            assert_eq!(failure.message, format!("pull a:9: {message}"));
        }
    }
}
