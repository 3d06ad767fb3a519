//! A value as YAML text: block style, quotes only where they are needed.

use std::fmt::Write as _;

use crate::compose::canonical::is_plain_text;
use crate::state::value::{Real, Value};

/// Writes a value as a document. Secrets are written in clear.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Map(map) if !map.is_empty() => entries(value, 0, &mut out),
        Value::List(items) if !items.is_empty() => list(items, 0, &mut out),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Real(_)
        | Value::Text(_)
        | Value::Secret(_)
        | Value::List(_)
        | Value::Map(_) => {
            scalar(value, 1, &mut out);
            out.push('\n');
        }
    }
    out
}

fn entries(value: &Value, depth: usize, out: &mut String) {
    for (index, (key, value)) in value.entries().enumerate() {
        if index > 0 {
            indent(depth, out);
        }
        out.push_str(&inline(key));
        out.push(':');
        match value {
            Value::Map(map) if !map.is_empty() => {
                out.push('\n');
                indent(depth + 1, out);
                entries(value, depth + 1, out);
            }
            Value::List(items) if !items.is_empty() => {
                out.push('\n');
                indent(depth + 1, out);
                list(items, depth + 1, out);
            }
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Real(_)
            | Value::Text(_)
            | Value::Secret(_)
            | Value::List(_)
            | Value::Map(_) => {
                out.push(' ');
                scalar(value, depth + 1, out);
                out.push('\n');
            }
        }
    }
}

fn list(items: &[Value], depth: usize, out: &mut String) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            indent(depth, out);
        }
        out.push_str("- ");
        match item {
            Value::Map(map) if !map.is_empty() => entries(item, depth + 1, out),
            Value::List(items) if !items.is_empty() => list(items, depth + 1, out),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Real(_)
            | Value::Text(_)
            | Value::Secret(_)
            | Value::List(_)
            | Value::Map(_) => {
                scalar(item, depth + 1, out);
                out.push('\n');
            }
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Writes what stands on one line, or the lines of a text.
fn scalar(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Real(Real(number)) => out.push_str(&real(*number)),
        Value::Text(text) => lines(text, depth, out),
        Value::Secret(secret) => lines(secret.expose(), depth, out),
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
    }
}

/// Writes a number so that it is read as one with a fraction again.
fn real(number: f64) -> String {
    let shown = number.to_string();
    if shown.contains('.') { shown } else { format!("{shown}.0") }
}

/// Writes text of several lines as such, where nothing would be lost.
fn lines(text: &str, depth: usize, out: &mut String) {
    let fits = text.contains('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && !text.ends_with("\n\n")
        && text.chars().all(|letter| letter == '\n' || is_printable(letter));
    if !fits {
        out.push_str(&inline(text));
        return;
    }
    let (body, chomp) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    out.push_str(chomp);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(depth, out);
            out.push_str(line);
        }
    }
}

/// Writes text on one line.
fn inline(text: &str) -> String {
    if may_be_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            letter if is_printable(letter) => quoted.push(letter),
            letter => {
                let written = write!(quoted, "\\U{:08x}", u32::from(letter));
                debug_assert!(written.is_ok(), "writing to a string cannot fail");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Tells whether text is read back as the same text without quotes, by readers of older
/// YAML too.
fn may_be_plain(text: &str) -> bool {
    const OLDER_WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let begins_well = text
        .starts_with(|first: char| first.is_alphanumeric() || "/_".contains(first))
        || text.starts_with("./")
        || text.starts_with("../")
        || text.strip_prefix('-').is_some_and(|rest| {
            rest.trim_start_matches('-').starts_with(char::is_alphabetic)
        });
    let is_safe =
        |letter: char| letter.is_alphanumeric() || " /._-+:@=,$".contains(letter);
    let looks_like_time = text.starts_with(|first: char| first.is_ascii_digit())
        && text.contains([':', '_']);
    begins_well
        && text.chars().all(is_safe)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !looks_like_time
        && !OLDER_WORDS.contains(&text.to_ascii_lowercase().as_str())
        && !text.starts_with("---")
        && is_plain_text(text)
}

/// Tells whether a letter may stand in YAML as it is.
fn is_printable(letter: char) -> bool {
    let is_byte_order_mark = letter == '\u{feff}';
    let breaks_lines = matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}');
    let is_private = matches!(letter, '\u{fffe}' | '\u{ffff}');
    !letter.is_control() && !is_byte_order_mark && !breaks_lines && !is_private
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compose::canonical::typed;
    use crate::compose::problem::Problems;
    use crate::compose::yaml;

    fn reread(text: &str) -> Option<Value> {
        let mut problems = Problems::default();
        let documents = yaml::parse(0, text, &mut problems)?;
        Some(typed(documents.into_iter().next()?).value())
    }

    #[test]
    fn a_tree_reads_like_handwritten_yaml() {
        let tree = Value::from(serde_json::json!({
            "command": ["sh", "-c", "echo hi\nexit 1\n"],
            "empty": {},
            "environment": {"A": "1.10", "B": null, "C": "no", "D": "a: b # c"},
            "ports": [{"published": "8080", "target": 80}, {"target": 90}],
            "nested": [[1, 2.5], []],
        }));
        let text = text(&tree);
        insta::assert_snapshot!(text, @r#"
        command:
          - sh
          - -c
          - |
            echo hi
            exit 1
        empty: {}
        environment:
          A: "1.10"
          B: null
          C: "no"
          D: "a: b # c"
        nested:
          - - 1
            - 2.5
          - []
        ports:
          - published: "8080"
            target: 80
          - target: 90
        "#);
        assert_eq!(reread(&text), Some(tree));
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ -~\n\t]{0,12}",
            "\\PC{0,8}",
            ".{0,6}",
            prop::sample::select(vec![
                "",
                "null",
                "~",
                "true",
                "1",
                "0x1",
                "1e3",
                "2020-01-01",
                "yes",
                "-",
                "--- ",
                "? a",
                "a:",
                ": a",
                "#",
                "a #b",
                " a",
                "a ",
                "\n",
                "a\n",
                "a\n\n",
                "\ta",
                "&a",
                "*a",
                "!a",
                "%a",
                "@a",
                "`a",
                "|",
                ">",
                "[",
                "{",
                "'",
                "\"",
                "<<",
                "=",
                ".inf",
                "1:30",
                "1_000",
                "a\r\nb",
                "\u{85}",
                "\u{feff}",
                "a\n b\n",
                "a\n\tb",
                "...",
                "--- a",
                "---",
                "a\n---\nb",
                "x\n...\n",
            ])
            .prop_map(str::to_owned),
        ]
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-1e9..1e9_f64).prop_map(|number| Value::Real(Real(number))),
            any_text().prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                prop::collection::btree_map(any_text(), inner, 0..4).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(value in any_value()) {
            let text = text(&value);
            prop_assert_eq!(reread(&text), Some(value), "{}", text);
        }
    }
}
