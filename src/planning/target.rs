//! What a container of a service should be on the engine.

use std::collections::BTreeMap;

use crate::compose::attribute;
use crate::compose::attribute::field::Context;
use crate::compose::attribute::project::storage::{config_target, secret_target};
use crate::state::content::meaning_of;
use crate::state::desired::{Content, Service, Stack};
use crate::state::document::Document;
use crate::state::ids::{
    ContainerId, ContainerName, ImageId, Replica, ServiceName, SpecHash,
};
use crate::state::observed::{Container, EngineFacts, labels};
use crate::state::step::InsideFile;
use crate::state::value::{Map, Value};

/// Whom a new container takes over from.
#[derive(Clone, Copy, Debug)]
pub struct Predecessors<'a> {
    /// The container in charge.
    pub holder: &'a ContainerId,
    /// The one that comes back should neither of them prove itself, if that is another one.
    pub base: Option<&'a ContainerId>,
}

/// What one container should be.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name that it holds in office.
    pub name: ContainerName,
    /// The fields that the file asks for.
    pub document: Document,
    /// The files that are put into it before its first start.
    pub files: Vec<InsideFile>,
    /// The keyed digest of each of those files, by canonical path.
    pub content: BTreeMap<String, String>,
    /// Which key those digests are by: by another one they cannot be compared.
    pub content_key: String,
    /// The digest of all this, without the image's id.
    digest: String,
}

/// Computes what a container of a service should be.
///
/// `peers` are the containers whose namespaces or volumes it may share.
pub fn target(
    stack: &Stack,
    service: &Service,
    number: u32,
    facts: &EngineFacts,
    peers: &BTreeMap<ServiceName, ContainerId>,
) -> Target {
    let name = container_name(stack, service, number);
    let document = attribute::project(&Context {
        stack,
        service,
        name: name.as_str(),
        facts,
        peers,
    });
    let (files, content) = files(stack, service);
    let mut parts = vec![
        Value::Map(
            document
                .iter()
                .map(|(pointer, value)| (pointer.to_owned(), value.clone()))
                .collect(),
        ),
        Value::Map(
            content
                .iter()
                .map(|(path, digest)| (path.clone(), Value::text(digest)))
                .collect(),
        ),
    ];
    if !service.contents.is_empty() {
        parts.push(meaning_of(&service.contents));
    }
    let digest = stack.digest_key.digest(&Value::List(parts));
    let content_key = stack.digest_key.fingerprint();
    Target { name, document, files, content, content_key, digest }
}

/// Returns the name of a container in office.
pub fn container_name(stack: &Stack, service: &Service, number: u32) -> ContainerName {
    service.container_name.clone().unwrap_or_else(|| {
        ContainerName::new(format!("{}-{}-{number}", stack.project, service.name))
    })
}

/// Returns the files that are put into a container before its first start, and the keyed
/// digest of each, by canonical path.
pub(super) fn files(
    stack: &Stack,
    service: &Service,
) -> (Vec<InsideFile>, BTreeMap<String, String>) {
    type Place = fn(&Value) -> String;
    let families = [
        ("configs", &stack.configs, config_target as Place),
        ("secrets", &stack.secrets, secret_target),
    ];
    let (mut files, mut content) = (Vec::new(), BTreeMap::new());
    for (family, contents, target) in families {
        for reference in service.canonical.get(family).items() {
            let key = reference.get("source").as_text().unwrap_or_default();
            let Some(Content::Inline(text)) = contents.get(key) else { continue };
            let path = target(reference);
            content.insert(
                format!("{family}.{path}"),
                stack.digest_key.conceal(text.expose()),
            );
            files.push(InsideFile {
                path,
                content: text.clone(),
                user: number(reference.get("uid")).unwrap_or(0),
                group: number(reference.get("gid")).unwrap_or(0),
                mode: mode(reference.get("mode")).unwrap_or(0o444),
            });
        }
    }
    (files, content)
}

fn number(value: &Value) -> Option<u64> {
    value.to_string().parse().ok()
}

/// Reads permission bits: a number, or octal digits as text.
fn mode(value: &Value) -> Option<u32> {
    match value.as_int() {
        Some(bits) => u32::try_from(bits).ok(),
        None => u32::from_str_radix(value.as_text()?, 8).ok(),
    }
}

impl Target {
    /// Returns the digest of the container as it would be created from this image.
    pub fn spec(&self, image: &ImageId) -> SpecHash {
        let digest = self.digest.trim_start_matches("sha256:");
        let image = image.as_str().trim_start_matches("sha256:");
        let bytes = format!("{digest} {image}");
        let hash = <sha2::Sha256 as sha2::Digest>::digest(bytes.as_bytes());
        SpecHash::new(format!("sha256:{}", crate::state::digest::hexadecimal(&hash)))
    }

    /// Returns everything that the engine is asked for when the container is created.
    pub fn creation(
        &self,
        stack: &Stack,
        replica: &Replica,
        service: &Service,
        image: &ImageId,
        replaces: Option<Predecessors<'_>>,
        facts: &EngineFacts,
    ) -> Document {
        let mut document = self.document.clone();
        let spec = self.spec(image);
        let files: Vec<String> =
            stack.files.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let depends_on: Vec<String> = service
            .depends_on
            .iter()
            .map(|(name, dependency)| {
                format!("{name}:{}:{}", dependency.condition.key(), dependency.restart)
            })
            .collect();
        let mut entries = vec![
            (labels::PROJECT, stack.project.to_string()),
            (labels::SERVICE, replica.service.to_string()),
            (labels::NUMBER, replica.number.to_string()),
            (labels::ONE_OFF, "False".to_owned()),
            (labels::CONFIG_HASH, spec.as_str().trim_start_matches("sha256:").to_owned()),
            (labels::IMAGE, image.to_string()),
            (labels::DEPENDS_ON, depends_on.join(",")),
            (labels::WORKING_DIR, stack.working_dir.to_string_lossy().into_owned()),
            (labels::CONFIG_FILES, files.join(",")),
            (labels::VERSION, env!("CARGO_PKG_VERSION").to_owned()),
            (labels::SOURCE, stack.source.to_string()),
            (labels::SPEC, spec.to_string()),
        ];
        if let Some(Predecessors { holder, base }) = replaces {
            entries.push((labels::REPLACES, holder.to_string()));
            entries.extend(base.map(|base| (labels::BASE, base.to_string())));
        }
        if !self.content.is_empty() {
            entries.push((labels::CONTENT, self.content_label()));
        }
        let log_options = self.document.get("HostConfig.LogConfig.Config").entries();
        let log_options: Vec<&str> = log_options.map(|(name, _)| name).collect();
        if !log_options.is_empty() {
            entries.push((labels::LOG_OPTIONS, log_options.join(",")));
        }
        let sensitive = self.sensitive_pointers();
        if !sensitive.is_empty() {
            entries.push((labels::SENSITIVE, sensitive));
        }
        document.extend(
            "Config.Labels",
            entries.into_iter().map(|(name, text)| (name.to_owned(), Value::Text(text))),
        );
        keep_one_endpoint(&mut document, facts);
        document
    }

    /// Returns what it should be before others may find it: without names on its networks.
    #[must_use]
    pub fn without_names(&self) -> Self {
        let mut target = self.clone();
        let endpoints = self.document.get("NetworkingConfig.EndpointsConfig");
        if let Some(endpoints) = endpoints.as_map() {
            let nameless = endpoints.iter().map(|(network, endpoint)| {
                let mut fields = endpoint.as_map().cloned().unwrap_or_default();
                fields.remove("Aliases");
                (network.clone(), Value::Map(fields))
            });
            let nameless = Value::Map(nameless.collect());
            target.document.set("NetworkingConfig.EndpointsConfig", nameless);
        }
        target
    }

    /// Returns the content digests as they stand in a label.
    pub fn content_label(&self) -> String {
        let key = (labels::CONTENT_KEY.to_owned(), Value::text(&self.content_key));
        let digests =
            self.content.iter().map(|(path, digest)| (path.clone(), Value::text(digest)));
        Value::Map(digests.chain([key]).collect()).exposed().to_string()
    }

    /// Returns the fields that hold secrets, of lists and maps the items: they stay concealed
    /// in later diffs, when the file no longer tells that they were.
    fn sensitive_pointers(&self) -> String {
        let fields = self.document.iter().filter(|(_, value)| value.is_sensitive());
        let marks = fields.flat_map(|(pointer, value)| {
            let items = value.sensitive_items();
            if items.is_empty() || items.iter().any(|item| item.contains(',')) {
                return vec![pointer.to_owned()];
            }
            items.iter().map(|item| format!("{pointer}/{item}")).collect()
        });
        marks.collect::<Vec<String>>().join(",")
    }
}

/// Leaves one endpoint: engines before API 1.44 take one at creation, the others are
/// connected before the start.
fn keep_one_endpoint(document: &mut Document, facts: &EngineFacts) {
    if facts.api >= (1, 44) {
        return;
    }
    let first = document.get("HostConfig.NetworkMode").clone();
    let endpoints = document.get("NetworkingConfig.EndpointsConfig").clone();
    if let (Some(first), Some(map)) = (first.as_text(), endpoints.as_map()) {
        let kept = map.iter().filter(|(name, _)| *name == first);
        let kept: Map =
            kept.map(|(name, endpoint)| (name.clone(), endpoint.clone())).collect();
        document.set("NetworkingConfig.EndpointsConfig", Value::Map(kept));
    }
}

/// Returns what is observed with every secret concealed that the file, the name or the
/// container's own label tells of.
pub fn concealed(container: &Container, service: Option<&Service>) -> Container {
    let mut concealed = container.clone();
    let labels = container.document.get("Config.Labels");
    let marked = labels.get(labels::SENSITIVE).as_text().unwrap_or_default();
    for pointer in attribute::fields().map(|(_, field)| field.pointer) {
        let marks = marked.split(',').filter_map(|mark| mark.strip_prefix(pointer));
        for mark in marks {
            let value = concealed.document.get(pointer).clone();
            match mark.strip_prefix('/') {
                Some(item) => concealed.document.set(pointer, value.concealed_at(item)),
                None if mark.is_empty() => {
                    concealed.document.set(pointer, value.concealed());
                }
                None => {}
            }
        }
    }
    let environment =
        service.map_or(&Value::Null, |service| service.canonical.get("environment"));
    let entries = container.document.get("Config.Env").entries();
    let entries: Vec<(String, Value)> = entries
        .filter(|(name, _)| environment.get(name).is_sensitive())
        .map(|(name, value)| (name.to_owned(), value.clone().concealed()))
        .collect();
    if !entries.is_empty() {
        concealed.document.extend("Config.Env", entries);
    }
    concealed
}
