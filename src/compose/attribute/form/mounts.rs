//! `Binds` and `Mounts`: two ways of the engine to say the same.

use serde_json::{Value as Json, json};

use crate::state::value::{Map, Value};

/// Reads both as a map by target: `Type`, `Source`, `ReadOnly`, `Propagation`, `Label`
/// (the `SELinux` `z` or `Z`), `NoCopy`, `Create` (a missing source is made: only a bind in
/// `Binds` does that), `Options` (everything else of a mount).
pub(super) fn read(host_config: &Json) -> Value {
    let mut targets = Map::new();
    let binds = host_config["Binds"].as_array().into_iter().flatten();
    for bind in binds.filter_map(Json::as_str) {
        let (target, mount) = read_bind(bind);
        targets.insert(target, mount);
    }
    let mounts = host_config["Mounts"].as_array().into_iter().flatten();
    for mount in mounts {
        let target = mount["Target"].as_str().unwrap_or_default().to_owned();
        targets.insert(target, read_mount(mount));
    }
    Value::Map(targets)
}

fn read_bind(bind: &str) -> (String, Value) {
    let mut parts = bind.split(':');
    let first = parts.next().unwrap_or_default();
    let Some(target) = parts.next() else {
        return (first.to_owned(), Value::map([("Type", Value::text("volume"))]));
    };
    let is_path = first.starts_with('/');
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    set("Type", Value::text(if is_path { "bind" } else { "volume" }));
    set("Source", Value::text(first));
    if is_path {
        set("Create", Value::Bool(true));
    }
    for option in parts.next().unwrap_or_default().split(',') {
        match option {
            "ro" => drop(set("ReadOnly", Value::Bool(true))),
            "z" | "Z" => drop(set("Label", Value::text(option))),
            "nocopy" => drop(set("NoCopy", Value::Bool(true))),
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                drop(set("Propagation", Value::text(option)));
            }
            _ => {}
        }
    }
    (target.to_owned(), Value::Map(fields))
}

fn read_mount(mount: &Json) -> Value {
    let mut fields = Map::new();
    let kind = mount["Type"].as_str().unwrap_or_default();
    fields.insert("Type".to_owned(), Value::text(kind));
    fields.insert("Source".to_owned(), Value::from(mount["Source"].clone()));
    fields.insert("ReadOnly".to_owned(), Value::from(mount["ReadOnly"].clone()));
    fields.insert(
        "Propagation".to_owned(),
        Value::from(mount["BindOptions"]["Propagation"].clone()),
    );
    fields.insert(
        "NoCopy".to_owned(),
        Value::from(mount["VolumeOptions"]["NoCopy"].clone()),
    );
    let options = match kind {
        "tmpfs" => &mount["TmpfsOptions"],
        "volume" => &mount["VolumeOptions"],
        _ => &mount["BindOptions"],
    };
    let mut options = Value::from(options.clone()).as_map().cloned().unwrap_or_default();
    options
        .retain(|key, value| !value.is_zero() && key != "NoCopy" && key != "Propagation");
    fields.insert("Options".to_owned(), Value::Map(options));
    fields.retain(|_, value| !value.is_zero());
    Value::Map(fields)
}

/// Writes binds and named volumes with no further options as `Binds`, all else as `Mounts`.
///
/// Only a bind in `Binds` makes its missing source before API 1.42.
pub(super) fn write(value: &Value, body: &mut Json) {
    let (mut binds, mut mounts) = (Vec::new(), Vec::new());
    for (target, mount) in value.entries() {
        let is_bind = mount.get("Type").as_text() == Some("bind");
        let has_source = !mount.get("Source").is_zero();
        let plain = mount.get("Options").is_zero() && has_source;
        if plain && (!is_bind || mount.get("Create").as_bool() == Some(true)) {
            binds.push(Json::String(write_bind(target, mount)));
        } else {
            mounts.push(write_mount(target, mount));
        }
    }
    let host_config = &mut body["HostConfig"];
    if !binds.is_empty() {
        host_config["Binds"] = binds.into();
    }
    if !mounts.is_empty() {
        host_config["Mounts"] = mounts.into();
    }
}

fn write_bind(target: &str, mount: &Value) -> String {
    let text = |key: &str| mount.get(key).as_text().unwrap_or_default();
    let mut options =
        vec![if mount.get("ReadOnly").as_bool() == Some(true) { "ro" } else { "rw" }];
    options.extend(
        [text("Label"), text("Propagation")].into_iter().filter(|text| !text.is_empty()),
    );
    if mount.get("NoCopy").as_bool() == Some(true) {
        options.push("nocopy");
    }
    format!("{}:{target}:{}", text("Source"), options.join(","))
}

fn write_mount(target: &str, mount: &Value) -> Json {
    let kind = mount.get("Type").as_text().unwrap_or("bind");
    let mut json = json!({
        "Type": kind,
        "Target": target,
        "ReadOnly": mount.get("ReadOnly").as_bool().unwrap_or(false),
    });
    if let Some(source) = mount.get("Source").as_text() {
        json["Source"] = source.into();
    }
    let mut options = mount.get("Options").exposed();
    if !options.is_object() {
        options = json!({});
    }
    if let Some(propagation) = mount.get("Propagation").as_text() {
        options["Propagation"] = propagation.into();
    }
    if mount.get("NoCopy").as_bool() == Some(true) {
        options["NoCopy"] = true.into();
    }
    let member = match kind {
        "tmpfs" => "TmpfsOptions",
        "volume" => "VolumeOptions",
        _ => "BindOptions",
    };
    if options.as_object().is_some_and(|options| !options.is_empty()) {
        json[member] = options;
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bind_and_the_same_bind_as_a_mount_read_alike() {
        let binds = read(&json!({ "Binds": ["/a:/b:ro"] }));
        let mounts = read(&json!({ "Mounts": [
            { "Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true }
        ]}));
        let mut bind = binds.get("/b").as_map().cloned().unwrap();
        bind.remove("Create");
        assert_eq!(&Value::Map(bind), mounts.get("/b"));
    }

    #[test]
    fn mounts_read_back_as_they_were_written() {
        let wanted = Value::map([
            (
                "/data",
                Value::map([
                    ("Type", Value::text("bind")),
                    ("Source", Value::text("/srv/data")),
                    ("Create", Value::Bool(true)),
                    ("Propagation", Value::text("rslave")),
                ]),
            ),
            (
                "/tmp",
                Value::map([
                    ("Type", Value::text("tmpfs")),
                    ("Options", Value::map([("SizeBytes", Value::Int(4096))])),
                ]),
            ),
            (
                "/vol",
                Value::map([
                    ("Type", Value::text("volume")),
                    ("Source", Value::text("p_v")),
                    ("NoCopy", Value::Bool(true)),
                ]),
            ),
            ("/anonymous", Value::map([("Type", Value::text("volume"))])),
        ]);
        let mut body = json!({});
        write(&wanted, &mut body);
        assert_eq!(read(&body["HostConfig"]), wanted);
    }
}
