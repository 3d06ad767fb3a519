//! The two Compose files of the guide, as they were published.

use std::collections::BTreeSet;

use crate::product::{Product, repository};

/// Validates a file; returns its warnings, each as `path: message`.
fn warnings(name: &str) -> BTreeSet<String> {
    let mut product = Product::bare();
    let path = repository().join("tests/data/guide").join(name);
    product.option(&["-f", &path.display().to_string()]);
    let json = product.ends(0, &["validate", "-o", "json"]).json();
    assert_eq!(json["valid"], true);
    let problems = json["problems"].as_array().expect("problems");
    problems
        .iter()
        .map(|problem| {
            assert_eq!(problem["severity"], "warning", "{problem}");
            assert!(problem["line"].is_u64() && problem["column"].is_u64(), "{problem}");
            let text =
                |field: &str| problem[field].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text("path"), text("message"))
        })
        .collect()
}

#[test]
fn the_stack_of_the_guide_is_valid_and_its_warnings_tell_the_truth() {
    let warnings = warnings("docker-compose-prod.yml");
    insta::assert_snapshot!(warnings.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn its_monitoring_is_valid_too() {
    let warnings = warnings("docker-compose-monitoring.yml");
    insta::assert_snapshot!(warnings.into_iter().collect::<Vec<_>>().join("\n"));
}
