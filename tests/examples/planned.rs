//! Every example is valid, and its plan for an engine that has nothing but the images is as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anstream::adapter::strip_str;
use reconciler::compose::load::{Request, load};
use reconciler::planning::memory::Memory;
use reconciler::planning::plan::plan_world;
use reconciler::planning::world::{Allowed, World};
use reconciler::source::file::HostFiles;
use reconciler::state::digest::DigestKey;
use reconciler::state::document::Document;
use reconciler::state::ids::ImageId;
use reconciler::state::observed::{EngineFacts, Image, Observed};
use reconciler::state::time::{EngineTime, Moment, Now};
use reconciler::view::plan::{StackPlan, drawn};
use reconciler::view::problems;

use crate::product::{lab_key, repository};

/// What production asks a person to choose.
const CHOSEN: [(&str, &str); 7] = [
    ("DATABASE_PASSWORD", "chosen"),
    ("DOCKER_GROUP", "999"),
    ("GRAFANA_PASSWORD", "chosen"),
    ("METRICS_TOKEN", "chosen"),
    ("MINIO_ROOT_USER", "chosen"),
    ("MINIO_ROOT_PASSWORD", "chosen"),
    ("MILVUS_PASSWORD", "chosen"),
];

/// Returns an engine that has nothing.
fn empty_engine() -> Observed {
    Observed {
        facts: EngineFacts {
            id: "none".to_owned(),
            version: "20.10.24".to_owned(),
            api: (1, 41),
            cpus: 8,
            cgroup_version: 2,
            log_driver: "json-file".to_owned(),
            runtime: "runc".to_owned(),
            time: EngineTime::UNIX_EPOCH,
        },
        containers: BTreeMap::new(),
        strangers: BTreeMap::new(),
        networks: BTreeMap::new(),
        volumes: BTreeMap::new(),
        images: BTreeMap::new(),
        guests: BTreeMap::new(),
        host_paths: BTreeMap::new(),
    }
}

fn image() -> Image {
    let (id, config) = (ImageId::new("sha256:1"), Document::default());
    Image { id, created: None, config }
}

/// Loads files with and without the lab's variables, and returns the plan for production.
fn planned(files: &[&str], lab: &[&str]) -> String {
    let paths = |names: &[&str]| names.iter().map(|it| repository().join(it)).collect();
    let text = plan_of(paths(&files[..1]), Vec::new(), &CHOSEN);
    if !lab.is_empty() {
        plan_of(paths(files), paths(lab), &[]);
    }
    text
}

fn plan_of(
    files: Vec<PathBuf>,
    env_files: Vec<PathBuf>,
    environment: &[(&str, &str)],
) -> String {
    let request = Request {
        files,
        env_files,
        project: None,
        profiles: BTreeSet::new(),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        digest_key: DigestKey::new([0; 32]),
        checkout: None,
    };
    let key = lab_key();
    let files = HostFiles::for_user(false, false).with_age_key(Some(key.path()));
    let loaded = load(&request, &files);
    let problems = problems::drawn(&loaded.problems, &loaded.sources);
    assert_eq!(strip_str(&problems).to_string(), "", "{:?}", request.files);
    let desired = loaded.desired.expect("a stack");
    let (mut observed, memory) = (empty_engine(), Memory::default());
    for service in desired.services.values() {
        observed.images.insert(service.image.to_string(), Some(image()));
    }
    let now = Now { moment: Moment::default(), engine: EngineTime::UNIX_EPOCH };
    let world = World::new(&desired, &observed, &memory, now, Allowed::default());
    let plan = plan_world(&world);
    let stack = StackPlan {
        project: &desired.project,
        generation: &desired.generation,
        plan: &plan,
    };
    let text = strip_str(&drawn(&[stack], now.moment)).to_string();
    // The first line has the digest, into which the paths of this machine enter.
    text.split_once("\n\n").expect("a headline").1.to_owned()
}

#[test]
fn every_size_of_milvus_is_valid_and_none_is_warned_of() {
    let sizes = ["small", "medium", "large"];
    let plans: BTreeSet<String> = sizes
        .iter()
        .map(|size| {
            let size = format!("examples/milvus-sizes/{size}.yaml");
            let files = ["desired-state/milvus.yaml", &size];
            let files = files.iter().map(|it| repository().join(it)).collect();
            plan_of(files, Vec::new(), &CHOSEN)
        })
        .collect();
    assert_eq!(plans.len(), 1, "they differ in limits only, which no first plan shows");
}

#[test]
fn every_variable_of_the_production_stack_is_explained() {
    let text = |name| std::fs::read_to_string(repository().join(name)).unwrap();
    let explained = text("desired-state/.env.example");
    let stack =
        text("desired-state/milvus.yaml") + &text("desired-state/monitoring.yaml");
    for used in stack.split("${").skip(1) {
        let end = used.find(|it: char| !it.is_ascii_uppercase() && it != '_').unwrap();
        let line = |it: &str| {
            it.trim_start_matches('#').starts_with(&format!("{}=", &used[..end]))
        };
        assert!(explained.lines().any(line), "{}", &used[..end]);
    }
}

#[test]
fn every_example_is_planned_without_a_problem() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(repository().join("examples")).unwrap() {
        let entry = entry.unwrap();
        // Not every example is a stack.
        if entry.path().join("compose.yaml").exists() {
            names.push(entry.file_name().into_string().unwrap());
        }
    }
    names.sort();
    for name in names {
        let file = |what| format!("examples/{name}/{what}");
        let (file, lab) = (file("compose.yaml"), file("lab.env"));
        // Not every example is for the lab.
        let lab: &[&str] = if repository().join(&lab).exists() { &[&lab] } else { &[] };
        insta::assert_snapshot!(name.as_str(), planned(&[&file], lab));
    }
}

#[test]
fn production_is_planned_without_a_problem() {
    let files = ["desired-state/milvus.yaml", "tests/lab/milvus.lab.yaml"];
    insta::assert_snapshot!("milvus", planned(&files, &["tests/lab/lab.env"]));
    let files = ["desired-state/monitoring.yaml", "tests/lab/monitoring.lab.yaml"];
    let lab = ["tests/lab/monitoring.env"];
    insta::assert_snapshot!("monitoring", planned(&files, &lab));
}
