//! The form of what is remembered of folders that hold data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::planning::data_path::DataPath;
use crate::state::ids::ContainerId;
use crate::store::form::EngineTimeText;

/// A folder as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredDataPath {
    had_entries: bool,
    mount: String,
    container: ContainerId,
    started: EngineTimeText,
}

impl StoredDataPath {
    pub(super) fn new(path: &DataPath) -> Self {
        let DataPath { had_entries, mount, container, started } = path;
        Self {
            had_entries: *had_entries,
            mount: mount.clone(),
            container: container.clone(),
            started: EngineTimeText(*started),
        }
    }
}

/// Reads what was stored of all folders.
pub(super) fn data_paths(
    stored: BTreeMap<String, StoredDataPath>,
) -> BTreeMap<String, DataPath> {
    let read = |it: StoredDataPath| DataPath {
        had_entries: it.had_entries,
        mount: it.mount,
        container: it.container,
        started: it.started.0,
    };
    stored.into_iter().map(|(path, it)| (path, read(it))).collect()
}
