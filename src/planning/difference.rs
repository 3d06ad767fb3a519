//! How a container differs from its target, in everything that can differ: fields, image,
//! content, networks that were made again, name.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::attribute::field::Asked;
use crate::state::desired::Desired;
use crate::state::ids::ImageId;
use crate::state::observed::{Container, Observed, labels};
use crate::state::value::Value;

use super::change::{Action, FieldDrift};
use super::drift;
use super::memory::Memory;
use super::quirk::{is_quirk, key};
use super::target::{Target, concealed};
use super::world::Instance;
use super::{adoption, anonymous};

/// What is shown of an endpoint in a network that was removed and made again.
pub(super) const STALE: &str = "an earlier network of that name";

impl Instance<'_> {
    /// Returns how one of its containers differs from the target: fields, image, name,
    /// content, networks that were made again. What the service lets others change, and
    /// what the engine is known to make of the spec, is left out.
    pub fn drift_of(
        &self,
        container: &Container,
        desired: &Desired,
        observed: &Observed,
        memory: &Memory,
    ) -> Vec<FieldDrift> {
        let mut fields = self.raw_drift(container, desired, observed);
        let quirks = memory.quirks.get(&key(self, container));
        fields.retain(|field| {
            let ignored = &self.service.settings.ignored_drift;
            !is_quirk(quirks, desired, field)
                && !ignored.iter().any(|path| covers(path, &field.path))
        });
        fields
    }

    /// Returns the fields of a container that read otherwise than they are asked for
    /// because that is what this engine makes of them.
    pub fn quirks_of(
        &self,
        container: &Container,
        desired: &Desired,
        observed: &Observed,
        memory: &Memory,
    ) -> Vec<FieldDrift> {
        let quirks = memory.quirks.get(&key(self, container));
        if quirks.is_none() {
            return Vec::new();
        }
        let mut fields = self.raw_drift(container, desired, observed);
        fields.retain(|field| is_quirk(quirks, desired, field));
        fields
    }

    /// As [`Instance::drift_of`], with nothing left out.
    pub fn raw_drift(
        &self,
        container: &Container,
        _desired: &Desired,
        observed: &Observed,
    ) -> Vec<FieldDrift> {
        let shown = concealed(container, Some(self.service));
        let image = observed.image(container.image.as_str());
        let asked = Asked {
            document: &self.target.document,
            container: &shown,
            image: image.map(|image| &image.config),
            facts: &observed.facts,
        };
        let mut fields: Vec<FieldDrift> =
            self.image_drift(container, observed).into_iter().collect();
        fields.extend(drift::drift(&self.service.canonical, &asked));
        fields.extend(self.content_drift(container));
        let known: Vec<String> = fields.iter().map(|field| field.path.clone()).collect();
        let stale = stale_networks(container, observed, &self.target);
        fields.extend(stale.into_iter().filter(|field| !known.contains(&field.path)));
        fields.extend(self.name_drift(container));
        fields.retain(|field| {
            !adoption::differs_by_own_names(self, container, field)
                && !anonymous::is_carried(field)
        });
        fields
    }

    /// The image differs when the reference means another one now; while its image is not
    /// there, only when the container was made from another reference.
    fn image_drift(
        &self,
        container: &Container,
        observed: &Observed,
    ) -> Option<FieldDrift> {
        let wanted = &self.service.image;
        let there = container.document.get("Config.Image").clone();
        let (desired, seen) = match observed.image(wanted.as_str()) {
            Some(image) if image.id == container.image => return None,
            None if there.as_text() == Some(wanted.as_str()) => return None,
            Some(image) if there.as_text() == Some(wanted.as_str()) => (
                with_id(wanted.as_str(), &image.id),
                with_id(wanted.as_str(), &container.image),
            ),
            Some(_) | None => (Value::text(wanted.as_str()), there),
        };
        Some(FieldDrift {
            path: "image".to_owned(),
            pointer: "",
            desired,
            observed: seen,
            cost: Action::Recreate,
        })
    }

    /// Content that was copied in is compared by the digests that the container carries.
    /// One without digests was not made by us, and digests by another key tell nothing (the
    /// state directory was lost): then today's content is the base.
    fn content_drift(&self, container: &Container) -> Vec<FieldDrift> {
        let carried = container.document.get("Config.Labels").get(labels::CONTENT);
        let mut carried: BTreeMap<String, String> = carried
            .as_text()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        if carried.is_empty() && container.origin.spec.is_none() {
            return Vec::new();
        }
        let wanted = &self.target.content;
        let key = carried.remove(labels::CONTENT_KEY);
        if key.is_some_and(|key| key != self.target.content_key) {
            for (path, digest) in &mut carried {
                if let Some(wanted) = wanted.get(path) {
                    digest.clone_from(wanted);
                }
            }
        }
        let paths: BTreeSet<&String> = wanted.keys().chain(carried.keys()).collect();
        let show = |digest: Option<&String>| {
            digest.map_or(Value::Null, |digest| Value::Text(short_digest(digest)))
        };
        paths
            .into_iter()
            .filter(|path| wanted.get(*path) != carried.get(*path))
            .map(|path| FieldDrift {
                path: path.clone(),
                pointer: "",
                desired: show(wanted.get(path)),
                observed: show(carried.get(path)),
                cost: Action::Recreate,
            })
            .collect()
    }

    fn name_drift(&self, container: &Container) -> Option<FieldDrift> {
        let is_candidate =
            self.office.candidate.is_some_and(|other| other.id == container.id);
        (container.name != self.target.name && !is_candidate).then(|| FieldDrift {
            path: "container_name".to_owned(),
            pointer: "",
            desired: Value::text(self.target.name.as_str()),
            observed: Value::text(container.name.as_str()),
            cost: Action::UpdateInPlace,
        })
    }
}

/// Tells whether a path that was given covers a field: it, or what lies below it.
pub(super) fn covers(given: &str, path: &str) -> bool {
    path.strip_prefix(given).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn short_digest(digest: &str) -> String {
    digest.chars().take(12).collect()
}

fn with_id(reference: &str, id: &ImageId) -> Value {
    let digits = id.as_str().trim_start_matches("sha256:");
    Value::Text(format!("{reference} ({})", short_digest(digits)))
}

/// A container that is attached to a network which was removed and made again under the
/// same name cannot be reached there.
fn stale_networks(
    container: &Container,
    observed: &Observed,
    target: &Target,
) -> Vec<FieldDrift> {
    let wanted = target.document.get("NetworkingConfig.EndpointsConfig");
    container
        .attached
        .iter()
        .filter(|(name, _)| !wanted.get(name.as_str()).is_null())
        .filter(|(name, id)| {
            observed.networks.get(*name).is_some_and(|network| network.id != **id)
        })
        .filter(|(_, id)| !id.as_str().is_empty())
        .map(|(name, _)| FieldDrift {
            path: format!("networks.{name}"),
            pointer: "NetworkingConfig.EndpointsConfig",
            desired: wanted.get(name.as_str()).clone(),
            observed: Value::text(STALE),
            cost: Action::UpdateInPlace,
        })
        .collect()
}
