//! Our canonical form against that of `docker compose config --format json`.
//!
//! Every file of `tests/data/oracle` goes through both; `NAME.over.yaml` and
//! `NAME.over2.yaml` are merged over `NAME.yaml`. What differs for a good reason is listed
//! in [`divergences`], and nothing else may differ. The files in `refused` must be refused
//! by both.
//!
//! The oracle is Debian 13's `docker-compose`; `tests/lab/build oracle` makes it.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops at what it cannot use, and says what it skips"
)]

mod divergences;
mod pipeline;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

/// The environment of both sides.
pub(crate) const VARIABLES: [(&str, &str); 12] = [
    ("TAG", "1.10"),
    ("EMPTY", ""),
    ("NUMBER", "5"),
    ("CPUS", "0.5"),
    ("MEMORY", "64m"),
    ("TRUTH", "true"),
    ("YES", "yes"),
    ("ZEROS", "0755"),
    ("PORT", "8080"),
    ("TIME", "90s"),
    ("lower_case", "lower"),
    ("PRESENT", "from outside"),
];

/// The home folder of both sides.
pub(crate) const HOME: &str = "/home/somebody";

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/oracle")
}

/// Finds the oracle. Without one nothing can be compared, which is an error where all
/// tests must run.
fn oracle() -> Option<PathBuf> {
    let told = std::env::var_os("RECONCILER_ORACLE").map(PathBuf::from);
    let made =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/lab/bin/docker-compose");
    let found = told.or_else(|| made.exists().then_some(made));
    let must_run =
        std::env::var("RECONCILER_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    assert!(
        found.is_some() || !must_run,
        "there is no oracle; make it with `tests/lab/build oracle`, or name it in \
         RECONCILER_ORACLE"
    );
    if found.is_none() {
        eprintln!("skipped: no oracle; make it with `tests/lab/build oracle`");
    }
    found
}

/// Returns the files of a case, in the order in which they are merged.
fn files(base: &Path) -> Vec<PathBuf> {
    let over = ["over.yaml", "over2.yaml"].map(|suffix| base.with_extension(suffix));
    std::iter::once(base.to_owned())
        .chain(over.into_iter().filter(|path| path.exists()))
        .collect()
}

/// Returns the names and first files of the cases in a folder.
fn cases(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut cases: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .expect("the folder of the cases")
        .map(|entry| entry.expect("a readable folder").path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(".yaml")?.to_owned();
            let is_first = !name.contains(".over");
            is_first.then_some((name, path))
        })
        .collect();
    cases.sort();
    cases
}

/// Asks the oracle; the error is what it says.
fn ask(oracle: &Path, files: &[PathBuf]) -> Result<Json, String> {
    let mut command = Command::new(oracle);
    command.env_clear().env("HOME", HOME).env("DOCKER_HOST", "tcp://127.0.0.1:1");
    command.env("PATH", "/usr/bin:/bin").envs(VARIABLES);
    for file in files {
        command.arg("-f").arg(file);
    }
    let output =
        command.args(["config", "--format", "json"]).output().expect("the oracle runs");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).expect("the oracle prints JSON"))
}

#[test]
fn the_canonical_form_is_that_of_docker_compose() {
    let Some(oracle) = oracle() else { return };
    let mut failures = Vec::new();
    for (name, base) in cases(&data()) {
        let files = files(&base);
        let expected = ask(&oracle, &files);
        let ours = pipeline::stack(&files).map(|stack| pipeline::printed(&stack));
        let failure = match (expected, ours) {
            (Ok(_), Ok(_)) if divergences::is_only_ours(&name) => {
                Some("the oracle does not refuse it any more".to_owned())
            }
            (Ok(mut expected), Ok(mut ours)) => {
                divergences::take_out(&name, &mut expected, &mut ours);
                (expected != ours).then(|| difference(&expected, &ours))
            }
            (Ok(_), Err(problems)) => Some(format!("only we refuse it:\n{problems}")),
            (Err(_), Ok(_)) if divergences::is_only_ours(&name) => None,
            (Err(error), _) => Some(format!("the oracle refuses it: {error}")),
        };
        failures.extend(failure.map(|failure| format!("== {name}\n{failure}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_docker_compose_refuses_is_refused() {
    let Some(oracle) = oracle() else { return };
    for (name, base) in cases(&data().join("refused")) {
        let files = files(&base);
        assert!(ask(&oracle, &files).is_err(), "{name}: the oracle accepts it");
        assert!(pipeline::stack(&files).is_err(), "{name}: we accept it");
    }
}

#[test]
fn the_yaml_text_of_every_case_is_the_same_stack_again() {
    for (name, base) in cases(&data()) {
        let stack = pipeline::stack(&files(&base)).expect(&name);
        let text = reconciler::compose::render::yaml_text(&stack);
        let again = pipeline::stack_of_text(&text, &base);
        assert_eq!(again, Ok(stack), "{name}:\n{text}");
    }
}

fn difference(expected: &Json, ours: &Json) -> String {
    let (expected, ours) = (format!("{expected:#}"), format!("{ours:#}"));
    let diff = similar::TextDiff::from_lines(&expected, &ours);
    diff.unified_diff().context_radius(4).header("oracle", "ours").to_string()
}
