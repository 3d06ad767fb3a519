//! Every attribute on the real engine: it is changed, `diff` names it and says what that
//! costs, `apply` brings it about, the engine shows it, `diff` is empty; and back again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    reason = "tests measure real time, list many cases, and match what they expect"
)]

mod case;
mod cases;
mod packing;
#[path = "../product/mod.rs"]
mod product;
#[path = "../real/mod.rs"]
mod real;
mod top_level;
mod trial;

use std::collections::BTreeSet;

use reconciler::compose::attribute;
use reconciler::compose::attribute::field::Cost;
use reconciler::compose::attribute::shape::Shape;
use trial::Trial;

/// Rows that this engine cannot show, and why.
const NOT_HERE: &[(&str, &str)] = &[
    ("annotations", "they need API 1.43; Docker Engine 20.10 drops them"),
    ("healthcheck.start_interval", "it needs API 1.44"),
    ("gpus", "there is no GPU, and a container that asks for one does not start"),
    ("deploy.resources.reservations.devices", "as gpus"),
    (
        "HostConfig.BlkioWeight",
        "the kernel here has no weights, and the engine drops them",
    ),
    ("HostConfig.BlkioWeightDevice", "as HostConfig.BlkioWeight"),
    ("privileged", "an engine that is confined itself cannot give every right away"),
    ("storage_opt", "the storage driver here knows no size"),
];

#[test]
fn every_field_of_every_row_is_tried() {
    let cases = cases::all();
    let tried: BTreeSet<(&str, &str)> = cases
        .iter()
        .flat_map(|case| case.shows.iter().map(|shown| (case.row, shown.pointer)))
        .collect();
    let mut rows = Vec::new();
    place(&attribute::service::SERVICE, "", &mut rows);
    let excused = |path: &str, pointer: &str| {
        NOT_HERE.iter().any(|(known, _)| *known == path || *known == pointer)
    };
    let untried: Vec<String> = rows
        .iter()
        .filter(|(path, pointer)| {
            !excused(path, pointer) && !tried.contains(&(path, pointer))
        })
        .map(|(path, pointer)| format!("{path} ({pointer})"))
        .collect();
    assert!(untried.is_empty(), "add a case for each of these: {untried:#?}");

    let pointers: BTreeSet<&str> = rows.iter().map(|(_, pointer)| *pointer).collect();
    for (path, field) in attribute::fields() {
        assert!(pointers.contains(field.pointer), "{path} is not among the rows");
    }
    for (path, why) in NOT_HERE {
        let is_known = rows.iter().any(|(row, pointer)| row == path || pointer == path);
        assert!(is_known, "nothing is called {path}: {why}");
    }
    for case in &cases {
        let names_itself = case.names.is_empty() || !case.shows.is_empty();
        assert!(names_itself, "{} shows nothing on the engine", case.name);
    }
}

/// A service takes the costs of all its cases together, so each one's own is asserted here.
#[test]
fn a_case_costs_what_its_fields_cost() {
    for case in cases::all().iter().filter(|case| !case.names.is_empty()) {
        let shown =
            |pointer: &str| case.shows.iter().any(|shown| shown.pointer == pointer);
        let costs: Vec<Cost> = attribute::fields()
            .filter(|(_, field)| shown(field.pointer))
            .map(|(_, field)| field.cost)
            .collect();
        let is_recreate = |cost: &Cost| *cost == Cost::Recreate;
        let expected = match (case.there, case.back) {
            ("recreate", "recreate") => costs.iter().any(is_recreate),
            ("update-in-place", _) => !costs.iter().any(is_recreate),
            _ => false,
        };
        assert!(expected, "{}: {costs:?}", case.name);
    }
}

#[tokio::test]
async fn processes_and_files_change_there_and_back() {
    run("process", [cases::process::all(), cases::storage::all()]).await;
}

#[tokio::test]
async fn limits_networks_and_rights_change_there_and_back() {
    run("limits", [cases::resources::all(), cases::networking::all()]).await;
}

async fn run(what: &str, families: [Vec<case::Case>; 2]) {
    let cases = families.into_iter().flatten().collect();
    let Some(trial) = Trial::new(what, cases).await else { return };
    trial.run();
}

/// Lists every row that names fields, with each of them.
fn place(shape: &Shape, prefix: &str, rows: &mut Vec<(String, &'static str)>) {
    for row in shape.rows() {
        let path = format!("{prefix}{}", row.key);
        rows.extend(row.fields.iter().map(|field| (path.clone(), field.pointer)));
        if row.fields.is_empty()
            && let Shape::Keys(_) = row.shape
        {
            place(&row.shape, &format!("{path}."), rows);
        }
    }
}
