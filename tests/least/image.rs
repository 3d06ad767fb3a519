//! The image of `examples/container`, and the engine's own client.

use std::fs;
use std::process::Command;

use crate::product::Ended;
use crate::real::{Corner, IMAGE};

/// What the recipe's own base is replaced by, where no registry is in reach.
const BASE: &str = "lab/programs:bookworm";

/// Runs the engine's own client.
pub(crate) fn docker(arguments: &[&str]) -> Ended {
    let output = Command::new("docker").args(arguments).output().expect("docker runs");
    Ended {
        code: output.status.code().unwrap_or(-1),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        notices: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// As [`docker`], which must succeed.
#[track_caller]
pub(crate) fn docker_does(arguments: &[&str]) {
    let ended = docker(arguments);
    assert_eq!(ended.code, 0, "{arguments:?}: {ended}");
}

/// Builds the image with the binary under test; nothing where the lab is not there.
pub(crate) async fn build(corner: &Corner) -> Option<String> {
    if !corner.has(IMAGE).await || !corner.has(BASE).await {
        return None;
    }
    let context = tempfile::tempdir().expect("a folder");
    let binary = env!("CARGO_BIN_EXE_reconciler");
    fs::copy(binary, context.path().join("reconciler")).expect("the binary");
    let (image, base) = (corner.name("operator"), format!("BASE={BASE}"));
    let recipe = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/container/Dockerfile");
    let context = context.path().display().to_string();
    docker_does(&[
        "build",
        "-q",
        "-t",
        &image,
        "--build-arg",
        &base,
        "-f",
        recipe,
        &context,
    ]);
    Some(image)
}
