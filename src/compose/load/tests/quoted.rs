//! No problem repeats a secret that the file or a variable holds.

use super::*;

/// Returns everything that is said of a file.
fn said(text: &str) -> String {
    let scene = Scene::new([("f.yaml", text)]).with("DB_PASSWORD", "hunter2");
    let loaded = scene.with("DSN_URL", "db://u:hunter2@h/x").load();
    let problems: Vec<_> = loaded.problems.iter().collect();
    assert!(!problems.is_empty(), "nothing is wrong with {text}");
    format!("{problems:?}")
}

#[test]
fn a_problem_does_not_repeat_a_secret() {
    for service in [
        // Literals, in all the forms in which somebody may get them wrong.
        "environment: {DB_PASSWORD: {hunter2: x, a: hunter2}}",
        "environment: {DB_PASSWORD: [hunter2]}",
        "environment: 'DB_PASSWORD=hunter2'",
        "environment: ['DB_PASSWORD: hunter2']\n    mem_limit: hunter2",
        "environment: {DB_PASSWORD: !hunter2 x}",
        "environment: {DB_PASSWORD: !!hunter2 x}",
        "environment: {DB_PASSWORD: *hunter2}",
        "environment: {DB_PASSWORD: 'a${hunter2!}'}",
        "environment: {MINE: [hunter2]}\n    x-reconciler: {sensitive: [MINE], job: hunter2}",
        "mem_limit: 'db://u:hunter2@h'\n    environment: {A: 'db://u:hunter2@h'}",
        // Variables, where something else is wanted.
        "mem_limit: $DB_PASSWORD",
        "ports: ['$DB_PASSWORD:x']",
        "restart: $DSN_URL",
        "depends_on: [$DB_PASSWORD]",
        "networks: [$DB_PASSWORD]",
        "volumes: ['$DB_PASSWORD:x:y:z']",
        "environment: ['$DB_PASSWORD=x', '$DB_PASSWORD']\n    mem_limit: x",
        "env_file: $DB_PASSWORD",
        "secrets: [$DB_PASSWORD]",
        "healthcheck: {test: x, interval: $DB_PASSWORD}",
        "x-reconciler: {ready_deadline: $DB_PASSWORD}",
        "x-reconciler: {probe: {http: 'https://u:hunter2@h'}}",
        "x-reconciler: {probe: {tcp: $DB_PASSWORD}}",
        "labels: {a: '${NO:?it is $DB_PASSWORD}'}",
    ] {
        let said = said(&format!("services:\n  a:\n    image: x\n    {service}\n"));
        assert!(!said.contains("hunter2"), "{service}: {said}");
    }
}

#[test]
fn a_secret_is_known_by_its_form_wherever_it_can_hide() {
    let text = "
services:
  a:
    image: x
    environment: {WHERE: 'db://u:hunter2@h', HERE: 'http://h/'}
    command: [run, --api-token=hunter2, --level=info]
    labels: {where: 'db://u:hunter2@h', level: info}
    healthcheck: {test: 'curl http://u:hunter2@h'}
";
    let stack = Scene::new([("f.yaml", text)]).stack();
    let shown = stack.canonical.to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
    for plain in ["HERE: http://h/", "--level=info", "level: info"] {
        assert!(shown.contains(plain), "{plain}: {shown}");
    }
}
