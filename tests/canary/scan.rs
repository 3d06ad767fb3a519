//! Searching for secrets.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value as Json;

use crate::places::{HUSH, Origin, PLACES, secret};
use crate::real::client;

/// How many rounds of secrets there are.
const ROUNDS: u32 = 9;

/// Asserts that no secret stands in a text; it is told by its place, and with what is
/// around it.
#[track_caller]
pub(crate) fn assert_none(what: &str, text: &str) {
    let at = [HUSH, "AGE-SECRET-KEY"].into_iter().find_map(|it| text.find(it));
    let Some(at) = at else { return };
    let from = text.floor_char_boundary(at.saturating_sub(300));
    let to = text.ceil_char_boundary((at + 100).min(text.len()));
    panic!("a secret in {what}: {}", &text[from..to]);
}

/// Asserts that the state directory holds no secret but where it may: files of the stack
/// as they were read, which are in clear, and what containers wrote; for the owner alone.
#[track_caller]
pub(crate) fn state_directory(folder: &Path, rooms: &[&str]) {
    let mut seen = BTreeMap::new();
    visit(folder, folder, &mut seen);
    for room in rooms {
        assert!(seen.get(*room).is_some_and(|count| *count > 3), "{room}: {seen:?}");
    }
}

fn visit(top: &Path, folder: &Path, seen: &mut BTreeMap<String, u32>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = path.metadata().expect("something");
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            visit(top, &path, seen);
            continue;
        }
        assert_eq!(mode, 0o600, "{}", path.display());
        let below = path.strip_prefix(top).expect("below");
        let room = below.iter().next().expect("a name").to_string_lossy().into_owned();
        let text =
            String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned();
        let may = |origin| match room.as_str() {
            "sources" | "revisions" => origin == Origin::Clear,
            _ => false,
        };
        assert!(!text.contains("AGE-SECRET-KEY"), "the key is in {}", path.display());
        let is_log = path.extension().is_some_and(|it| it == "log");
        for (place, origin) in PLACES {
            for round in 1..=ROUNDS {
                let found = text.contains(&secret(place, round));
                let known = may(origin) || is_log && place == "crash";
                assert!(
                    !found || known,
                    "{place} of round {round} in {}",
                    path.display()
                );
            }
        }
        *seen.entry(room).or_default() += 1;
    }
}

/// Asserts that the engine holds the secrets where the file puts them, and nowhere else:
/// neither in names, nor in labels that the file does not ask for.
pub(crate) async fn engine(project: &str) {
    let client = client();
    let filters = BTreeMap::from([(
        "label".to_owned(),
        vec![format!("com.docker.compose.project={project}")],
    )]);
    let filters = Some(filters.into_iter().collect());
    let options = bollard::query_parameters::ListContainersOptions {
        all: true,
        filters,
        ..Default::default()
    };
    let containers = client.list_containers(Some(options)).await.expect("a list");
    assert!(containers.len() >= 2, "{containers:?}");
    let mut held = String::new();
    for container in containers {
        let id = container.id.clone().expect("an id");
        let whole = client.inspect_container(&id, None).await.expect("a container");
        held += &serde_json::to_string(&whole).expect("JSON");
        assert_none("a name", &format!("{:?}", container.names));
        labels(container.labels.into_iter().flatten().collect());
    }
    for place in ["environment-literal", "env-file-age", "env-file-sops", "entrypoint"] {
        assert!(held.contains(place), "the engine was not given {place}");
    }
    let label = format!("com.docker.compose.project={project}");
    for what in ["network", "volume"] {
        let mut docker = std::process::Command::new("docker");
        docker.args([what, "ls", "-q", "--filter", &format!("label={label}")]);
        let names = String::from_utf8(docker.output().expect("docker").stdout).unwrap();
        for name in names.lines() {
            assert_none("a name", name);
            let mut docker = std::process::Command::new("docker");
            let said = docker.args([what, "inspect", name]).output().expect("docker");
            let said: Json = serde_json::from_slice(&said.stdout).expect("JSON");
            let found = said[0]["Labels"].as_object().cloned().unwrap_or_default();
            labels(
                found
                    .into_iter()
                    .map(|(name, value)| {
                        (name, value.as_str().unwrap_or_default().into())
                    })
                    .collect(),
            );
        }
    }
}

/// The one label that holds a secret is the one that the file asks for.
fn labels(labels: BTreeMap<String, String>) {
    for (name, value) in labels.into_iter().filter(|(name, _)| name != "note") {
        assert_none(&format!("the label {name}"), &value);
    }
}
