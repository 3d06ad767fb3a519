//! A canonical value as block YAML, for `config`.

use serde_json::Value as Json;

/// Returns the value as block YAML, in which every `$` is written `$$` so that the text
/// can be loaded again.
///
/// Whoever passes [`crate::state::value::Value::exposed`] shows secrets: only `config` may.
pub fn drawn(value: &Json) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.trim_start_matches(['\n', ' ']).to_owned()
}

/// Writes a value behind `key:` or `-`.
fn block(value: &Json, indent: usize, text: &mut String) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                start_line(indent, text);
                text.push_str(&scalar(key));
                text.push(':');
                block(value, indent + 2, text);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for item in items {
                start_line(indent, text);
                text.push('-');
                block(item, indent + 2, text);
            }
        }
        Json::Object(_) => text.push_str(" {}"),
        Json::Array(_) => text.push_str(" []"),
        Json::String(line) => text.extend([" ", &scalar(line)]),
        Json::Null | Json::Bool(_) | Json::Number(_) => {
            text.extend([" ", &value.to_string()]);
        }
    }
}

/// Begins a line, unless a `-` has just begun it.
fn start_line(indent: usize, text: &mut String) {
    let after_dash = text.ends_with('-')
        && text
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.chars().count() + 1 == indent);
    if after_dash {
        text.push(' ');
    } else {
        text.push('\n');
        *text += &" ".repeat(indent);
    }
}

/// Returns a text as plain YAML where that means the same text, else in double quotes.
fn scalar(text: &str) -> String {
    let text = text.replace('$', "$$");
    if is_plain(&text) { text } else { Json::String(text).to_string() }
}

fn is_plain(text: &str) -> bool {
    let inner = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$' | '+' | '@')
    };
    let has_colon_only_inside = !text.ends_with(':') && !text.starts_with(':');
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let is_word = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    begins_well
        && !is_word
        && has_colon_only_inside
        && text.chars().all(|c| inner(c) || c == ':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::problem::Problems;
    use crate::compose::yaml::parse;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn maps_lists_and_scalars_are_block_yaml() {
        let value = json!({
            "name": "milvus",
            "services": {
                "etcd": {
                    "command": ["etcd", "--name", ""],
                    "environment": {"A": "1", "B": null, "C": "yes", "D": "a b: $X\n"},
                    "ports": [{"target": 2379, "nested": [["x"], {}]}, []],
                    "image": "quay.io/coreos/etcd:v3.5.25",
                    "read_only": true,
                },
            },
        });
        insta::assert_snapshot!(drawn(&value), @r#"
        name: milvus
        services:
          etcd:
            command:
              - etcd
              - "--name"
              - ""
            environment:
              A: "1"
              B: null
              C: "yes"
              D: "a b: $$X\n"
            image: quay.io/coreos/etcd:v3.5.25
            ports:
              - nested:
                  - - x
                  - {}
                target: 2379
              - []
            read_only: true
        "#);
    }

    #[test]
    fn texts_that_yaml_would_read_as_something_else_are_quoted() {
        for text in
            ["", "~", "1e3", "0x1", "-", "a: b", "No", "a #b", "*x", "22:22", ".5"]
        {
            assert!(scalar(text).starts_with('"'), "{text}");
        }
    }

    fn any_value() -> impl Strategy<Value = Json> {
        let text = prop_oneof![
            any::<String>(),
            "[-a-c0-9 :#$&*!|>'\"%@`{},\\[\\]\\n\\t?~._/]{0,6}",
            prop::sample::select(vec![
                "null", "true", "---", "...", "<<", "=", "0o7", "?"
            ])
            .prop_map(str::to_owned),
        ];
        let key = text.clone();
        let leaf = prop_oneof![Just(Json::Null), text.prop_map(Json::String)];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
                prop::collection::btree_map(key.clone(), inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn what_is_drawn_reads_back_as_the_same(value in any_value()) {
            let text = drawn(&value);
            let mut problems = Problems::default();
            let documents = parse(0, &text, &mut problems);
            let messages: Vec<&str> = problems.iter().map(|p| p.message.as_str()).collect();
            let Some(documents) = documents else { panic!("{messages:?} in {text}") };
            prop_assert_eq!(documents.len(), 1, "{}", text);
            let read = documents[0].value().exposed().to_string().replace("$$", "$");
            prop_assert_eq!(read, value.to_string(), "{}", text);
        }
    }

    #[test]
    fn a_lone_scalar_is_a_line() {
        assert_eq!(drawn(&json!("x")), "x\n");
        assert_eq!(drawn(&json!({})), "{}\n");
    }
}
