//! Memory as a file: what is worth more than a look at the engine.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::write_atomically;
use crate::planning::memory::Memory;
use crate::state::ids::{ContainerId, Generation, ServiceName, SpecHash};
use crate::state::time::EngineTime;

/// The version of the form below; a file of another one is begun anew.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    generation: Option<Generation>,
    proven: BTreeMap<ContainerId, String>,
    quirks: Vec<StoredQuirks>,
    conditions: BTreeMap<String, StoredCondition>,
}

#[derive(Serialize, Deserialize)]
struct StoredQuirks {
    service: ServiceName,
    spec: SpecHash,
    fields: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct StoredCondition {
    status: Option<bool>,
    since: String,
}

pub(super) fn read(path: &Path) -> io::Result<Memory> {
    let stored: Stored = serde_json::from_slice(&std::fs::read(path)?)?;
    if stored.version != VERSION {
        let message = format!("it is of version {}", stored.version);
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let time = |text: &str| text.parse::<EngineTime>().map_err(io::Error::other);
    let mut memory = Memory { generation: stored.generation, ..Memory::default() };
    for (id, started) in stored.proven {
        memory.proven.insert(id, time(&started)?);
    }
    for quirks in stored.quirks {
        memory.quirks.insert((quirks.service, quirks.spec), quirks.fields);
    }
    for (about, condition) in stored.conditions {
        memory.conditions.insert(about, (condition.status, time(&condition.since)?));
    }
    Ok(memory)
}

pub(super) fn write(path: &Path, memory: &Memory) -> io::Result<()> {
    let stored = Stored {
        version: VERSION,
        generation: memory.generation.clone(),
        proven: memory
            .proven
            .iter()
            .map(|(id, time)| (id.clone(), time.to_string()))
            .collect(),
        quirks: memory
            .quirks
            .iter()
            .map(|((service, spec), fields)| StoredQuirks {
                service: service.clone(),
                spec: spec.clone(),
                fields: fields.clone(),
            })
            .collect(),
        conditions: memory
            .conditions
            .iter()
            .map(|(about, (status, since))| {
                (
                    about.clone(),
                    StoredCondition { status: *status, since: since.to_string() },
                )
            })
            .collect(),
    };
    write_atomically(path, &serde_json::to_vec_pretty(&stored)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stacks/web.json");
        let time: EngineTime = "2026-11-22T10:00:00.123456789Z".parse().unwrap();
        let mut memory =
            Memory { generation: Some(Generation::new("sha256:1")), ..Memory::default() };
        memory.proven.insert(ContainerId::new("c1"), time);
        memory.conditions.insert("stack Ready".to_owned(), (Some(true), time));
        memory.quirks.insert(
            (ServiceName::new("web"), SpecHash::new("sha256:2")),
            [("dns".to_owned(), "sha256:3".to_owned())].into(),
        );
        write(&path, &memory).unwrap();
        assert_eq!(read(&path).unwrap(), memory);
    }

    #[test]
    fn a_file_of_rubbish_is_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.json");
        for rubbish in [&b""[..], b"{", b"[]", b"\xff\xfe", b"{\"version\":99}"] {
            std::fs::write(&path, rubbish).unwrap();
            assert!(read(&path).is_err());
        }
    }
}
