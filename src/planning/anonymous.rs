//! Volumes without a name of their own: data of images that ask for a volume which the file
//! does not name. A replacement gets those of the container that it replaces.

use crate::state::document::Document;
use crate::state::observed::{Container, is_anonymous};
use crate::state::value::{Map, Value};

use super::change::FieldDrift;
use super::drift::same;

const MOUNTS: &str = "HostConfig.Mounts";

/// Gives a new container the anonymous volumes of the one that it replaces, where the file
/// puts nothing else at their paths.
pub fn carry_over(document: &mut Document, replaced: &Container) {
    let mounts = document.get(MOUNTS).as_map().cloned().unwrap_or_default();
    let mut carried = Map::new();
    for (path, volume) in &replaced.anonymous {
        let is_covered = match mounts.get(path) {
            Some(mount) => !has_no_name(mount),
            None => !document.get("HostConfig.Tmpfs").get(path).is_null(),
        };
        if is_covered {
            continue;
        }
        let mut mount = mounts.get(path).and_then(Value::as_map).cloned();
        let mount = mount.get_or_insert_default();
        mount.insert("Type".to_owned(), Value::text("volume"));
        mount.insert("Source".to_owned(), Value::text(volume.as_str()));
        carried.insert(path.clone(), Value::Map(mount.clone()));
    }
    if !carried.is_empty() {
        document.extend(MOUNTS, carried);
    }
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
