//! The commands that need no engine, and those that miss it.

use crate::product::{CANARY, Product};

const GOOD: &str = "\
name: shop
services:
  web:
    image: web:${TAG:-1}
    depends_on: [db]
    ports: [\"8080:80\"]
  db:
    image: db:1
    environment:
      DB_PASSWORD: ${PASSWORD:-none}
  debug:
    image: debug:1
    profiles: [debugging]
";

fn good() -> Product {
    let product = Product::new();
    product.write("stack.yaml", GOOD);
    product
}

/// A product whose engine is nowhere.
fn alone(product: &mut Product) {
    product.option(&["--host", "unix:///nowhere/engine.sock"]);
}

#[test]
fn a_good_file_is_valid() {
    let product = good();
    let text = product.ends(0, &["validate"]);
    insta::assert_snapshot!(product.transcript(&text));
    let json = product.ends(0, &["validate", "-o", "json"]);
    insta::assert_snapshot!(product.transcript(&json));
}

#[test]
fn every_problem_of_a_bad_file_is_shown_at_its_place() {
    let product = Product::new();
    product.write(
        "stack.yaml",
        "name: shop\nservices:\n  web:\n    imgae: web:1\n    environment:\n      \
         DB_PASSWORD: [canary-that-nobody-may-print]\n    restart: sometimes\n",
    );
    let text = product.ends(2, &["validate"]);
    insta::assert_snapshot!(product.transcript(&text));
    let json = product.ends(2, &["validate", "-o", "json"]);
    insta::assert_snapshot!(product.transcript(&json));
    // No other command gets any further, and each says why.
    for command in ["config", "diff", "apply", "status", "delete"] {
        let ended = product.ends(2, &[command]);
        assert_eq!(ended.output, "", "{command}");
        assert!(ended.notices.contains("perhaps `image` was meant"), "{command}");
    }
    product.ends(2, &["explain", "web"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let product = Product::new();
    let ended = product.ends(2, &["validate"]);
    insta::assert_snapshot!(product.transcript(&ended));
}

#[test]
fn config_is_the_stack_as_the_engine_gets_it() {
    let mut product = good();
    product.variable("PASSWORD", CANARY);
    let text = product.ends(0, &["config"]);
    insta::assert_snapshot!(product.transcript(&text));
    let json = product.ends(0, &["config", "-o", "json"]).json();
    assert_eq!(json["services"]["web"]["image"], "web:1");
}

#[test]
fn names_variables_and_profiles_come_from_the_command_line_too() {
    let product = good();
    product.write("one.env", "TAG=2\nPASSWORD=x\n");
    product.write("two.env", "TAG=3\n");
    let config = |arguments: &[&str]| {
        let all = [&["config", "-o", "json"], arguments].concat();
        product.ends(0, &all).json()
    };
    assert_eq!(config(&[])["name"], "shop");
    assert_eq!(config(&["-p", "other"])["name"], "other");
    assert_eq!(config(&["--project-name", "other"])["name"], "other");
    let image = |json: &serde_json::Value| json["services"]["web"]["image"].clone();
    assert_eq!(image(&config(&["--env-file", "one.env"])), "web:2");
    let both = config(&["--env-file", "one.env", "--env-file", "two.env"]);
    assert_eq!(image(&both), "web:3");
    product.write(".env", "TAG=4\n");
    assert_eq!(image(&config(&[])), "web:4");
    assert!(config(&[])["services"]["debug"].is_null());
    assert!(config(&["--profile", "debugging"])["services"]["debug"].is_object());
    product.ends(2, &["validate", "-p", "Not A Name"]);
    let missing = product.ends(2, &["validate", "--env-file", "missing.env"]);
    assert!(missing.notices.contains("missing.env"), "{missing}");
}

#[test]
fn variables_of_the_environment_count_as_options() {
    let mut product = good();
    product.variable("COMPOSE_PROJECT_NAME", "from-compose");
    product.variable("RECONCILER_OUTPUT", "json");
    assert_eq!(product.ends(0, &["config"]).json()["name"], "from-compose");
    product.variable("RECONCILER_PROJECT_NAME", "from-variable");
    assert_eq!(product.ends(0, &["config"]).json()["name"], "from-variable");
    let option = product.ends(0, &["config", "-p", "from-option"]);
    assert_eq!(option.json()["name"], "from-option");
}

#[test]
fn later_files_are_merged_over_earlier_ones() {
    let mut product = good();
    product.write("over.yaml", "services: {web: {image: \"other:2\"}}\n");
    product.option(&["-f", "over.yaml"]);
    let json = product.ends(0, &["config", "-o", "json"]).json();
    assert_eq!(json["services"]["web"]["image"], "other:2");
    assert_eq!(json["services"]["web"]["ports"][0]["published"], "8080");
}

#[test]
fn two_stacks_of_one_name_are_an_error_for_both() {
    let mut product = Product::bare();
    product.option(&["-f", "stacks"]);
    for file in ["one.yaml", "two.yml"] {
        product.write(&format!("stacks/{file}"), "name: a\nservices: {x: {image: x}}\n");
    }
    product.write("stacks/three.yaml", "name: b\nservices: {x: {image: x}}\n");
    product.write("stacks/notes.txt", "no stack");
    let ended = product.ends(2, &["validate"]);
    insta::assert_snapshot!(product.transcript(&ended));
    product.write("stacks/two.yml", "name: c\nservices: {x: {image: x}}\n");
    let ended = product.ends(0, &["validate"]);
    assert_eq!(ended.output.lines().count(), 3, "{ended}");
}

#[test]
fn without_an_engine_it_says_what_to_do() {
    let mut product = good();
    alone(&mut product);
    let ended = product.ends(3, &["diff"]);
    insta::assert_snapshot!(product.transcript(&ended));
    for command in ["status", "apply"] {
        let ended = product.ends(3, &[command]);
        assert_eq!(ended.output, "", "{command}");
        assert!(ended.notices.contains("/nowhere/engine.sock"), "{command}: {ended}");
    }
    product.ends(3, &["explain", "web"]);
    product.ends(3, &["delete", "--yes"]);
    product.ends(0, &["validate"]);
    product.ends(0, &["config"]);
}

#[test]
fn an_unknown_service_is_answered_with_the_known_ones() {
    let mut product = good();
    alone(&mut product);
    let ended = product.ends(2, &["explain", "wbe"]);
    insta::assert_snapshot!(product.transcript(&ended));
}

#[test]
fn secrets_stand_in_no_output_but_that_of_config() {
    let mut product = good();
    alone(&mut product);
    product.variable("PASSWORD", CANARY);
    // `ends` looks for the canary.
    for arguments in [
        &["validate"][..],
        &["validate", "-o", "json"],
        &["diff", "-v", "-v"],
        &["status", "-v"],
        &["explain", "db"],
        &["apply", "--timeout", "1s"],
        &["delete", "--yes"],
    ] {
        product.run(arguments);
    }
    product.variable("RECONCILER_LOG", "trace");
    product.run(&["diff"]);
    assert!(product.run(&["config"]).output.contains(CANARY));
}
