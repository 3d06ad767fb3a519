//! What is covered, and what stays to be read.

use super::*;

/// Draws every line of a file.
fn drawn(text: &str) -> String {
    let mut sources = Sources::default();
    let index = sources.add("stack.yaml".into(), text.to_owned());
    let names = SensitiveNames::of(&sources);
    CoveredFile::of(sources.file(index).unwrap(), &names)
        .lines
        .into_iter()
        .map(|line| line.text + "\n")
        .collect()
}

#[test]
fn values_of_sensitive_names_are_covered_in_every_spelling() {
    let text = "\
services:
  api:
    image: app:1
    environment:
      DB_PASSWORD: canary
      \"API_TOKEN\": canary
      PLAIN: shown
      DATABASE_URL: postgres://app:canary@db/app
    labels: {a: b, admin-password: canary, c: canary}
  list:
    environment:
    - DB_PASSWORD=canary
    - 'API_TOKEN=canary'
    - PLAIN=shown
    command: [serve, --db-password=canary]
    entrypoint: [serve, 'amqp://app:canary@mq']
    # DB_PASSWORD: canary
";
    let drawn = drawn(text);
    assert!(!drawn.contains("canary"), "{drawn}");
    assert_eq!(drawn.matches("shown").count(), 2, "{drawn}");
    assert!(drawn.contains("image: app:1"), "{drawn}");
}

#[test]
fn json_and_defaults_of_variables_are_covered_too() {
    let text = r#"
{"a": {"environment": {"DB_PASSWORD":"canary", "B": "canary"}}}
      "DB_PASSWORD":"canary",
x: "shown ${TAG:-shown} ${DB_PASSWORD-canary}"
y: shown ${DB_PASSWORD:?canary}
z: ${TAG-shown}
DB_PASSWORD:
- canary
last: shown
"#;
    let drawn = drawn(text);
    assert!(!drawn.contains("canary"), "{drawn}");
    assert_eq!(drawn.matches("shown").count(), 5, "{drawn}");
}

#[test]
fn values_over_several_lines_are_covered_to_their_end() {
    let text = "\
services:
  api:
    environment:
      DB_PASSWORD: |
        canary

        canary: 2
      PLAIN: shown
      API_TOKEN:
        canary
      LAST: >-
        shown
    entrypoint:
      - DB_PASSWORD=canary
          canary
      - shown
";
    let drawn = drawn(text);
    assert!(!drawn.contains("canary"), "{drawn}");
    assert_eq!(drawn.matches("shown").count(), 3, "{drawn}");
}

#[test]
fn inline_content_is_covered_but_names_and_files_of_secrets_are_not() {
    let text = "\
services:
  token-server:
    image: shown
    secrets: [db_password]
secrets:
  db_password:
    file: ./shown
  inline:
    content: canary
configs:
  app:
    content: |
      canary
";
    let drawn = drawn(text);
    assert!(!drawn.contains("canary"), "{drawn}");
    assert_eq!(drawn.matches("shown").count(), 2, "{drawn}");
    assert!(drawn.contains("secrets: [db_password]"), "{drawn}");
}

#[test]
fn names_that_the_file_calls_sensitive_are_covered_wherever_it_says_so() {
    let text = "\
services:
  api:
    environment:
      LICENCE: canary
      CORP_ONE: canary
      OTHER: shown
    x-reconciler:
      sensitive: [CORP_*]
x-reconciler:
  sensitive:
  - LICENCE
  resync: 10s
";
    let drawn = drawn(text);
    assert!(!drawn.contains("canary"), "{drawn}");
    assert!(drawn.contains("shown") && drawn.contains("10s"), "{drawn}");
}

#[test]
fn a_range_behind_the_cover_becomes_the_cover() {
    let mut sources = Sources::default();
    let text = "PASSWORD: hunter2 # why";
    let index = sources.add("a.yml".into(), text.to_owned());
    let source = sources.file(index).unwrap();
    let file = CoveredFile::of(source, &SensitiveNames::default());
    let shown = |start, end| file.shown(start, end).unwrap();
    assert_eq!(shown(0, 1).0.text, "PASSWORD: (sensitive)");
    assert_eq!(shown(0, 8).1, (0, 8));
    assert_eq!(shown(10, 17).1, (10, 21));
    assert_eq!(shown(20, 23).1, (10, 21));
}

#[test]
fn a_pattern_with_stars_fits_what_it_should() {
    let fits = |pattern: &str, name: &str| matches(pattern.as_bytes(), name.as_bytes());
    assert!(
        fits("corp_*", "corp_one") && fits("*key*", "my_key_2") && fits("a?c", "abc")
    );
    assert!(!fits("corp_*", "corp") && !fits("a?c", "ac") && !fits("*key", "key_2"));
    assert!(!fits(&"*a".repeat(30), &"b".repeat(10_000)));
}

#[test]
fn files_of_variables_are_never_shown() {
    for hidden in [".env", ".env.yaml", "a/.ENV.local", "prod.env", "vars", ".."] {
        assert!(!may_be_shown(Path::new(hidden)), "{hidden}");
    }
    assert!(may_be_shown(Path::new("desired-state/milvus.yaml")));
}

#[test]
fn where_somebody_is_told_is_covered_however_it_is_written() {
    let text = "\
x-reconciler:
  notify: https://chat/canary
  notify: chat/canary
  notify:
  - url: chat/canary
    severity: shown
    on: [shown]
  - severity: shown
    url:
      chat/canary
  - {url: chat/canary, severity: error}
  - chat/canary
  notify: [
    {\"url\": \"chat/canary\"}, 'chat/canary'
  ]
  resync: shown
x-reconciler: {resync: shown, notify: {url: chat/canary}}
{\"notify\":[{\"url\":\"chat/canary\"}]}
services:
  notify:
    image: shown
";
    let drawn = drawn(text);
    assert!(!drawn.contains("canary"), "{drawn}");
    assert_eq!(drawn.matches("shown").count(), 6, "{drawn}");
}
