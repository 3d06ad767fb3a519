//! From files to canonical JSON, by way of the loader.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use reconciler::compose::files::{Files, ReadError};
use reconciler::compose::load::{Request, load};
use reconciler::compose::render;
use reconciler::state::digest::DigestKey;
use reconciler::state::value::Value;
use serde_json::Value as Json;

/// The files of this machine, without any doubt about them.
struct Host;

impl Files for Host {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        std::fs::read(path).map_err(|error| {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            if missing {
                ReadError::Missing
            } else {
                ReadError::Failed(error.to_string())
            }
        })
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
}

/// Returns the canonical stack of files, or nothing and their problems.
pub(crate) fn stack(files: &[PathBuf]) -> Result<Value, String> {
    loaded(files, &Host)
}

/// Returns the canonical stack of a text that stands where a file stood.
pub(crate) fn stack_of_text(text: &str, place: &Path) -> Result<Value, String> {
    let files = BTreeMap::from([(place.to_owned(), text.as_bytes().to_vec())]);
    loaded(&[place.to_owned()], &files)
}

/// Returns what `config -o json` prints of a stack.
pub(crate) fn printed(stack: &Value) -> Json {
    serde_json::from_str(&render::json_text(stack)).expect("JSON")
}

fn loaded(files: &[PathBuf], host: &dyn Files) -> Result<Value, String> {
    let variables = super::VARIABLES.iter().chain(&[("HOME", super::HOME)]);
    let request = Request {
        files: files.to_vec(),
        env_files: Vec::new(),
        project: None,
        profiles: std::collections::BTreeSet::default(),
        environment: variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        digest_key: DigestKey::new([7; 32]),
        checkout: None,
    };
    let loaded = load(&request, host);
    let mut problems = String::new();
    for problem in loaded.problems.iter() {
        let place = problem.span.and_then(|span| loaded.sources.position(span));
        let line = place.map_or(0, |(_, line, _)| line);
        writeln!(problems, "{line}: {}: {}", problem.path, problem.message)
            .expect("text can be written");
    }
    loaded.canonical.map(|node| render::canonical(&node)).ok_or(problems)
}
