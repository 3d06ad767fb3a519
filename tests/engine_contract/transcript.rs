//! What was asked, answered, shown and told: recorded from the real engine, and compared.
//!
//! One file per scenario under `tests/data/transcripts/VERSION/`. With
//! `RECORD_TRANSCRIPTS=1` a run on the real engine writes its own; every other run, be it
//! on the real engine or on the simulated one, has to be the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use similar::TextDiff;

/// Where the transcripts are, a folder for each version of the engine.
const FOLDER: &str = "tests/data/transcripts";
/// The oldest version there is a transcript of: newer ones are compared with it as long as
/// they have none of their own.
const OLDEST: &str = "20.10";

/// Returns the scenarios of which there is a transcript.
pub(crate) fn recorded(version: &str) -> BTreeSet<String> {
    let folder = Path::new(FOLDER).join(version);
    let files = std::fs::read_dir(folder).expect("a folder of transcripts");
    let names = files.map(|file| file.expect("a file").path());
    names.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

/// What happened in one scenario.
#[derive(Debug)]
pub(crate) struct Transcript {
    scenario: String,
    /// `20.10`, of the engine.
    version: String,
    acts: Vec<Json>,
}

impl Transcript {
    /// Begins a transcript.
    pub(crate) fn new(scenario: &str, version: &str) -> Self {
        let version: Vec<_> = version.split('.').take(2).collect();
        let (scenario, version) = (scenario.to_owned(), version.join("."));
        Self { scenario, version, acts: Vec::new() }
    }

    /// Adds an act.
    pub(crate) fn add(&mut self, act: Json) {
        self.acts.push(act);
    }

    fn file(&self, version: &str) -> PathBuf {
        Path::new(FOLDER).join(version).join(format!("{}.json", self.scenario))
    }

    /// Compares the transcript with the recorded one, or records it.
    pub(crate) fn finish(self, may_record: bool) {
        let (scenario, acts) = (&self.scenario, &self.acts);
        let text = json!({ "scenario": scenario, "acts": acts });
        let text = serde_json::to_string_pretty(&text).expect("JSON") + "\n";
        let own = self.file(&self.version);
        if may_record && std::env::var("RECORD_TRANSCRIPTS").is_ok_and(|it| it == "1") {
            std::fs::create_dir_all(own.parent().expect("a folder")).expect("a folder");
            std::fs::write(own, text).expect("a transcript");
            return;
        }
        let file = if own.exists() { own } else { self.file(OLDEST) };
        let recorded = std::fs::read_to_string(&file).unwrap_or_default();
        if recorded == text {
            return;
        }
        let diff = TextDiff::from_lines(&recorded, &text);
        let mut diff = diff.unified_diff();
        let diff = diff.context_radius(8).header("recorded", "this run");
        panic!(
            "{scenario}: not as in {}; if the engine is right, record it again with \
             RECORD_TRANSCRIPTS=1\n{diff}",
            file.display()
        );
    }
}
