//! Volumes without a name of their own: data of images that ask for a volume which the file
//! does not name. A replacement gets those of the container that it replaces.

use crate::state::document::Document;
use crate::state::observed::{Container, is_anonymous};
use crate::state::value::{Map, Value};

use super::change::FieldDrift;
use super::drift::same;
use super::world::Instance;

const MOUNTS: &str = "HostConfig.Mounts";

/// Gives a new container the anonymous volumes of the one that it replaces, where the file
/// puts nothing else at their paths.
pub fn carry_over(document: &mut Document, replaced: &Container) {
    let carried: Map = carried_to(document, replaced).collect();
    if !carried.is_empty() {
        document.extend(MOUNTS, carried);
    }
}

/// Returns the path of a volume that a successor of the holder would be given; nothing when
/// there is none.
pub fn carried(instance: &Instance<'_>) -> Option<String> {
    let holder = instance.office.holder?;
    carried_to(&instance.target.document, holder).next().map(|(path, _)| path)
}

/// Tells whether two containers have the same volume.
pub fn is_shared(one: &Container, other: &Container) -> bool {
    let mut volumes = one.anonymous.values();
    volumes.any(|volume| other.anonymous.values().any(|there| there == volume))
}

fn carried_to<'a>(
    document: &'a Document,
    replaced: &'a Container,
) -> impl Iterator<Item = (String, Value)> + 'a {
    let mounts = document.get(MOUNTS);
    replaced.anonymous.iter().filter_map(move |(path, volume)| {
        let asked = mounts.get(path);
        let is_covered = match asked.as_map() {
            Some(_) => !has_no_name(asked),
            None => !document.get("HostConfig.Tmpfs").get(path).is_null(),
        };
        let mut mount = asked.as_map().cloned().unwrap_or_default();
        mount.insert("Type".to_owned(), Value::text("volume"));
        mount.insert("Source".to_owned(), Value::text(volume.as_str()));
        (!is_covered).then(|| (path.clone(), Value::Map(mount)))
    })
}

/// Tells whether a field differs only by a volume that was carried over.
pub fn is_carried(field: &FieldDrift) -> bool {
    let source = field.observed.get("Source").as_text().unwrap_or_default();
    if field.pointer != MOUNTS || !is_anonymous(source) {
        return false;
    }
    let mut unnamed = field.observed.as_map().cloned().unwrap_or_default();
    unnamed.remove("Source");
    field.desired.is_null() || same(&field.desired, &Value::Map(unnamed))
}

/// A volume of the file for which it gives no name.
fn has_no_name(mount: &Value) -> bool {
    mount.get("Type").as_text() == Some("volume") && mount.get("Source").is_zero()
}
