//! Which folders of the host hold the data of a stack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::state::desired::Desired;
use crate::state::ids::{ServiceName, VolumeKey};
use crate::state::observed::Observed;
use crate::state::value::Value;

/// A folder that holds data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder {
    /// A short name that no other folder of the stack has.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// The named volume whose folder it is.
    pub volume: Option<String>,
    /// The services that mount it.
    pub services: Vec<ServiceName>,
}

/// The folders that hold data, and what may hold some and is none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// The folders, by path; none lies in another.
    pub folders: Vec<DataFolder>,
    /// What is left out, and why, each in one sentence.
    pub left_out: Vec<String>,
}

/// What is known of one path.
#[derive(Default)]
struct Mounted {
    volume: Option<String>,
    services: BTreeSet<ServiceName>,
}

/// Folders of the system that a container may be given and that are nobody's data.
const OF_SYSTEM: [&str; 6] = ["/dev", "/proc", "/sys", "/run", "/var/run", "/tmp"];

/// Returns the data folders of a stack: those that `x-reconciler.backup.paths` names; else
/// every folder that a service may write to, named volumes of the stack among them.
///
/// # Errors
/// There is none, or one cannot be taken; in one sentence, with what to do.
pub fn data(desired: &Desired, observed: &Observed) -> Result<Data, String> {
    let asked = desired.settings.backup.as_ref().map(|it| it.paths.as_slice());
    let mut data = Data::default();
    let mut mounted = writable(desired, observed, &mut data.left_out);
    let paths = asked.unwrap_or_default();
    if !paths.is_empty() {
        data.left_out.clear();
        let mut chosen: BTreeMap<String, Mounted> = BTreeMap::new();
        for path in paths {
            let path = path.trim_end_matches('/').to_owned();
            let own = mounted.remove(&path).unwrap_or_default();
            chosen.insert(path, own);
        }
        mounted = chosen;
    }
    if let Some(path) = mounted.keys().find(|path| is_of_system(path)) {
        return Err(format!(
            "{} is no folder of data alone: name the folders in `x-reconciler.backup.paths`",
            if path.is_empty() { "/" } else { path }
        ));
    }
    if mounted.is_empty() {
        return Err("no service has a folder or a named volume that it may write to: \
                    there is nothing to back up; `x-reconciler.backup.paths` names folders"
            .to_owned());
    }
    let paths: Vec<String> = mounted.keys().cloned().collect();
    let mut names = BTreeSet::new();
    for (path, Mounted { volume, services }) in mounted {
        let lies_in = |other: &&String| {
            **other != path && Path::new(&path).starts_with(other.as_str())
        };
        if paths.iter().any(|other| lies_in(&other)) {
            continue;
        }
        let name = name(&path, volume.as_deref(), &mut names);
        let services = services.into_iter().collect();
        data.folders.push(DataFolder { name, path, volume, services });
    }
    Ok(data)
}

/// Returns every path of the host that a service may write to.
fn writable(
    desired: &Desired,
    observed: &Observed,
    left_out: &mut Vec<String>,
) -> BTreeMap<String, Mounted> {
    let mut mounted: BTreeMap<String, Mounted> = BTreeMap::new();
    for service in desired.services.values() {
        for mount in service.canonical.get("volumes").items() {
            if mount.get("read_only").as_bool() == Some(true) {
                continue;
            }
            let source = mount.get("source").as_text().unwrap_or_default();
            let (path, volume) = match mount.get("type").as_text() {
                Some("bind") => match bound(source, observed) {
                    Ok(path) => (path, None),
                    Err(why) => {
                        left_out.push(format!("{source} of {}: {why}", service.name));
                        continue;
                    }
                },
                Some("volume") => match volume(source, mount, desired, observed) {
                    Ok((path, name)) => (path, Some(name)),
                    Err(why) => {
                        left_out.push(format!("{source} of {}: {why}", service.name));
                        continue;
                    }
                },
                Some(_) | None => continue,
            };
            let entry = mounted.entry(path).or_default();
            entry.volume = volume;
            entry.services.insert(service.name.clone());
        }
    }
    mounted
}

fn bound(source: &str, observed: &Observed) -> Result<String, String> {
    let path = source.trim_end_matches('/').to_owned();
    // What is no folder is not looked into, so it has nothing in it.
    match observed.host_paths.get(source) {
        Some(Some(_)) => Ok(path),
        Some(None) => Err("there is nothing there".to_owned()),
        None => Err("it is no folder of this host that can be read".to_owned()),
    }
}

fn volume(
    source: &str,
    mount: &Value,
    desired: &Desired,
    observed: &Observed,
) -> Result<(String, String), String> {
    if source.is_empty() {
        let target = mount.get("target").as_text().unwrap_or_default();
        return Err(format!("the volume at {target} has no name"));
    }
    let key = VolumeKey::new(source);
    let spec = desired.volumes.get(&key);
    let spec = spec.ok_or_else(|| "the file does not declare it".to_owned())?;
    if spec.external {
        return Err("it is external: it belongs to somebody else, who backs it up".into());
    }
    let volume = observed.volumes.get(&spec.name);
    let path = volume.and_then(|it| it.mountpoint.clone());
    let path = path.ok_or_else(|| "its folder is not known".to_owned())?;
    Ok((path, spec.name.to_string()))
}

fn is_of_system(path: &str) -> bool {
    path.is_empty() || OF_SYSTEM.contains(&path)
}

/// Makes a name for a folder: the volume's, or the last part of the path, with a number
/// where another has it.
fn name(path: &str, volume: Option<&str>, names: &mut BTreeSet<String>) -> String {
    let last = volume.unwrap_or_else(|| path.rsplit('/').next().unwrap_or_default());
    let fit = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let base: String =
        last.chars().map(|it| if fit(it) { it } else { '-' }).take(64).collect();
    let base = if base.is_empty() { "data".to_owned() } else { base };
    let mut name = base.clone();
    let mut number = 1;
    while !names.insert(name.clone()) {
        number += 1;
        name = format!("{base}-{number}");
    }
    name
}
