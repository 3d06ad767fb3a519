//! History and rollback without an operator, on a simulated engine.

use serde_json::Value as Json;

use crate::simulated::Scene;

fn history(scene: &Scene) -> Vec<Json> {
    let json = scene.product.ends(0, &["history", "-o", "json"]).json();
    json["stacks"][0]["revisions"].as_array().cloned().unwrap_or_default()
}

#[test]
fn what_was_wanted_is_listed_with_what_came_of_it() {
    let scene = Scene::new();
    let product = &scene.product;
    let empty = product.ends(0, &["history"]);
    assert!(empty.output.starts_with("No revisions"), "{empty}");
    product.apply();
    scene.want("missing:1");
    product.ends(1, &["apply", "--timeout", "1s"]);
    scene.want("web:2");
    product.apply();
    product.apply();
    let all = history(&scene);
    let told: Vec<(&str, bool)> = all
        .iter()
        .map(|it| (it["result"].as_str().unwrap(), it["current"].as_bool().unwrap()))
        .collect();
    assert_eq!(told, [("converged", true), ("failed", false), ("converged", false)]);
    // What was to change and how long it took; a second `apply` of the same adds nothing.
    let actions: Vec<&Json> = all.iter().map(|it| &it["changes"][0]["action"]).collect();
    assert_eq!(actions, ["recreate", "recreate", "create"]);
    assert_eq!(all[0]["changes"][0]["fields"], serde_json::json!(["image"]));
    assert!(all.iter().all(|it| it["duration_seconds"].is_number()), "{all:?}");
    assert!(all.iter().all(|it| it["commit"].is_null()), "{all:?}");
    let text = product.ends(0, &["history"]);
    assert!(text.output.contains("converged, current"), "{text}");
    assert_eq!(text.output.lines().count(), 4, "{text}");
}

#[test]
fn a_rollback_holds_until_the_file_changes_or_it_is_resumed() {
    let scene = Scene::new();
    let product = &scene.product;
    product.apply();
    scene.want("missing:1");
    product.ends(1, &["apply", "--timeout", "1s"]);
    let ended = product.ends(0, &["rollback"]);
    assert!(ended.notices.contains("shop is pinned to revision "), "{ended}");
    assert!(ended.notices.contains("shop is ready"), "{ended}");
    assert!(history(&scene)[0]["pinned"].as_bool().unwrap());
    // It is what is wanted now, and that is told.
    let diff = product.ends(0, &["diff"]);
    assert!(diff.output.contains("! shop  Pinned: revision "), "{diff}");
    let status = product.ends(0, &["status"]);
    assert!(status.output.contains("Pinned=True"), "{status}");
    product.apply();
    // The same bytes again are no change; others are.
    scene.want("missing:1");
    product.assert_in_sync();
    scene.want("web:3");
    product.ends(1, &["diff"]);
    product.apply();
    assert_eq!(scene.image(), "web:3");
    assert!(!product.ends(0, &["status"]).output.contains("Pinned"));

    product.ends(0, &["rollback"]);
    assert_eq!(scene.image(), "web:1");
    let ended = product.ends(0, &["resume"]);
    assert!(ended.notices.contains("its file counts again"), "{ended}");
    product.apply();
    assert_eq!(scene.image(), "web:3");
}

#[test]
fn a_revision_is_named_by_its_first_digits_and_a_bad_file_is_no_obstacle() {
    let scene = Scene::new();
    let product = &scene.product;
    let ended = product.ends(2, &["rollback"]);
    assert!(ended.notices.contains("no revision before the current one"), "{ended}");
    product.apply();
    scene.want("web:2");
    product.apply();
    scene.want("web:3");
    product.apply();
    let all = history(&scene);
    let first = all[2]["revision"].as_str().unwrap();
    for (given, words) in [("zzz", "there is no revision zzz"), ("", "no revision")] {
        let ended = product.ends(2, &["rollback", given]);
        assert!(ended.notices.contains(words), "{ended}");
    }
    product.write("stack.yaml", "services: [");
    product.ends(0, &["rollback", &first[..16]]);
    assert_eq!(scene.image(), "web:1");
    product.assert_in_sync();
    // A bad file that is another one changes nothing.
    product.write("stack.yaml", "services: ]");
    let status = product.ends(1, &["status"]);
    assert!(status.output.contains("SpecValid=False"), "{status}");
    assert!(status.output.contains("2 services"), "{status}");
    assert_eq!(scene.image(), "web:1");
}
