//! What the engine adds to what it was asked for.

use serde_json::{Value as Json, json};

use crate::compose::attribute;
use crate::compose::attribute::field::{Asked, Default as Unless};
use crate::compose::attribute::form;
use crate::state::digest::DigestKey;
use crate::state::document::{Document, Pointer};
use crate::state::ids::{ImageId, NetworkId, NetworkName, Replica, ServiceName};
use crate::state::observed::{Container, EngineFacts, Image, Network, Origin, labels};
use crate::state::value::{Map, Value};

/// Makes an image; another version is another image.
pub fn image(reference: &str, version: u32) -> Image {
    let content = Value::text(format!("{reference} {version}"));
    let environment = Value::map([("PATH", Value::text("/bin"))]);
    Image {
        id: ImageId::new(DigestKey::new([0; 32]).digest(&content)),
        created: None,
        config: [("Config.Cmd", Value::texts(["serve"])), ("Config.Env", environment)]
            .into_iter()
            .collect(),
    }
}

/// Where the endpoints of a container stand.
pub(super) const ENDPOINTS: Pointer = "NetworkingConfig.EndpointsConfig";

/// The networks that every engine has.
const BUILT_IN: [(&str, &str); 3] =
    [("bridge", "bridge"), ("host", "host"), ("none", "null")];

/// Returns the networks that every engine has.
pub(super) fn built_in() -> impl Iterator<Item = (NetworkName, Network)> {
    BUILT_IN.into_iter().map(|(name, driver)| {
        let document = [("Driver", Value::text(driver))].into_iter().collect();
        let id = NetworkId::new(format!("{name:0>64}"));
        (NetworkName::new(name), Network { id, document })
    })
}

/// Returns the networks that a new container will be attached to, by name.
pub(super) fn networks(document: &Document) -> Vec<NetworkName> {
    let asked = document.get(ENDPOINTS).entries();
    let asked: Vec<NetworkName> = asked.map(|(name, _)| NetworkName::new(name)).collect();
    if !asked.is_empty() {
        return asked;
    }
    match document.get("HostConfig.NetworkMode").as_text().unwrap_or("default") {
        "default" => vec![NetworkName::new("bridge")],
        mode if mode.starts_with("container:") => Vec::new(),
        mode => vec![NetworkName::new(mode)],
    }
}

/// Sends a document through the engine's own form, and adds what nobody asked for.
pub(super) fn read_back(
    new: &Container,
    asked: &Document,
    image: &Image,
    facts: &EngineFacts,
) -> Document {
    let mut document = from_json(&form::write(asked));
    for (_, field) in attribute::fields() {
        let there = document.get(field.pointer);
        let of_image = image.config.get(field.pointer);
        let value = match field.default {
            Unless::ImageEntries => {
                let mut entries = of_image.as_map().cloned().unwrap_or_default();
                entries.extend(there.as_map().cloned().unwrap_or_default());
                Value::Map(entries)
            }
            Unless::Image if there.is_zero() => of_image.clone(),
            Unless::Computed(compute) if there.is_zero() => {
                let image = Some(&image.config);
                let asked = Asked { document: asked, container: new, image, facts };
                compute(&asked).unwrap_or_default()
            }
            Unless::Zero
            | Unless::Any
            | Unless::EngineEntries(_)
            | Unless::Image
            | Unless::Text(_)
            | Unless::Computed(_) => there.clone(),
        };
        if !value.is_zero() {
            document.set(field.pointer, value);
        }
    }
    let always = [
        ("HostConfig.IpcMode", Value::text("private")),
        ("HostConfig.NetworkMode", Value::text("default")),
        ("HostConfig.ShmSize", Value::Int(64 << 20)),
    ];
    for (pointer, value) in always {
        if document.get(pointer).is_zero() {
            document.set(pointer, value);
        }
    }
    let endpoints = document.get(ENDPOINTS).as_map().cloned().unwrap_or_default();
    let bare = networks(asked).into_iter().map(|name| (name.to_string(), Map::new()));
    let bare = bare.filter(|(name, _)| !endpoints.contains_key(name));
    for (name, nothing) in bare {
        document.extend(ENDPOINTS, [(name, Value::Map(nothing))]);
    }
    document
}

/// Reads a container off the request by which it was made.
pub(super) fn from_json(body: &Json) -> Document {
    form::read(&json!({
        "Config": body,
        "HostConfig": body["HostConfig"],
        "NetworkSettings": {"Networks": body["NetworkingConfig"]["EndpointsConfig"]},
    }))
}

/// The engine knows no secrets: it tells everybody.
pub(super) fn plain(document: &Document) -> Document {
    document
        .iter()
        .map(|(pointer, value)| (pointer, Value::from(value.exposed())))
        .collect()
}

/// Returns a network as the engine makes it: with a pool of addresses in any case.
pub(super) fn network(asked: &Document, number: u64) -> Document {
    let nothing = || Value::Map(Map::new());
    let mut document: Document = [
        ("Attachable", Value::Bool(false)),
        ("Driver", Value::text("bridge")),
        ("EnableIPv6", Value::Bool(false)),
        ("Internal", Value::Bool(false)),
        ("Labels", nothing()),
        ("Options", nothing()),
    ]
    .into_iter()
    .chain(plain(asked).iter().map(|(pointer, value)| (pointer, value.clone())))
    .collect();
    let mut addresses = document.get("IPAM").as_map().cloned().unwrap_or_default();
    addresses.entry("Driver".to_owned()).or_insert(Value::text("default"));
    if addresses.get("Config").is_none_or(Value::is_zero) {
        let (high, low) = (number / 256 % 16 + 16, number % 256);
        let pool = Map::from([
            ("Subnet".to_owned(), Value::Text(format!("172.{high}.{low}.0/24"))),
            ("Gateway".to_owned(), Value::Text(format!("172.{high}.{low}.1"))),
        ]);
        addresses.insert("Config".to_owned(), Value::List(vec![Value::Map(pool)]));
    }
    document.set("IPAM", Value::Map(addresses));
    document
}

/// Reads off labels whose a container is.
pub(super) fn origin(document: &Document) -> Origin {
    let label =
        |name: &str| document.get("Config.Labels").get(name).as_text().map(str::to_owned);
    let number = label(labels::NUMBER).and_then(|number| number.parse().ok());
    let replica = label(labels::SERVICE)
        .zip(number)
        .map(|(service, number)| Replica { service: ServiceName::new(service), number });
    let one_off = label(labels::ONE_OFF);
    Origin {
        replica,
        one_off: one_off.is_some_and(|it| it.eq_ignore_ascii_case("true")),
        source: label(labels::SOURCE).map(|it| it.as_str().into()),
        spec: label(labels::SPEC).map(|it| it.as_str().into()),
        replaces: label(labels::REPLACES).map(|it| it.as_str().into()),
        base: label(labels::BASE).map(|it| it.as_str().into()),
    }
}
